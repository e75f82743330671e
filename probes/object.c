// SPDX-License-Identifier: MIT
// Reading loaded ELF objects.
#include "probes/object.h"

#include <elf.h>
#include <string.h>

#include "probes/poison.h"

void uvs__read_build_id(const struct dl_phdr_info *object, char ret_hex[UVS_BUILD_ID_TEXT])
{
    ret_hex[0] = '\0';
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_NOTE)
            continue;
        const char *at = (const char *)(object->dlpi_addr + segment->p_vaddr), *end = at + segment->p_memsz;
        while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
            const char *name = at + sizeof(*note);
            const unsigned char *id = (const unsigned char *)name + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
                note->n_descsz <= 64) {
                for (uint32_t byte = 0; byte < note->n_descsz; byte++) {
                    ret_hex[2 * byte] = "0123456789abcdef"[id[byte] >> 4];
                    ret_hex[2 * byte + 1] = "0123456789abcdef"[id[byte] & 15];
                }
                ret_hex[2 * note->n_descsz] = '\0';
                return;
            }
            at = (const char *)id + ((note->n_descsz + 3) & ~3u);
        }
    }
}

// glibc has made the addresses in it absolute.
static void read_dynamic(const ElfW(Dyn) * dynamic, struct uvs__object *object)
{
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = (const void *)dynamic->d_un.d_ptr;
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            object->symbols = at;
            break;
        case DT_STRTAB:
            object->strings = at;
            break;
        case DT_GNU_HASH:
            object->gnu_hash = at;
            break;
        case DT_JMPREL:
            object->relocations[0].rows = at;
            break;
        case DT_PLTRELSZ:
            object->relocations[0].bytes = dynamic->d_un.d_val;
            break;
        case DT_RELA:
            object->relocations[1].rows = at;
            break;
        case DT_RELASZ:
            object->relocations[1].bytes = dynamic->d_un.d_val;
            break;
        default:
            break;
        }
    }
}

struct search {
    uintptr_t inside;
    struct uvs__object found;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct search *search = data;
    struct uvs__object object = {.begin = UINTPTR_MAX, .bias = info->dlpi_addr};
    const ElfW(Dyn) *dynamic = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)at;
        if (segment->p_type != PT_LOAD)
            continue;
        object.begin = at < object.begin ? at : object.begin;
        object.end = at + segment->p_memsz > object.end ? at + segment->p_memsz : object.end;
    }
    if (search->inside < object.begin || search->inside >= object.end)
        return 0;
    if (dynamic)
        read_dynamic(dynamic, &object);
    uvs__read_build_id(info, object.build_id);
    search->found = object;
    return 1;
}

bool uvs__object_of(const void *inside, struct uvs__object *ret_object)
{
    struct search search = {.inside = (uintptr_t)inside};
    dl_iterate_phdr(look_at, &search);
    *ret_object = search.found;
    return search.found.symbols && search.found.strings;
}

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

size_t uvs__exported_size(const struct uvs__object *object, const char *name)
{
    const uint32_t *table = object->gnu_hash;
    if (!table || table[0] == 0)
        return 0;
    // buckets, first symbol in them, words of the Bloom filter, shift; then filter, buckets, chains
    const uint32_t count = table[0], first = table[1];
    const uint32_t *buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chains = buckets + count;
    uint32_t hash = gnu_hash_of(name), index = buckets[hash % count];
    for (; index >= first; index++) {
        const ElfW(Sym) *symbol = &object->symbols[index];
        uint32_t found = chains[index - first];
        if ((found | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            strcmp(object->strings + symbol->st_name, name) == 0)
            return symbol->st_size;
        if (found & 1) // the bucket's last
            break;
    }
    return 0;
}

bool uvs__calls_by_slot(const struct uvs__object *object, const char *name)
{
    for (size_t t = 0; t < sizeof(object->relocations) / sizeof(object->relocations[0]); t++) {
        const ElfW(Rela) *rows = object->relocations[t].rows;
        for (size_t i = 0; rows && i < object->relocations[t].bytes / sizeof(*rows); i++) {
            const ElfW(Sym) *symbol = &object->symbols[ELF64_R_SYM(rows[i].r_info)];
            if (strcmp(object->strings + symbol->st_name, name) == 0)
                return true;
        }
    }
    return false;
}
