// SPDX-License-Identifier: MIT
// A column is a row of a table here: it makes the member of the event class, and fills it. What is unknown is
// -1, or an empty text: CTF has no null.
#include "span_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_SIGNED, FORM_FLAG, FORM_TEXT };

struct cell {
    int64_t number; // of flags too
    const char *text;
};

// What a column is made from.
struct subject {
    const struct uvs__spans *spans;
    const struct uvs__span *span;
    const char *label;
};

struct column {
    const char *name; // NULL: the end of a table
    enum form form;
    struct cell (*value)(const struct subject *subject);
};

struct uvs__span_stream {
    bt_trace *trace;
    bt_stream *stream;
    bt_event_class *classes[UVS__SPAN_COUNT];
};

// --- Values ---

static const struct uvs__who *who_of(const struct subject *subject)
{
    return subject->span->who == UVS__NOBODY ? NULL : subject->spans->whos[subject->span->who];
}

static struct cell number(uint64_t value)
{
    return (struct cell){.number = (int64_t)value}; // UVS_ABSENT becomes -1
}

static struct cell take_pid(const struct subject *subject)
{
    return number(subject->span->process->pid);
}

static struct cell take_loop(const struct subject *subject)
{
    return number(subject->span->loop ? subject->span->loop->slot : UVS_ABSENT);
}

static struct cell take_begin(const struct subject *subject)
{
    return number(subject->span->begin_ns);
}

static struct cell take_end(const struct subject *subject)
{
    return number(subject->span->end_ns);
}

static struct cell take_op(const struct subject *subject)
{
    return number(subject->span->op);
}

static struct cell take_kind(const struct subject *subject)
{
    const struct uvs__who *who = who_of(subject);
    const char *name = who ? uvs_kind_name(who->kind) : NULL;
    return (struct cell){.text = name ? name : ""};
}

static struct cell take_label(const struct subject *subject)
{
    return (struct cell){.text = subject->label ? subject->label : ""};
}

#define MEMBER(name, member)                                      \
    static struct cell take_##name(const struct subject *subject) \
    {                                                             \
        return number((uint64_t)subject->span->member);           \
    }
MEMBER(delay, callback.delay_ns)
MEMBER(latency, callback.latency_ns)
MEMBER(result, callback.result)
MEMBER(callback_cancelled, callback.cancelled)
MEMBER(outermost, busy.times->outermost_ns)
MEMBER(longest, busy.times->longest_ns)
MEMBER(sync, busy.times->sync_ns)
MEMBER(complete, busy.complete)
MEMBER(open, busy.open)
MEMBER(spinning, poll.spinning)
MEMBER(parent, schedule.parent)
MEMBER(cpu, stall.cpu_ns)
MEMBER(tid, work.tid)
MEMBER(queue, work.queue_ns)
MEMBER(return, delivery.return_ns)
MEMBER(cancelled, delivery.cancelled)
MEMBER(by_kernel, delivery.by_kernel)
MEMBER(stuck, unfinished.stuck)
MEMBER(started, unfinished.started)
#undef MEMBER

// --- Tables ---

static const struct column every[] = {
    {"pid", FORM_SIGNED, take_pid},
    {"loop", FORM_SIGNED, take_loop},
    {"begin_ns", FORM_SIGNED, take_begin},
    {"end_ns", FORM_SIGNED, take_end},
    {0},
};
static const struct column named[] = {
    {"kind", FORM_TEXT, take_kind},
    {"label", FORM_TEXT, take_label},
    {0},
};

struct type {
    const char *name; // NULL: not for others
    bool is_named;
    struct column columns[7];
};

