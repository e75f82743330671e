// SPDX-License-Identifier: MIT
// LTTng's clock: the same as its own, but that it leaves a copy of what it has read.
#include "probes/clock.h"

#include <dlfcn.h>
#include <lttng/ust-clock.h>
#include <lttng/ust-tracer.h>
#include <stddef.h>

#include "probes/poison.h"

UVS__HOT static uint64_t read_clock(void)
{
    return uvs__self.event_ns = uvs__now();
}

UVS__APART uint64_t uvs__now_apart(void)
{
    return uvs__now();
}

bool uvs__has_tracer(void)
{
    void *tracer = dlopen(LTTNG_UST_LIB_SONAME, RTLD_LAZY | RTLD_NOLOAD);
    if (tracer)
        dlclose(tracer);
    return tracer;
}

// LTTng wants all that describes a clock, of which only the reading is not its own.
#define DESCRIPTION_MAP(X) X(freq) X(name) X(description)

void uvs__share_clock(void *provider)
{
    __typeof__(&lttng_ust_trace_clock_set_read64_cb) set_read64 = dlsym(
        provider, "lttng_ust_trace_clock_set_read64_cb");
    __typeof__(&lttng_ust_enable_trace_clock_override) enable = dlsym(
        provider, "lttng_ust_enable_trace_clock_override");
    if (!set_read64 || !enable || set_read64(read_clock) != 0)
        return;
#define X(what)                                                                                    \
    __typeof__(&lttng_ust_trace_clock_get_##what##_cb) get_##what = dlsym(                         \
        provider, "lttng_ust_trace_clock_get_" #what "_cb");                                       \
    __typeof__(&lttng_ust_trace_clock_set_##what##_cb) set_##what = dlsym(                         \
        provider, "lttng_ust_trace_clock_set_" #what "_cb");                                       \
    lttng_ust_clock_##what##_function own_##what;                                                  \
    if (!get_##what || !set_##what || get_##what(&own_##what) != 0 || set_##what(own_##what) != 0) \
        return;
    DESCRIPTION_MAP(X)
#undef X
    enable();
}
