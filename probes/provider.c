// SPDX-License-Identifier: MIT
// libuvscope-provider.so: the only object of ours that links LTTng-UST. The runtime dlopens it, so that a
// program without LTTng still starts.
#include "probes/packed.h"

// The constructor that LTTng's macros generate registers what they made by this name.
#define lttng_ust_probe_register uvs__register_packed
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "probes/tracepoints.h"
