// SPDX-License-Identifier: MIT
// Functions in machine code whose first instructions have every form that the patcher must move or refuse.
// The forms are written as bytes where the assembler would choose another.
#ifndef UVS_PATCH_SAMPLES_H
#define UVS_PATCH_SAMPLES_H

// clang-format off
// X(name, why it is refused or NULL, "its code"). Each is int name(int): argument in edi, result in eax.
#define PATCH_SAMPLES(X)                                                                                    \
    X(plain, NULL, "push %rbp; mov %rsp, %rbp; lea 1(%rdi), %eax; pop %rbp; ret")                           \
    X(long_first, NULL, "movabs $0x1122334455667788, %rax; add %rdi, %rax; ret")                            \
    X(marked, NULL, "endbr64; lea 2(%rdi), %eax; imul %eax, %eax; ret")                                     \
    X(rip_relative, NULL, "mov sample_data(%rip), %eax; add %edi, %eax; ret")                               \
    X(rip_relative_immediate, NULL, "cmpl $3, sample_data(%rip); sete %al; movzbl %al, %eax; ret")          \
    X(rip_relative_second, NULL, "push %rbx; lea sample_data(%rip), %rbx; mov (%rbx), %eax; pop %rbx;"      \
                                 "add %edi, %eax; ret")                                                     \
    X(call_first, NULL, "call sample_helper; add $5, %eax; ret")                                            \
    X(call_second, NULL, "push %rbx; call sample_helper; pop %rbx; sub $5, %eax; ret")                      \
    X(tail_call, NULL, ".byte 0xe9; .long sample_helper - . - 4")                                           \
    X(jump_then_rest, NULL, "mov %edi, %eax; push %rbx; jmp 1f; ud2; 1: pop %rbx; add $9, %eax; ret")       \
    X(short_jcc, NULL, "test %edi, %edi; je 1f; nop; lea 7(%rdi), %eax; ret; 1: mov $70, %eax; ret")        \
    X(short_jcc_signed, NULL, "cmp $3, %edi; jg 1f; lea -7(%rdi), %eax; ret; 1: mov $71, %eax; ret")        \
    X(near_jcc, NULL, "test %edi, %edi; .byte 0x0f, 0x84; .long 1f - . - 4; lea 8(%rdi), %eax; ret;"        \
                      "1: mov $80, %eax; ret")                                                              \
    X(recursive, NULL, "endbr64; xor %eax, %eax; test %edi, %edi; jle 1f; dec %edi; call sample_recursive;" \
                       "1: inc %eax; ret")                                                                  \
    X(branch_behind, NULL, "push %rbx; lea (%rdi), %ebx; nop; nop; 1: dec %ebx; jg 1b; mov %ebx, %eax;"     \
                           "pop %rbx; ret")                                                                 \
    X(loops, "no long form", "mov %edi, %ecx; loopne 1f; 1: lea (%rdi, %rdi), %eax; ret")                   \
    X(jrcxz, "no long form", "mov %edi, %ecx; jrcxz 1f; lea 4(%rdi), %eax; ret; 1: mov $90, %eax; ret")     \
    X(short_jump, "too short", "jmp 1f; nop; nop; nop; 1: lea 3(%rdi), %eax; ret")                          \
    X(getter, "too short", "mov %edi, %eax; ret")                                                           \
    X(padded_getter, "too short", "mov %edi, %eax; ret; nop; nop; nop; nop; nop")                           \
    X(cut_off, "cannot be decoded", "mov %edi, %eax; nop")                                                   \
    X(undecodable, "cannot be decoded", "xor %eax, %eax; je 1f; .byte 6, 6; 1: lea 3(%rdi), %eax; ret")     \
    X(data_in_code, "branches back", "lea 1(%rdi), %eax; add $4, %eax; jmp 1f; .byte 6, 6; 1: ret")         \
    X(loop_to_entry, "branches back", "1: dec %edi; test %edi, %edi; nop; jg 1b; mov %edi, %eax; ret")      \
    X(loop_to_middle, "branches back", "mov %edi, %eax; 1: dec %eax; nop; jg 1b; ret")                      \
    X(loop_to_last, "branches back", "nop; nop; nop; nop; 1: lea -1(%rdi), %edi; test %edi, %edi; jg 1b;"   \
                                     "mov %edi, %eax; ret")                                                 \
    X(jcc_into_moved, "branches back", "test %edi, %edi; je 1f; 1: lea 4(%rdi), %eax; ret")
// clang-format on

#endif
