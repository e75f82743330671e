// SPDX-License-Identifier: MIT
// The witness of signals to the process group.
#include "witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS = 11 };

static const struct timespec between_looks = {.tv_nsec = 1000000};

static uint64_t bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

static _Noreturn void stand_by(pid_t parent)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "uvscope-witness");
    close_range(0, ~0U, 0); // nobody waits for the end of these because of us
    if (getppid() != parent)
        _exit(0);
    for (;;)
        pause();
}

static pid_t start(void)
{
    const pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        stand_by(parent);
    return pid > 0 ? pid : 0;
}

static uint64_t pending(pid_t pid)
{
    char path[64], *line = NULL;
    size_t size = 0;
    uint64_t signals = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    while (status && getline(&line, &size, status) > 0)
        if (sscanf(line, "ShdPnd: %" SCNx64, &signals) == 1)
            break;
    free(line);
    if (status)
        fclose(status);
    return signals;
}

void uvs__witness_start(struct uvs_witness *ret_witness)
{
    *ret_witness = (struct uvs_witness){.pid = start()};
}

// Nobody can take a pending signal from another process, but another process can take its place. One that
// came just when both were there has been seen by both.
static void replace(struct uvs_witness *witness, uint64_t bit)
{
    do {
        const pid_t next = start();
        witness->seen |= pending(witness->pid);
        uvs__witness_end(witness);
        witness->pid = next;
    } while (witness->pid && pending(witness->pid) & witness->seen & ~bit);
}

bool uvs__witness_saw(struct uvs_witness *witness, int number)
{
    const uint64_t bit = bit_of(number);
    for (int look = 0; witness->pid && !(witness->seen & bit) && look < LOOKS; look++) {
        if (look > 0)
            nanosleep(&between_looks, NULL);
        if (pending(witness->pid) & bit)
            replace(witness, bit);
    }
    const bool saw = witness->seen & bit;
    witness->seen &= ~bit;
    return saw;
}

void uvs__witness_end(const struct uvs_witness *witness)
{
    if (!witness->pid)
        return;
    kill(witness->pid, SIGKILL);
    waitpid(witness->pid, NULL, 0);
}
