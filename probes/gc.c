// SPDX-License-Identifier: MIT
// Garbage collections: V8 calls back before and after each, on the thread that it stops for it. An executable
// that exports V8's functions, as Node.js does, is asked by their mangled names, which say their signatures.
//
// The callbacks are registered once for an isolate and stay with it: it forgets them when it is disposed of.
// They are registered whether anybody records or not, as a session may begin later, and do nothing meanwhile.
#include "probes/gc.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "probes/emit.h"
#include "probes/loop.h"

#include "probes/poison.h"

// A program that goes to and fro between isolates on a thread would be registered with them again and again.
enum { ISOLATES_MAX = 8, ALL_KINDS = 31 };

typedef void gc_callback(void *isolate, int kind, int flags);

static struct {
    void *(*current_isolate)(void);
    void (*add_prologue)(void *isolate, gc_callback *callback, int kinds);
    void (*add_epilogue)(void *isolate, gc_callback *callback, int kinds);
    bool is_complete;
} v8;

static void find_v8(void)
{
    v8.is_complete = true;
#define X(function, symbol)                               \
    *(void **)&v8.function = dlsym(RTLD_DEFAULT, symbol); \
    v8.is_complete &= v8.function != NULL;
    UVS_V8_MAP(X)
#undef X
    dlerror();
}

static void begin_collection(void *isolate, int kind, int flags)
{
    (void)isolate;
    (void)flags;
    struct uvs__thread *self = &uvs__self;
    if (!uvs__on(gc) || self->gc_begin_ns)
        return;
    self->gc_kind = (uint8_t)kind;
    self->gc_begin_ns = uvs__now();
}

static void end_collection(void *isolate, int kind, int flags)
{
    (void)isolate;
    (void)flags;
    struct uvs__thread *self = &uvs__self;
    if (!self->gc_begin_ns || self->gc_kind != (uint8_t)kind)
        return;
    const uint64_t begin_ns = self->gc_begin_ns;
    self->gc_begin_ns = 0;
    if (!uvs__on(gc))
        return;
    uvs__announce_first();
    if (self->loop)
        self->loop->told = true;
    uvs__emit_gc(&(struct uvs_ev_gc){
        .loop = uvs__key(self->loop), .kind = (uint8_t)kind, .duration_ns = uvs__now() - begin_ns});
}

// Up to V8 10, as in Node.js 18, the current isolate is a thread's value for a key, which is still 0 while V8
// has yet to start: threads of Node's platform run their loops by then, and get what somebody else keeps
// under that key. Ours and LTTng's libraries come before V8, so 0 is never its own.
static void *current_isolate(void)
{
    void *isolate = v8.is_complete ? v8.current_isolate() : NULL;
    return isolate == pthread_getspecific(0) ? NULL : isolate;
}

bool uvs__gc_watch(struct uvs__thread *self)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const int saved = errno;
    pthread_once(&once, find_v8);
    errno = saved;
    void *isolate = current_isolate();
    if (!isolate || isolate == self->isolate)
        return isolate != NULL;
    if (self->isolates == ISOLATES_MAX)
        return false;
    self->isolates++;
    self->isolate = isolate;
    v8.add_prologue(isolate, begin_collection, ALL_KINDS);
    v8.add_epilogue(isolate, end_collection, ALL_KINDS);
    errno = saved;
    return true;
}
