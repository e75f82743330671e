// SPDX-License-Identifier: MIT
// libuvscope-provider.so: the only object of ours that links LTTng-UST. The runtime dlopens it, so that a
// program without LTTng still starts.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "probes/tracepoints.h"
