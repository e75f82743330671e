// SPDX-License-Identifier: MIT
// A ring of batches. The decoding thread fills the one behind the last, the caller empties the first; the
// lock guards how many are full, and batches change hands only under it. Who has to wait is woken when half
// of the ring is there for it, so that the threads do not wake each other for each batch; a decoder that is
// slower than the analysis hands on each batch at once.
#include "reader_ahead.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 8, BATCH_EVENTS = 512, FIRST_TEXT = 4096 };

// Strings and sequences of the batch's events: the decoder's are good for one event only.
struct text {
    char *bytes;
    size_t size, capacity;
};

struct batch {
    struct uvs_event events[BATCH_EVENTS];
    size_t count;
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
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    size_t full, first; // batches
    uint64_t skip_to_ns;
    bool is_decoder_waiting, is_stopped;
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

static void fill(const struct ahead *ahead, struct batch *batch)
{
    const struct uvs_event *event;
    batch->count = batch->text.size = 0;
    batch->error.text[0] = '\0';
    while (batch->count < BATCH_EVENTS &&
           (batch->result = uvs_reader_next(ahead->reader, &event, &batch->error)) > 0) {
        struct uvs_event *copy = &batch->events[batch->count++];
        *copy = *event;
        if (ahead->has_text[copy->type] && take_texts(&batch->text, copy)) {
            batch->count--;
            batch->result = uvs_error_set(&batch->error, UVS_E_ENVIRONMENT, "no memory to read the trace");
            break;
        }
    }
    batch->share = uvs_reader_share(ahead->reader);
    for (size_t i = 0; i < batch->count; i++)
        if (ahead->has_text[batch->events[i].type])
            place_texts(&batch->text, &batch->events[i]);
}

// --- The decoding thread ---

// NULL: nobody wants any more.
static struct batch *wait_for_room(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (ahead->full == BATCHES && !ahead->is_stopped) {
        ahead->is_decoder_waiting = true;
        pthread_cond_wait(&ahead->emptied, &ahead->lock);
    }
    ahead->is_decoder_waiting = false;
    struct batch *batch = ahead->is_stopped ? NULL : &ahead->batches[(ahead->first + ahead->full) % BATCHES];
    const uint64_t skip_to_ns = ahead->skip_to_ns;
    ahead->skip_to_ns = 0;
    pthread_mutex_unlock(&ahead->lock);
    if (skip_to_ns && ahead->reader->ops->skip_to)
        ahead->reader->ops->skip_to(ahead->reader, skip_to_ns);
    return batch;
}

static void hand_on(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    const bool was_empty = ahead->full++ == 0;
    pthread_mutex_unlock(&ahead->lock);
    if (was_empty)
        pthread_cond_signal(&ahead->filled);
}

static void *decode(void *data)
{
    struct ahead *ahead = data;
    struct batch *batch;
    do {
        batch = wait_for_room(ahead);
        if (!batch)
            break;
        fill(ahead, batch);
        hand_on(ahead);
    } while (batch->result > 0);
    return NULL;
}

// --- The caller ---

static void give_back(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->first = (ahead->first + 1) % BATCHES;
    ahead->full--;
    const bool wake = ahead->is_decoder_waiting && ahead->full <= BATCHES / 2;
    pthread_mutex_unlock(&ahead->lock);
    if (wake)
        pthread_cond_signal(&ahead->emptied);
}

static void wait_for_batch(struct ahead *ahead)
{
    if (ahead->batch)
        give_back(ahead);
    pthread_mutex_lock(&ahead->lock);
    while (ahead->full == 0)
        pthread_cond_wait(&ahead->filled, &ahead->lock);
    ahead->batch = &ahead->batches[ahead->first];
    pthread_mutex_unlock(&ahead->lock);
    ahead->at = 0;
}

static int next(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct ahead *ahead = (struct ahead *)base;
    while (!ahead->batch || (ahead->at == ahead->batch->count && ahead->batch->result > 0))
        wait_for_batch(ahead);
    if (ahead->at < ahead->batch->count) {
        *ret_event = &ahead->batch->events[ahead->at++];
        return 1;
    }
    if (ahead->batch->result < 0 && error)
        *error = ahead->batch->error;
    return ahead->batch->result;
}

static void skip_to(struct uvs_reader *base, uint64_t from_ns)
{
    struct ahead *ahead = (struct ahead *)base;
    pthread_mutex_lock(&ahead->lock);
    ahead->skip_to_ns = from_ns;
    pthread_mutex_unlock(&ahead->lock);
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
    pthread_cond_destroy(&ahead->filled);
    pthread_cond_destroy(&ahead->emptied);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}

static void destroy(struct uvs_reader *base)
{
    struct ahead *ahead = (struct ahead *)base;
    pthread_mutex_lock(&ahead->lock);
    ahead->is_stopped = true;
    pthread_mutex_unlock(&ahead->lock);
    pthread_cond_signal(&ahead->emptied);
    pthread_join(ahead->thread, NULL);
    uvs_reader_destroy(ahead->reader);
    free_all(ahead);
}

// The command's signals are for the command's own thread.
static int start(struct ahead *ahead)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &before))
        return -1;
    const int failed = pthread_create(&ahead->thread, NULL, decode, ahead);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? -1 : 0;
}

static void find_texts(struct ahead *ahead)
{
    for (int type = 0; type < UVS_EV_COUNT; type++)
        for (uint8_t i = 0; i < uvs_event_classes[type].field_count; i++)
            ahead->has_text[type] |= uvs_event_classes[type].fields[i].form != UVS_FIELD_INTEGER;
}

struct uvs_reader *uvs__reader_ahead_create(struct uvs_reader *reader)
{
    struct ahead *ahead = calloc(1, sizeof(*ahead));
    if (!ahead)
        return NULL;
    ahead->ops = (struct uvs_reader_ops){
        .name = reader->ops->name, .next = next, .destroy = destroy, .skip_to = skip_to, .share = share};
    ahead->base.ops = &ahead->ops;
    ahead->reader = reader;
    find_texts(ahead);
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->filled, NULL);
    pthread_cond_init(&ahead->emptied, NULL);
    if (start(ahead)) {
        free_all(ahead);
        return NULL;
    }
    ahead->base.note = reader->note;
    reader->note = NULL;
    return &ahead->base;
}

struct uvs_reader *uvs__reader_ahead(struct uvs_reader *reader)
{
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof(processors), &processors) || CPU_COUNT(&processors) < 2)
        return reader;
    struct uvs_reader *ahead = uvs__reader_ahead_create(reader);
    return ahead ? ahead : reader;
}
