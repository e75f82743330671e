// SPDX-License-Identifier: MIT
// Finding the entry of an address, and reading it.
#include "probes/cfi_entry.h"

#include <dlfcn.h>
#include <string.h>

#include "probes/stack.h"

#include "probes/poison.h"

// Encodings of pointers, and what they are relative to (LSB, exception headers).
enum {
    PE_FORMAT = 0x0f,
    PE_ABSOLUTE = 0x00,
    PE_UDATA2 = 0x02,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SDATA2 = 0x0a,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_RELATION = 0x70,
    PE_PC_RELATIVE = 0x10,
    PE_INDIRECT = 0x80,
    PE_TABLE = 0x3b, // what linkers write: sdata4 relative to the header
};

// --- Reading ---

uint64_t uvs__cfi_read_bytes(struct uvs__cfi_cursor *cursor, size_t size)
{
    uint64_t value = 0;
    if ((size_t)(cursor->end - cursor->at) < size) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return 0;
    }
    memcpy(&value, cursor->at, size); // little-endian
    cursor->at += size;
    return value;
}

int64_t uvs__cfi_read_signed(struct uvs__cfi_cursor *cursor, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(uvs__cfi_read_bytes(cursor, size) << unused) >> unused;
}

static uint64_t read_leb(struct uvs__cfi_cursor *cursor, bool is_signed)
{
    uint64_t value = 0, byte;
    unsigned shift = 0;
    do {
        byte = uvs__cfi_read_bytes(cursor, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && (byte & 0x40) && shift < 64)
        value |= UINT64_MAX << shift;
    return value;
}

uint64_t uvs__cfi_read_uleb(struct uvs__cfi_cursor *cursor)
{
    return read_leb(cursor, false);
}

int64_t uvs__cfi_read_sleb(struct uvs__cfi_cursor *cursor)
{
    return (int64_t)read_leb(cursor, true);
}

static uint64_t read_format(struct uvs__cfi_cursor *cursor, uint8_t encoding)
{
    switch (encoding & PE_FORMAT) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8:
        return uvs__cfi_read_bytes(cursor, 8);
    case PE_UDATA4:
        return uvs__cfi_read_bytes(cursor, 4);
    case PE_SDATA4:
        return (uint64_t)uvs__cfi_read_signed(cursor, 4);
    case PE_UDATA2:
        return uvs__cfi_read_bytes(cursor, 2);
    case PE_SDATA2:
        return (uint64_t)uvs__cfi_read_signed(cursor, 2);
    default:
        cursor->failed = true;
        return 0;
    }
}

static uint64_t read_pointer(struct uvs__cfi_cursor *cursor, uint8_t encoding)
{
    uint64_t from = (uintptr_t)cursor->at;
    uint64_t value = read_format(cursor, encoding);
    if ((encoding & PE_RELATION) == PE_PC_RELATIVE)
        return value + from;
    if (encoding & (PE_RELATION | PE_INDIRECT))
        cursor->failed = true;
    return value;
}

struct uvs__cfi_cursor uvs__cfi_read_block(struct uvs__cfi_cursor *cursor)
{
    uint64_t length = uvs__cfi_read_uleb(cursor);
    struct uvs__cfi_cursor block = {cursor->at, cursor->at, cursor->failed};
    if (length > (uint64_t)(cursor->end - cursor->at))
        cursor->failed = block.failed = true;
    else
        cursor->at = block.end = cursor->at + length;
    return block;
}

// --- Finding the entry of an address ---

struct header {
    uint8_t version, frame_encoding, count_encoding, table_encoding;
};

struct table_row {
    int32_t begin, entry; // relative to the header
};

// One entry as its length says, behind the length; a failed cursor where that is 0 or the 64-bit form.
static struct uvs__cfi_cursor open_entry(const unsigned char *at)
{
    uint32_t length;
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    if (length == 0 || length >= 0xfffffff0u)
        return (struct uvs__cfi_cursor){at, at, true};
    return (struct uvs__cfi_cursor){at, at + length, false};
}

