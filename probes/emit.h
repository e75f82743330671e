// SPDX-License-Identifier: MIT
// Emitting events: uvs__emit_<event>(&struct) for each row of UVS_EVENT_MAP, and whether anybody listens.
#ifndef UVS_EMIT_H
#define UVS_EMIT_H

// The tracepoints are resolved at run time: libuvscope.so must not need an LTTng library to load.
#ifndef LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE
#define LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE
#endif
#include "probes/tracepoints.h"

// One load and a branch.
#define uvs__on(name) __builtin_expect(!!lttng_ust_tracepoint_enabled(uvscope, name), 0)

void uvs__emit(const struct lttng_ust_tracepoint *tracepoint, void *event);

// Keep errno. Nothing happens while the event is disabled. While it is written it is changed, and put back
// (packed.c).
#define X(name, detail)                                              \
    static inline void uvs__emit_##name(struct uvs_ev_##name *event) \
    {                                                                \
        uvs__emit(&lttng_ust_tracepoint_uvscope___##name, event);    \
    }
UVS_EVENT_MAP(X)
#undef X

// LTTng's clean-up at exit takes what the tracepoints stand on away from threads that still run: they are to
// last as long as the process.
void uvs__tracepoints_last(void);

#endif
