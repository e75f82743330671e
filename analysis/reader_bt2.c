// SPDX-License-Identifier: MIT
// The reference reader: CTF through libbabeltrace2, in a graph of our own or as a part of somebody else's.
#include "reader_bt2.h"

#include "bt2_decode.h"
#include "bt2_graph.h"
#include "ctf_gaps.h"

#include <stdlib.h>

struct bt2_reader {
    struct uvs_reader base;
    uvs__bt2_next *next;
    void *next_data;
    struct uvs__ctf_inputs inputs; // of a graph of our own
    struct uvs__bt2_graph *graph;
    struct uvs__bt2_decoder *decoder;
    bt_message_array_const batch;
    uint64_t batch_count, batch_next; // messages before batch_next are put
    bool pending;                     // an event is decoded and waits behind a loss
    struct uvs_event event, loss;
    struct uvs__ctf_gaps gaps;
    int end; // 1 not yet; 0 or a negative code: what `next` says from now on
    struct uvs_error end_error;
};

// Its streams must have snapshots: asking for one that is not there aborts.
static void read_discarded_events(const bt_message *message, struct uvs_ev_lost *lost)
{
    const bt_stream_class *class = bt_stream_borrow_class_const(
        bt_message_discarded_events_borrow_stream_const(message));
    uint64_t count;
    if (bt_message_discarded_events_get_count(message, &count) != BT_PROPERTY_AVAILABILITY_AVAILABLE)
        count = UVS_ABSENT;
    *lost = (struct uvs_ev_lost){.begin_ns = UVS_ABSENT, .end_ns = UVS_ABSENT, .events = count};
    if (!bt_stream_class_discarded_events_have_default_clock_snapshots(class))
        return;
    lost->begin_ns = uvs__bt2_snapshot_ns(
        bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const(message));
    lost->end_ns = uvs__bt2_snapshot_ns(
        bt_message_discarded_events_borrow_end_default_clock_snapshot_const(message));
}

static void read_discarded_packets(const bt_message *message, struct uvs_ev_lost *lost)
{
    const bt_stream_class *class = bt_stream_borrow_class_const(
        bt_message_discarded_packets_borrow_stream_const(message));
    uint64_t count;
    if (bt_message_discarded_packets_get_count(message, &count) != BT_PROPERTY_AVAILABILITY_AVAILABLE)
        count = UVS_ABSENT;
    *lost = (struct uvs_ev_lost){.begin_ns = UVS_ABSENT, .end_ns = UVS_ABSENT, .packets = count};
    if (!bt_stream_class_discarded_packets_have_default_clock_snapshots(class))
        return;
    lost->begin_ns = uvs__bt2_snapshot_ns(
        bt_message_discarded_packets_borrow_beginning_default_clock_snapshot_const(message));
    lost->end_ns = uvs__bt2_snapshot_ns(
        bt_message_discarded_packets_borrow_end_default_clock_snapshot_const(message));
}

// 1: reader->event is filled; 0: the message says nothing to us.
static int read_message(struct bt2_reader *reader, const bt_message *message, struct uvs_error *error)
{
    struct uvs_event *event = &reader->event;
    switch (bt_message_get_type(message)) {
    case BT_MESSAGE_TYPE_EVENT: {
        const int result = uvs__bt2_decode(reader->decoder, message, event, error);
        return result > 0 ? uvs__reader_check_schema(event, error) : result;
    }
    case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
        read_discarded_events(message, &event->lost);
        break;
    case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
        read_discarded_packets(message, &event->lost);
        break;
    default:
        return 0;
    }
    event->type = UVS_EV_LOST;
    event->time_ns = event->lost.begin_ns == UVS_ABSENT ? 0 : event->lost.begin_ns;
    return 1;
}

static void release_message(struct bt2_reader *reader)
{
    bt_message_put_ref(reader->batch[reader->batch_next++]);
}

