// SPDX-License-Identifier: MIT
// Probes that write an event in one piece. Those that LTTng's macros generate call the ring buffer for each
// field, which is nearly half of what an event costs. Where LTTng writes fields without gaps, an event of
// integers alone is the bytes of a packed struct, and one call is enough. What is not plain recording (a
// filter, a trigger) is left to the generated probe. How long something lasted that ends with the event is
// told by the event's own time, which is known by then.
#include "probes/packed.h"

#include "probes/uvs_abi.h"

#include <lttng/ust-ringbuffer-context.h>
#include <lttng/ust-tracer.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

// Processors that need aligned fields keep the generated probes.
#ifdef LTTNG_UST_RING_BUFFER_NATURAL_ALIGN
#define HAS_NO_GAPS false
#else
#define HAS_NO_GAPS true
#endif

// By enum uvs_event_type: what LTTng's macros expand from UVS_EVENT_MAP has its order.
static void (*generated_probes[UVS_EV_COUNT])(void);

static bool is_set(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static bool is_plain(const struct lttng_ust_event_common *event)
{
    return HAS_NO_GAPS && event->type == LTTNG_UST_EVENT_TYPE_RECORDER && !is_set(&event->eval_filter);
}

static bool is_wanted(const struct lttng_ust_event_common *event,
                      const struct lttng_ust_channel_common *channel)
{
    return is_set(&channel->session->active) && is_set(&channel->enabled) && is_set(&event->enabled);
}

// Which field of an event says how long something lasted that ends with it: X(event, field). The event comes
// with minus the begin in it.
#define LASTED_MAP(X) X(callback, duration_ns) X(work, service_ns) X(poll, wait_ns)

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// event_ns: where the clock leaves the event's time.
static uint64_t end_ns(const uint64_t *event_ns)
{
    return *event_ns ? *event_ns : now_ns();
}

static void add(void *field, uint64_t ns)
{
    uint64_t value;
    memcpy(&value, field, sizeof(value));
    value += ns;
    memcpy(field, &value, sizeof(value));
}

// lasted: the field that the event's time is to be added to while the event is written; NULL: there is none.
// Afterwards it is as it was, for the probe of the next session.
static void record(const struct lttng_ust_event_common *event, void *payload, size_t size,
                   const uint64_t *event_ns, void *lasted, void *caller)
{
    struct lttng_ust_event_recorder *recorder = event->child;
    const struct lttng_ust_channel_buffer *channel = recorder->chan;
    if (!is_wanted(event, channel->parent))
        return;
    struct lttng_ust_probe_ctx probe = {.struct_size = sizeof(probe), .ip = caller};
    struct lttng_ust_ring_buffer_ctx place;
    lttng_ust_ring_buffer_ctx_init(&place, recorder, size, 1, &probe);
    const struct lttng_ust_channel_buffer_ops *ops = channel->ops;
    if (ops->event_reserve(&place) < 0)
        return;
    const uint64_t end = lasted ? end_ns(event_ns) : 0;
    if (lasted)
        add(lasted, end);
    ops->event_write(&place, payload, size, 1);
    if (lasted)
        add(lasted, -end);
    ops->event_commit(&place);
}

typedef void probe_function(void *data, void *event, const uint64_t *event_ns);

// A filter or a trigger looks at fields: they are completed first.
__attribute__((noinline)) static void pass(enum uvs_event_type type, void *data, void *event,
                                           const uint64_t *event_ns, void *lasted)
{
    const uint64_t end = lasted ? end_ns(event_ns) : 0;
    if (lasted)
        add(lasted, end);
    ((probe_function *)generated_probes[type])(data, event, event_ns);
    if (lasted)
        add(lasted, -end);
}

static const size_t lasted_at[UVS_EV_COUNT] = {
#define X(name, field) [UVS_EV_##name] = offsetof(struct uvs_ev_##name, field),
    LASTED_MAP(X)
#undef X
};

// What the struct of an event of integers holds is the bytes that LTTng's generated probes write.
#define X(name, detail)                                                                          \
    static void record_##name(void *data, struct uvs_ev_##name *event, const uint64_t *event_ns) \
    {                                                                                            \
        const size_t at = lasted_at[UVS_EV_##name];                                              \
        /* without a place for its time the event is complete */                                 \
        void *lasted = at && event_ns ? (char *)event + at : NULL;                               \
        if (is_plain(data))                                                                      \
            record(data, event, sizeof(*event), event_ns, lasted, __builtin_return_address(0));  \
        else                                                                                     \
            pass(UVS_EV_##name, data, event, event_ns, lasted);                                  \
    }
UVS_EVENT_MAP(X)
#undef X

// Of integers alone.
#define AND_STILL(...)
#define AND_NOT(...) &&false
static const struct {
    bool is_packed;
    void (*probe)(void);
} probes[UVS_EV_COUNT] = {
#define X(name, detail) \
    {true UVS_EVENT_##name(AND_STILL, AND_NOT, AND_NOT, event), (void (*)(void))record_##name},
    UVS_EVENT_MAP(X)
#undef X
};

struct lttng_ust_registered_probe *uvs__register_packed(const struct lttng_ust_probe_desc *generated)
{
    static struct lttng_ust_probe_desc own;
    static struct lttng_ust_tracepoint_class classes[UVS_EV_COUNT];
    static struct lttng_ust_event_desc events[UVS_EV_COUNT];
    static const struct lttng_ust_event_desc *list[UVS_EV_COUNT];
    own = *generated;
    own.event_desc = list;
    for (int i = 0; i < UVS_EV_COUNT; i++) {
        events[i] = *generated->event_desc[i];
        classes[i] = *events[i].tp_class;
        events[i].tp_class = &classes[i];
        events[i].probe_desc = classes[i].probe_desc = &own;
        generated_probes[i] = classes[i].probe_callback;
        if (probes[i].is_packed)
            classes[i].probe_callback = probes[i].probe;
        list[i] = &events[i];
    }
    return lttng_ust_probe_register(&own);
}
