// SPDX-License-Identifier: MIT
// Finding traces, and checking their metadata.
#include "ctf_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../probes/uvs_abi.h"

#define METADATA_MAGIC 0x75d11d57u

enum { METADATA_MAX = 64 << 20 };

// CTF 1.8, section 7.1: in front of each piece of a packetised metadata text. Sizes in bits.
struct metadata_header {
    uint32_t magic;
    unsigned char uuid[16];
    uint32_t checksum, content_size, packet_size;
    uint8_t compression, encryption, checksum_scheme, major, minor;
} __attribute__((packed));

void uvs__ctf_damage(struct uvs__ctf_input *input, const char *format, ...)
{
    if (input->damage)
        return;
    va_list args;
    va_start(args, format);
    if (vasprintf(&input->damage, format, args) < 0)
        input->damage = NULL;
    va_end(args);
}

static int open_regular(const char *path, struct stat *ret_stat)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, ret_stat) == 0 && S_ISREG(ret_stat->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static char *read_file(int fd, size_t size)
{
    char *bytes = malloc(size + 1);
    size_t got = 0;
    while (bytes && got < size) {
        const ssize_t n = read(fd, bytes + got, size - got);
        if (n <= 0) {
            free(bytes);
            return NULL;
        }
        got += (size_t)n;
    }
    if (bytes)
        bytes[size] = '\0';
    return bytes;
}

// Joins the pieces' text in place. libbabeltrace2 never ends on a piece that is not whole.
static bool join_pieces(char *bytes, size_t size, unsigned char *ret_uuid)
{
    size_t length = 0;
    for (size_t at = 0; at < size;) {
        struct metadata_header header;
        if (size - at < sizeof(header))
            return false;
        memcpy(&header, bytes + at, sizeof(header));
        const size_t content = header.content_size / 8, piece = header.packet_size / 8;
        if (header.magic != METADATA_MAGIC || content < sizeof(header) || content > piece ||
            piece > size - at)
            return false;
        if (at == 0)
            memcpy(ret_uuid, header.uuid, sizeof(header.uuid));
        memmove(bytes + length, bytes + at + sizeof(header), content - sizeof(header));
        length += content - sizeof(header);
        at += piece;
    }
    bytes[length] = '\0';
    return true;
}

static uint64_t find_clock_offset(const char *text)
{
    static const char key[] = "\toffset = ";
    const char *clock = strstr(text, "clock {");
    const char *nanoseconds = clock ? strstr(clock, "freq = 1000000000;") : NULL;
    const char *offset = nanoseconds ? strstr(nanoseconds, key) : NULL;
    return offset ? strtoull(offset + sizeof(key) - 1, NULL, 10) : 0;
}

static bool accept_metadata(struct uvs__ctf_input *input, char *bytes, size_t size,
                            struct uvs__ctf_metadata *ret_metadata)
{
    uint32_t magic = 0;
    if (size >= sizeof(magic))
        memcpy(&magic, bytes, sizeof(magic));
    if (magic == METADATA_MAGIC && !join_pieces(bytes, size, ret_metadata->uuid)) {
        uvs__ctf_damage(input, "its metadata is cut short or damaged");
        return false;
    }
    ret_metadata->text = bytes;
    ret_metadata->is_lttng = magic == METADATA_MAGIC && strstr(bytes, "tracer_name = \"lttng-ust\"");
    input->clock_offset = find_clock_offset(bytes);
    return true;
}

bool uvs__ctf_metadata_load(struct uvs__ctf_input *input, struct uvs__ctf_metadata *ret_metadata)
{
    char *path;
    if (asprintf(&path, "%s/metadata", input->directory) < 0)
        return false;
    struct stat stat;
    const int fd = open_regular(path, &stat);
    free(path);
    if (fd < 0) {
        uvs__ctf_damage(input, "its metadata cannot be read: %s",
                        errno == ELOOP ? "symbolic links in a trace are not followed" : strerror(errno));
        return false;
    }
    char *bytes = NULL;
    if (stat.st_size == 0)
        uvs__ctf_damage(input, "its metadata is empty");
    else if (stat.st_size > METADATA_MAX)
        uvs__ctf_damage(input, "its metadata is not from a tracer: larger than %d MiB", METADATA_MAX >> 20);
    else if (!(bytes = read_file(fd, (size_t)stat.st_size)))
        uvs__ctf_damage(input, "its metadata cannot be read");
    close(fd);
    if (bytes && accept_metadata(input, bytes, (size_t)stat.st_size, ret_metadata))
        return true;
    free(bytes);
    return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_input(struct uvs__ctf_inputs *inputs, const FTSENT *metadata)
{
    struct uvs__ctf_input *items = realloc(inputs->items, (inputs->count + 1) * sizeof(*items));
    if (!items)
        return -1;
    inputs->items = items;
    const size_t length = metadata->fts_pathlen - metadata->fts_namelen - 1u;
    struct uvs__ctf_input input = {.directory = strndup(metadata->fts_path, length),
                                   .cut_begin_ns = UVS_ABSENT};
    if (!input.directory)
        return -1;
    items[inputs->count++] = input;
    return 0;
}

static int find_metadata(FTS *tree, struct uvs__ctf_inputs *inputs)
{
    for (FTSENT *entry; (entry = fts_read(tree));)
        if (entry->fts_level > 0 && (entry->fts_info == FTS_F || entry->fts_info == FTS_SL) &&
            strcmp(entry->fts_name, "metadata") == 0 && add_input(inputs, entry) < 0)
            return -1;
    return 0;
}

static void check(struct uvs__ctf_input *input, uint64_t ended_ns)
{
    struct uvs__ctf_metadata metadata = {0};
    input->readable = uvs__ctf_metadata_load(input, &metadata);
    uvs__ctf_streams_check(input, &metadata, ended_ns);
    free(metadata.text);
}

static int by_stream(const void *a, const void *b)
{
    const struct uvs__ctf_start *x = a, *y = b;
    const int order = memcmp(x->uuid, y->uuid, sizeof(x->uuid));
    if (order)
        return order;
    if (x->stream_id != y->stream_id)
        return x->stream_id < y->stream_id ? -1 : 1;
    if (x->instance != y->instance)
        return x->instance < y->instance ? -1 : 1;
    return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

static bool is_same_stream(const struct uvs__ctf_start *a, const struct uvs__ctf_start *b)
{
    return memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0 && a->stream_id == b->stream_id &&
           a->instance == b->instance;
}

// A session's chunks are directories of their own, so a stream may go on in another input.
static int find_late(struct uvs__ctf_inputs *inputs)
{
    size_t count = 0;
    for (size_t i = 0; i < inputs->count; i++)
        count += inputs->items[i].start_count;
    struct uvs__ctf_start *starts = malloc((count + 1) * sizeof(*starts));
    if (!starts)
        return -1;
    count = 0;
    for (size_t i = 0; i < inputs->count; i++)
        for (size_t j = 0; j < inputs->items[i].start_count; j++)
            starts[count++] = inputs->items[i].starts[j];
    qsort(starts, count, sizeof(*starts), by_stream);
    for (size_t i = 0; i < count; i++)
        if (starts[i].sequence > 0 && starts[i].begin_ns > inputs->late_ns &&
            (i == 0 || !is_same_stream(&starts[i - 1], &starts[i])))
            inputs->late_ns = starts[i].begin_ns;
    free(starts);
    return 0;
}

int uvs__ctf_inputs_find(const char *directory, uint64_t ended_ns, struct uvs__ctf_inputs *ret_inputs,
                         struct uvs_error *error)
{
    char *roots[] = {(char *)directory, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!tree)
        return uvs_error_set(error, UVS_E_TRACE, "cannot look into %s: %s", directory, strerror(errno));
    struct uvs__ctf_inputs inputs = {0};
    const int result = find_metadata(tree, &inputs);
    fts_close(tree);
    if (result < 0) {
        uvs__ctf_inputs_clear(&inputs);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    }
    for (size_t i = 0; i < inputs.count; i++)
        check(&inputs.items[i], ended_ns);
    if (find_late(&inputs) < 0) {
        uvs__ctf_inputs_clear(&inputs);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    }
    *ret_inputs = inputs;
    return 0;
}

void uvs__ctf_inputs_clear(struct uvs__ctf_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        uvs__ctf_stand_in_remove(&inputs->items[i]);
        free(inputs->items[i].directory);
        free(inputs->items[i].damage);
        free(inputs->items[i].starts);
    }
    free(inputs->items);
    *inputs = (struct uvs__ctf_inputs){0};
}
