// SPDX-License-Identifier: MIT
// Entry patching for x86-64.
#include "probes/patch.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <Zydis/Zydis.h>

#include "probes/poison.h"

enum {
    JUMP_SIZE = 5,  // e9 rel32
    MOVED_MAX = 64, // moved instructions, grown by longer branches
    STUB_SIZE = 13, // 49 bb address, 41 ff e3: an absolute jump by r11, which a function's entry may change
    LINE_SIZE = 64, // of the cache. Trampoline and stub of a function are one, but for long instructions
    SLOT_MAX = (MOVED_MAX + JUMP_SIZE + STUB_SIZE + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE,
    ENDBR_SIZE = 4,
    FAR_SEARCH_STEP = 0x100000,
    CONSTANT_INSTRUCTIONS_MAX = 6, // endbr64, push, mov, mov, pop, ret
};

static const uint8_t ENDBR64[ENDBR_SIZE] = {0xf3, 0x0f, 0x1e, 0xfa};

struct decoded {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode(const uint8_t *code, size_t size, struct decoded *ret)
{
    ZydisDecoder decoder;
    return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, size, &ret->instruction, ret->operands));
}

// --- The arena: trampolines within reach of a rel32 of every target ---

struct arena {
    uint8_t *begin;
    size_t size, used;
};

static bool in_reach(const void *from, const void *to)
{
    int64_t distance = (int64_t)((intptr_t)to - (intptr_t)from);
    return distance > INT32_MIN + (1 << 20) && distance < INT32_MAX - (1 << 20);
}

static bool map_arena(struct arena *arena, uintptr_t wanted, const void *target)
{
    if (!in_reach(target, (void *)wanted))
        return false;
    void *at = mmap((void *)wanted, arena->size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    if (at != (void *)wanted) { // a kernel before 4.17
        munmap(at, arena->size);
        return false;
    }
    arena->begin = at;
    return true;
}

// Below the target first: above an executable grows its heap.
static bool create_arena(struct arena *arena, const void *target, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    *arena = (struct arena){.size = (size + page - 1) / page * page};
    uintptr_t base = (uintptr_t)target & ~(uintptr_t)(FAR_SEARCH_STEP - 1);
    for (uintptr_t distance = FAR_SEARCH_STEP; distance < INT32_MAX && distance < base;
         distance += FAR_SEARCH_STEP)
        if (map_arena(arena, base - distance, target))
            return true;
    for (uintptr_t distance = FAR_SEARCH_STEP; distance < INT32_MAX; distance += FAR_SEARCH_STEP)
        if (map_arena(arena, base + distance, target))
            return true;
    return false;
}

// --- Moving instructions ---

struct code {
    uint8_t *at; // where it will run
    size_t size;
};

static void put(struct code *code, const void *bytes, size_t size)
{
    memcpy(code->at + code->size, bytes, size);
    code->size += size;
}

static const char *put_rel32(struct code *code, const void *opcode, size_t opcode_size, uintptr_t target)
{
    put(code, opcode, opcode_size);
    int64_t distance = (int64_t)(target - (uintptr_t)(code->at + code->size + 4));
    int32_t narrow = (int32_t)distance;
    if (narrow != distance)
        return "it refers to something out of reach";
    put(code, &narrow, sizeof(narrow));
    return NULL;
}

// A branch or call with a relative target: always in its rel32 form.
static const char *move_branch(struct code *code, const struct decoded *decoded, const uint8_t *from)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;
    uintptr_t target = (uintptr_t)(from + instruction->length + decoded->operands[0].imm.value.s);
    if (instruction->mnemonic == ZYDIS_MNEMONIC_CALL)
        return put_rel32(code, "\xe8", 1, target);
    if (instruction->mnemonic == ZYDIS_MNEMONIC_JMP)
        return put_rel32(code, "\xe9", 1, target);
    if (instruction->meta.category != ZYDIS_CATEGORY_COND_BR ||
        (instruction->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (instruction->opcode & 0xf0) != 0x70))
        return "it begins with a branch that has no long form"; // loop, jrcxz
    const uint8_t opcode[] = {0x0f, (uint8_t)(0x80 | (instruction->opcode & 0xf))};
    return put_rel32(code, opcode, sizeof(opcode), target);
}

