// SPDX-License-Identifier: MIT
// Runs the program as if uvscope were not there: its signals, its stops, its end.
//
// uvscope blocks signals and takes them from the queue; it changes no disposition but SIGCHLD's. What the
// terminal or a process sends to the whole process group reaches the program too, which is in it, so that is
// dropped; what a process sends to uvscope alone is passed on.
#ifndef UVS_LAUNCH_H
#define UVS_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "../analysis/error.h"
#include "witness.h"

// How uvscope was started, for the program to be started the same way.
struct uvs_signals {
    sigset_t mask;
    struct sigaction child;
};

// Before anything else of a recording, so that none of it is cut short. SIGPIPE is held too: whoever reads
// the summary must not decide about the exit status.
void uvs__signals_hold(struct uvs_signals *ret_before);

// A signal that asks to end and arrived while held; 0: none. Asked before the launch, it was not the
// program's.
int uvs__signals_take_end(void);

// In a child that may be interrupted alone: those signals end it again.
void uvs__signals_let_end(void);

// Back to how it was started.
void uvs__signals_restore(const struct uvs_signals *before);

struct uvs_launch {
    const char *path;
    char **argv, **environment;
    const struct uvs_signals *signals;
};

// 0: *ret_pid runs the program. Else the negative of an enum uvs_record_status.
int uvs__launch(const struct uvs_launch *launch, pid_t *ret_pid, struct uvs_error *error);

// Until it has ended. *ret_end as waitid(2) fills it: CLD_EXITED and a status, or a signal. The witness was
// started before the program, and is ended. Returns the last signal by which somebody asked for the end
// meanwhile; 0: nobody did.
int uvs__launch_wait(pid_t program, struct uvs_witness *witness, siginfo_t *ret_end);

// SIGINT and SIGQUIT, which a terminal sends for Ctrl-C and its like.
bool uvs__is_typed(int number);

// For the very end, after a signal ended the program. Of one that is typed this process dies as well: a shell
// stops a loop only where Ctrl-C has ended what it waited for, and a status does not tell. Returns 128 +
// number for any other signal, and where it survives, as the first process of a container does.
int uvs__end_by(int number);

#endif
