// SPDX-License-Identifier: MIT
// Events are read until they settle a span. Spans settle in no order of their own, so a span's message has
// the time of the event that settled it, and the span's times are in its payload.
#include "plugin.h"

#include "../../analysis/analysis.h"
#include "../../analysis/recording.h"
#include "../../analysis/symbols.h"
#include "parameters.h"
#include "span_messages.h"
#include "upstream.h"

#include <stdlib.h>
#include <string.h>

struct filter {
    bt_self_component_filter *self;
    const bt_value *parameters; // a reference: the string below is its own
    const char *recording;
};

// Messages that wait to be handed on.
struct queue {
    const bt_message **items;
    size_t first, count, capacity;
};

struct iterator {
    bt_self_message_iterator *self;
    bt_self_component *component;
    struct uvs__upstream upstream;
    struct uvs_reader *reader;
    struct uvs_recording recording;
    struct uvs_symbols *symbols;
    struct uvs__spans spans;
    struct uvs__span_stream *stream; // NULL until the first clock was seen
    struct queue queue;
    uint64_t now_ns;
    bool ended;
};

// --- The component ---

static struct filter *filter_of(bt_self_component *self)
{
    return bt_self_component_get_data(self);
}

static int add_ports(bt_self_component_filter *self, struct uvs_error *error)
{
    if (bt_self_component_filter_add_input_port(self, UVS__IN, NULL, NULL) ==
            BT_SELF_COMPONENT_ADD_PORT_STATUS_OK &&
        bt_self_component_filter_add_output_port(self, UVS__OUT, NULL, NULL) ==
            BT_SELF_COMPONENT_ADD_PORT_STATUS_OK)
        return 0;
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "the ports cannot be added");
}

bt_component_class_initialize_method_status
uvs__filter_initialize(bt_self_component_filter *self,
                       bt_self_component_filter_configuration *configuration __attribute__((unused)),
                       const bt_value *parameters, void *data __attribute__((unused)))
{
    bt_self_component *component = bt_self_component_filter_as_self_component(self);
    struct uvs_error error = {0};
    struct filter *filter = calloc(1, sizeof(*filter));
    if (!filter)
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    *filter = (struct filter){.self = self, .parameters = parameters};
    const struct uvs__parameter table[] = {{"recording", UVS__PARAMETER_TEXT, &filter->recording}, {0}};
    int result = uvs__parameters_read(parameters, table, &error);
    if (result == 0 && filter->recording)
        result = uvs__check_recording(filter->recording, &error);
    if (result == 0)
        result = add_ports(self, &error);
    if (result < 0) {
        BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(component, "%s", error.text);
        free(filter);
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
    }
    bt_value_get_ref(parameters);
    bt_self_component_set_data(component, filter);
    return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

void uvs__filter_finalize(bt_self_component_filter *self)
{
    struct filter *filter = filter_of(bt_self_component_filter_as_self_component(self));
    bt_value_put_ref(filter->parameters);
    free(filter);
}

// --- Spans to messages ---

static int push(struct iterator *iterator, const bt_message *message)
{
    struct queue *queue = &iterator->queue;
    const bt_message **items = message
                                   ? uvs__grow(queue->items, queue->count, &queue->capacity, sizeof(*items))
                                   : NULL;
    if (!items) {
        bt_message_put_ref(message);
        return -UVS_E_ENVIRONMENT;
    }
    queue->items = items;
    items[queue->count++] = message;
    return 0;
}

static const char *label_of(const struct iterator *iterator, const struct uvs__span *span,
                            struct uvs_site *site)
{
    const struct uvs__who *who = span->who == UVS__NOBODY ? NULL : iterator->spans.whos[span->who];
    if (!who || who->address == 0)
        return NULL;
    uvs_symbols_resolve(iterator->symbols, who->process->pid, who->address, who->role == UVS__SYNC_CALL,
                        site);
    return site->label;
}

static int on_span(void *data, const struct uvs__span *span)
{
    struct iterator *iterator = data;
    struct uvs_site site;
    if (!uvs__span_has_message(span))
        return 0;
    return push(iterator, uvs__span_message(iterator->stream, iterator->self, &iterator->spans, span,
                                            label_of(iterator, span, &site), iterator->now_ns));
}

// --- Events to spans ---

static const bt_clock_class *clock_of(const bt_message *message)
{
    if (bt_message_get_type(message) != BT_MESSAGE_TYPE_STREAM_BEGINNING)
        return NULL;
    return bt_stream_class_borrow_default_clock_class_const(
        bt_stream_borrow_class_const(bt_message_stream_beginning_borrow_stream_const(message)));
}

// The stream has the clock of the first that comes in with one: the muxer before us lets no others by.
static int see(void *data, bt_message_array_const messages, uint64_t count, struct uvs_error *error)
{
    struct iterator *iterator = data;
    for (uint64_t i = 0; i < count && !iterator->stream; i++) {
        const bt_clock_class *clock = clock_of(messages[i]);
        if (!clock)
            continue;
        iterator->stream = uvs__span_stream_create(iterator->component, clock);
        if (!iterator->stream || push(iterator, uvs__span_stream_begin(iterator->stream, iterator->self)) < 0)
            return uvs_error_set(error, UVS_E_ENVIRONMENT, "the stream of spans cannot be made");
    }
    return 0;
}

static int take_event(struct iterator *iterator, const struct uvs_event *event, struct uvs_error *error)
{
    if (event->time_ns > iterator->now_ns)
        iterator->now_ns = event->time_ns;
    if (event->type == UVS_EV_module &&
        uvs_symbols_add_module(iterator->symbols, uvs_key_pid(event->module.loop), event->module.base,
                               event->module.size, event->module.bias, event->module.build_id,
                               event->module.path))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    return uvs__spans_event(&iterator->spans, event, error);
}

static int finish(struct iterator *iterator, struct uvs_error *error)
{
    iterator->ended = true;
    if (!iterator->stream)
        return 0;
    if (uvs__spans_finish(&iterator->spans) < 0 ||
        push(iterator, uvs__span_stream_end(iterator->stream, iterator->self)) < 0)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    return 0;
}

// Until there is a message or the end.
static int fill_queue(struct iterator *iterator, struct uvs_error *error)
{
    int result = 0;
    while (iterator->queue.count == 0 && !iterator->ended && result == 0) {
        const struct uvs_event *event;
        result = uvs_reader_next(iterator->reader, &event, error);
        if (result > 0)
            result = take_event(iterator, event, error);
        else if (result == 0)
            result = finish(iterator, error);
    }
    return result;
}

// --- The iterator ---

static bool is_interrupted(const void *self)
{
    return bt_self_message_iterator_is_interrupted(self);
}

static void destroy(struct iterator *iterator)
{
    uvs_reader_destroy(iterator->reader);
    for (size_t i = iterator->queue.first; i < iterator->queue.count; i++)
        bt_message_put_ref(iterator->queue.items[i]);
    free(iterator->queue.items);
    uvs__spans_clear(&iterator->spans);
    uvs__span_stream_destroy(iterator->stream);
    uvs_symbols_destroy(iterator->symbols);
    uvs_recording_clear(&iterator->recording);
    bt_message_iterator_put_ref(iterator->upstream.messages);
    free(iterator);
}

static int open_upstream(struct iterator *iterator, struct uvs_error *error)
{
    bt_self_component_port_input *port = bt_self_component_filter_borrow_input_port_by_name(
        filter_of(iterator->component)->self, UVS__IN);
    if (bt_message_iterator_create_from_message_iterator(iterator->self, port,
                                                         &iterator->upstream.messages) !=
        BT_MESSAGE_ITERATOR_CREATE_FROM_MESSAGE_ITERATOR_STATUS_OK)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "nothing can be read from port `" UVS__IN "`");
    return uvs__reader_messages_create(uvs__upstream_next, &iterator->upstream, &iterator->reader, error);
}

