// SPDX-License-Identifier: MIT
// The LTTng-UST provider `uvscope`, expanded from uvs_abi.h. LTTng includes this file several times: no plain
// guard. Each event takes two arguments, a pointer to its struct and one to where the clock leaves the
// event's time (clock.h).
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER uvscope

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "probes/tracepoints.h"

#if !defined(UVS_TRACEPOINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define UVS_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include "probes/uvs_abi.h"

#define UVS_TP_INT(event, type, field) lttng_ust_field_integer(type, field, e->field)
#define UVS_TP_STR(event, field)       lttng_ust_field_string(field, e->field)
#define UVS_TP_SEQ(event, type, field) \
    lttng_ust_field_sequence(type, field, e->field, uint8_t, e->field##_count)

#define X(name, detail)                                                                                \
    LTTNG_UST_TRACEPOINT_EVENT(                                                                        \
        uvscope, name, LTTNG_UST_TP_ARGS(const struct uvs_ev_##name *, e, const uint64_t *, event_ns), \
        LTTNG_UST_TP_FIELDS(UVS_EVENT_##name(UVS_TP_INT, UVS_TP_STR, UVS_TP_SEQ, name)))
UVS_EVENT_MAP(X)
#undef X

#endif

#include <lttng/tracepoint-event.h>
