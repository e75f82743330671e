// SPDX-License-Identifier: MIT
// Call frame information (.eh_frame): what a frame saved, and where. libgcc's unwinder would do as well on
// the thread itself, but reads wherever a wrong table leads it, and cannot read another thread's stack.
#include <dlfcn.h>
#include <stddef.h>

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

enum { REMEMBER_MAX = 8, OPERANDS_MAX = 16 };

struct cursor {
    const unsigned char *at, *end;
    bool failed; // ran past the end, or met what is not known here
};

enum how { SAME, UNDEFINED, AT_OFFSET, IS_OFFSET, IN_REGISTER, AT_EXPRESSION, IS_EXPRESSION };

struct rule {
    enum how how;
    int64_t offset; // or the register's number
    struct cursor expression;
};

struct rules {
    struct rule frame; // the frame's address: IS_OFFSET from `base`, or IS_EXPRESSION
    unsigned base;
    struct rule registers[UVS__REGISTERS];
};

struct entry {
    struct cursor initial, program;
    uint64_t begin, end, code_alignment;
    int64_t data_alignment;
    bool is_signal_frame;
};

// --- Reading ---

static uint64_t read_bytes(struct cursor *cursor, size_t size)
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

static int64_t read_signed(struct cursor *cursor, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(read_bytes(cursor, size) << unused) >> unused;
}

static uint64_t read_leb(struct cursor *cursor, bool is_signed)
{
    uint64_t value = 0, byte;
    unsigned shift = 0;
    do {
        byte = read_bytes(cursor, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && (byte & 0x40) && shift < 64)
        value |= UINT64_MAX << shift;
    return value;
}

static uint64_t read_uleb(struct cursor *cursor)
{
    return read_leb(cursor, false);
}

static int64_t read_sleb(struct cursor *cursor)
{
    return (int64_t)read_leb(cursor, true);
}

static uint64_t read_format(struct cursor *cursor, uint8_t encoding)
{
    switch (encoding & PE_FORMAT) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8:
        return read_bytes(cursor, 8);
    case PE_UDATA4:
        return read_bytes(cursor, 4);
    case PE_SDATA4:
        return (uint64_t)read_signed(cursor, 4);
    case PE_UDATA2:
        return read_bytes(cursor, 2);
    case PE_SDATA2:
        return (uint64_t)read_signed(cursor, 2);
    default:
        cursor->failed = true;
        return 0;
    }
}

static uint64_t read_pointer(struct cursor *cursor, uint8_t encoding)
{
    uint64_t from = (uintptr_t)cursor->at;
    uint64_t value = read_format(cursor, encoding);
    if ((encoding & PE_RELATION) == PE_PC_RELATIVE)
        return value + from;
    if (encoding & (PE_RELATION | PE_INDIRECT))
        cursor->failed = true;
    return value;
}

