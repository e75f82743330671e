// SPDX-License-Identifier: MIT
// Takes the maps of generated code.
//
// /tmp is everybody's: a map is opened without following links, and must be a regular file of this user's.
#include "perf_maps.h"

#include "elf_file.h"
#include "../analysis/recording.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE         "/tmp" // V8's and perf's, whatever TMPDIR says
#define MAP_MAX_BYTES (256ll << 20)

enum { MAPS_MAX = 256 };

// The pid of "perf-PID.map"; 0 for any other name.
static uint32_t pid_of(const char *name)
{
    char *end;
    if (strncmp(name, "perf-", 5) != 0 || !isdigit((unsigned char)name[5]))
        return 0;
    const unsigned long pid = strtoul(name + 5, &end, 10);
    return strcmp(end, ".map") == 0 && pid <= INT_MAX ? (uint32_t)pid : 0;
}

// Calls `visit` for each map in `place`, at most MAPS_MAX times.
static void each_map(const char *place, void (*visit)(const char *name, uint32_t pid, void *data), void *data)
{
    DIR *entries = opendir(place);
    int visited = 0;
    for (const struct dirent *entry; entries && visited < MAPS_MAX && (entry = readdir(entries));) {
        const uint32_t pid = pid_of(entry->d_name);
        if (!pid)
            continue;
        visit(entry->d_name, pid, data);
        visited++;
    }
    if (entries)
        closedir(entries);
}

// --- Taking ---

struct taking {
    const char *directory;
    time_t since;
};

static bool is_ours(int fd, time_t since)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() &&
           facts.st_nlink == 1 && facts.st_size > 0 && facts.st_mtim.tv_sec >= since;
}

static void copy(int from, const char *path)
{
    const int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return;
    long long left = MAP_MAX_BYTES;
    ssize_t copied = 1;
    while (left > 0 && copied > 0) {
        copied = sendfile(to, from, NULL, (size_t)left);
        left -= copied > 0 ? copied : 0;
    }
    close(to);
    if (copied < 0)
        unlink(path);
}

static void take(const char *name, uint32_t pid __attribute__((unused)), void *data)
{
    const struct taking *taking = data;
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof(from), PLACE "/%s", name);
    const int fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (is_ours(fd, taking->since) &&
        (size_t)snprintf(to, sizeof(to), "%s/%s", taking->directory, name) < sizeof(to))
        copy(fd, to);
    close(fd);
}

void uvs__perf_maps_take(const char *directory, time_t since)
{
    struct taking taking = {directory, since};
    each_map(PLACE, take, &taking);
}

// --- Settling ---

struct settling {
    const char *directory;
    const struct uvs_report *report;
};

static const struct uvs_process_row *find_recorded(const struct uvs_report *report, uint32_t pid)
{
    for (size_t i = 0; i < report->process_count; i++)
        if (report->processes[i].pid == pid && report->processes[i].copy == 0)
            return &report->processes[i];
    return NULL;
}

// V8 takes either.
static bool ask_for_map(const char *options)
{
    return options && (strstr(options, "--perf-basic-prof") || strstr(options, "--perf_basic_prof"));
}

// Whether nobody but uvscope wanted it.
static bool is_for_us(const struct uvs_process_row *process)
{
    bool asked = ask_for_map(getenv("NODE_OPTIONS"));
    for (size_t i = 0; process->argv && i < process->argc && !asked; i++)
        asked = ask_for_map(process->argv[i]);
    return !asked && process->exe && uvs__is_node(process->exe);
}

static void settle(const char *name, uint32_t pid, void *data)
{
    const struct settling *settling = data;
    const struct uvs_process_row *process = find_recorded(settling->report, pid);
    char path[PATH_MAX];
    if (!process) {
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", settling->directory, name) < sizeof(path))
            unlink(path);
    } else if (is_for_us(process) && kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
        snprintf(path, sizeof(path), PLACE "/%s", name);
        unlink(path);
    }
}

void uvs__perf_maps_settle(const char *directory, const struct uvs_report *report)
{
    struct settling settling = {directory, report};
    each_map(directory, settle, &settling);
}

// --- Node.js ---

bool uvs__is_node(const char *binary)
{
    struct uvs_elf_image image;
    struct uvs_elf_function start;
    const char *slash = strrchr(binary, '/');
    const char *name = slash ? slash + 1 : binary;
    if (strcmp(name, "node") == 0 || strcmp(name, "nodejs") == 0)
        return true;
    if (!uvs__elf_map(binary, &image))
        return false;
    const bool exports = uvs__elf_function(&image, UVS_ELF_EXPORTED, "_ZN4node5StartEiPPc", &start);
    uvs__elf_unmap(&image);
    return exports;
}
