// SPDX-License-Identifier: MIT
// A thread's stack as a copy: taken from the thread in a moment, walked afterwards by somebody else.
#ifndef UVS_STACK_H
#define UVS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    UVS__REGISTER_FRAME = 6,   // DWARF's numbers, x86-64: rbp
    UVS__REGISTER_STACK = 7,   // rsp
    UVS__REGISTER_RETURN = 16, // the return address
    UVS__REGISTERS = 17,
    UVS__STACK_BYTES = 1 << 18, // of the innermost end; what lies deeper is not walked
};

struct uvs__registers {
    uint64_t value[UVS__REGISTERS]; // [UVS__REGISTER_RETURN]: where the thread is, or returns to
    uint32_t known;                 // a bit each
};

struct uvs__stack {
    struct uvs__registers registers;
    uintptr_t low, high; // the addresses that were copied
    unsigned char bytes[UVS__STACK_BYTES];
};

static inline bool uvs__knows(const struct uvs__registers *registers, unsigned number)
{
    return number < UVS__REGISTERS && (registers->known >> number & 1);
}

static inline void uvs__know(struct uvs__registers *registers, unsigned number, uint64_t value)
{
    registers->value[number] = value;
    registers->known |= 1u << number;
}

static inline bool uvs__stack_word(const struct uvs__stack *stack, uint64_t address, uint64_t *ret_word)
{
    if (address < stack->low || address > stack->high || stack->high - address < sizeof(*ret_word))
        return false;
    memcpy(ret_word, stack->bytes + (address - stack->low), sizeof(*ret_word));
    return true;
}

// The return addresses of `stack`, innermost first, frames[0] the place itself. Reads nothing but the copy,
// the unwind tables, and code, that by a way that cannot fault. Returns how many.
size_t uvs__stack_walk(const struct uvs__stack *stack, uint64_t *frames, size_t max);

// cfi.c: one step outwards by the object's .eh_frame. is_return: the address is one behind a call.
// *ret_interrupted: the outer frame was interrupted there, not called from there.
enum uvs__cfi_result {
    UVS__CFI_STEPPED,
    UVS__CFI_NONE, // nothing is known of this address: generated code, or code without tables
    UVS__CFI_END,  // the outermost frame, or what the tables need is not in the copy
};
enum uvs__cfi_result uvs__cfi_step(const struct uvs__stack *stack, struct uvs__registers *registers,
                                   bool is_return, bool *ret_interrupted);

#endif
