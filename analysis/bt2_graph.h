// SPDX-License-Identifier: MIT
// The libbabeltrace2 graph: a source.ctf.fs per trace, one muxer, one sink that hands out message batches.
#ifndef UVS_BT2_GRAPH_H
#define UVS_BT2_GRAPH_H

#include <babeltrace2/babeltrace.h>
#include "ctf_inputs.h"
#include "error.h"

struct uvs__bt2_graph;

// Builds it from the inputs that are readable; those that libbabeltrace2 refuses are marked as not. A graph
// without any stream is not an error: it ends at once.
int uvs__bt2_graph_create(struct uvs__ctf_inputs *inputs, struct uvs__bt2_graph **ret_graph,
                          struct uvs_error *error);
// The caller has put its messages.
void uvs__bt2_graph_destroy(struct uvs__bt2_graph *graph);

// 1: the next messages, the array borrowed until the next call, each message a reference of the caller's; 0:
// the end.
int uvs__bt2_graph_next(struct uvs__bt2_graph *graph, bt_message_array_const *ret_messages,
                        uint64_t *ret_count, struct uvs_error *error);

// The class of each input's trace, with a reference of the caller's; NULL: it is not readable, marked so if
// libbabeltrace2 refuses it, or has no stream. -UVS_E_ENVIRONMENT when libbabeltrace2's plugins are missing.
int uvs__bt2_trace_classes(struct uvs__ctf_inputs *inputs, const bt_trace_class **ret_classes,
                           struct uvs_error *error);

// How many streams the graph reads.
uint64_t uvs__bt2_graph_streams(const struct uvs__bt2_graph *graph);

#endif
