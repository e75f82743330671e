// SPDX-License-Identifier: MIT
// Checking the packets of LTTng-UST streams, and the stand-in directory for a trace with damaged ones.
//
// libbabeltrace2 refuses a whole trace when one stream ends in the middle of a packet (disk full, consumer
// killed), and aborts on some damaged packet headers. Any prefix of whole packets is a valid stream, so a
// stand-in holds symbolic links to what is whole and copies of such prefixes; it has no index, which the
// decoder can do without and which may be damaged too.
#include "ctf_inputs.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../probes/uvs_abi.h"

#define PACKET_MAGIC 0xc1fc1fc1u
#define INDEX_MAGIC  0xc1f1dcc1u

// LTTng-UST 2.x, byte-packed. Sizes in bits.
struct packet_header {
    uint32_t magic;
    unsigned char uuid[16];
    uint32_t stream_id;
    uint64_t stream_instance_id;
    uint64_t begin_ns, end_ns;
    uint64_t content_size, packet_size;
    uint64_t sequence, events_discarded;
    uint32_t cpu_id;
} __attribute__((packed));

// index/NAME.idx: big-endian; sizes in bits. The header's entry_size says how far the next entry is.
struct index_header {
    uint32_t magic, major, minor, entry_size;
};

struct index_entry {
    uint64_t offset, packet_size, content_size;
};

struct stream {
    char *name;
    int fd;
    FILE *index;       // NULL: there is none, or it is wrong
    size_t index_step; // bytes
    bool has_bad_index;
    bool is_hollow;       // nothing but empty packets, of a class that the metadata does not declare
    uint64_t size, whole; // bytes; bytes of whole packets that can be decoded
    uint64_t last_end_ns; // of the whole packets; 0: none
    struct uvs__ctf_start start;
};

struct streams {
    struct stream *items;
    size_t count;
    bool has_link;
};

static bool has_stream_class(const char *text, uint32_t id)
{
    char declaration[48];
    snprintf(declaration, sizeof(declaration), "\nstream {\n\tid = %u;", id);
    return strstr(text, declaration);
}

static bool is_whole(const struct packet_header *header, const struct packet_header *previous, uint64_t room,
                     const struct uvs__ctf_metadata *metadata)
{
    const uint64_t least = sizeof(*header) * 8;
    if (header->magic != PACKET_MAGIC || memcmp(header->uuid, metadata->uuid, sizeof(header->uuid)) != 0)
        return false;
    if (header->packet_size % 8 != 0 || header->packet_size / 8 > room || header->packet_size < least)
        return false;
    if (header->content_size > header->packet_size || header->content_size < least)
        return false;
    if (header->end_ns < header->begin_ns)
        return false;
    return !previous || (header->stream_id == previous->stream_id && header->begin_ns >= previous->begin_ns);
}

static void reject_index(struct stream *stream)
{
    fclose(stream->index);
    stream->index = NULL;
    stream->has_bad_index = true;
}

static void open_index(struct stream *stream, const char *directory)
{
    struct index_header header;
    struct stat facts;
    char *path;
    int fd;
    if (asprintf(&path, "%s/index/%s.idx", directory, stream->name) < 0)
        return;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    stream->has_bad_index = fd < 0 && errno != ENOENT && errno != ENOTDIR;
    free(path);
    if (fd < 0)
        return;
    stream->index = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? fdopen(fd, "r") : NULL;
    if (!stream->index) {
        close(fd);
        stream->has_bad_index = true;
        return;
    }
    stream->index_step = 0;
    if (fread(&header, sizeof(header), 1, stream->index) == 1 && be32toh(header.magic) == INDEX_MAGIC)
        stream->index_step = be32toh(header.entry_size);
    if (stream->index_step < sizeof(struct index_entry) || stream->index_step > 4096)
        reject_index(stream);
}

static void check_index(struct stream *stream, const struct packet_header *header, uint64_t at)
{
    struct index_entry entry;
    const bool is_read = stream->index && fread(&entry, sizeof(entry), 1, stream->index) == 1;
    const bool is_right = is_read && be64toh(entry.offset) == at &&
                          be64toh(entry.packet_size) == header->packet_size &&
                          be64toh(entry.content_size) == header->content_size;
    if (stream->index &&
        (!is_right || fseek(stream->index, (long)(stream->index_step - sizeof(entry)), SEEK_CUR)))
        reject_index(stream);
}

