// SPDX-License-Identifier: MIT
// A helper program's output, through a pipe.
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *read_all(int fd)
{
    char *text = NULL, piece[4096];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (ssize_t length; out && (length = read(fd, piece, sizeof(piece))) != 0;) {
        if (length > 0)
            fwrite(piece, 1, (size_t)length, out);
        else if (errno != EINTR)
            break;
    }
    return out && fclose(out) == 0 ? text : NULL;
}

static int spawn(const char *const argv[], int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions))
        return -1;
    int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
                 posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) ||
                 posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ||
                 posix_spawn(ret_pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed ? -1 : 0;
}

char *uvs__capture(const char *const argv[])
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC))
        return NULL;
    int failed = spawn(argv, ends[1], &pid);
    close(ends[1]);
    char *text = failed ? NULL : read_all(ends[0]);
    close(ends[0]);
    while (!failed && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return text;
}
