// SPDX-License-Identifier: MIT
// Walking a copied stack: by the unwind tables where there are some, by frame pointers where there are none,
// as in code that a JIT compiler generated.
#include "probes/stack.h"

#include "probes/memory.h"

#include "probes/poison.h"

enum { CALL_BYTES_MAX = 8 };

static bool is_indirect_call(const unsigned char *at, size_t length)
{
    const bool has_prefix = (at[0] & 0xf0) == 0x40;
    at += has_prefix;
    length -= has_prefix;
    if (length < 2 || at[0] != 0xff || (at[1] >> 3 & 7) != 2)
        return false;
    const unsigned mode = at[1] >> 6, base = at[1] & 7;
    const bool has_index = mode != 3 && base == 4;
    size_t displacement = mode == 1 ? 1 : mode == 2 || (mode == 0 && base == 5) ? 4 : 0;
    if (mode == 0 && has_index && length > 2 && (at[2] & 7) == 5)
        displacement = 4;
    return length == 2 + has_index + displacement;
}

// Whether a call ends there. A stack holds many words that point to code; a walk that lost its way ends here.
static bool follows_call(uint64_t address)
{
    unsigned char code[CALL_BYTES_MAX];
    if (address < sizeof(code) || !uvs__read_memory(address - sizeof(code), code, sizeof(code)))
        return false;
    if (code[sizeof(code) - 5] == 0xe8)
        return true;
    for (size_t length = 2; length <= sizeof(code); length++)
        if (is_indirect_call(code + sizeof(code) - length, length))
            return true;
    return false;
}

static bool step_by_frame_pointer(const struct uvs__stack *stack, struct uvs__registers *registers)
{
    struct uvs__registers outer = {0};
    const uint64_t frame = registers->value[UVS__REGISTER_FRAME];
    uint64_t saved, address;
    if (!uvs__knows(registers, UVS__REGISTER_FRAME) || frame % sizeof(uint64_t) ||
        frame < registers->value[UVS__REGISTER_STACK] || !uvs__stack_word(stack, frame, &saved) ||
        !uvs__stack_word(stack, frame + sizeof(uint64_t), &address) || !follows_call(address))
        return false;
    uvs__know(&outer, UVS__REGISTER_FRAME, saved);
    uvs__know(&outer, UVS__REGISTER_STACK, frame + 2 * sizeof(uint64_t));
    uvs__know(&outer, UVS__REGISTER_RETURN, address);
    *registers = outer;
    return true;
}

static bool step(const struct uvs__stack *stack, struct uvs__registers *registers, bool *is_return)
{
    bool is_interrupted = false;
    switch (uvs__cfi_step(stack, registers, *is_return, &is_interrupted)) {
    case UVS__CFI_STEPPED:
        *is_return = !is_interrupted;
        return true;
    case UVS__CFI_NONE:
        *is_return = true;
        return step_by_frame_pointer(stack, registers);
    default:
        return false;
    }
}

size_t uvs__stack_walk(const struct uvs__stack *stack, uint64_t *frames, size_t max)
{
    struct uvs__registers registers = stack->registers;
    bool is_return = false;
    size_t count = 0;
    while (count < max && registers.value[UVS__REGISTER_RETURN]) {
        const uint64_t inner_stack = registers.value[UVS__REGISTER_STACK];
        frames[count++] = registers.value[UVS__REGISTER_RETURN];
        // Each frame lies outside of the one before, or the walk goes in circles.
        if (!step(stack, &registers, &is_return) || registers.value[UVS__REGISTER_STACK] <= inner_stack)
            break;
    }
    return count;
}
