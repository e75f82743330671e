// SPDX-License-Identifier: MIT
// A table of limits.
#include "limits.h"

#include <sys/resource.h>
#include <unistd.h>

#define MIB (1ull << 20)

static const struct {
    int resource;
    const char *option;         // of the shell's ulimit
    unsigned long long unit;    // of that option, in the limit's own
    unsigned long long per_cpu; // and beside that: what the daemons take on an idle machine
    unsigned long long beside;
    const char *for_what;
} limits[] = {
    {RLIMIT_NOFILE, "-n", 1, 4, 80, "open files"},
    {RLIMIT_FSIZE, "-f", 1024, 0, 16 * MIB, "files of that size: the buffers"},
    {RLIMIT_AS, "-v", 1024, 8 * MIB, 368 * MIB, "memory"},
};

enum { LIMIT_COUNT = sizeof(limits) / sizeof(limits[0]) };

int uvs__limits_check(struct uvs_error *error)
{
    unsigned long long cpus = (unsigned long long)sysconf(_SC_NPROCESSORS_CONF);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        unsigned long long needed = limits[i].per_cpu * cpus + limits[i].beside;
        struct rlimit limit;
        if (getrlimit(limits[i].resource, &limit) || limit.rlim_max >= needed)
            continue;
        return uvs_error_set(
            error, UVS_E_ENVIRONMENT,
            "'ulimit %s' is %llu, and LTTng's daemons need about %llu (%s); raise it, or set it "
            "for the program alone: uvscope record -- sh -c 'ulimit %s …; exec PROGRAM'",
            limits[i].option, (unsigned long long)limit.rlim_max / limits[i].unit, needed / limits[i].unit,
            limits[i].for_what, limits[i].option);
    }
    return 0;
}

bool uvs__limits_near(uint64_t file_bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY &&
           file_bytes + MIB > limit.rlim_max;
}

void uvs__limits_raise(void)
{
    for (int i = 0; i < LIMIT_COUNT; i++) {
        struct rlimit limit;
        if (getrlimit(limits[i].resource, &limit))
            continue;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(limits[i].resource, &limit);
    }
}
