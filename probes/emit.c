// SPDX-License-Identifier: MIT
// The tracepoints themselves: the one file that expands LTTng's call sites.
#define LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "probes/emit.h"

#include <errno.h>

#include "probes/leave.h"
#include "probes/runtime.h"

#define X(name, detail)                                       \
    void uvs__emit_##name(const struct uvs_ev_##name *event)  \
    {                                                         \
        uint64_t *event_ns = &uvs__self.event_ns;             \
        *event_ns = 0;                                        \
        if (__atomic_load_n(&uvs__leaving, __ATOMIC_RELAXED)) \
            return;                                           \
        int saved = errno;                                    \
        lttng_ust_tracepoint(uvscope, name, event, event_ns); \
        errno = saved;                                        \
    }
UVS_EVENT_MAP(X)
#undef X

void uvs__tracepoints_last(void)
{
    tracepoint_disable_destructors();
}
