// SPDX-License-Identifier: MIT
// A ring of batches: the decoding thread fills them, the caller empties them. Without the thread the caller
// fills one itself whenever it is empty.
#include "reader_ahead.h"

#include "ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What decodes in place takes less time than two threads on two processors, beside the analyses', lose by
// taking turns.
#ifndef UVS_PROCESSORS_AHEAD
#define UVS_PROCESSORS_AHEAD 3
#endif

enum { BATCHES = 8, BATCH_EVENTS = 512, FIRST_TEXT = 4096 };

// Strings and sequences of the batch's events: the decoder's are good for one event only.
struct text {
    char *bytes;
    size_t size, capacity;
};

struct batch {
    struct uvs_event events[BATCH_EVENTS];
    size_t count, first_with_text;
    struct text text;
    double share; // of the trace, up to the batch's end
    int result;   // 1, or what the decoder said behind the last event
    struct uvs_error error;
};

struct ahead {
    struct uvs_reader base;
    struct uvs_reader_ops ops; // with the decoder's name
    bool has_text[UVS_EV_COUNT + 1];
    struct uvs_reader *reader;
    bool has_thread;
    pthread_t thread;
    struct uvs__ring ring;
    _Atomic uint64_t skip_to_ns;
    struct batch batches[BATCHES];
    // The caller's: the batch that it empties, and how far.
    struct batch *batch;
    size_t at;
};

// --- Copying events ---

// Room for a field's bytes, aligned for any element. Text may move: fields hold offsets until the batch is
// whole.
static int add_text(struct text *text, const void *bytes, size_t size, uintptr_t *ret_offset)
{
    const size_t aligned = (size + 7) & ~(size_t)7;
    while (text->capacity - text->size < aligned) {
        const size_t capacity = text->capacity ? 2 * text->capacity : FIRST_TEXT;
        char *grown = realloc(text->bytes, capacity);
        if (!grown)
            return -UVS_E_ENVIRONMENT;
        text->bytes = grown;
        text->capacity = capacity;
    }
    if (size)
        memcpy(text->bytes + text->size, bytes, size);
    *ret_offset = text->size;
    text->size += aligned;
    return 0;
}

static size_t bytes_of(const struct uvs_event *event, const struct uvs_field *field, const void *bytes)
{
    if (field->form == UVS_FIELD_STRING)
        return strlen(bytes) + 1;
    return (size_t) * ((const uint8_t *)event + field->count_offset) * field->size;
}

static int take_texts(struct text *text, struct uvs_event *event)
{
    const struct uvs_event_class *class = &uvs_event_classes[event->type];
    for (uint8_t i = 0; i < class->field_count; i++) {
        const struct uvs_field *field = &class->fields[i];
        if (field->form == UVS_FIELD_INTEGER)
            continue;
        void *place = (char *)event + field->offset;
        const void *bytes;
        uintptr_t offset;
        memcpy(&bytes, place, sizeof(bytes));
        if (add_text(text, bytes, bytes_of(event, field, bytes), &offset))
            return -UVS_E_ENVIRONMENT;
        memcpy(place, &offset, sizeof(offset));
    }
    return 0;
}

static void place_texts(const struct text *text, struct uvs_event *event)
{
    const struct uvs_event_class *class = &uvs_event_classes[event->type];
    for (uint8_t i = 0; i < class->field_count; i++) {
        if (class->fields[i].form == UVS_FIELD_INTEGER)
            continue;
        void *place = (char *)event + class->fields[i].offset;
        uintptr_t offset;
        memcpy(&offset, place, sizeof(offset));
        // No text at all: an empty sequence is its only one.
        const char *bytes = text->bytes ? text->bytes + offset : "";
        memcpy(place, &bytes, sizeof(bytes));
    }
}

// One event, with what it borrows. false: there is none.
static bool fill_one(const struct ahead *ahead, struct batch *batch)
{
    const struct uvs_event *event;
    batch->result = uvs_reader_next(ahead->reader, &event, &batch->error);
    if (batch->result <= 0)
        return false;
    struct uvs_event *copy = &batch->events[batch->count];
    *copy = *event;
    if (ahead->has_text[copy->type]) {
        if (batch->first_with_text == BATCH_EVENTS)
            batch->first_with_text = batch->count;
        if (take_texts(&batch->text, copy)) {
            batch->result = uvs_error_set(&batch->error, UVS_E_ENVIRONMENT, "no memory to read the trace");
            return false;
        }
    }
    batch->count++;
    return true;
}

static void fill(const struct ahead *ahead, struct batch *batch)
{
    struct uvs_reader *reader = ahead->reader;
    const bool is_whole = !reader->from_ns && !reader->to_ns && reader->ops->fill;
    batch->count = batch->text.size = 0;
    batch->first_with_text = BATCH_EVENTS;
    batch->error.text[0] = '\0';
    batch->result = 1;
    while (batch->count < BATCH_EVENTS) {
        if (is_whole)
            batch->count += reader->ops->fill(reader, &batch->events[batch->count],
                                              BATCH_EVENTS - batch->count);
        if (batch->count < BATCH_EVENTS && !fill_one(ahead, batch))
            break;
    }
    batch->share = uvs_reader_share(ahead->reader);
    for (size_t i = batch->first_with_text; i < batch->count; i++)
        if (ahead->has_text[batch->events[i].type])
            place_texts(&batch->text, &batch->events[i]);
}