static struct cursor read_block(struct cursor *cursor)
{
    uint64_t length = read_uleb(cursor);
    struct cursor block = {cursor->at, cursor->at, cursor->failed};
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
static struct cursor open_entry(const unsigned char *at)
{
    uint32_t length;
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    if (length == 0 || length >= 0xfffffff0u)
        return (struct cursor){at, at, true};
    return (struct cursor){at, at + length, false};
}

// *ret_encoding: of the addresses in the entries that share this common one.
static bool read_common(const unsigned char *at, struct entry *entry, uint8_t *ret_encoding,
                        bool *ret_has_data)
{
    struct cursor cursor = open_entry(at);
    uint64_t id = read_bytes(&cursor, 4), version = read_bytes(&cursor, 1);
    const char *augmentation = (const char *)cursor.at;
    while (!cursor.failed && read_bytes(&cursor, 1))
        ;
    entry->code_alignment = read_uleb(&cursor);
    entry->data_alignment = read_sleb(&cursor);
    uint64_t return_register = version == 1 ? read_bytes(&cursor, 1) : read_uleb(&cursor);
    if (cursor.failed || id || (version != 1 && version != 3) || return_register != UVS__REGISTER_RETURN)
        return false;
    *ret_encoding = PE_ABSOLUTE;
    *ret_has_data = augmentation[0] == 'z';
    if (!*ret_has_data && augmentation[0])
        return false;
    struct cursor data = *ret_has_data ? read_block(&cursor) : (struct cursor){0};
    for (const char *letter = augmentation + *ret_has_data; *letter; letter++) {
        if (*letter == 'R')
            *ret_encoding = (uint8_t)read_bytes(&data, 1);
        else if (*letter == 'L')
            read_bytes(&data, 1);
        else if (*letter == 'P')
            read_format(&data, (uint8_t)read_bytes(&data, 1));
        else if (*letter == 'S')
            entry->is_signal_frame = true;
        else
            return false;
    }
    entry->initial = cursor;
    return !cursor.failed && !data.failed;
}

static bool read_entry(const unsigned char *at, struct entry *entry)
{
    struct cursor cursor = open_entry(at);
    const unsigned char *pointer = cursor.at;
    uint64_t back = read_bytes(&cursor, 4);
    uint8_t encoding;
    bool has_data;
    if (cursor.failed || back == 0 || !read_common(pointer - back, entry, &encoding, &has_data))
        return false;
    entry->begin = read_pointer(&cursor, encoding);
    entry->end = entry->begin + read_format(&cursor, encoding);
    if (has_data)
        read_block(&cursor);
    entry->program = cursor;
    return !cursor.failed;
}

static bool find_entry(uint64_t address, struct entry *ret_entry)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)address, &object) != 0 || !object.dlfo_eh_frame)
        return false;
    const unsigned char *begin = object.dlfo_eh_frame;
    const struct header *header = object.dlfo_eh_frame;
    if (header->version != 1 || header->table_encoding != PE_TABLE ||
        (header->count_encoding & ~PE_FORMAT) != 0)
        return false;
    struct cursor cursor = {begin + sizeof(*header), begin + sizeof(*header) + 32, false};
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
    *ret_entry = (struct entry){0};
    return low > 0 && read_entry(begin + rows[low - 1].entry, ret_entry) && address >= ret_entry->begin &&
           address < ret_entry->end;
}

// --- The program of an entry: the rules at one address ---

struct machine {
    const struct entry *entry;
    struct rules now, initial, remembered[REMEMBER_MAX];
    size_t remembered_count;
    uint64_t location;
};

static void set_rule(struct machine *machine, uint64_t number, enum how how, int64_t offset,
                     struct cursor expression)
{
    if (number < UVS__REGISTERS)
        machine->now.registers[number] = (struct rule){how, offset, expression};
}

static void restore(struct machine *machine, uint64_t number)
{
    if (number < UVS__REGISTERS)
        machine->now.registers[number] = machine->initial.registers[number];
}

static void set_frame(struct machine *machine, uint64_t base, int64_t offset)
{
    machine->now.frame = (struct rule){.how = IS_OFFSET, .offset = offset};
    machine->now.base = (unsigned)base;
}

// Operands of an instruction: u unsigned, s signed LEB128, f signed and scaled by the data alignment, F the
// same unsigned, b a block, 1 2 4 bytes.
enum instruction {
    NOP = 0x00,
    SET_LOC = 0x01,
    ADVANCE1 = 0x02,
    ADVANCE2 = 0x03,
    ADVANCE4 = 0x04,
    OFFSET_EXTENDED = 0x05,
    RESTORE_EXTENDED = 0x06,
    UNDEFINED_ = 0x07,
    SAME_VALUE = 0x08,
    REGISTER_ = 0x09,
    REMEMBER = 0x0a,
    RESTORE_STATE = 0x0b,
    DEF_CFA = 0x0c,
    DEF_CFA_REGISTER = 0x0d,
    DEF_CFA_OFFSET = 0x0e,
    DEF_CFA_EXPRESSION = 0x0f,
    EXPRESSION = 0x10,
    OFFSET_EXTENDED_SF = 0x11,
    DEF_CFA_SF = 0x12,
    DEF_CFA_OFFSET_SF = 0x13,
    VAL_OFFSET = 0x14,
    VAL_OFFSET_SF = 0x15,
    VAL_EXPRESSION = 0x16,
    GNU_ARGS_SIZE = 0x2e,
    ADVANCE = 0x40, // with the operand in the low six bits, as the two below
    OFFSET = 0x80,
    RESTORE = 0xc0,
};

