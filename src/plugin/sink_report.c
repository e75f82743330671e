// SPDX-License-Identifier: MIT
// The analysis pulls its events, so the first call to consume runs it whole; what a live source does not have
// yet is waited for.
#include "plugin.h"

#include "../report_forms.h"
#include "../text_format.h"
#include "parameters.h"
#include "upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    bt_self_component_sink *self;
    const bt_value *parameters; // a reference: the strings below are its own
    const char *format, *path, *recording;
    uint64_t block_threshold_ns, blame_threshold_ns, top;
    uvs__render_function *render;
    struct uvs__upstream upstream;
};

static struct sink *sink_of(bt_self_component_sink *self)
{
    return bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
}

// Leaves the reason where babeltrace2 prints it.
static void leave_error(bt_self_component_sink *self, const struct uvs_error *error)
{
    BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(bt_self_component_sink_as_self_component(self), "%s",
                                                        error->text);
}

static int read_parameters(struct sink *sink, struct uvs_error *error)
{
    const struct uvs__parameter table[] = {
        {"format", UVS__PARAMETER_TEXT, &sink->format},
        {"path", UVS__PARAMETER_TEXT, &sink->path},
        {"recording", UVS__PARAMETER_TEXT, &sink->recording},
        {"threshold", UVS__PARAMETER_DURATION, &sink->block_threshold_ns},
        {"blame-threshold", UVS__PARAMETER_DURATION, &sink->blame_threshold_ns},
        {"top", UVS__PARAMETER_COUNT, &sink->top},
        {0},
    };
    const int result = uvs__parameters_read(sink->parameters, table, error);
    if (result < 0)
        return result;
    if (sink->recording && uvs__check_recording(sink->recording, error) < 0)
        return -UVS_E_USAGE;
    sink->render = uvs__find_report_form(sink->format);
    if (sink->render)
        return 0;
    return uvs_error_set(error, UVS_E_USAGE, "there is no format `%s`; there are " UVS__REPORT_FORM_CHOICES,
                         sink->format);
}

static bool is_interrupted(const void *self)
{
    return bt_self_component_sink_is_interrupted(self);
}

bt_component_class_initialize_method_status
uvs__sink_initialize(bt_self_component_sink *self,
                     bt_self_component_sink_configuration *configuration __attribute__((unused)),
                     const bt_value *parameters, void *data __attribute__((unused)))
{
    struct uvs_error error = {0};
    struct sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    *sink = (struct sink){.self = self, .parameters = parameters, .format = "text", .top = 20};
    sink->upstream = (struct uvs__upstream){.is_interrupted = is_interrupted, .self = self};
    if (read_parameters(sink, &error) < 0)
        goto fail;
    if (bt_self_component_sink_add_input_port(self, UVS__IN, NULL, NULL) !=
        BT_SELF_COMPONENT_ADD_PORT_STATUS_OK) {
        uvs_error_set(&error, UVS_E_ENVIRONMENT, "the port cannot be added");
        goto fail;
    }
    bt_value_get_ref(parameters);
    bt_self_component_set_data(bt_self_component_sink_as_self_component(self), sink);
    return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
fail:
    leave_error(self, &error);
    free(sink);
    return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
}

void uvs__sink_finalize(bt_self_component_sink *self)
{
    struct sink *sink = sink_of(self);
    bt_message_iterator_put_ref(sink->upstream.messages);
    bt_value_put_ref(sink->parameters);
    free(sink);
}

bt_component_class_sink_graph_is_configured_method_status
uvs__sink_graph_is_configured(bt_self_component_sink *self)
{
    struct sink *sink = sink_of(self);
    const bt_message_iterator_create_from_sink_component_status status =
        bt_message_iterator_create_from_sink_component(
            self, bt_self_component_sink_borrow_input_port_by_name(self, UVS__IN), &sink->upstream.messages);
    return status == BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK
               ? BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK
               : BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_ERROR;
}

static int open_messages(void *data, struct uvs_reader **ret_reader, struct uvs_error *error)
{
    struct sink *sink = data;
    return uvs__reader_messages_create(uvs__upstream_next, &sink->upstream, ret_reader, error);
}

static int cannot_write(const struct sink *sink, struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: %s",
                         sink->path ? sink->path : "the report", strerror(errno));
}

static int print(const struct sink *sink, const struct uvs_report *report, struct uvs_error *error)
{
    struct uvs__look look = {.top = sink->top};
    if (!sink->path)
        look = uvs__look_of_stdout(UVS__COLOUR_AUTO, sink->top);
    FILE *out = sink->path ? fopen(sink->path, "we") : stdout;
    if (!out)
        return cannot_write(sink, error);
    const int result = sink->render(out, report, &look, error);
    bool failed = fflush(out) != 0 || ferror(out);
    if (sink->path)
        failed |= fclose(out) != 0;
    return result == 0 && failed ? cannot_write(sink, error) : result;
}

static int report_on(struct sink *sink, struct uvs_error *error)
{
    struct uvs_report *report;
    const struct uvs_analysis_options options = {
        .open = open_messages,
        .open_data = sink,
        .block_threshold_ns = sink->block_threshold_ns,
        .blame_threshold_ns = sink->blame_threshold_ns,
    };
    int result = uvs_analyse(sink->recording, &options, &report, error);
    if (result < 0)
        return result;
    result = print(sink, report, error);
    if (result == 0 && sink->upstream.failed)
        result = uvs_error_set(error, UVS_E_TRACE, "the report is of what came before an error: %s",
                               report->trace.incomplete);
    uvs_report_destroy(report);
    return result;
}

bt_component_class_sink_consume_method_status uvs__sink_consume(bt_self_component_sink *self)
{
    struct uvs_error error = {0};
    if (report_on(sink_of(self), &error) == 0)
        return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END;
    leave_error(self, &error);
    return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
}
