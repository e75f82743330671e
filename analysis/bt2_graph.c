// SPDX-License-Identifier: MIT
// Building and running the graph. libbabeltrace2 aborts when it is misused: every status is checked.
#include "bt2_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct uvs__bt2_graph {
    bt_graph *graph;
    const bt_component_filter *muxer;
    bt_message_iterator *messages; // the sink's own; valid while the graph is
    bt_message_array_const batch;
    uint64_t batch_count;
    uint64_t streams;
};

struct plugins {
    const bt_plugin *ctf, *utils;
};

// Takes the thread's error: its root and its outermost cause, in one line.
static void take_causes(char *text, size_t size)
{
    const bt_error *error = bt_current_thread_take_error();
    const uint64_t count = error ? bt_error_get_cause_count(error) : 0;
    snprintf(text, size, "libbabeltrace2 gives no cause");
    if (count > 0) {
        const char *root = bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, 0));
        const char *last = bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, count - 1));
        // Behind the outermost one's colon there are only addresses.
        snprintf(text, size, "%.400s (%.*s)", root, (int)strcspn(last, ":"), last);
    }
    if (error)
        bt_error_release(error);
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

static int fail(struct uvs_error *error, const char *what)
{
    char causes[1024];
    take_causes(causes, sizeof(causes));
    return uvs_error_set(error, UVS_E_TRACE, "%s: %s", what, causes);
}

static int find_plugin(const char *name, const bt_plugin **ret_plugin, struct uvs_error *error)
{
    if (bt_plugin_find(name, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, ret_plugin) ==
        BT_PLUGIN_FIND_STATUS_OK)
        return 0;
    char causes[1024];
    take_causes(causes, sizeof(causes));
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         "libbabeltrace2's plugin `%s` is missing (%s); install babeltrace2", name, causes);
}

static void put_plugins(struct plugins *plugins)
{
    bt_plugin_put_ref(plugins->ctf);
    bt_plugin_put_ref(plugins->utils);
}

static int find_plugins(struct plugins *ret_plugins, struct uvs_error *error)
{
    *ret_plugins = (struct plugins){0};
    int result = find_plugin("ctf", &ret_plugins->ctf, error);
    if (result == 0)
        result = find_plugin("utils", &ret_plugins->utils, error);
    if (result < 0)
        put_plugins(ret_plugins);
    return result;
}

// Clock offsets are sampled once per trace and differ by microseconds; without them, the muxer orders by what
// the host's clock said.
static bool fill_parameters(bt_value *parameters, const struct uvs__ctf_input *input)
{
    bt_value *paths;
    if (bt_value_map_insert_empty_array_entry(parameters, "inputs", &paths) !=
        BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK)
        return false;
    if (bt_value_array_append_string_element(paths, uvs__ctf_input_path(input)) !=
        BT_VALUE_ARRAY_APPEND_ELEMENT_STATUS_OK)
        return false;
    if (input->clock_offset == 0 || input->clock_offset > INT64_MAX)
        return true;
    return bt_value_map_insert_signed_integer_entry(parameters, "clock-class-offset-ns",
                                                    -(int64_t)input->clock_offset) ==
           BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK;
}

// false: the thread's error says why.
static bool add_source(bt_graph *graph, const struct plugins *plugins, const struct uvs__ctf_input *input,
                       size_t number, const bt_component_source **ret_source)
{
    const bt_component_class_source *class = bt_plugin_borrow_source_component_class_by_name_const(
        plugins->ctf, "fs");
    bt_value *parameters = bt_value_map_create();
    char name[32];
    snprintf(name, sizeof(name), "trace%zu", number);
    const bool added = class && parameters && fill_parameters(parameters, input) &&
                       bt_graph_add_source_component(graph, class, name, parameters,
                                                     bt_logging_get_global_level(),
                                                     ret_source) == BT_GRAPH_ADD_COMPONENT_STATUS_OK;
    bt_value_put_ref(parameters);
    return added;
}

// In a graph of its own, so that a refusal does not spoil the real one.
static void probe(const struct plugins *plugins, struct uvs__ctf_input *input)
{
    const bt_component_source *source;
    bt_graph *graph = bt_graph_create(0);
    if (!graph || !add_source(graph, plugins, input, 0, &source)) {
        char causes[1024];
        take_causes(causes, sizeof(causes));
        uvs__ctf_damage(input, "its metadata or a packet is damaged: %s", causes);
        input->readable = false;
    }
    bt_graph_put_ref(graph);
}