static const char *const operands[0x40] = {
    [NOP] = "",
    [ADVANCE1] = "1",
    [ADVANCE2] = "2",
    [ADVANCE4] = "4",
    [OFFSET_EXTENDED] = "uF",
    [RESTORE_EXTENDED] = "u",
    [UNDEFINED_] = "u",
    [SAME_VALUE] = "u",
    [REGISTER_] = "uu",
    [REMEMBER] = "",
    [RESTORE_STATE] = "",
    [DEF_CFA] = "uu",
    [DEF_CFA_REGISTER] = "u",
    [DEF_CFA_OFFSET] = "u",
    [DEF_CFA_EXPRESSION] = "b",
    [EXPRESSION] = "ub",
    [OFFSET_EXTENDED_SF] = "uf",
    [DEF_CFA_SF] = "uf",
    [DEF_CFA_OFFSET_SF] = "f",
    [VAL_OFFSET] = "uF",
    [VAL_OFFSET_SF] = "uf",
    [VAL_EXPRESSION] = "ub",
    [GNU_ARGS_SIZE] = "u",
};

struct operand {
    int64_t number[2];
    struct cursor block;
};

static void read_operands(struct cursor *cursor, const struct entry *entry, const char *forms,
                          struct operand *ret_operand)
{
    for (size_t i = 0; forms[i]; i++) {
        int64_t *number = &ret_operand->number[i];
        switch (forms[i]) {
        case 'b':
            ret_operand->block = read_block(cursor);
            break;
        case 'u':
            *number = (int64_t)read_uleb(cursor);
            break;
        case 'f':
            *number = read_sleb(cursor) * entry->data_alignment;
            break;
        case 'F':
            *number = (int64_t)read_uleb(cursor) * entry->data_alignment;
            break;
        default:
            *number = (int64_t)read_bytes(cursor, (size_t)(forms[i] - '0'));
        }
    }
}

static bool apply(struct machine *machine, enum instruction instruction, const struct operand *operand)
{
    const struct cursor none = {0};
    const int64_t first = operand->number[0], second = operand->number[1];
    switch (instruction) {
    case ADVANCE1:
    case ADVANCE2:
    case ADVANCE4:
        machine->location += (uint64_t)first * machine->entry->code_alignment;
        return true;
    case OFFSET_EXTENDED:
    case OFFSET_EXTENDED_SF:
        set_rule(machine, (uint64_t)first, AT_OFFSET, second, none);
        return true;
    case RESTORE_EXTENDED:
        restore(machine, (uint64_t)first);
        return true;
    case UNDEFINED_:
        set_rule(machine, (uint64_t)first, UNDEFINED, 0, none);
        return true;
    case SAME_VALUE:
        set_rule(machine, (uint64_t)first, SAME, 0, none);
        return true;
    case REGISTER_:
        set_rule(machine, (uint64_t)first, IN_REGISTER, second, none);
        return true;
    case REMEMBER:
        if (machine->remembered_count == REMEMBER_MAX)
            return false;
        machine->remembered[machine->remembered_count++] = machine->now;
        return true;
    case RESTORE_STATE:
        if (machine->remembered_count == 0)
            return false;
        machine->now = machine->remembered[--machine->remembered_count];
        return true;
    case DEF_CFA:
    case DEF_CFA_SF:
        set_frame(machine, (uint64_t)first, second);
        return true;
    case DEF_CFA_REGISTER:
        machine->now.base = (unsigned)first;
        return true;
    case DEF_CFA_OFFSET:
    case DEF_CFA_OFFSET_SF:
        machine->now.frame.offset = first;
        return true;
    case DEF_CFA_EXPRESSION:
        machine->now.frame = (struct rule){IS_EXPRESSION, 0, operand->block};
        return true;
    case EXPRESSION:
        set_rule(machine, (uint64_t)first, AT_EXPRESSION, 0, operand->block);
        return true;
    case VAL_EXPRESSION:
        set_rule(machine, (uint64_t)first, IS_EXPRESSION, 0, operand->block);
        return true;
    case VAL_OFFSET:
    case VAL_OFFSET_SF:
        set_rule(machine, (uint64_t)first, IS_OFFSET, second, none);
        return true;
    default: // NOP, GNU_ARGS_SIZE
        return true;
    }
}

