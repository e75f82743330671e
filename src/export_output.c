// SPDX-License-Identifier: MIT
// Files under another name until they are whole, gzip by name, and readers that may take their time.
#include "export_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { AT_ONCE = 4096, LOOK_MS = 1000 }; // a pipe that is ready takes so much without waiting

// --- Streams ---

struct stream {
    int fd;
    struct uvs_worker_progress *progress;
};

static ssize_t write_some(void *cookie, const char *bytes, size_t size)
{
    struct stream *stream = cookie;
    struct pollfd ready = {.fd = stream->fd, .events = POLLOUT};
    size_t written = 0;
    while (written < size) {
        int is_ready = poll(&ready, 1, LOOK_MS);
        atomic_fetch_add(&stream->progress->events, 1);
        if (is_ready == 0 || (is_ready < 0 && errno == EINTR))
            continue;
        size_t more = size - written < AT_ONCE ? size - written : AT_ONCE;
        ssize_t result = write(stream->fd, bytes + written, more);
        if (result < 0 && errno != EINTR)
            break;
        written += result > 0 ? (size_t)result : 0;
    }
    // fopencookie: 0 is an error.
    return written == size ? (ssize_t)written : 0;
}

static int close_stream(void *cookie)
{
    struct stream *stream = cookie;
    int result = close(stream->fd);
    free(stream);
    return result;
}

static FILE *open_slow(int fd, struct uvs_worker_progress *progress)
{
    struct stream *stream = malloc(sizeof(*stream));
    if (!stream)
        return NULL;
    *stream = (struct stream){fd, progress};
    FILE *file = fopencookie(stream, "w",
                             (cookie_io_functions_t){.write = write_some, .close = close_stream});
    if (!file)
        free(stream);
    return file;
}

static ssize_t write_compressed(void *cookie, const char *bytes, size_t size)
{
    return gzfwrite(bytes, 1, size, cookie) == size ? (ssize_t)size : 0;
}

static int close_compressed(void *cookie)
{
    return gzclose(cookie) == Z_OK ? 0 : EOF;
}

static FILE *open_compressed(int fd)
{
    gzFile compressed = gzdopen(fd, "wb");
    if (!compressed)
        return NULL;
    FILE *file = fopencookie(compressed, "w",
                             (cookie_io_functions_t){.write = write_compressed, .close = close_compressed});
    if (!file)
        gzclose(compressed);
    return file;
}

bool uvs__export_output_is_compressed(const struct uvs__export_output *output)
{
    const char *name = output->name;
    size_t length = name ? strlen(name) : 0;
    return length > 3 && strcmp(name + length - 3, ".gz") == 0;
}

FILE *uvs__export_output_open(const struct uvs__export_output *output, struct uvs_worker_progress *progress)
{
    int copy = dup(output->fd);
    if (copy < 0)
        return NULL;
    FILE *file = uvs__export_output_is_compressed(output) ? open_compressed(copy)
                 : output->temporary                      ? fdopen(copy, "w")
                                                          : open_slow(copy, progress);
    if (!file)
        close(copy);
    return file;
}

// --- Names ---

static int cannot_write(const char *name, struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: %s", name, strerror(errno));
}

static int create_temporary(struct uvs__export_output *output, struct uvs_error *error)
{
    if (asprintf(&output->temporary, "%s.XXXXXX", output->name) < 0) {
        output->temporary = NULL;
        return cannot_write(output->name, error);
    }
    output->fd = mkostemp(output->temporary, O_CLOEXEC);
    if (output->fd < 0) {
        free(output->temporary);
        output->temporary = NULL;
        return cannot_write(output->name, error);
    }
    // mkostemp knows no umask.
    mode_t mask = umask(0);
    umask(mask);
    fchmod(output->fd, 0666 & ~mask);
    return 0;
}

int uvs__export_output_create(const char *name, struct uvs__export_output *ret_output,
                              struct uvs_error *error)
{
    struct stat there;
    *ret_output = (struct uvs__export_output){.name = name, .fd = STDOUT_FILENO};
    if (!name || strcmp(name, "-") == 0) {
        ret_output->name = NULL;
        return 0;
    }
    bool exists = stat(name, &there) == 0;
    if (exists && S_ISDIR(there.st_mode))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: it is a directory", name);
    if (!exists || S_ISREG(there.st_mode))
        return create_temporary(ret_output, error);
    ret_output->fd = open(name, O_WRONLY | O_CLOEXEC);
    return ret_output->fd < 0 ? cannot_write(name, error) : 0;
}

int uvs__export_output_keep(const struct uvs__export_output *output, struct uvs_error *error)
{
    if (output->temporary && rename(output->temporary, output->name) != 0)
        return cannot_write(output->name, error);
    return 0;
}

void uvs__export_output_destroy(struct uvs__export_output *output)
{
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    if (output->fd > STDERR_FILENO)
        close(output->fd);
}
