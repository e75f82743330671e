// SPDX-License-Identifier: MIT
// One reading of the clock for an event and for what it tells. LTTng reads the clock when it makes room for
// an event; our reading at the same moment would be the same number, for a quarter of what an event costs. So
// LTTng reads it through us, and the runtime takes that number: for how long has lasted what the event ends,
// and for when was asked for what the event announces.
#ifndef UVS_CLOCK_H
#define UVS_CLOCK_H

#include <stdbool.h>

#include "probes/runtime.h"

// Whether the program has LTTng's tracer itself. It may want to set another clock, which works but once.
bool uvs__has_tracer(void);
// From now on LTTng leaves each event's time in the emitting thread's event_ns. Where it does not, because
// somebody else has set a clock, everything is read apart.
void uvs__share_clock(void *provider);

// Not inlined: for who hardly ever asks.
uint64_t uvs__now_apart(void);

// When the event happened that was emitted last, by the last session that recorded it; now, if none did.
static inline uint64_t uvs__event_ns(void)
{
    const uint64_t event_ns = uvs__self.event_ns;
    return __builtin_expect(event_ns != 0, 1) ? event_ns : uvs__now_apart();
}

#endif