static int open_iterator(struct iterator *iterator, const char *recording, struct uvs_error *error)
{
    iterator->spans = (struct uvs__spans){.sink = on_span, .sink_data = iterator, .main_end_ns = UVS_ABSENT};
    int result = recording ? uvs_recording_load(recording, &iterator->recording, error) : 0;
    if (result > 0)
        uvs__spans_recorded(&iterator->spans, &iterator->recording);
    if (result >= 0)
        result = uvs_symbols_create(recording, &iterator->symbols, error);
    return result < 0 ? result : open_upstream(iterator, error);
}

bt_message_iterator_class_initialize_method_status
uvs__filter_iterator_initialize(bt_self_message_iterator *self,
                                bt_self_message_iterator_configuration *configuration __attribute__((unused)),
                                bt_self_component_port_output *port __attribute__((unused)))
{
    struct uvs_error error = {0};
    struct iterator *iterator = calloc(1, sizeof(*iterator));
    if (!iterator)
        return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    iterator->self = self;
    iterator->component = bt_self_message_iterator_borrow_component(self);
    iterator->upstream = (struct uvs__upstream){
        .is_interrupted = is_interrupted, .self = self, .see = see, .see_data = iterator};
    if (open_iterator(iterator, filter_of(iterator->component)->recording, &error) < 0) {
        BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(self, "%s", error.text);
        destroy(iterator);
        return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
    }
    bt_self_message_iterator_set_data(self, iterator);
    return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

bt_message_iterator_class_next_method_status uvs__filter_iterator_next(bt_self_message_iterator *self,
                                                                       bt_message_array_const messages,
                                                                       uint64_t capacity, uint64_t *ret_count)
{
    struct iterator *iterator = bt_self_message_iterator_get_data(self);
    struct queue *queue = &iterator->queue;
    struct uvs_error error = {0};
    if (fill_queue(iterator, &error) < 0) {
        BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(self, "%s", error.text);
        return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_ERROR;
    }
    uint64_t count = 0;
    while (count < capacity && queue->first < queue->count)
        messages[count++] = queue->items[queue->first++];
    if (queue->first == queue->count)
        queue->first = queue->count = 0;
    *ret_count = count;
    return count > 0 ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK
                     : BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
}

void uvs__filter_iterator_finalize(bt_self_message_iterator *self)
{
    destroy(bt_self_message_iterator_get_data(self));
}
