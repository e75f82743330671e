// SPDX-License-Identifier: MIT
// Whether a signal was sent to uvscope alone, or to all of its process group (or control group), and so to the program
// as well.
//
// kill(2) of a group looks to each process like one to itself. A witness is a child in the same group that takes no
// signal: what it has pending (ShdPnd in proc_pid_status(5)) was sent to others than uvscope too.
#ifndef UVS_WITNESS_H
#define UVS_WITNESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct uvs_witness {
    pid_t pid;     // 0: there is none
    uint64_t seen; // by the one before this: a bit for each signal, as in ShdPnd
};

// Where it cannot be started every signal counts as sent to uvscope alone.
void uvs__witness_start(struct uvs_witness *ret_witness);

// Each signal once. Takes up to 10 ms, since the others may get theirs later.
bool uvs__witness_saw(struct uvs_witness *witness, int number);

void uvs__witness_end(const struct uvs_witness *witness);

#endif
