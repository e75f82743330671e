// SPDX-License-Identifier: MIT
// An flock on the directory of run-time files itself.
#include "system_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int uvs__system_lock(void)
{
    int lock = open("/var/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0)
        return -1;
    while (flock(lock, LOCK_EX)) {
        if (errno == EINTR)
            continue;
        close(lock);
        return -1;
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