// --- The decoding thread ---

static void skip(struct ahead *ahead)
{
    const uint64_t skip_to_ns = atomic_exchange(&ahead->skip_to_ns, 0);
    if (skip_to_ns && ahead->reader->ops->skip_to)
        ahead->reader->ops->skip_to(ahead->reader, skip_to_ns);
}

static void *decode(void *data)
{
    struct ahead *ahead = data;
    size_t place;
    int result = 1;
    while (result > 0 && (place = uvs__ring_take_empty(&ahead->ring)) != UVS__RING_NONE) {
        skip(ahead);
        fill(ahead, &ahead->batches[place]);
        result = ahead->batches[place].result;
        uvs__ring_give_full(&ahead->ring);
    }
    return NULL;
}

// --- The caller ---

static struct batch *wait_for_batch(struct ahead *ahead)
{
    if (ahead->batch)
        uvs__ring_give_empty(&ahead->ring, 0);
    return &ahead->batches[uvs__ring_take_full(&ahead->ring, 0)];
}

static struct batch *fill_batch(struct ahead *ahead)
{
    skip(ahead);
    fill(ahead, &ahead->batches[0]);
    return &ahead->batches[0];
}

static int borrow(struct uvs_reader *base, const struct uvs_event **ret_events, size_t *ret_count,
                  struct uvs_error *error)
{
    struct ahead *ahead = (struct ahead *)base;
    while (!ahead->batch || (ahead->at == ahead->batch->count && ahead->batch->result > 0)) {
        ahead->batch = ahead->has_thread ? wait_for_batch(ahead) : fill_batch(ahead);
        ahead->at = 0;
    }
    *ret_count = ahead->batch->count - ahead->at;
    if (*ret_count > 0) {
        *ret_events = &ahead->batch->events[ahead->at];
        ahead->at = ahead->batch->count;
        return 1;
    }
    if (ahead->batch->result < 0 && error)
        *error = ahead->batch->error;
    return ahead->batch->result;
}

static int next(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct ahead *ahead = (struct ahead *)base;
    size_t count;
    const int result = borrow(base, ret_event, &count, error);
    if (result > 0)
        ahead->at -= count - 1;
    return result;
}

static void skip_to(struct uvs_reader *base, uint64_t from_ns)
{
    atomic_store(&((struct ahead *)base)->skip_to_ns, from_ns);
}

static double share(const struct uvs_reader *base)
{
    const struct ahead *ahead = (const struct ahead *)base;
    return ahead->batch ? ahead->batch->share : -1;
}

static void free_all(struct ahead *ahead)
{
    for (size_t i = 0; i < BATCHES; i++)
        free(ahead->batches[i].text.bytes);
    uvs__ring_destroy(&ahead->ring);
    free(ahead);
}

static void destroy(struct uvs_reader *base)
{
    struct ahead *ahead = (struct ahead *)base;
    uvs__ring_stop(&ahead->ring, 0);
    if (ahead->has_thread)
        pthread_join(ahead->thread, NULL);
    uvs_reader_destroy(ahead->reader);
    free_all(ahead);
}

static void find_texts(struct ahead *ahead)
{
    for (int type = 0; type < UVS_EV_COUNT; type++)
        for (uint8_t i = 0; i < uvs_event_classes[type].field_count; i++)
            ahead->has_text[type] |= uvs_event_classes[type].fields[i].form != UVS_FIELD_INTEGER;
}

struct uvs_reader *uvs__reader_ahead_create(struct uvs_reader *reader, bool with_thread)
{
    struct ahead *ahead = calloc(1, sizeof(*ahead));
    if (!ahead)
        return NULL;
    ahead->ops = (struct uvs_reader_ops){.name = reader->ops->name,
                                         .next = next,
                                         .destroy = destroy,
                                         .skip_to = skip_to,
                                         .share = share,
                                         .borrow = borrow};
    ahead->base.ops = &ahead->ops;
    ahead->reader = reader;
    find_texts(ahead);
    uvs__ring_create(&ahead->ring, BATCHES, 1);
    ahead->has_thread = with_thread && uvs__ring_start_thread(&ahead->thread, decode, ahead) == 0;
    ahead->base.note = reader->note;
    reader->note = NULL;
    return &ahead->base;
}

struct uvs_reader *uvs__reader_ahead(struct uvs_reader *reader)
{
    const int wanted = reader->ops->fill ? UVS_PROCESSORS_AHEAD : 2;
    struct uvs_reader *ahead = uvs__reader_ahead_create(reader, uvs__ring_processors() >= wanted);
    return ahead ? ahead : reader;
}
