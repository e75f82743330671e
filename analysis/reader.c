// SPDX-License-Identifier: MIT
// Which decoder reads a path.
#include "reader.h"
#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

int uvs__reader_check_schema(const struct uvs_event *event, struct uvs_error *error)
{
    if (event->type != UVS_EV_process_info || event->process_info.schema <= UVS_SCHEMA)
        return 1;
    return uvs_error_set(error, UVS_E_TRACE,
                         "the trace has event schema %" PRIu32
                         ", this uvscope knows up to %d; read it with a newer "
                         "uvscope",
                         event->process_info.schema, UVS_SCHEMA);
}

static int create_from_ctf(enum uvs_reader_choice choice, const char *ctf, uint64_t ended_ns,
                           struct uvs_reader **ret_reader, struct uvs_error *error)
{
    struct uvs_error why = {0};
    int result = choice == UVS_READER_BABELTRACE2
                     ? 0
                     : uvs__reader_fast_create(ctf, ended_ns, ret_reader, &why, error);
    if (result != 0)
        return result < 0 ? result : 0;
    if (choice == UVS_READER_FAST)
        return uvs_error_set(error, UVS_E_TRACE, "the fast reader cannot read %s; leave out --reader fast",
                             why.text);
    result = uvs__reader_bt2_create(ctf, ended_ns, ret_reader, error);
    if (result == 0 && why.text[0])
        (*ret_reader)->note = strdup(why.text);
    return result;
}

// A time that no stream of the recording ends before, if its session was stopped as it should: its program's
// end. 0: it was not, or this is not known. Whoever asks for the recording's facts says what is wrong with
// them.
static uint64_t end_of(const char *recording)
{
    struct uvs_recording facts;
    struct uvs_error ignored;
    if (uvs_recording_load(recording, &facts, &ignored) <= 0)
        return 0;
    const bool was_stopped = facts.exit && facts.end_ns != UVS_ABSENT && facts.lost_events != UVS_ABSENT;
    const uint64_t end_ns = was_stopped ? facts.end_ns : 0;
    uvs_recording_clear(&facts);
    return end_ns;
}

static int create_from_directory(enum uvs_reader_choice choice, const char *path,
                                 struct uvs_reader **ret_reader, struct uvs_error *error)
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
        return create_from_ctf(choice, path, 0, ret_reader, error);
    if (lstat(ctf, &stat_buffer) == 0 && S_ISLNK(stat_buffer.st_mode))
        return uvs_error_set(error, UVS_E_TRACE,
                             "%s is a symbolic link, which is not followed; give the directory it leads to",
                             ctf);
    if (stat(ctf, &stat_buffer) != 0)
        return uvs_error_set(error, UVS_E_TRACE,
                             "the recording %s produced no CTF: the program may never have loaded libuv; run "
                             "`uvscope record` again and look at what it says",
                             path);
    return create_from_ctf(choice, ctf, end_of(path), ret_reader, error);
}

int uvs_reader_create(const char *path, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    return uvs_reader_create_of(UVS_READER_AUTO, path, ret_reader, error);
}

int uvs_reader_create_of(enum uvs_reader_choice choice, const char *path, struct uvs_reader **ret_reader,
                         struct uvs_error *error)
{
    struct stat stat_buffer;
    if (stat(path, &stat_buffer) != 0)
        return cannot_open(path, error);
    if (S_ISDIR(stat_buffer.st_mode))
        return create_from_directory(choice, path, ret_reader, error);
    if (!S_ISREG(stat_buffer.st_mode))
        return uvs_error_set(error, UVS_E_TRACE, "%s is neither a directory nor a text event log", path);
    if (access(path, R_OK) != 0)
        return cannot_open(path, error);
    return uvs__reader_text_create(path, ret_reader, error);
}
