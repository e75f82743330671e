// SPDX-License-Identifier: MIT
// The fast reader: LTTng-UST's packets decoded where they lie, streams merged by time.
//
// It must give what the reference reader gives, in the same order. Events at the same time come in the order
// that libbabeltrace2's muxer has: by the trace's UUID, the stream class, the stream.
#include "reader.h"
#include "bt2_graph.h"
#include "ctf_gaps.h"
#include "fast_stream.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fast_reader {
    struct uvs_reader base;
    struct uvs__ctf_inputs inputs;
    struct uvs__ctf_layout *layouts; // of each input
    struct uvs__fast_stream *streams;
    size_t stream_count, stream_capacity;
    struct uvs__fast_stream *current; // the earliest; NULL: all are at their ends
    struct uvs__fast_stream **heap;   // the others: the root is the earliest of them
    size_t heap_count;
    uint64_t rival_ns; // when it is
    struct uvs__ctf_gaps gaps;
    bool pending; // reader->event waits behind a loss
    struct uvs_event event, loss;
    uint64_t sequence[UINT8_MAX];
    int end; // 1 not yet; 0 or a negative code: what `next` says from now on
    struct uvs_error end_error;
};

// --- Merging ---

static bool is_before(const struct uvs__fast_stream *a, const struct uvs__fast_stream *b)
{
    return a->head_ns != b->head_ns ? a->head_ns < b->head_ns : a->rank < b->rank;
}

