// SPDX-License-Identifier: MIT
// Where another thread is: its stack, without the thread noticing.
#ifndef UVS_SAMPLER_H
#define UVS_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UVS__FRAMES_MAX = 127 };

struct uvs__sampled_thread {
    uint32_t tid;
    uintptr_t stack_low, stack_high; // 0: not known
};

// Takes a signal, so that workers can admit it; before the watchdog's thread is there.
void uvs__sampler_choose(void);
// Once, in the watchdog's thread, before the others.
void uvs__sampler_start(void);

// Fills frames, innermost first; the number, 0 when nothing can be said. *ret_call: the number of the system
// call that it waits in, -1: in none, or not known. Takes up to some 20 ms. A thread that is busy in the kernel
// answers when it leaves it: since_ns, the begin of what is looked at, tells whether that is still the same.
size_t uvs__sample_thread(const struct uvs__sampled_thread *thread, uint64_t since_ns,
                          uint64_t frames[UVS__FRAMES_MAX], int *ret_call);

// Whether it has answered since: the next sample of it is where it left the kernel.
bool uvs__has_answered_late(const struct uvs__sampled_thread *thread, uint64_t since_ns);

// CPU time of the thread since it started; UVS_ABSENT when it is gone.
uint64_t uvs__thread_cpu_ns(uint32_t tid);

// The calling thread is to take the signal although it blocks all: libuv's workers do, so that the program's signals
// are for its own threads.
void uvs__sampler_admit(void);

// The calling thread's stack. May allocate.
void uvs__find_own_stack(uintptr_t *ret_low, uintptr_t *ret_high);

#endif
