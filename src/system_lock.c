// SPDX-License-Identifier: MIT
// An flock on the directory of run-time files itself.
#include "system_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, STEP_MS = 20 };

// Whoever holds it is starting or ending a daemon, which takes a second at most. One that is stuck there
// (stopped by a debugger, say) must not stop everybody else: going on without the lock risks no more than a
// lost race.
int uvs__system_lock(void)
{
    int lock = open("/var/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (int waited_ms = 0; lock >= 0 && flock(lock, LOCK_EX | LOCK_NB); waited_ms += STEP_MS) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited_ms >= PATIENCE_MS) {
            close(lock);
            return -1;
        }
        nanosleep(&step, NULL);
    }
    return lock;
}

void uvs__system_unlock(int lock)
{
    if (lock < 0)
        return;
    // Children may still hold the descriptor.
    flock(lock, LOCK_UN);
    close(lock);
}
