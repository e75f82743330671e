// SPDX-License-Identifier: MIT
// libuvscope-plugins.so: preloaded after the runtime where `record --plugin` names libraries that the program
// loads later. What dlopen has loaded is called through what dlsym finds, and dlsym is the last moment at
// which nobody runs the new library's code: the runtime looks at it then.
//
// dlopen itself cannot be stood in front of: where it searches depends on who calls it. dlsym's RTLD_NEXT
// does as well, so nothing is left on the stack here, and the real one returns to the caller.
#include <dlfcn.h>
#include <stddef.h>

#include "probes/plugins.h"

#include "probes/poison.h"

#if !defined(__x86_64__)
#error "dlsym's entry is written for x86-64"
#endif

#define HIDDEN __attribute__((visibility("hidden"), used))

static void (*watch)(void);
// For the entry below.
HIDDEN void *uvs__real_dlsym;
HIDDEN void uvs__before_dlsym(void);

void uvs_watch_dlsym(void (*before)(void))
{
    __atomic_store_n(&watch, before, __ATOMIC_RELEASE);
}

void uvs__before_dlsym(void)
{
    if (!uvs__real_dlsym)
        uvs__real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    void (*before)(void) = __atomic_load_n(&watch, __ATOMIC_ACQUIRE);
    if (before)
        before();
}

__asm__(".text\n"
        ".globl dlsym\n"
        ".type dlsym, @function\n"
        "dlsym:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    push %rdi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    push %rsi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    sub $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    call uvs__before_dlsym\n"
        "    add $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    pop %rsi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    pop %rdi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    jmp *uvs__real_dlsym(%rip)\n"
        "    .cfi_endproc\n"
        ".size dlsym, . - dlsym\n");