static int read_event(struct bt2_reader *reader, struct uvs_error *error)
{
    if (reader->pending)
        release_message(reader);
    reader->pending = false;
    for (;;) {
        while (reader->batch_next < reader->batch_count) {
            const int result = read_message(reader, reader->batch[reader->batch_next], error);
            reader->pending = result > 0;
            if (result != 0)
                return result;
            release_message(reader);
        }
        reader->batch_next = reader->batch_count = 0;
        const int result = reader->next(reader->next_data, &reader->batch, &reader->batch_count, error);
        if (result <= 0)
            return result;
    }
}

static int finish(struct bt2_reader *reader, int result)
{
    if (result == 0)
        result = uvs__ctf_gaps_end(&reader->inputs, &reader->end_error);
    reader->end = result;
    return result;
}

static int next(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct bt2_reader *reader = (struct bt2_reader *)base;
    // A loss in front of an event was delivered in its place: the event is still to come.
    const bool waiting = reader->pending && reader->loss.type == UVS_EV_LOST;
    reader->loss.type = -1;
    if (!waiting && reader->end > 0) {
        const int result = read_event(reader, &reader->end_error);
        if (result <= 0)
            finish(reader, result);
    }
    if (uvs__ctf_gaps_deliver(&reader->gaps, reader->pending ? reader->event.time_ns : UINT64_MAX,
                              &reader->loss)) {
        *ret_event = &reader->loss;
        return 1;
    }
    if (reader->pending) {
        *ret_event = &reader->event;
        return 1;
    }
    if (reader->end < 0 && error)
        *error = reader->end_error;
    return reader->end;
}

static void destroy(struct uvs_reader *base)
{
    struct bt2_reader *reader = (struct bt2_reader *)base;
    while (reader->batch_next < reader->batch_count)
        release_message(reader);
    uvs__bt2_graph_destroy(reader->graph);
    uvs__bt2_decoder_destroy(reader->decoder);
    uvs__ctf_inputs_clear(&reader->inputs);
    free(reader->gaps.items);
    free(reader);
}

static const struct uvs_reader_ops ops = {.name = "babeltrace2", .next = next, .destroy = destroy};

static int graph_next(void *data, bt_message_array_const *ret_messages, uint64_t *ret_count,
                      struct uvs_error *error)
{
    return uvs__bt2_graph_next(data, ret_messages, ret_count, error);
}

static int open_traces(struct bt2_reader *reader, const char *directory, uint64_t ended_ns,
                       struct uvs_error *error)
{
    int result = uvs__ctf_inputs_find(directory, ended_ns, &reader->inputs, error);
    if (result == 0)
        result = uvs__bt2_graph_create(&reader->inputs, &reader->graph, error);
    if (result < 0)
        return result;
    reader->next_data = reader->graph;
    if (uvs__bt2_graph_streams(reader->graph) == 0)
        return uvs__ctf_gaps_nothing(&reader->inputs, directory, error);
    if (uvs__ctf_gaps_note(&reader->gaps, &reader->inputs) < 0)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    return 0;
}

static struct bt2_reader *create(uvs__bt2_next *next_batch, void *next_data)
{
    struct bt2_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->base.ops = &ops;
    reader->next = next_batch;
    reader->next_data = next_data;
    reader->end = 1;
    reader->loss.type = -1;
    reader->decoder = uvs__bt2_decoder_create();
    if (reader->decoder)
        return reader;
    free(reader);
    return NULL;
}

int uvs__reader_bt2_create(const char *ctf_directory, uint64_t ended_ns, struct uvs_reader **ret_reader,
                           struct uvs_error *error)
{
    struct bt2_reader *reader = create(graph_next, NULL);
    if (!reader)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    const int result = open_traces(reader, ctf_directory, ended_ns, error);
    if (result < 0)
        destroy(&reader->base);
    else
        *ret_reader = &reader->base;
    return result;
}

int uvs__reader_messages_create(uvs__bt2_next *next_batch, void *next_data, struct uvs_reader **ret_reader,
                                struct uvs_error *error)
{
    struct bt2_reader *reader = create(next_batch, next_data);
    if (!reader)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    *ret_reader = &reader->base;
    return 0;
}