static const struct type types[UVS__SPAN_COUNT] = {
    [UVS__SPAN_CALLBACK] = {"callback",
                            true,
                            {{"op", FORM_SIGNED, take_op},
                             {"delay_ns", FORM_SIGNED, take_delay},
                             {"latency_ns", FORM_SIGNED, take_latency},
                             {"result", FORM_SIGNED, take_result},
                             {"cancelled", FORM_FLAG, take_callback_cancelled}}},
    [UVS__SPAN_BUSY] = {"busy",
                        false,
                        {{"callbacks_ns", FORM_SIGNED, take_outermost},
                         {"longest_ns", FORM_SIGNED, take_longest},
                         {"sync_calls_ns", FORM_SIGNED, take_sync},
                         {"complete", FORM_FLAG, take_complete},
                         {"open", FORM_FLAG, take_open}}},
    [UVS__SPAN_POLL] = {"poll", false, {{"spinning", FORM_FLAG, take_spinning}}},
    [UVS__SPAN_OUTSIDE] = {"outside", false, {{0}}},
    [UVS__SPAN_SYNC_CALL] = {"sync_call", true, {{0}}},
    [UVS__SPAN_SCHEDULE] = {"schedule",
                            false,
                            {{"op", FORM_SIGNED, take_op}, {"parent", FORM_SIGNED, take_parent}}},
    [UVS__SPAN_STALL] = {"stall", true, {{"cpu_ns", FORM_SIGNED, take_cpu}}},
    [UVS__SPAN_WORK] = {"work",
                        true,
                        {{"op", FORM_SIGNED, take_op},
                         {"tid", FORM_SIGNED, take_tid},
                         {"queue_ns", FORM_SIGNED, take_queue}}},
    [UVS__SPAN_DELIVERY] = {"delivery",
                            true,
                            {{"op", FORM_SIGNED, take_op},
                             {"return_ns", FORM_SIGNED, take_return},
                             {"cancelled", FORM_FLAG, take_cancelled},
                             {"by_kernel", FORM_FLAG, take_by_kernel}}},
    [UVS__SPAN_UNFINISHED] = {"unfinished",
                              true,
                              {{"op", FORM_SIGNED, take_op},
                               {"started", FORM_FLAG, take_started},
                               {"stuck", FORM_FLAG, take_stuck}}},
};

// The tables that make up a type, NULL-terminated.
static void tables_of(const struct type *type, const struct column *ret_tables[4])
{
    size_t count = 0;
    ret_tables[count++] = every;
    if (type->is_named)
        ret_tables[count++] = named;
    ret_tables[count++] = type->columns;
    ret_tables[count] = NULL;
}

// --- Classes ---

static bt_field_class *create_column_class(bt_trace_class *trace, enum form form)
{
    switch (form) {
    case FORM_SIGNED:
        return bt_field_class_integer_signed_create(trace);
    case FORM_FLAG:
        return bt_field_class_bool_create(trace);
    case FORM_TEXT:
        return bt_field_class_string_create(trace);
    }
    return NULL;
}

static bool add_column(bt_trace_class *trace, bt_field_class *payload, const struct column *column)
{
    bt_field_class *class = create_column_class(trace, column->form);
    const bool added = class && bt_field_class_structure_append_member(payload, column->name, class) ==
                                    BT_FIELD_CLASS_STRUCTURE_APPEND_MEMBER_STATUS_OK;
    bt_field_class_put_ref(class);
    return added;
}

static bool add_columns(bt_trace_class *trace, bt_field_class *payload, const struct type *type)
{
    const struct column *tables[4];
    bool added = true;
    tables_of(type, tables);
    for (size_t i = 0; tables[i]; i++)
        for (const struct column *column = tables[i]; column->name && added; column++)
            added = add_column(trace, payload, column);
    return added;
}

static bt_event_class *create_event_class(bt_trace_class *trace, bt_stream_class *stream,
                                          const struct type *type)
{
    char name[64];
    snprintf(name, sizeof(name), "uvscope_span:%s", type->name);
    bt_event_class *class = bt_event_class_create(stream);
    bt_field_class *payload = bt_field_class_structure_create(trace);
    const bool complete = class && payload && add_columns(trace, payload, type) &&
                          bt_event_class_set_name(class, name) == BT_EVENT_CLASS_SET_NAME_STATUS_OK &&
                          bt_event_class_set_payload_field_class(class, payload) ==
                              BT_EVENT_CLASS_SET_FIELD_CLASS_STATUS_OK;
    bt_field_class_put_ref(payload);
    if (complete)
        return class;
    bt_event_class_put_ref(class);
    return NULL;
}

// Where the input's clock stands to the world's, ours does too.
static bt_clock_class *copy_clock(bt_self_component *self, const bt_clock_class *from)
{
    bt_clock_class *clock = bt_clock_class_create(self);
    if (!clock)
        return NULL;
    int64_t seconds;
    uint64_t cycles;
    bt_clock_class_get_offset(from, &seconds, &cycles);
    const uint64_t frequency = bt_clock_class_get_frequency(from);
    bt_clock_class_set_offset(clock, seconds, (uint64_t)((unsigned __int128)cycles * 1000000000 / frequency));
    bt_clock_class_set_origin_is_unix_epoch(clock, bt_clock_class_origin_is_unix_epoch(from));
    if (bt_clock_class_get_uuid(from))
        bt_clock_class_set_uuid(clock, bt_clock_class_get_uuid(from));
    if (bt_clock_class_set_name(clock, "monotonic") == BT_CLOCK_CLASS_SET_NAME_STATUS_OK)
        return clock;
    bt_clock_class_put_ref(clock);
    return NULL;
}

