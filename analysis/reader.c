// SPDX-License-Identifier: MIT
// Which decoder reads a path.
#include "reader.h"
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <limits.h>

static int cannot_open(const char *path, struct uvs_error *error)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return uvs_error_set(error, UVS_E_TRACE,
                             "%s does not exist; give a directory that `uvscope record` made", path);
    case EACCES:
        return uvs_error_set(
            error, UVS_E_TRACE,
            "no permission to read %s; traces are private, so read it as the user who recorded it", path);
    default:
        return uvs_error_set(error, UVS_E_TRACE, "cannot open %s: %s", path, strerror(errno));
    }
}

static int create_from_directory(const char *path, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    char file[PATH_MAX], ctf[PATH_MAX];
    struct stat stat_buffer;
    if (access(path, R_OK | X_OK) != 0)
        return cannot_open(path, error);
    if ((size_t)snprintf(file, sizeof(file), "%s/" UVS_RECORDING_FILE, path) >= sizeof(file) ||
        (size_t)snprintf(ctf, sizeof(ctf), "%s/" UVS_RECORDING_CTF, path) >= sizeof(ctf)) {
        errno = ENAMETOOLONG;
        return cannot_open(path, error);
    }
    if (stat(file, &stat_buffer) != 0)
        return uvs__reader_bt2_create(path, ret_reader, error);
    if (stat(ctf, &stat_buffer) != 0)
        return uvs_error_set(error, UVS_E_TRACE,
                             "the recording %s produced no CTF: the program may never have loaded libuv; run "
                             "`uvscope record` again and look at what it says",
                             path);
    return uvs__reader_bt2_create(ctf, ret_reader, error);
}

int uvs_reader_create(const char *path, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    struct stat stat_buffer;
    if (stat(path, &stat_buffer) != 0)
        return cannot_open(path, error);
    if (S_ISDIR(stat_buffer.st_mode))
        return create_from_directory(path, ret_reader, error);
    if (!S_ISREG(stat_buffer.st_mode))
        return uvs_error_set(error, UVS_E_TRACE, "%s is neither a directory nor a text event log", path);
    if (access(path, R_OK) != 0)
        return cannot_open(path, error);
    return uvs__reader_text_create(path, ret_reader, error);
}
