// SPDX-License-Identifier: MIT
// Trace directories: names, modes, the newest one.
#include "trace_dir.h"

#include "runs_dir.h"

#include "../analysis/recording.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LATEST "latest"

enum {
    NAME_MAX_CHARS = 64, // of the program's, in a directory name
    SAME_SECOND_MAX = 1000,
    TREE_FDS = 16,
    PACKET_SEQUENCE_OFFSET = 64, // in the header of an LTTng-UST packet
};

// --- The default place ---

static const char *home_directory(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(geteuid());
    return user ? user->pw_dir : "/";
}

int uvs__trace_dir_default(char **ret_path, struct uvs_error *error)
{
    const char *chosen = getenv("UVSCOPE_TRACES");
    int length = chosen && chosen[0] ? asprintf(ret_path, "%s", chosen)
                                     : asprintf(ret_path, "%s/uvscope-traces", home_directory());
    return length < 0 ? uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory") : 0;
}

// Like mkdir -p; 0 or errno.
static int make_directories(const char *path)
{
    char step[PATH_MAX];
    if (strlen(path) >= sizeof(step))
        return ENAMETOOLONG;
    strcpy(step, path);
    for (char *slash = strchr(step + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(step, 0700) && errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return mkdir(step, 0700) && errno != EEXIST ? errno : 0;
}

// --- Creation ---

static void name_after_program(const char *program, char *ret_name, size_t size)
{
    const char *slash = strrchr(program, '/');
    const char *base = slash ? slash + 1 : program;
    size_t used = 0;
    for (; base[used] && used < size - 1; used++) {
        bool plain = isalnum((unsigned char)base[used]) || strchr("._+-", base[used]);
        // A leading dot hides, a leading dash looks like an option.
        bool leads = used == 0 && strchr(".-", base[used]);
        ret_name[used] = (char)(plain && !leads ? base[used] : '_');
    }
    ret_name[used] = '\0';
}

static int create_named(const char *place, const char *program, char **ret_path, struct uvs_error *error)
{
    char name[NAME_MAX_CHARS + 1], stamp[32];
    name_after_program(program, name, sizeof(name));
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    for (int i = 1; i < SAME_SECOND_MAX; i++) {
        char suffix[16] = "", *path;
        if (i > 1)
            snprintf(suffix, sizeof(suffix), "-%d", i);
        if (asprintf(&path, "%s/%s-%s%s", place, name, stamp, suffix) < 0)
            return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
        if (mkdir(path, 0700) == 0) {
            *ret_path = path;
            return 0;
        }
        int reason = errno;
        free(path);
        if (reason != EEXIST)
            return uvs_error_set(error, UVS_E_ENVIRONMENT,
                                 "cannot make a trace directory in %s: %s; name another with -o DIR", place,
                                 strerror(reason));
    }
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "%s is full of recordings of this second; use -o DIR",
                         place);
}

static int create_default(const char *program, struct uvs_trace_dir *dir, struct uvs_error *error)
{
    char *place;
    int result = uvs__trace_dir_default(&place, error);
    if (result)
        return result;
    int reason = make_directories(place);
    if (reason)
        result = uvs_error_set(error, UVS_E_ENVIRONMENT,
                               "cannot make %s for the traces: %s; set UVSCOPE_TRACES or use -o DIR", place,
                               strerror(reason));
    else
        result = create_named(place, program, &dir->path, error);
    free(place);
    dir->created = result == 0;
    return result;
}

static bool is_empty(const char *path)
{
    DIR *stream = opendir(path);
    if (!stream)
        return false;
    int entries = 0;
    while (entries <= 2 && readdir(stream))
        entries++;
    closedir(stream);
    return entries <= 2;
}

static int create_wanted(const char *wanted, struct uvs_trace_dir *dir, struct uvs_error *error)
{
    dir->created = mkdir(wanted, 0700) == 0;
    struct stat info;
    if (!dir->created && errno != EEXIST)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot make the trace directory %s: %s", wanted,
                             strerror(errno));
    if (!dir->created && (stat(wanted, &info) || !S_ISDIR(info.st_mode)))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "%s is no directory; name a new one with -o", wanted);
    if (!dir->created && !is_empty(wanted))
        return uvs_error_set(error, UVS_E_ENVIRONMENT,
                             "%s is not empty; name a new directory with -o, or remove that one", wanted);
    return 0;
}

static int make_absolute(const char *path, struct uvs_trace_dir *dir, struct uvs_error *error)
{
    dir->path = realpath(path, NULL);
    return dir->path ? 0
                     : uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot find %s: %s", path, strerror(errno));
}

static int check_writable(const struct uvs_trace_dir *dir, struct uvs_error *error)
{
    // An existing directory may be open to others; a trace holds the program's arguments.
    if (access(dir->path, W_OK | X_OK) || chmod(dir->path, 0700))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write into the trace directory %s: %s",
                             dir->path, strerror(errno));
    return 0;
}

int uvs__trace_dir_create(const char *wanted, const char *program, struct uvs_trace_dir *ret_dir,
                          struct uvs_error *error)
{
    struct uvs_trace_dir dir = {0};
    int result = wanted ? create_wanted(wanted, &dir, error) : create_default(program, &dir, error);
    if (result)
        return result;
    char *made = dir.path;
    const char *path = wanted ? wanted : made;
    result = make_absolute(path, &dir, error);
    if (!result)
        result = check_writable(&dir, error);
    if (result && dir.created)
        rmdir(path);
    free(made);
    if (result) {
        uvs__trace_dir_clear(&dir);
        return result;
    }
    *ret_dir = dir;
    return 0;
}