static bool fill_stream(struct uvs__span_stream *stream, bt_trace_class *trace_class,
                        bt_stream_class *stream_class)
{
    for (size_t i = 0; i < UVS__SPAN_COUNT; i++)
        if (types[i].name && !(stream->classes[i] = create_event_class(trace_class, stream_class, &types[i])))
            return false;
    stream->trace = bt_trace_create(trace_class);
    if (!stream->trace || bt_trace_set_name(stream->trace, "uvscope spans") != BT_TRACE_SET_NAME_STATUS_OK)
        return false;
    stream->stream = bt_stream_create(stream_class, stream->trace);
    return stream->stream != NULL;
}

struct uvs__span_stream *uvs__span_stream_create(bt_self_component *self, const bt_clock_class *from)
{
    struct uvs__span_stream *stream = calloc(1, sizeof(*stream));
    bt_trace_class *trace_class = bt_trace_class_create(self);
    bt_stream_class *stream_class = trace_class ? bt_stream_class_create(trace_class) : NULL;
    bt_clock_class *clock = copy_clock(self, from);
    bool complete = stream && stream_class && clock &&
                    bt_stream_class_set_default_clock_class(stream_class, clock) ==
                        BT_STREAM_CLASS_SET_DEFAULT_CLOCK_CLASS_STATUS_OK;
    complete = complete && fill_stream(stream, trace_class, stream_class);
    bt_clock_class_put_ref(clock);
    bt_stream_class_put_ref(stream_class);
    bt_trace_class_put_ref(trace_class);
    if (complete)
        return stream;
    uvs__span_stream_destroy(stream);
    return NULL;
}

void uvs__span_stream_destroy(struct uvs__span_stream *stream)
{
    if (!stream)
        return;
    for (size_t i = 0; i < UVS__SPAN_COUNT; i++)
        bt_event_class_put_ref(stream->classes[i]);
    bt_stream_put_ref(stream->stream);
    bt_trace_put_ref(stream->trace);
    free(stream);
}

// --- Messages ---

bt_message *uvs__span_stream_begin(struct uvs__span_stream *stream, bt_self_message_iterator *iterator)
{
    return bt_message_stream_beginning_create(iterator, stream->stream);
}

bt_message *uvs__span_stream_end(struct uvs__span_stream *stream, bt_self_message_iterator *iterator)
{
    return bt_message_stream_end_create(iterator, stream->stream);
}

static bool fill_field(bt_field *field, enum form form, struct cell cell)
{
    switch (form) {
    case FORM_SIGNED:
        bt_field_integer_signed_set_value(field, cell.number);
        break;
    case FORM_FLAG:
        bt_field_bool_set_value(field, cell.number != 0);
        break;
    case FORM_TEXT:
        return bt_field_string_set_value(field, cell.text) == BT_FIELD_STRING_SET_VALUE_STATUS_OK;
    }
    return true;
}

static bool fill_payload(bt_field *payload, const struct subject *subject)
{
    const struct column *tables[4];
    uint64_t index = 0;
    bool filled = true;
    tables_of(&types[subject->span->type], tables);
    for (size_t i = 0; tables[i]; i++)
        for (const struct column *column = tables[i]; column->name && filled; column++)
            filled = fill_field(bt_field_structure_borrow_member_field_by_index(payload, index++),
                                column->form, column->value(subject));
    return filled;
}

bool uvs__span_has_message(const struct uvs__span *span)
{
    return types[span->type].name != NULL;
}

bt_message *uvs__span_message(struct uvs__span_stream *stream, bt_self_message_iterator *iterator,
                              const struct uvs__spans *spans, const struct uvs__span *span, const char *label,
                              uint64_t now_ns)
{
    const struct subject subject = {.spans = spans, .span = span, .label = label};
    bt_message *message = bt_message_event_create_with_default_clock_snapshot(
        iterator, stream->classes[span->type], stream->stream, now_ns);
    if (!message ||
        fill_payload(bt_event_borrow_payload_field(bt_message_event_borrow_event(message)), &subject))
        return message;
    bt_message_put_ref(message);
    return NULL;
}
