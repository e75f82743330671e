// SPDX-License-Identifier: MIT
// What this machine can do, for this user.
#include "doctor.h"

#include "needed_objects.h"
#include "../probes/patch.h"
#include "capture.h"
#include "preflight.h"
#include "session.h"
#include "sessiond.h"
#include "trace_dir.h"
#include "../probes/uvs_abi.h"

#include <lttng/lttng.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { DISK_LOW_MIB = 100 };

static void check_kernel(struct uvs_checkup *checkup)
{
    struct utsname system;
    uname(&system);
    uvs__checkup_add(checkup, UVS_HEALTH_OK, "kernel", "%s %s on %s", system.sysname, system.release,
                     system.machine);
}

static void check_runtime(struct uvs_checkup *checkup)
{
    struct uvs_error error = {0};
    if (uvs__find_runtime(checkup->runtime, &error)) {
        checkup->runtime[0] = '\0';
        uvs__checkup_add_error(checkup, UVS_HEALTH_PROBLEM, "runtime", &error);
        return;
    }
    uvs__checkup_add(checkup, UVS_HEALTH_OK, "runtime", "%s is there", checkup->runtime);
}

struct missing {
    char names[256];
};

static bool note_missing(const char *name, const char *path, void *data)
{
    struct missing *missing = data;
    // The kernel's own object has no file.
    if (!path && strncmp(name, "linux-", 6) != 0)
        snprintf(missing->names, sizeof(missing->names), "%s", name);
    return missing->names[0];
}

// A library beside the runtime, and what it needs.
static void check_library(struct uvs_checkup *checkup, const char *name, const char *file,
                          enum uvs_health without, const char *meaning)
{
    char path[PATH_MAX];
    struct missing missing = {""};
    uvs__beside_runtime(checkup, file, path);
    if (access(path, R_OK))
        uvs__checkup_remedy(
            uvs__checkup_add(checkup, without, name, "%s: %s; %s", path, strerror(errno), meaning),
            "install uvscope again");
    else if (uvs__each_object(path, note_missing, &missing))
        uvs__checkup_remedy(uvs__checkup_add(checkup, without, name, "%s needs %s, which is not there; %s",
                                             path, missing.names, meaning),
                            "install the package that has %s", missing.names);
    else
        uvs__checkup_add(checkup, UVS_HEALTH_OK, name, "%s can be loaded", path);
}

static void check_libraries(struct uvs_checkup *checkup)
{
    check_runtime(checkup);
    if (!checkup->runtime[0])
        return;
    check_library(checkup, "provider", "libuvscope-provider.so", UVS_HEALTH_PROBLEM,
                  "programs run, but nothing is recorded");
    if (!UVS_CAN_PATCH) {
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "patcher", UVS_CANNOT_PATCH),
                            "record programs that load the shared libuv");
        return;
    }
    check_library(checkup, "patcher", "libuvscope-patcher.so", UVS_HEALTH_WARNING,
                  "a libuv inside an executable cannot be hooked");
    check_library(checkup, "plugins", "libuvscope-plugins.so", UVS_HEALTH_WARNING,
                  "record --plugin does not work");
}

// --- LTTng ---

static void say_sessiond(struct uvs_checkup *checkup, const char *path)
{
    char *version = uvs__capture((const char *const[]){path, "--version", NULL});
    unsigned major = 0, minor = 0;
    if (!version || sscanf(version, "%u.%u", &major, &minor) != 2)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_PROBLEM, "lttng-sessiond",
                                             "%s does not say its version", path),
                            "install lttng-tools again");
    else if (major != 2 || minor < 13)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "lttng-sessiond",
                                             "%s is %u.%u, and uvscope is made for 2.13", path, major, minor),
                            "install lttng-tools 2.13 or later");
    else
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "lttng-sessiond", "%s is %.*s", path,
                         (int)strcspn(version, "\n"), version);
    free(version);
}

static void check_sessiond(struct uvs_checkup *checkup)
{
    char path[PATH_MAX];
    struct uvs_error error = {0};
    if (uvs__find_sessiond(path, &error))
        uvs__checkup_add_error(checkup, UVS_HEALTH_PROBLEM, "lttng-sessiond", &error);
    else
        say_sessiond(checkup, path);
}

static void check_daemon(struct uvs_checkup *checkup)
{
    bool alive;
    struct uvs_error error = {0};
    if (getuid() != 0)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "daemon", "record starts a private LTTng daemon");
    else if (uvs__daemon_alive(&alive, &error))
        uvs__checkup_add_error(checkup, UVS_HEALTH_PROBLEM, "daemon", &error);
    else if (alive)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "daemon", "the system's LTTng daemon runs: record uses it");
    else
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "daemon",
                         "the system's LTTng daemon does not run: record starts it");
}