void uvs__trace_dir_clear(struct uvs_trace_dir *dir)
{
    free(dir->path);
    *dir = (struct uvs_trace_dir){0};
}

// --- Trees ---

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    remove(path);
    return 0;
}

void uvs__remove_tree(const char *path)
{
    nftw(path, remove_entry, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

static int remove_below(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return walk->level > 0 ? remove_entry(path, info, type, walk) : 0;
}

void uvs__trace_dir_abandon(const struct uvs_trace_dir *dir)
{
    nftw(dir->path, dir->created ? remove_entry : remove_below, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

// nftw passes no user data.
static uint64_t walked_bytes, walked_largest;

static int add_size(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)path, (void)walk;
    uint64_t size = type == FTW_F ? (uint64_t)info->st_size : 0;
    walked_bytes += size;
    if (size > walked_largest)
        walked_largest = size;
    return 0;
}

uint64_t uvs__trace_dir_size(const struct uvs_trace_dir *dir, uint64_t *ret_largest)
{
    walked_bytes = walked_largest = 0;
    nftw(dir->path, add_size, TREE_FDS, FTW_PHYS);
    if (ret_largest)
        *ret_largest = walked_largest;
    return walked_bytes;
}

// In the first file of each stream, the first packet has the number 0 until it is overwritten.
static int look_at_first_packet(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    const char *name = path + walk->base, *number = strrchr(name, '_');
    uint64_t sequence = 0;
    if (type != FTW_F || !number || strcmp(number, "_0") != 0)
        return 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    bool read = pread(file, &sequence, sizeof(sequence), PACKET_SEQUENCE_OFFSET) == sizeof(sequence);
    close(file);
    return read && sequence > 0;
}

bool uvs__trace_dir_overwritten(const struct uvs_trace_dir *dir)
{
    return nftw(dir->path, look_at_first_packet, TREE_FDS, FTW_PHYS) > 0;
}

// By trying: the room that statvfs tells of knows no quota, and LTTng says nothing of what it could not
// write.
int uvs__trace_dir_refusal(const struct uvs_trace_dir *dir, off_t room)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/.room", dir->path) >= sizeof(path))
        return ENAMETOOLONG;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before; // the program is to inherit that
    sigaction(SIGXFSZ, &ignore, &before);
    int refusal = posix_fallocate(file, 0, room);
    sigaction(SIGXFSZ, &before, NULL);
    close(file);
    unlink(path);
    return refusal;
}

// --- The newest one ---

// rename replaces a symlink, and nothing but a symlink may be replaced.
static bool replace_link(const char *place, const char *target)
{
    char link[PATH_MAX], fresh[PATH_MAX];
    int length = snprintf(link, sizeof(link), "%s/" LATEST, place);
    if (length < 0 || (size_t)length >= sizeof(link) ||
        (size_t)snprintf(fresh, sizeof(fresh), "%s/." LATEST ".%d", place, (int)getpid()) >= sizeof(fresh))
        return false;
    struct stat info;
    if (lstat(link, &info) == 0 && !S_ISLNK(info.st_mode))
        return false;
    unlink(fresh);
    if (symlink(target, fresh))
        return false;
    if (rename(fresh, link) == 0)
        return true;
    unlink(fresh);
    return false;
}

bool uvs__trace_dir_link_latest(const struct uvs_trace_dir *dir)
{
    char *place;
    if (uvs__trace_dir_default(&place, NULL))
        return false;
    bool linked = make_directories(place) == 0 && replace_link(place, dir->path);
    free(place);
    return linked;
}

// The time its recording, or the first of its runs, was written; false when it is neither.
static bool recording_time(const char *directory, struct timespec *ret_time)
{
    static const char *const facts[] = {UVS_RECORDING_FILE, UVS_FIRST_RUN "/" UVS_RECORDING_FILE};
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        char file[PATH_MAX];
        struct stat info;
        if ((size_t)snprintf(file, sizeof(file), "%s/%s", directory, facts[i]) >= sizeof(file) ||
            stat(file, &info))
            continue;
        *ret_time = info.st_mtim;
        return true;
    }
    return false;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static char *scan_for_newest(const char *place)
{
    DIR *stream = opendir(place);
    if (!stream)
        return NULL;
    char *newest = NULL;
    struct timespec newest_time = {0};
    for (const struct dirent *entry; (entry = readdir(stream));) {
        struct timespec written;
        char *path;
        if (entry->d_name[0] == '.' || asprintf(&path, "%s/%s", place, entry->d_name) < 0)
            continue;
        if (recording_time(path, &written) && (!newest || is_later(&written, &newest_time))) {
            free(newest);
            newest = realpath(path, NULL);
            newest_time = written;
        }
        free(path);
    }
    closedir(stream);
    return newest;
}

static char *follow_latest(const char *place)
{
    char *link, *target = NULL;
    if (asprintf(&link, "%s/" LATEST, place) < 0)
        return NULL;
    struct timespec ignored;
    if (recording_time(link, &ignored))
        target = realpath(link, NULL);
    free(link);
    return target;
}

int uvs_newest_trace(char **ret_path, struct uvs_error *error)
{
    char *place;
    int result = uvs__trace_dir_default(&place, error);
    if (result)
        return result;
    char *newest = follow_latest(place);
    if (!newest)
        newest = scan_for_newest(place);
    if (newest)
        *ret_path = newest;
    else
        result = uvs_error_set(error, UVS_E_TRACE,
                               "there is no recording in %s; make one with 'uvscope record', or name a trace",
                               place);
    free(place);
    return result;
}