static bool step(struct machine *machine, struct cursor *cursor)
{
    const uint8_t byte = (uint8_t)read_bytes(cursor, 1);
    const uint8_t low = byte & 0x3f;
    switch (byte & 0xc0) {
    case ADVANCE:
        machine->location += low * machine->entry->code_alignment;
        return true;
    case OFFSET:
        set_rule(machine, low, AT_OFFSET, (int64_t)read_uleb(cursor) * machine->entry->data_alignment,
                 (struct cursor){0});
        return true;
    case RESTORE:
        restore(machine, low);
        return true;
    default:
        break;
    }
    struct operand operand = {0};
    if (!operands[byte])
        return false;
    read_operands(cursor, machine->entry, operands[byte], &operand);
    return !cursor->failed && apply(machine, (enum instruction)byte, &operand);
}

// Up to the rules that hold at `address`.
static bool execute(struct machine *machine, struct cursor program, uint64_t address)
{
    while (program.at < program.end && machine->location <= address) {
        // A move of the location beyond the address ends it before the rules behind it.
        if (!step(machine, &program) || program.failed)
            return false;
    }
    return true;
}

// --- Expressions ---

enum operation {
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_CONST8U = 0x0e,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_GE = 0x2a,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
};

static uint64_t read_constant(struct cursor *cursor, uint8_t operation)
{
    if (operation >= OP_CONSTU)
        return read_leb(cursor, operation == OP_CONSTS);
    size_t size = (size_t)1 << (operation - OP_CONST1U) / 2;
    return (operation - OP_CONST1U) % 2 ? (uint64_t)read_signed(cursor, size) : read_bytes(cursor, size);
}

static bool combine(uint8_t operation, uint64_t *left, uint64_t right)
{
    switch (operation) {
    case OP_AND:
        *left &= right;
        return true;
    case OP_MINUS:
        *left -= right;
        return true;
    case OP_PLUS:
        *left += right;
        return true;
    case OP_SHL:
        *left = right < 64 ? *left << right : 0;
        return true;
    case OP_GE:
        *left = (int64_t)*left >= (int64_t)right;
        return true;
    default:
        return false;
    }
}

// What compilers and the C library use of them: PLT entries, realigned stacks, signal frames. `frame` is the
// first operand where the rule is a register's.
static bool evaluate(const struct uvs__stack *stack, const struct uvs__registers *registers,
                     struct cursor expression, const uint64_t *frame, uint64_t *ret_value)
{
    uint64_t values[OPERANDS_MAX];
    size_t count = 0;
    if (frame)
        values[count++] = *frame;
    while (expression.at < expression.end && !expression.failed) {
        const uint8_t operation = (uint8_t)read_bytes(&expression, 1);
        if (operation >= OP_BREG0 && operation <= OP_BREG31) {
            const unsigned number = operation - OP_BREG0;
            if (!uvs__knows(registers, number) || count == OPERANDS_MAX)
                return false;
            values[count++] = registers->value[number] + (uint64_t)read_sleb(&expression);
        } else if ((operation >= OP_CONST1U && operation <= OP_CONSTS) ||
                   (operation >= OP_LIT0 && operation <= OP_LIT31)) {
            if (count == OPERANDS_MAX)
                return false;
            values[count++] = operation >= OP_LIT0 ? (uint64_t)(operation - OP_LIT0)
                                                   : read_constant(&expression, operation);
        } else if (count >= 1 && operation == OP_DEREF) {
            if (!uvs__stack_word(stack, values[count - 1], &values[count - 1]))
                return false;
        } else if (count >= 1 && operation == OP_PLUS_UCONST) {
            values[count - 1] += read_uleb(&expression);
        } else if (count >= 2 && combine(operation, &values[count - 2], values[count - 1])) {
            count--;
        } else {
            return false;
        }
    }
    if (count == 0 || expression.failed)
        return false;
    *ret_value = values[count - 1];
    return true;
}

