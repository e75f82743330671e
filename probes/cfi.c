// SPDX-License-Identifier: MIT
// Call frame information (.eh_frame): what a frame saved, and where. libgcc's unwinder would do as well on
// the thread itself, but reads wherever a wrong table leads it, and cannot read another thread's stack.
#include "probes/stack.h"

#include "probes/cfi_entry.h"

#include "probes/poison.h"

enum { REMEMBER_MAX = 8, OPERANDS_MAX = 16 };

enum how { SAME, UNDEFINED, AT_OFFSET, IS_OFFSET, IN_REGISTER, AT_EXPRESSION, IS_EXPRESSION };

struct rule {
    enum how how;
    int64_t offset; // or the register's number
    struct uvs__cfi_cursor expression;
};

struct rules {
    struct rule frame; // the frame's address: IS_OFFSET from `base`, or IS_EXPRESSION
    unsigned base;
    struct rule registers[UVS__REGISTERS];
};

// --- The program of an entry: the rules at one address ---

struct machine {
    const struct uvs__cfi_entry *entry;
    struct rules now, initial, remembered[REMEMBER_MAX];
    size_t remembered_count;
    uint64_t location;
};

static void set_rule(struct machine *machine, uint64_t number, enum how how, int64_t offset,
                     struct uvs__cfi_cursor expression)
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
    struct uvs__cfi_cursor block;
};

static void read_operands(struct uvs__cfi_cursor *cursor, const struct uvs__cfi_entry *entry,
                          const char *forms, struct operand *ret_operand)
{
    for (size_t i = 0; forms[i]; i++) {
        int64_t *number = &ret_operand->number[i];
        switch (forms[i]) {
        case 'b':
            ret_operand->block = uvs__cfi_read_block(cursor);
            break;
        case 'u':
            *number = (int64_t)uvs__cfi_read_uleb(cursor);
            break;
        case 'f':
            *number = uvs__cfi_read_sleb(cursor) * entry->data_alignment;
            break;
        case 'F':
            *number = (int64_t)uvs__cfi_read_uleb(cursor) * entry->data_alignment;
            break;
        default:
            *number = (int64_t)uvs__cfi_read_bytes(cursor, (size_t)(forms[i] - '0'));
        }
    }
}

static bool apply(struct machine *machine, enum instruction instruction, const struct operand *operand)
{
    const struct uvs__cfi_cursor none = {0};
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

static bool step(struct machine *machine, struct uvs__cfi_cursor *cursor)
{
    const uint8_t byte = (uint8_t)uvs__cfi_read_bytes(cursor, 1);
    const uint8_t low = byte & 0x3f;
    switch (byte & 0xc0) {
    case ADVANCE:
        machine->location += low * machine->entry->code_alignment;
        return true;
    case OFFSET:
        set_rule(machine, low, AT_OFFSET,
                 (int64_t)uvs__cfi_read_uleb(cursor) * machine->entry->data_alignment,
                 (struct uvs__cfi_cursor){0});
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
static bool execute(struct machine *machine, struct uvs__cfi_cursor program, uint64_t address)
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

static uint64_t read_constant(struct uvs__cfi_cursor *cursor, uint8_t operation)
{
    if (operation >= OP_CONSTU)
        return operation == OP_CONSTS ? (uint64_t)uvs__cfi_read_sleb(cursor) : uvs__cfi_read_uleb(cursor);
    size_t size = (size_t)1 << (operation - OP_CONST1U) / 2;
    return (operation - OP_CONST1U) % 2 ? (uint64_t)uvs__cfi_read_signed(cursor, size)
                                        : uvs__cfi_read_bytes(cursor, size);
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
                     struct uvs__cfi_cursor expression, const uint64_t *frame, uint64_t *ret_value)
{
    uint64_t values[OPERANDS_MAX];
    size_t count = 0;
    if (frame)
        values[count++] = *frame;
    while (expression.at < expression.end && !expression.failed) {
        const uint8_t operation = (uint8_t)uvs__cfi_read_bytes(&expression, 1);
        if (operation >= OP_BREG0 && operation <= OP_BREG31) {
            const unsigned number = operation - OP_BREG0;
            if (!uvs__knows(registers, number) || count == OPERANDS_MAX)
                return false;
            values[count++] = registers->value[number] + (uint64_t)uvs__cfi_read_sleb(&expression);
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
            values[count - 1] += uvs__cfi_read_uleb(&expression);
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

static bool find_rules(uint64_t address, struct machine *machine, struct uvs__cfi_entry *entry)
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
    struct uvs__cfi_entry entry;
    uint64_t address = registers->value[UVS__REGISTER_RETURN] - is_return, frame;
    if (!uvs__cfi_find_entry(address, &entry) || !find_rules(address, &machine, &entry))
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
