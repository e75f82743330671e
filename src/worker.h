// SPDX-License-Identifier: MIT
// Runs reading, analysis and rendering in a supervised child: damaged traces can make libbabeltrace2 abort or
// never end.
#ifndef UVS_WORKER_H
#define UVS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

// Shared with the supervisor; the job advances it as it reads.
struct uvs_worker_progress {
    _Atomic uint64_t events; // or anything else that grows while there is progress
    // For whoever watches at a terminal: events read, and how much of the work that is; 0 unknown.
    _Atomic uint64_t read;
    _Atomic uint32_t per_mille;
    _Atomic bool silent; // the output itself goes to the terminal meanwhile
};

// Bytes that the child may allocate; half of the machine's memory if that is less.
#define UVS_WORKER_MAX_MEMORY (4ull << 30)

// Forks, runs job(data, progress) in the child and returns its exit status. A child that dies by a signal, or
// makes no progress for `patience_ns`, is ended (SIGTERM, then SIGKILL) and gives UVS_E_TRACE after a message
// that names `what`. in_process: no fork, for debuggers and valgrind.
int uvs_worker_run(int (*job)(void *data, struct uvs_worker_progress *progress), void *data, const char *what,
                   uint64_t patience_ns, bool in_process);

#endif
