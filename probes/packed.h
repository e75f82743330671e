// SPDX-License-Identifier: MIT
// Probes that write an event in one piece.
#ifndef UVS_PACKED_H
#define UVS_PACKED_H

#include <lttng/ust-events.h>

// Instead of lttng_ust_probe_register, for the description that LTTng's macros made of UVS_EVENT_MAP:
// registers one that differs in the probes alone. Once in a process.
struct lttng_ust_registered_probe *uvs__register_packed(const struct lttng_ust_probe_desc *generated);

#endif