static void check_registration(struct uvs_checkup *checkup)
{
    const char *timeout = getenv("LTTNG_UST_REGISTER_TIMEOUT");
    if (timeout && strcmp(timeout, "0") == 0)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "registration",
                                             "LTTNG_UST_REGISTER_TIMEOUT is 0: a program does not wait for "
                                             "LTTng, and what it does first is lost"),
                            "unset LTTNG_UST_REGISTER_TIMEOUT");
}

static void check_buffers(struct uvs_checkup *checkup)
{
    struct uvs_error error = {0};
    struct uvs_buffers buffers;
    if (uvs__choose_buffers(&buffers, &error)) {
        uvs__checkup_add_error(checkup, UVS_HEALTH_PROBLEM, "/dev/shm", &error);
        return;
    }
    bool small = buffers.subbuffer < buffers.wanted_subbuffer;
    struct uvs_check *check = uvs__checkup_add(
        checkup, small ? UVS_HEALTH_WARNING : UVS_HEALTH_OK, "/dev/shm",
        "/dev/shm has %llu MiB left: buffers of %llu x %llu KiB for each of %u CPUs%s",
        (unsigned long long)buffers.available >> 20, (unsigned long long)buffers.count,
        (unsigned long long)buffers.subbuffer >> 10, buffers.cpus,
        small ? ", smaller than usual, so a busy program may lose events" : "");
    if (small)
        uvs__checkup_remedy(
            check, "make it larger (docker run --shm-size=256m, mount -o remount,size=256m /dev/shm)");
}

// --- Files and limits ---

static void check_temporary(struct uvs_checkup *checkup)
{
    if (access("/tmp", W_OK | X_OK) == 0)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "perf-maps",
                         "/tmp is writable: runtimes with a compiler of their own leave their names there");
    else
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "perf-maps",
                                             "/tmp is not writable (%s): functions of JavaScript have no "
                                             "names",
                                             strerror(errno)),
                            "mount a writable /tmp");
}

static const char elsewhere[] = "set UVSCOPE_TRACES, or use record -o DIR";

// The place of traces, or what is there of the way to it.
static void check_place(struct uvs_checkup *checkup, const char *wanted, const char *existing)
{
    struct statvfs disk;
    uint64_t available_mib = statvfs(existing, &disk) ? 0 : ((uint64_t)disk.f_bavail * disk.f_frsize) >> 20;
    if (access(existing, W_OK | X_OK))
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "traces",
                                             "traces go to %s, but %s is not writable: %s", wanted, existing,
                                             strerror(errno)),
                            "%s", elsewhere);
    else if (available_mib < DISK_LOW_MIB)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "traces",
                                             "traces go to %s, whose disk has %llu MiB left", wanted,
                                             (unsigned long long)available_mib),
                            "%s", elsewhere);
    else
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "traces", "traces go to %s, whose disk has %llu MiB left",
                         wanted, (unsigned long long)available_mib);
}

static void check_traces(struct uvs_checkup *checkup)
{
    char *wanted = NULL;
    struct uvs_error error = {0};
    if (uvs__trace_dir_default(&wanted, &error)) {
        uvs__checkup_add_error(checkup, UVS_HEALTH_WARNING, "traces", &error);
        return;
    }
    char existing[PATH_MAX];
    snprintf(existing, sizeof(existing), "%s%s", wanted[0] == '/' ? "" : "./", wanted);
    for (char *slash; access(existing, F_OK) && (slash = strrchr(existing, '/')) && slash != existing;)
        *slash = '\0';
    check_place(checkup, wanted, access(existing, F_OK) ? "/" : existing);
    free(wanted);
}

static void check_limits(struct uvs_checkup *checkup)
{
    struct rlimit files = {0}, size = {0};
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    rlim_t needed = (rlim_t)UVS_DESCRIPTORS_NEEDED(cpus);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < needed)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "limits",
                                             "a process may have %llu open files, and LTTng alone takes "
                                             "about %llu",
                                             (unsigned long long)files.rlim_cur, (unsigned long long)needed),
                            "ulimit -n 1024");
    else if (getrlimit(RLIMIT_FSIZE, &size) == 0 && size.rlim_cur != RLIM_INFINITY)
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "limits",
                                             "a file may have %llu MiB at most, and the trace ends there",
                                             (unsigned long long)size.rlim_cur >> 20),
                            "ulimit -f unlimited");
    else
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "limits", "%llu open files, no limit of a file's size",
                         (unsigned long long)files.rlim_cur);
}

void uvs__doctor_machine(struct uvs_checkup *checkup)
{
    static void (*const checks[])(struct uvs_checkup * checkup) = {
        check_kernel,  check_libraries, check_sessiond, check_daemon, check_registration,
        check_buffers, check_temporary, check_traces,   check_limits,
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](checkup);
}