static void note_start(struct stream *stream, const struct packet_header *header)
{
    stream->start = (struct uvs__ctf_start){.stream_id = header->stream_id,
                                            .instance = header->stream_instance_id,
                                            .begin_ns = header->begin_ns,
                                            .sequence = header->sequence};
    memcpy(stream->start.uuid, header->uuid, sizeof(stream->start.uuid));
}

// A process that dies while it registers with LTTng leaves the buffers that were made for it, whose class was
// never declared. Where one daemon serves everybody, it may be anybody's.
static void walk_packets(struct stream *stream, const struct uvs__ctf_metadata *metadata)
{
    struct packet_header header, previous;
    bool is_declared = true, is_empty = true;
    for (uint64_t at = 0; at < stream->size; at += header.packet_size / 8) {
        if (pread(stream->fd, &header, sizeof(header), (off_t)at) != (ssize_t)sizeof(header))
            return;
        if (!is_whole(&header, at ? &previous : NULL, stream->size - at, metadata))
            return;
        if (at == 0) {
            is_declared = has_stream_class(metadata->text, header.stream_id);
            note_start(stream, &header);
        }
        is_empty = is_empty && header.content_size == sizeof(header) * 8 && header.events_discarded == 0;
        previous = header;
        if (!is_declared)
            continue;
        check_index(stream, &header, at);
        stream->last_end_ns = header.end_ns;
        stream->whole = at + header.packet_size / 8;
    }
    stream->is_hollow = !is_declared && is_empty;
}

// A trace may come from anybody, and a link in it lead to any file of who reads it.
static int add_stream(struct streams *streams, int directory, const char *name)
{
    struct stat stat;
    const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    streams->has_link |= fd < 0 && errno == ELOOP;
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        close(fd);
        return 0;
    }
    struct stream *items = realloc(streams->items, (streams->count + 1) * sizeof(*items));
    char *copy = strdup(name);
    if (items)
        streams->items = items;
    if (!items || !copy) {
        close(fd);
        free(copy);
        return -1;
    }
    items[streams->count++] = (struct stream){.name = copy, .fd = fd, .size = (uint64_t)stat.st_size};
    return 0;
}

static int list_streams(const char *path, struct streams *streams)
{
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0)
            result = add_stream(streams, dirfd(directory), entry->d_name);
    closedir(directory);
    return result;
}

static void streams_clear(struct streams *streams)
{
    for (size_t i = 0; i < streams->count; i++) {
        close(streams->items[i].fd);
        if (streams->items[i].index)
            fclose(streams->items[i].index);
        free(streams->items[i].name);
    }
    free(streams->items);
}

static void cut(struct uvs__ctf_input *input, uint64_t begin_ns, const char *cause)
{
    if (!input->cause)
        input->cause = cause;
    if (begin_ns < input->cut_begin_ns)
        input->cut_begin_ns = begin_ns;
}

static void note_cut(struct uvs__ctf_input *input, const struct stream *stream)
{
    uvs__ctf_damage(input, "%s/%s is damaged after %llu of %llu bytes", input->directory, stream->name,
                    (unsigned long long)stream->whole, (unsigned long long)stream->size);
    cut(input, stream->last_end_ns, "look for a full disk or a killed lttng-consumerd, and record again");
}

static uint64_t end_of_instance(const struct streams *streams, uint64_t instance)
{
    uint64_t end_ns = 0;
    for (size_t i = 0; i < streams->count; i++)
        if (streams->items[i].start.instance == instance && streams->items[i].last_end_ns > end_ns)
            end_ns = streams->items[i].last_end_ns;
    return end_ns;
}

// Each stream ends with a packet of the session's stop. LTTng can give out no packet with an event that was
// begun and never ended, as by a process that was killed meanwhile, and none behind it.
static void check_end(struct uvs__ctf_input *input, const struct stream *stream, uint64_t end_ns,
                      uint64_t ended_ns)
{
    if (stream->whole < stream->size || end_ns >= ended_ns)
        return;
    uvs__ctf_damage(input, "%s/%s ends before the recording does", input->directory, stream->name);
    cut(input, end_ns,
        "a program was killed, or left by execve or _exit, while another of its threads wrote an event, "
        "and LTTng kept nothing more of that processor");
}

static void check_ends(struct uvs__ctf_input *input, const struct streams *streams, uint64_t ended_ns)
{
    for (size_t i = 0; i < streams->count && ended_ns; i++) {
        const struct stream *stream = &streams->items[i];
        check_end(input, stream, stream->size ? end_of_instance(streams, stream->start.instance) : 0,
                  ended_ns);
    }
}

