// SPDX-License-Identifier: MIT
// What the watchdog sees of the pool's workers.
#ifndef UVS_WORKER_H
#define UVS_WORKER_H

#include "probes/loop.h"

enum { UVS__WORKERS_MAX = 256 }; // further ones are not watched

struct uvs__worker {
    uint32_t tid;
    uintptr_t stack_low, stack_high;
    struct uvs__watch watch; // busy since it took a request
    struct uvs__watched watched;
} __attribute__((aligned(64)));

extern struct uvs__worker uvs__workers[UVS__WORKERS_MAX];
// That have a place in it. 0 while long jobs are not watched for.
uint32_t uvs__workers_used(void);

void uvs__workers_after_fork(void);

// On a worker, around a request, if UVSCOPE_STALL_WORK_MS is set.
void uvs__worker_begin(uint64_t op, uint8_t kind, void *asked);
void uvs__worker_end(void);

#endif
