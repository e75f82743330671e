// SPDX-License-Identifier: MIT
// The component classes of the babeltrace2 plugin `uvscope`.
#ifndef UVS_PLUGIN_H
#define UVS_PLUGIN_H

#include <babeltrace2/babeltrace.h>

#define UVS__IN  "in"
#define UVS__OUT "out"

// filter.uvscope.spans: events in, spans out. filter_spans.c
bt_component_class_initialize_method_status
uvs__filter_initialize(bt_self_component_filter *self, bt_self_component_filter_configuration *configuration,
                       const bt_value *parameters, void *data);
void uvs__filter_finalize(bt_self_component_filter *self);
bt_message_iterator_class_initialize_method_status
uvs__filter_iterator_initialize(bt_self_message_iterator *self,
                                bt_self_message_iterator_configuration *configuration,
                                bt_self_component_port_output *port);
bt_message_iterator_class_next_method_status uvs__filter_iterator_next(bt_self_message_iterator *self,
                                                                       bt_message_array_const messages,
                                                                       uint64_t capacity,
                                                                       uint64_t *ret_count);
void uvs__filter_iterator_finalize(bt_self_message_iterator *self);

// sink.uvscope.report: events in, a report printed. sink_report.c
bt_component_class_initialize_method_status
uvs__sink_initialize(bt_self_component_sink *self, bt_self_component_sink_configuration *configuration,
                     const bt_value *parameters, void *data);
bt_component_class_sink_graph_is_configured_method_status
uvs__sink_graph_is_configured(bt_self_component_sink *self);
bt_component_class_sink_consume_method_status uvs__sink_consume(bt_self_component_sink *self);
void uvs__sink_finalize(bt_self_component_sink *self);

#endif