static const char *move_rip_relative(struct code *code, const struct decoded *decoded, const uint8_t *from)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;
    uint8_t *to = code->at + code->size;
    uintptr_t target = (uintptr_t)(from + instruction->length + instruction->raw.disp.value);
    int64_t distance = (int64_t)(target - (uintptr_t)(to + instruction->length));
    int32_t narrow = (int32_t)distance;
    if (instruction->raw.disp.size != 32 || narrow != distance)
        return "it refers to something out of reach";
    put(code, from, instruction->length);
    memcpy(to + instruction->raw.disp.offset, &narrow, sizeof(narrow));
    return NULL;
}

static const char *move_one(struct code *code, const struct decoded *decoded, const uint8_t *from)
{
    const ZydisDecodedInstruction *instruction = &decoded->instruction;
    if (!(instruction->attributes & ZYDIS_ATTRIB_IS_RELATIVE)) {
        put(code, from, instruction->length);
        return NULL;
    }
    if (instruction->raw.imm[0].is_relative)
        return move_branch(code, decoded, from);
    return move_rip_relative(code, decoded, from);
}

static bool ends_function(const ZydisDecodedInstruction *instruction)
{
    return instruction->meta.category == ZYDIS_CATEGORY_RET ||
           instruction->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
           instruction->mnemonic == ZYDIS_MNEMONIC_INT3;
}

// Moves whole instructions from `from` until there is room for a jump. ret_moved: how many bytes of the
// original.
static const char *move_prologue(struct code *code, const uint8_t *from, size_t size, size_t *ret_moved)
{
    size_t moved = 0;
    while (moved < JUMP_SIZE) {
        struct decoded decoded;
        if (moved >= size || !decode(from + moved, size - moved, &decoded))
            return "its first instructions cannot be decoded";
        if (moved + decoded.instruction.length < JUMP_SIZE && ends_function(&decoded.instruction))
            return "it is too short";
        if (code->size + 2 * ZYDIS_MAX_INSTRUCTION_LENGTH > MOVED_MAX)
            return "its first instructions are too long";
        const char *refused = move_one(code, &decoded, from + moved);
        if (refused)
            return refused;
        moved += decoded.instruction.length;
    }
    *ret_moved = moved;
    return NULL;
}

// A branch of the function back into its own first bytes would land in the middle of the jump.
static bool branches_into(const uint8_t *entry, size_t size, size_t begin, size_t end)
{
    for (size_t at = 0; at < size;) {
        struct decoded decoded;
        if (!decode(entry + at, size - at, &decoded))
            return true; // data in the code: nothing is certain
        const ZydisDecodedInstruction *instruction = &decoded.instruction;
        at += instruction->length;
        if (!instruction->raw.imm[0].is_relative)
            continue;
        int64_t target = (int64_t)at + decoded.operands[0].imm.value.s;
        if (target >= (int64_t)begin && target < (int64_t)end)
            return true;
    }
    return false;
}

// --- Patching ---

static bool set_protection(const void *begin, size_t size, int protection)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)begin & ~(page - 1), end = (uintptr_t)begin + size;
    return mprotect((void *)first, end - first, protection) == 0;
}

// The page stays executable meanwhile: the code that does this may lie on it, and a system that forbids to
// make a changed page executable again (SELinux's execmod) cannot leave it without. The bytes are stored
// here, not by memcpy, which the program may have put anywhere.
static bool write_jump(const struct uvs_patch *patch)
{
    if (!set_protection(patch->at, JUMP_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC))
        return false;
    for (size_t i = 0; i < JUMP_SIZE; i++)
        ((volatile uint8_t *)patch->at)[i] = patch->jump[i];
    set_protection(patch->at, JUMP_SIZE, PROT_READ | PROT_EXEC);
    return true;
}

