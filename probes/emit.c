// SPDX-License-Identifier: MIT
// The tracepoints themselves: the one file that expands LTTng's definitions of them. Its call sites are one
// of ours, as all events take the same arguments.
#define LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "probes/emit.h"

#include <errno.h>

#include "probes/leave.h"
#include "probes/runtime.h"

typedef void probe_function(void *data, void *event, const uint64_t *event_ns);

// As LTTng's own call sites do it (lttng/tracepoint.h).
UVS__APART UVS__HOT void uvs__emit(const struct lttng_ust_tracepoint *tracepoint, void *event)
{
    struct uvs__thread *self = &uvs__self;
    self->event_ns = 0;
    if (!CMM_LOAD_SHARED(tracepoint->state) || __atomic_load_n(&uvs__leaving, __ATOMIC_RELAXED))
        return;
    const int saved = errno;
    if (!LTTNG_UST_TP_RCU_LINK_TEST())
        return;
    lttng_ust_tp_rcu_read_lock();
    const struct lttng_ust_tracepoint_probe *probe = __atomic_load_n(&tracepoint->probes, __ATOMIC_CONSUME);
    if (probe)
        do
            ((probe_function *)probe->func)(probe->data, event, &self->event_ns);
        while ((++probe)->func);
    lttng_ust_tp_rcu_read_unlock();
    errno = saved;
}

void uvs__tracepoints_last(void)
{
    tracepoint_disable_destructors();
}