// *ret_encoding: of the addresses in the entries that share this common one.
static bool read_common(const unsigned char *at, struct uvs__cfi_entry *entry, uint8_t *ret_encoding,
                        bool *ret_has_data)
{
    struct uvs__cfi_cursor cursor = open_entry(at);
    uint64_t id = uvs__cfi_read_bytes(&cursor, 4), version = uvs__cfi_read_bytes(&cursor, 1);
    const char *augmentation = (const char *)cursor.at;
    while (!cursor.failed && uvs__cfi_read_bytes(&cursor, 1))
        ;
    entry->code_alignment = uvs__cfi_read_uleb(&cursor);
    entry->data_alignment = uvs__cfi_read_sleb(&cursor);
    uint64_t return_register = version == 1 ? uvs__cfi_read_bytes(&cursor, 1) : uvs__cfi_read_uleb(&cursor);
    if (cursor.failed || id || (version != 1 && version != 3) || return_register != UVS__REGISTER_RETURN)
        return false;
    *ret_encoding = PE_ABSOLUTE;
    *ret_has_data = augmentation[0] == 'z';
    if (!*ret_has_data && augmentation[0])
        return false;
    struct uvs__cfi_cursor data = *ret_has_data ? uvs__cfi_read_block(&cursor) : (struct uvs__cfi_cursor){0};
    for (const char *letter = augmentation + *ret_has_data; *letter; letter++) {
        if (*letter == 'R')
            *ret_encoding = (uint8_t)uvs__cfi_read_bytes(&data, 1);
        else if (*letter == 'L')
            uvs__cfi_read_bytes(&data, 1);
        else if (*letter == 'P')
            read_format(&data, (uint8_t)uvs__cfi_read_bytes(&data, 1));
        else if (*letter == 'S')
            entry->is_signal_frame = true;
        else
            return false;
    }
    entry->initial = cursor;
    return !cursor.failed && !data.failed;
}

static bool read_entry(const unsigned char *at, struct uvs__cfi_entry *entry)
{
    struct uvs__cfi_cursor cursor = open_entry(at);
    const unsigned char *pointer = cursor.at;
    uint64_t back = uvs__cfi_read_bytes(&cursor, 4);
    uint8_t encoding;
    bool has_data;
    if (cursor.failed || back == 0 || !read_common(pointer - back, entry, &encoding, &has_data))
        return false;
    entry->begin = read_pointer(&cursor, encoding);
    entry->end = entry->begin + read_format(&cursor, encoding);
    if (has_data)
        uvs__cfi_read_block(&cursor);
    entry->program = cursor;
    return !cursor.failed;
}

bool uvs__cfi_find_entry(uint64_t address, struct uvs__cfi_entry *ret_entry)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)address, &object) != 0 || !object.dlfo_eh_frame)
        return false;
    const unsigned char *begin = object.dlfo_eh_frame;
    const struct header *header = object.dlfo_eh_frame;
    if (header->version != 1 || header->table_encoding != PE_TABLE ||
        (header->count_encoding & ~PE_FORMAT) != 0)
        return false;
    struct uvs__cfi_cursor cursor = {begin + sizeof(*header), begin + sizeof(*header) + 32, false};
    read_format(&cursor, header->frame_encoding);
    uint64_t count = read_format(&cursor, header->count_encoding);
    const struct table_row *rows = (const void *)cursor.at;
    int64_t wanted = (int64_t)(address - (uintptr_t)begin);
    size_t low = 0, high = cursor.failed ? 0 : count;
    while (low < high) { // the first row behind the address
        size_t middle = low + (high - low) / 2;
        if (rows[middle].begin <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_entry = (struct uvs__cfi_entry){0};
    return low > 0 && read_entry(begin + rows[low - 1].entry, ret_entry) && address >= ret_entry->begin &&
           address < ret_entry->end;
}