static void sift_down(struct fast_reader *reader, size_t at)
{
    struct uvs__fast_stream **heap = reader->heap, *moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= reader->heap_count)
            break;
        if (child + 1 < reader->heap_count && is_before(heap[child + 1], heap[child]))
            child++;
        if (is_before(moved, heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static struct uvs__fast_stream *take_root(struct fast_reader *reader)
{
    struct uvs__fast_stream *root = reader->heap[0];
    reader->heap[0] = reader->heap[--reader->heap_count];
    if (reader->heap_count > 1)
        sift_down(reader, 0);
    return root;
}

static void find_rival(struct fast_reader *reader)
{
    reader->rival_ns = reader->heap_count > 0 ? reader->heap[0]->head_ns : UINT64_MAX;
}

// The one that comes next takes the place of the one whose turn it was.
static inline void take_turns(struct fast_reader *reader)
{
    struct uvs__fast_stream *next = reader->heap[0];
    if (!is_before(next, reader->current))
        return;
    reader->heap[0] = reader->current;
    reader->current = next;
    if (reader->heap_count > 1)
        sift_down(reader, 0);
    find_rival(reader);
}

// The current stream has another head.
static inline void settle(struct fast_reader *reader)
{
    if (__builtin_expect(reader->current->head == UVS__FAST_END, 0)) {
        reader->current = reader->heap_count > 0 ? take_root(reader) : NULL;
        find_rival(reader);
    } else if (reader->current->head_ns >= reader->rival_ns && reader->heap_count > 0) {
        take_turns(reader);
    }
}

static __attribute__((noinline)) int advance(struct fast_reader *reader)
{
    while (reader->current && reader->current->is_taken) {
        const int result = uvs__fast_stream_advance(reader->current, &reader->end_error);
        if (result < 0)
            return result;
        settle(reader);
    }
    return reader->current != NULL;
}

// Makes the current stream's head the next to take. 1, 0 at the end, or a negative code.
static inline int find_next(struct fast_reader *reader)
{
    return reader->current && !reader->current->is_taken ? 1 : advance(reader);
}

// 1: reader->event is filled.
static int read_event(struct fast_reader *reader)
{
    const int result = find_next(reader);
    if (result <= 0)
        return result;
    uvs__fast_stream_take(reader->current, &reader->event, reader->sequence);
    return reader->event.type == UVS_EV_process_info
               ? uvs__reader_check_schema(&reader->event, &reader->end_error)
               : 1;
}

static int finish(struct fast_reader *reader, int result)
{
    if (result == 0)
        result = uvs__ctf_gaps_end(&reader->inputs, &reader->end_error);
    for (size_t i = 0; i < reader->stream_count && result == 0; i++)
        if (reader->streams[i].damage)
            result = uvs_error_set(&reader->end_error, UVS_E_TRACE,
                                   "%s, and the rest of that packet is lost; record again",
                                   reader->streams[i].damage);
    reader->end = result;
    return result;
}

// What stops it is found again by `next`.
static size_t fill(struct uvs_reader *base, struct uvs_event *events, size_t room)
{
    struct fast_reader *reader = (struct fast_reader *)base;
    struct uvs_event *event = events, *const end = events + room;
    if (reader->gaps.next < reader->gaps.count || reader->pending || reader->end <= 0)
        return 0;
    while (event < end) {
        const int result = find_next(reader);
        if (result < 0)
            finish(reader, result);
        struct uvs__fast_stream *stream = reader->current;
        if (result <= 0 || !uvs__fast_stream_is_plain(stream))
            break;
        event = uvs__fast_stream_take_run(stream, reader->rival_ns, event, end);
        if (!stream->is_taken)
            settle(reader);
    }
    return (size_t)(event - events);
}

static int next(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct fast_reader *reader = (struct fast_reader *)base;
    const bool has_gaps = reader->gaps.next < reader->gaps.count;
    if (!has_gaps && !reader->pending && reader->end > 0) {
        const int result = read_event(reader);
        *ret_event = &reader->event;
        if (result > 0)
            return result;
        finish(reader, result);
    }
    if (!reader->pending && reader->end > 0) {
        const int result = read_event(reader);
        reader->pending = result > 0;
        if (result <= 0)
            finish(reader, result);
    }
    if (has_gaps && uvs__ctf_gaps_deliver(&reader->gaps, reader->pending ? reader->event.time_ns : UINT64_MAX,
                                          &reader->loss)) {
        *ret_event = &reader->loss;
        return 1;
    }
    if (reader->pending) {
        reader->pending = false;
        *ret_event = &reader->event;
        return 1;
    }
    if (reader->end < 0 && error)
        *error = reader->end_error;
    return reader->end;
}

static void skip_to(struct uvs_reader *base, uint64_t from_ns)
{
    struct fast_reader *reader = (struct fast_reader *)base;
    for (size_t i = 0; i < reader->stream_count; i++)
        reader->streams[i].from_ns = from_ns;
}

// Of a packet that is being decoded all is counted.
static double share(const struct uvs_reader *base)
{
    const struct fast_reader *reader = (const struct fast_reader *)base;
    double read = 0, size = 0;
    for (size_t i = 0; i < reader->stream_count; i++) {
        read += (double)uvs__fast_stream_read(&reader->streams[i]);
        size += (double)uvs__fast_stream_size(&reader->streams[i]);
    }
    return size > 0 ? read / size : -1;
}

static void destroy(struct uvs_reader *base)
{
    struct fast_reader *reader = (struct fast_reader *)base;
    for (size_t i = 0; i < reader->stream_count; i++)
        uvs__fast_stream_clear(&reader->streams[i]);
    for (size_t i = 0; reader->layouts && i < reader->inputs.count; i++)
        uvs__ctf_layout_clear(&reader->layouts[i]);
    free(reader->layouts);
    free(reader->streams);
    free(reader->heap);
    free(reader->gaps.items);
    uvs__ctf_inputs_clear(&reader->inputs);
    free(reader);
}

static const struct uvs_reader_ops ops = {
    .name = "fast", .next = next, .destroy = destroy, .skip_to = skip_to, .share = share, .fill = fill};

// --- Opening ---

static int no_memory(struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
}

// 1; 0: something is not known.
static int learn(struct fast_reader *reader, struct uvs_error *why, struct uvs_error *error)
{
    const size_t count = reader->inputs.count;
    const bt_trace_class **classes = calloc(count + 1, sizeof(*classes));
    reader->layouts = calloc(count + 1, sizeof(*reader->layouts));
    if (!classes || !reader->layouts) {
        free(classes);
        return no_memory(error);
    }
    int result = uvs__bt2_trace_classes(&reader->inputs, classes, error) < 0 ? -UVS_E_ENVIRONMENT : 1;
    for (size_t i = 0; i < count; i++) {
        if (result > 0 && classes[i])
            result = uvs__ctf_layout_learn(&reader->inputs.items[i], classes[i], &reader->layouts[i], why);
        bt_trace_class_put_ref(classes[i]);
    }
    free(classes);
    return result;
}

static int add_stream(struct fast_reader *reader, const char *directory, const char *name,
                      const struct uvs__ctf_layout *layout, struct uvs_error *error)
{
    if (reader->stream_count == reader->stream_capacity) {
        const size_t capacity = reader->stream_capacity ? 2 * reader->stream_capacity : 16;
        struct uvs__fast_stream *streams = realloc(reader->streams, capacity * sizeof(*streams));
        if (!streams)
            return no_memory(error);
        reader->streams = streams;
        reader->stream_capacity = capacity;
    }
    char *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return no_memory(error);
    struct uvs__fast_stream *stream = &reader->streams[reader->stream_count];
    const int result = uvs__fast_stream_create(stream, path, layout, error);
    free(path);
    if (result > 0)
        reader->stream_count++;
    else
        uvs__fast_stream_clear(stream);
    return result;
}

static int add_streams(struct fast_reader *reader, size_t input, struct uvs_error *error)
{
    const char *path = uvs__ctf_input_path(&reader->inputs.items[input]);
    DIR *directory = opendir(path);
    if (!directory)
        return uvs_error_set(error, UVS_E_TRACE, "cannot open %s: %s", path, strerror(errno));
    int result = 0;
    for (struct dirent *entry; result >= 0 && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0)
            result = add_stream(reader, path, entry->d_name, &reader->layouts[input], error);
    closedir(directory);
    return result;
}

static int compare_identity(const struct uvs__fast_stream *a, const struct uvs__fast_stream *b)
{
    const int order = memcmp(a->uuid, b->uuid, sizeof(a->uuid));
    if (order != 0)
        return order;
    if (a->stream_id != b->stream_id)
        return a->stream_id < b->stream_id ? -1 : 1;
    return (a->instance_id > b->instance_id) - (a->instance_id < b->instance_id);
}

static int by_rank(const void *a, const void *b)
{
    const struct uvs__fast_stream *x = a, *y = b;
    const int order = compare_identity(x, y);
    if (order != 0)
        return order;
    if (x->head_ns != y->head_ns)
        return x->head_ns < y->head_ns ? -1 : 1;
    return strcmp(uvs__fast_stream_path(x), uvs__fast_stream_path(y));
}

// A tracer that begins a new file when one is full (tracefile rotation) leaves several of one stream; they
// lie behind one another now.
static int join_files(struct fast_reader *reader, struct uvs_error *error)
{
    struct uvs__fast_stream *streams = reader->streams;
    size_t count = 0;
    for (size_t i = 0; i < reader->stream_count; i++) {
        struct uvs__fast_stream *last = count ? &streams[count - 1] : NULL;
        if (!last || last->layout != streams[i].layout || compare_identity(last, &streams[i]) != 0)
            streams[count++] = streams[i];
        else if (uvs__fast_stream_append(last, &streams[i]))
            return no_memory(error);
    }
    reader->stream_count = count;
    return 1;
}

// 1; 0: something is not known.
static int order_streams(struct fast_reader *reader, struct uvs_error *why, struct uvs_error *error)
{
    struct uvs__fast_stream *streams = reader->streams;
    qsort(streams, reader->stream_count, sizeof(*streams), by_rank);
    reader->heap = calloc(reader->stream_count, sizeof(struct uvs__fast_stream *));
    if (!reader->heap || join_files(reader, error) < 0)
        return no_memory(error);
    for (size_t i = 0; i < reader->stream_count; i++) {
        streams[i].rank = i;
        reader->heap[i] = &streams[i];
        if (!streams[i].class) {
            uvs_error_set(why, UVS_E_TRACE, "a stream is not declared");
            return 0;
        }
    }
    reader->heap_count = reader->stream_count;
    for (size_t i = reader->heap_count / 2; i-- > 0;)
        sift_down(reader, i);
    reader->current = reader->heap_count > 0 ? take_root(reader) : NULL;
    find_rival(reader);
    return 1;
}

static int open_traces(struct fast_reader *reader, const char *directory, uint64_t ended_ns,
                       struct uvs_error *why, struct uvs_error *error)
{
    int result = uvs__ctf_inputs_find(directory, ended_ns, &reader->inputs, error);
    if (result < 0)
        return result;
    result = learn(reader, why, error);
    for (size_t i = 0; result > 0 && i < reader->inputs.count; i++)
        if (reader->layouts[i].classes && add_streams(reader, i, error) < 0)
            return -UVS_E_TRACE;
    if (result <= 0)
        return result;
    if (reader->stream_count == 0)
        return uvs__ctf_gaps_nothing(&reader->inputs, directory, error);
    if (uvs__ctf_gaps_note(&reader->gaps, &reader->inputs) < 0)
        return no_memory(error);
    return order_streams(reader, why, error);
}

int uvs__reader_fast_create(const char *ctf_directory, uint64_t ended_ns, struct uvs_reader **ret_reader,
                            struct uvs_error *ret_why, struct uvs_error *error)
{
    struct fast_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return no_memory(error);
    reader->base.ops = &ops;
    reader->end = 1;
    const int result = open_traces(reader, ctf_directory, ended_ns, ret_why, error);
    if (result <= 0)
        destroy(&reader->base);
    else
        *ret_reader = &reader->base;
    return result;
}