static bool connect_streams(struct uvs__bt2_graph *graph, const bt_component_source *source)
{
    const uint64_t count = bt_component_source_get_output_port_count(source);
    for (uint64_t i = 0; i < count; i++) {
        // The muxer grows a free port whenever its last one is taken.
        const bt_port_input *to = bt_component_filter_borrow_input_port_by_index_const(graph->muxer,
                                                                                       graph->streams);
        const bt_port_output *from = bt_component_source_borrow_output_port_by_index_const(source, i);
        if (bt_graph_connect_ports(graph->graph, from, to, NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK)
            return false;
        graph->streams++;
    }
    return true;
}

static bt_graph_simple_sink_component_initialize_func_status sink_initialize(bt_message_iterator *messages,
                                                                             void *data)
{
    ((struct uvs__bt2_graph *)data)->messages = messages;
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_INITIALIZE_FUNC_STATUS_OK;
}

static bt_graph_simple_sink_component_consume_func_status sink_consume(bt_message_iterator *messages,
                                                                       void *data)
{
    struct uvs__bt2_graph *graph = data;
    switch (bt_message_iterator_next(messages, &graph->batch, &graph->batch_count)) {
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_AGAIN;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_MEMORY_ERROR:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_MEMORY_ERROR;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_ERROR:
        break;
    }
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_ERROR;
}

static bool add_muxer(struct uvs__bt2_graph *graph, const struct plugins *plugins)
{
    const bt_component_class_filter *class = bt_plugin_borrow_filter_component_class_by_name_const(
        plugins->utils, "muxer");
    return class &&
           bt_graph_add_filter_component(graph->graph, class, "muxer", NULL, bt_logging_get_global_level(),
                                         &graph->muxer) == BT_GRAPH_ADD_COMPONENT_STATUS_OK;
}

static bool add_sink(struct uvs__bt2_graph *graph, const bt_port_output *from)
{
    const bt_component_sink *sink;
    if (bt_graph_add_simple_sink_component(graph->graph, "events", sink_initialize, sink_consume, NULL, graph,
                                           &sink) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
        return false;
    return bt_graph_connect_ports(graph->graph, from,
                                  bt_component_sink_borrow_input_port_by_index_const(sink, 0),
                                  NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

static bool add_inputs(struct uvs__bt2_graph *graph, const struct plugins *plugins,
                       struct uvs__ctf_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct uvs__ctf_input *input = &inputs->items[i];
        if (input->readable)
            probe(plugins, input);
        const bt_component_source *source;
        if (input->readable &&
            (!add_source(graph->graph, plugins, input, i, &source) || !connect_streams(graph, source)))
            return false;
    }
    return true;
}

static int build(struct uvs__bt2_graph *graph, struct uvs__ctf_inputs *inputs, struct uvs_error *error)
{
    struct plugins plugins;
    const int result = find_plugins(&plugins, error);
    if (result < 0)
        return result;
    graph->graph = bt_graph_create(0);
    const bool built = graph->graph && add_muxer(graph, &plugins) && add_inputs(graph, &plugins, inputs) &&
                       add_sink(graph,
                                bt_component_filter_borrow_output_port_by_index_const(graph->muxer, 0));
    put_plugins(&plugins);
    return built ? 0 : fail(error, "libbabeltrace2 cannot set up its reading");
}

int uvs__bt2_graph_create(struct uvs__ctf_inputs *inputs, struct uvs__bt2_graph **ret_graph,
                          struct uvs_error *error)
{
    struct uvs__bt2_graph *graph = calloc(1, sizeof(*graph));
    if (!graph)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    const int result = build(graph, inputs, error);
    if (result < 0)
        uvs__bt2_graph_destroy(graph);
    else
        *ret_graph = graph;
    return result;
}

void uvs__bt2_graph_destroy(struct uvs__bt2_graph *graph)
{
    if (!graph)
        return;
    bt_graph_put_ref(graph->graph);
    free(graph);
}

int uvs__bt2_graph_next(struct uvs__bt2_graph *graph, bt_message_array_const *ret_messages,
                        uint64_t *ret_count, struct uvs_error *error)
{
    if (graph->streams == 0)
        return 0;
    graph->batch_count = 0;
    switch (bt_graph_run_once(graph->graph)) {
    case BT_GRAPH_RUN_ONCE_STATUS_END:
        return 0;
    case BT_GRAPH_RUN_ONCE_STATUS_OK:
    case BT_GRAPH_RUN_ONCE_STATUS_AGAIN:
        *ret_messages = graph->batch;
        *ret_count = graph->batch_count;
        return 1;
    case BT_GRAPH_RUN_ONCE_STATUS_MEMORY_ERROR:
    case BT_GRAPH_RUN_ONCE_STATUS_ERROR:
        break;
    }
    return fail(error, "the trace is damaged here, and what follows cannot be read; record again");
}

// The source's first stream alone, and no message more than needed.
static const bt_trace_class *first_trace_class(const struct plugins *plugins,
                                               const struct uvs__ctf_input *input)
{
    struct uvs__bt2_graph one = {.graph = bt_graph_create(0)};
    const bt_trace_class *class = NULL;
    const bt_component_source *source;
    const bool built = one.graph && add_source(one.graph, plugins, input, 0, &source) &&
                       bt_component_source_get_output_port_count(source) > 0 &&
                       add_sink(&one, bt_component_source_borrow_output_port_by_index_const(source, 0));
    if (built && bt_graph_run_once(one.graph) == BT_GRAPH_RUN_ONCE_STATUS_OK && one.batch_count > 0 &&
        bt_message_get_type(one.batch[0]) == BT_MESSAGE_TYPE_STREAM_BEGINNING) {
        const bt_stream *stream = bt_message_stream_beginning_borrow_stream_const(one.batch[0]);
        class = bt_trace_borrow_class_const(bt_stream_borrow_trace_const(stream));
        bt_trace_class_get_ref(class);
    }
    for (uint64_t i = 0; i < one.batch_count; i++)
        bt_message_put_ref(one.batch[i]);
    bt_graph_put_ref(one.graph);
    return class;
}

int uvs__bt2_trace_classes(struct uvs__ctf_inputs *inputs, const bt_trace_class **ret_classes,
                           struct uvs_error *error)
{
    struct plugins plugins;
    const int result = find_plugins(&plugins, error);
    for (size_t i = 0; result == 0 && i < inputs->count; i++) {
        struct uvs__ctf_input *input = &inputs->items[i];
        if (input->readable)
            probe(&plugins, input);
        ret_classes[i] = input->readable ? first_trace_class(&plugins, input) : NULL;
        char causes[1024];
        if (input->readable && !ret_classes[i])
            take_causes(causes, sizeof(causes));
    }
    if (result == 0)
        put_plugins(&plugins);
    return result;
}

uint64_t uvs__bt2_graph_streams(const struct uvs__bt2_graph *graph)
{
    return graph->streams;
}
