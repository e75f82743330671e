// SPDX-License-Identifier: MIT
// One LTTng session, by name, on whichever daemon LTTNG_HOME leads to: created and started, stopped, counted,
// destroyed. Each call has a limit (daemon_call.h).
#ifndef UVS_SESSION_H
#define UVS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "../analysis/error.h"

// Which events of UVS_EVENT_MAP are recorded: those of DEFAULT always.
enum uvs_detail { UVS_DETAIL_DEFAULT, UVS_DETAIL_FULL, UVS_DETAIL_LEAN };

struct uvs_session_plan {
    const char *name, *ctf_directory; // absolute
    enum uvs_detail detail;
    uint64_t max_bytes; // of the trace, whose oldest part then makes room for the newest; 0: no limit
};

// Creates and starts it.
int uvs__session_start(const struct uvs_session_plan *plan, struct uvs_error *error);

struct uvs_session_loss {
    uint64_t events, packets; // UVS_ABSENT: unknown
};

// Stops it and reads what was lost. Fails when the daemon is gone or silent; *ret_loss is then unknown.
int uvs__session_stop(const char *name, struct uvs_session_loss *ret_loss, struct uvs_error *error);

// Stops it where it still runs, which waits until it is written out, and destroys it. No session of that
// name: fine. False: LTTng does not come to its end, as where a process was killed in the middle of an event.
// Its daemon will not end by itself then, and has nothing left to write.
bool uvs__session_destroy(const char *name);

// Whether the daemon has sessions at all; a silent one may.
bool uvs__any_session(void);

// Whether there is a daemon. Fails when there is one that does not answer.
int uvs__daemon_alive(bool *ret_alive, struct uvs_error *error);

struct uvs_buffers {
    uint64_t available;                   // bytes of shared memory
    uint64_t subbuffer, wanted_subbuffer; // bytes of each: what fits, and what there would be with more room
    unsigned count, cpus;                 // sub-buffers for each possible CPU
};

// The buffers of a recording, from the room that /dev/shm has now.
int uvs__choose_buffers(struct uvs_buffers *ret_buffers, struct uvs_error *error);

// How the files of a stream go around.
struct uvs_ring {
    uint64_t file_bytes, files; // 0: one file that grows
};

// So that the streams of all CPUs together take at most max_bytes. -UVS_E_USAGE when that is less than two
// packets for each.
int uvs__fit_ring(uint64_t max_bytes, const struct uvs_buffers *buffers, struct uvs_ring *ret_ring,
                  struct uvs_error *error);

// How many sub-buffers there are to be: more where shared memory is plenty, so that a recording outlasts
// seconds in which LTTng's daemon gets no processor.
unsigned uvs__fit_count(uint64_t available, unsigned cpus);

// The largest sub-buffer of a channel that fits into `available` bytes of shared memory on `cpus` possible
// CPUs; 0 when not even the smallest does.
uint64_t uvs__fit_subbuffer(uint64_t available, unsigned cpus);

#endif
