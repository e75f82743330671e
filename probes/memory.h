// SPDX-License-Identifier: MIT
// Reading the process's own memory where an address may be wrong.
#ifndef UVS_MEMORY_H
#define UVS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

// `address` may be anything: the kernel looks whether it can be read. False, and errno changed, if it cannot.
static inline bool uvs__read_memory(uintptr_t address, void *to, size_t size)
{
    const struct iovec here = {to, size}, there = {(void *)address, size};
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)size;
}

#endif
