// SPDX-License-Identifier: MIT
// hold PID...: keeps these processes from running, as a kernel that does not come back would: SIGCONT does
// not help, only SIGKILL does. Says "held"; until it is killed. Status 77 where that is not allowed.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int hold_thread(pid_t thread)
{
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) || ptrace(PTRACE_INTERRUPT, thread, NULL, NULL))
        return -1;
    return waitpid(thread, NULL, __WALL) == thread ? 0 : -1;
}

static int hold(const char *pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/task", pid);
    DIR *threads = opendir(path);
    int failed = threads == NULL;
    for (const struct dirent *entry; !failed && (entry = readdir(threads));) {
        if (entry->d_name[0] != '.')
            failed = hold_thread(atoi(entry->d_name));
    }
    if (threads)
        closedir(threads);
    return failed;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (hold(argv[i])) {
            perror(argv[i]);
            return 77;
        }
    }
    puts("held");
    fflush(stdout);
    while (waitpid(-1, NULL, __WALL) > 0)
        ; // its parent hears of its end after us
    return 0;
}