// --- The step ---

static bool find_frame(const struct uvs__stack *stack, const struct uvs__registers *registers,
                       const struct rules *rules, uint64_t *ret_frame)
{
    if (rules->frame.how == IS_EXPRESSION)
        return evaluate(stack, registers, rules->frame.expression, NULL, ret_frame);
    *ret_frame = uvs__knows(registers, rules->base)
                     ? registers->value[rules->base] + (uint64_t)rules->frame.offset
                     : 0;
    return *ret_frame != 0;
}

// Those that a function gives back as it found them.
static bool is_preserved(unsigned number)
{
    return number == 3 || number == UVS__REGISTER_FRAME || (number >= 12 && number <= 15);
}

static bool recover(const struct uvs__stack *stack, const struct uvs__registers *inner, uint64_t frame,
                    unsigned number, const struct rule *rule, uint64_t *ret_value)
{
    uint64_t at = frame + (uint64_t)rule->offset;
    switch (rule->how) {
    case SAME:
        *ret_value = inner->value[number];
        return number != UVS__REGISTER_RETURN && is_preserved(number) && uvs__knows(inner, number);
    case AT_OFFSET:
        return uvs__stack_word(stack, at, ret_value);
    case IS_OFFSET:
        *ret_value = at;
        return true;
    case IN_REGISTER:
        if (rule->offset < 0 || !uvs__knows(inner, (unsigned)rule->offset))
            return false;
        *ret_value = inner->value[rule->offset];
        return true;
    case AT_EXPRESSION:
        return evaluate(stack, inner, rule->expression, &frame, &at) && uvs__stack_word(stack, at, ret_value);
    case IS_EXPRESSION:
        return evaluate(stack, inner, rule->expression, &frame, ret_value);
    default:
        return false;
    }
}

static bool find_rules(uint64_t address, struct machine *machine, struct entry *entry)
{
    *machine = (struct machine){.entry = entry, .location = entry->begin};
    machine->now.base = UVS__REGISTERS;
    if (!execute(machine, entry->initial, UINT64_MAX))
        return false;
    machine->initial = machine->now;
    machine->location = entry->begin;
    return execute(machine, entry->program, address);
}

enum uvs__cfi_result uvs__cfi_step(const struct uvs__stack *stack, struct uvs__registers *registers,
                                   bool is_return, bool *ret_interrupted)
{
    static struct machine machine; // large; only the watchdog's thread walks
    struct entry entry;
    uint64_t address = registers->value[UVS__REGISTER_RETURN] - is_return, frame;
    if (!find_entry(address, &entry) || !find_rules(address, &machine, &entry))
        return UVS__CFI_NONE;
    if (!find_frame(stack, registers, &machine.now, &frame))
        return UVS__CFI_END;
    struct uvs__registers outer = {0};
    for (unsigned number = 0; number < UVS__REGISTERS; number++) {
        uint64_t value;
        if (recover(stack, registers, frame, number, &machine.now.registers[number], &value))
            uvs__know(&outer, number, value);
    }
    if (machine.now.registers[UVS__REGISTER_STACK].how == SAME)
        uvs__know(&outer, UVS__REGISTER_STACK, frame);
    if (!uvs__knows(&outer, UVS__REGISTER_RETURN))
        return UVS__CFI_END;
    *registers = outer;
    *ret_interrupted = entry.is_signal_frame;
    return UVS__CFI_STEPPED;
}
