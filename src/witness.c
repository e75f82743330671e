// SPDX-License-Identifier: MIT
// The witness of signals to the process group.
#include "witness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS = 11, STATUS_SIZE = 4096 };

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
    char path[64], status[STATUS_SIZE];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd < 0 ? 0 : read(fd, status, sizeof(status) - 1);
    if (fd >= 0)
        close(fd);
    status[length > 0 ? length : 0] = '\0';
    const char *found = strstr(status, "\nShdPnd:");
    return found ? strtoull(found + strlen("\nShdPnd:"), NULL, 16) : 0;
}

void uvs__witness_start(struct uvs_witness *ret_witness)
{
    *ret_witness = (struct uvs_witness){.pid = start()};
}

// Nobody can take a pending signal from another process, but another process can take its place.
static void replace(struct uvs_witness *witness)
{
    const pid_t next = start();
    witness->seen |= pending(witness->pid);
    uvs__witness_end(witness);
    witness->pid = next;
}

bool uvs__witness_saw(struct uvs_witness *witness, int number)
{
    const uint64_t bit = bit_of(number);
    for (int look = 0; witness->pid && !(witness->seen & bit) && look < LOOKS; look++) {
        if (look > 0)
            nanosleep(&between_looks, NULL);
        if (pending(witness->pid) & bit)
            replace(witness);
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
