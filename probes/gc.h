// SPDX-License-Identifier: MIT
// Garbage collections of V8, as it tells those who ask. Nothing happens in programs without it.
#ifndef UVS_GC_H
#define UVS_GC_H

#include "probes/runtime.h"

// On entry into uv_run: V8 is asked to tell of the collections of the isolate that the thread is in. Returns
// whether they are seen. Keeps errno.
bool uvs__gc_watch(struct uvs__thread *self);

#endif