// Lays the trampoline and the stub into the arena; the function itself is not touched yet.
static const char *prepare(struct uvs_patch *patch, struct arena *arena)
{
    uint8_t *entry = patch->target;
    size_t size = patch->size;
    if (size == 0)
        return "its size is not known";
    bool has_endbr = size >= ENDBR_SIZE && memcmp(entry, ENDBR64, ENDBR_SIZE) == 0;
    size_t skip = has_endbr ? ENDBR_SIZE : 0; // stays: indirect calls may have to find it
    struct code code = {.at = arena->begin + arena->used};
    if (arena->size - arena->used < SLOT_MAX || !in_reach(entry, code.at))
        return "there is no memory within reach";
    put(&code, ENDBR64, ENDBR_SIZE);
    size_t moved;
    const char *refused = move_prologue(&code, entry + skip, size - skip, &moved);
    if (!refused && branches_into(entry, size, skip, skip + moved))
        refused = "it branches back to its own beginning";
    if (!refused)
        refused = put_rel32(&code, "\xe9", 1, (uintptr_t)(entry + skip + moved));
    if (refused)
        return refused;
    uint8_t *stub = code.at + code.size;
    put(&code, "\x49\xbb", 2);
    put(&code, &patch->wrapper, sizeof(patch->wrapper));
    put(&code, "\x41\xff\xe3", 3);
    patch->at = entry + skip;
    int32_t distance = (int32_t)(stub - (patch->at + JUMP_SIZE));
    patch->jump[0] = 0xe9;
    memcpy(patch->jump + 1, &distance, sizeof(distance));
    *patch->real = code.at;
    arena->used += (code.size + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
    return NULL;
}

// One entry cannot lead to two wrappers. (Linkers fold functions with equal code.)
static bool is_shared(const struct uvs_patch *patches, size_t count, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (i != index && patches[i].target == patches[index].target)
            return true;
    return false;
}

static size_t refuse_all(struct uvs_patch *patches, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        patches[i].refused = why;
        *patches[i].real = patches[i].target;
    }
    return 0;
}

size_t uvs_patch_functions(struct uvs_patch *patches, size_t count)
{
    struct arena arena;
    if (count == 0 || !create_arena(&arena, patches[0].target, count * SLOT_MAX))
        return refuse_all(patches, count, "there is no memory within reach");
    for (size_t i = 0; i < count; i++)
        patches[i].refused = is_shared(patches, count, i) ? "it is another function too"
                                                          : prepare(&patches[i], &arena);
    if (!set_protection(arena.begin, arena.size, PROT_READ | PROT_EXEC)) {
        munmap(arena.begin, arena.size);
        return refuse_all(patches, count, "the system does not allow new executable memory");
    }
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (!patches[i].refused && !write_jump(&patches[i]))
            patches[i].refused = "the system does not allow its code to be changed";
        if (patches[i].refused)
            *patches[i].real = patches[i].target;
        else
            done++;
    }
    return done;
}

// --- Reading a constant ---

static bool is_register(const ZydisDecodedOperand *operand, ZydisRegister wanted)
{
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == wanted;
}

// What a compiler puts around the constant when it keeps frame pointers.
static bool is_frame_keeping(const struct decoded *decoded)
{
    const ZydisDecodedOperand *operands = decoded->operands;
    switch (decoded->instruction.mnemonic) {
    case ZYDIS_MNEMONIC_ENDBR64:
        return true;
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP:
        return is_register(&operands[0], ZYDIS_REGISTER_RBP);
    case ZYDIS_MNEMONIC_MOV:
        return is_register(&operands[0], ZYDIS_REGISTER_RBP) && is_register(&operands[1], ZYDIS_REGISTER_RSP);
    default:
        return false;
    }
}

int64_t uvs_constant_of(const void *function)
{
    const uint8_t *code = function;
    int64_t constant = -1;
    for (int i = 0; i < CONSTANT_INSTRUCTIONS_MAX; i++) {
        struct decoded decoded;
        if (!decode(code, ZYDIS_MAX_INSTRUCTION_LENGTH, &decoded))
            return -1;
        code += decoded.instruction.length;
        if (decoded.instruction.meta.category == ZYDIS_CATEGORY_RET)
            return constant;
        if (is_frame_keeping(&decoded))
            continue;
        if (decoded.instruction.mnemonic != ZYDIS_MNEMONIC_MOV ||
            !is_register(&decoded.operands[0], ZYDIS_REGISTER_EAX) ||
            decoded.operands[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return -1;
        constant = (int64_t)(decoded.operands[1].imm.value.u & UINT32_MAX);
    }
    return -1;
}