static char *path_in(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int link_into(const char *stand_in, const char *target, const char *name)
{
    char *path = path_in(stand_in, name);
    const int result = path ? symlink(target, path) : -1;
    free(path);
    return result;
}

static int link_original(struct uvs__ctf_input *input, const char *name)
{
    char *path = path_in(input->directory, name);
    char *target = path ? realpath(path, NULL) : NULL;
    const int result = target ? link_into(input->stand_in, target, name) : -1;
    free(target);
    free(path);
    return result;
}

static int copy_prefix(int from, int to, uint64_t size)
{
    off_t at = 0;
    while ((uint64_t)at < size)
        if (sendfile(to, from, &at, size - (uint64_t)at) <= 0)
            return -1;
    return 0;
}

static int link_cut(struct uvs__ctf_input *input, const struct stream *stream)
{
    int *fds = realloc(input->cut_fds, (input->cut_count + 1) * sizeof(*fds));
    if (!fds)
        return -1;
    input->cut_fds = fds;
    const int fd = open(input->stand_in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    fds[input->cut_count++] = fd;
    char target[32];
    snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
    return copy_prefix(stream->fd, fd, stream->whole) < 0 ? -1
                                                          : link_into(input->stand_in, target, stream->name);
}

static int make_stand_in(struct uvs__ctf_input *input, const struct streams *streams)
{
    const char *tmp = secure_getenv("TMPDIR");
    input->stand_in = path_in(tmp && *tmp ? tmp : "/tmp", "uvscope-XXXXXX");
    if (!input->stand_in || !mkdtemp(input->stand_in)) {
        free(input->stand_in);
        input->stand_in = NULL;
        return -1;
    }
    int result = link_original(input, "metadata");
    for (size_t i = 0; result == 0 && i < streams->count; i++) {
        const struct stream *stream = &streams->items[i];
        if (stream->whole == stream->size)
            result = link_original(input, stream->name);
        else if (stream->whole > 0)
            result = link_cut(input, stream);
    }
    return result;
}

void uvs__ctf_stand_in_remove(struct uvs__ctf_input *input)
{
    for (size_t i = 0; i < input->cut_count; i++)
        close(input->cut_fds[i]);
    free(input->cut_fds);
    DIR *directory = input->stand_in ? opendir(input->stand_in) : NULL;
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));)
            unlinkat(dirfd(directory), entry->d_name, 0);
        closedir(directory);
        rmdir(input->stand_in);
    }
    free(input->stand_in);
}

// true: the decoder must not see the directory as it is.
static bool check_packets(struct uvs__ctf_input *input, const struct streams *streams,
                          const struct uvs__ctf_metadata *metadata)
{
    bool is_damaged = false;
    for (size_t i = 0; i < streams->count; i++) {
        struct stream *stream = &streams->items[i];
        open_index(stream, input->directory);
        walk_packets(stream, metadata);
        if (stream->whole < stream->size && !stream->is_hollow)
            note_cut(input, stream);
        is_damaged = is_damaged || stream->whole < stream->size || stream->has_bad_index;
    }
    return is_damaged;
}

static int keep_starts(struct uvs__ctf_input *input, const struct streams *streams)
{
    input->starts = malloc((streams->count + 1) * sizeof(*input->starts));
    if (!input->starts)
        return -1;
    for (size_t i = 0; i < streams->count; i++)
        if (streams->items[i].whole > 0)
            input->starts[input->start_count++] = streams->items[i].start;
    return 0;
}

static void refuse(struct uvs__ctf_input *input, const char *why)
{
    uvs__ctf_damage(input, "%s", why);
    input->readable = false;
}

void uvs__ctf_streams_check(struct uvs__ctf_input *input, const struct uvs__ctf_metadata *metadata,
                            uint64_t ended_ns)
{
    struct streams streams = {0};
    if (list_streams(input->directory, &streams) < 0)
        refuse(input, streams.has_link ? "symbolic links in a trace are not followed"
                                       : "its streams cannot be opened");
    input->has_data = streams.has_link;
    for (size_t i = 0; i < streams.count; i++)
        input->has_data = input->has_data || streams.items[i].size > 0;
    if (input->readable && metadata->is_lttng && check_packets(input, &streams, metadata) &&
        make_stand_in(input, &streams) < 0)
        refuse(input, "no room for a repaired copy in TMPDIR");
    if (input->readable && metadata->is_lttng)
        check_ends(input, &streams, ended_ns);
    if (keep_starts(input, &streams) < 0)
        refuse(input, "no memory to read it");
    streams_clear(&streams);
}
