// SPDX-License-Identifier: MIT
// Looks through /proc: there is no other list of a group's processes.
#include "stopped.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool is_stopped(const char *pid, pid_t group)
{
    char path[PATH_MAX], line[512] = "", state = 0;
    int of_group = 0;
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[length] = '\0';
    // The name is in parentheses, and may have some of its own.
    const char *rest = strrchr(line, ')');
    return rest && sscanf(rest + 1, " %c %*d %d", &state, &of_group) == 2 && of_group == group &&
           state == 'T';
}

bool uvs__any_stopped(pid_t group)
{
    DIR *processes = opendir("/proc");
    bool found = false;
    if (!processes)
        return false;
    for (const struct dirent *entry; !found && (entry = readdir(processes));)
        found = isdigit((unsigned char)entry->d_name[0]) && is_stopped(entry->d_name, group);
    closedir(processes);
    return found;
}
