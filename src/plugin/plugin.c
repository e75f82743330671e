// SPDX-License-Identifier: MIT
// What babeltrace2 finds when it loads the plugin.
#include "plugin.h"

// The functions by which babeltrace2 finds the descriptors below; where they are hidden, it finds another
// library's of the same names, and no plugin.
#pragma GCC visibility push(default)
BT_PLUGIN_MODULE();
#pragma GCC visibility pop

BT_PLUGIN(uvscope);
BT_PLUGIN_DESCRIPTION("What blocked the event loops of programs built on libuv");
BT_PLUGIN_AUTHOR("The uvscope maintainers");
BT_PLUGIN_LICENSE("MIT");

BT_PLUGIN_FILTER_COMPONENT_CLASS(spans, uvs__filter_iterator_next);
BT_PLUGIN_FILTER_COMPONENT_CLASS_DESCRIPTION(
    spans, "Join uvscope's events into spans: callbacks, busy intervals, polls, work");
BT_PLUGIN_FILTER_COMPONENT_CLASS_HELP(spans, "See the uvscope-babeltrace2(1) manual page.");
BT_PLUGIN_FILTER_COMPONENT_CLASS_INITIALIZE_METHOD(spans, uvs__filter_initialize);
BT_PLUGIN_FILTER_COMPONENT_CLASS_FINALIZE_METHOD(spans, uvs__filter_finalize);
BT_PLUGIN_FILTER_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD(spans,
                                                                          uvs__filter_iterator_initialize);
BT_PLUGIN_FILTER_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_FINALIZE_METHOD(spans, uvs__filter_iterator_finalize);

BT_PLUGIN_SINK_COMPONENT_CLASS(report, uvs__sink_consume);
BT_PLUGIN_SINK_COMPONENT_CLASS_DESCRIPTION(report, "Report what blocked each loop, who waited, and where");
BT_PLUGIN_SINK_COMPONENT_CLASS_HELP(report, "See the uvscope-babeltrace2(1) manual page.");
BT_PLUGIN_SINK_COMPONENT_CLASS_INITIALIZE_METHOD(report, uvs__sink_initialize);
BT_PLUGIN_SINK_COMPONENT_CLASS_FINALIZE_METHOD(report, uvs__sink_finalize);
BT_PLUGIN_SINK_COMPONENT_CLASS_GRAPH_IS_CONFIGURED_METHOD(report, uvs__sink_graph_is_configured);
