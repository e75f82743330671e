// SPDX-License-Identifier: MIT
// What crosses the process boundary: the events of a uvscope trace and the environment of a traced program.
//
// Every list here is the one truth for its fact. The provider, the event structs, both readers, the text
// event log, the reports and the documentation tests are all expanded from them. Adding an event: one field
// list here, one emitter in probes/, one span in analysis/.
//
// All times are nanoseconds of CLOCK_MONOTONIC. An event's own timestamp is the moment it was emitted, which
// is the END of what it describes. A u64 that is not known is UVS_ABSENT.
#ifndef UVS_ABI_H
#define UVS_ABI_H

#include <stdint.h>

// Raised when an event changes shape; adding events or kinds does not raise it. Readers refuse newer ones.
#define UVS_SCHEMA     1

#define UVS_ABSENT     UINT64_MAX

// --- Loop key: the first field of every event ---
// pid << 10 | slot. A slot is re-used after loop_end. UVS_SLOT_NONE: not on a loop (start-up, other threads).

#define UVS_SLOT_BITS  10u
#define UVS_SLOT_NONE  1023u

// A process may have several copies of libuv, each with its own pool. The last slots are those of the further
// ones: what is on them, process_info included, is of that copy.
#define UVS_COPY_COUNT 4u
#define UVS_COPY_SLOTS 7u

static inline uint32_t uvs_copy_slot_end(uint32_t copy)
{
    return UVS_SLOT_NONE - (UVS_COPY_COUNT - 1 - copy) * UVS_COPY_SLOTS;
}

static inline uint32_t uvs_copy_slot(uint32_t copy)
{
    return copy == 0 ? 0 : uvs_copy_slot_end(copy - 1);
}

static inline uint32_t uvs_slot_copy(uint32_t slot)
{
    const uint32_t first = uvs_copy_slot(1);
    return slot < first || slot == UVS_SLOT_NONE ? 0 : 1 + (slot - first) / UVS_COPY_SLOTS;
}

static inline uint32_t uvs_loop_key(uint32_t pid, uint32_t slot)
{
    return pid << UVS_SLOT_BITS | slot;
}

static inline uint32_t uvs_key_pid(uint32_t key)
{
    return key >> UVS_SLOT_BITS;
}

static inline uint32_t uvs_key_slot(uint32_t key)
{
    return key & UVS_SLOT_NONE;
}

// --- Kinds ---
// X(NAME, number, "name", class). Numbers are part of the trace format. Classes say what `delay_ns` of a
// callback means:
//   DUE      handle: was due (timer) or first asked for (async, close) -> ran: a delay
//   READY    handle: poll returned it ready -> ran: a delay (lower bound)
//   PHASE    handle that libuv runs every iteration: no delay
//   REQUEST  request the kernel completes: submit -> ran: a latency, not a delay
//   POOL     request a worker runs: finished -> ran: the return delay; queue and service are in `work`
//   SYNC     only ever a sync_call: something the loop thread waited for
#define UVS_KIND_MAP(X)                       \
    X(TIMER, 1, "timer", DUE)                 \
    X(IDLE, 2, "idle", PHASE)                 \
    X(PREPARE, 3, "prepare", PHASE)           \
    X(CHECK, 4, "check", PHASE)               \
    X(ASYNC, 5, "async", DUE)                 \
    X(POLL, 6, "poll", READY)                 \
    X(READ, 7, "read", READY)                 \
    X(WRITE, 8, "write", REQUEST)             \
    X(CONNECT, 9, "connect", REQUEST)         \
    X(CONNECTION, 10, "connection", READY)    \
    X(SHUTDOWN, 11, "shutdown", REQUEST)      \
    X(UDP_SEND, 12, "udp_send", REQUEST)      \
    X(UDP_RECV, 13, "udp_recv", READY)        \
    X(CLOSE, 14, "close", DUE)                \
    X(SIGNAL, 15, "signal", READY)            \
    X(PROCESS, 16, "process", READY)          \
    X(FS_EVENT, 17, "fs_event", READY)        \
    X(FS_POLL, 18, "fs_poll", PHASE)          \
    X(WORK, 19, "work", POOL)                 \
    X(GETADDRINFO, 20, "getaddrinfo", POOL)   \
    X(GETNAMEINFO, 21, "getnameinfo", POOL)   \
    X(RANDOM, 22, "random", POOL)             \
    X(SPAWN, 40, "spawn", SYNC)               \
    X(SLEEP, 41, "sleep", SYNC)               \
    X(NESTED_RUN, 42, "nested_run", SYNC)     \
    X(THREAD_JOIN, 43, "thread_join", SYNC)   \
    X(SEM_WAIT, 44, "sem_wait", SYNC)         \
    X(COND_WAIT, 45, "cond_wait", SYNC)       \
    X(BARRIER_WAIT, 46, "barrier_wait", SYNC) \
    X(MUTEX_LOCK, 47, "mutex_lock", SYNC)     \
    X(RWLOCK, 48, "rwlock", SYNC)

// Kinds 64 + n are libuv's enum uv_fs_type n: asynchronous ones are class POOL, synchronous ones are
// sync_calls. X(libuv's enumerator without UV_FS_, number, "name"); the number is checked against uv.h where
// it is compiled.
#define UVS_KIND_FS 64
#define UVS_FS_MAP(X)                \
    X(OPEN, 1, "fs.open")            \
    X(CLOSE, 2, "fs.close")          \
    X(READ, 3, "fs.read")            \
    X(WRITE, 4, "fs.write")          \
    X(SENDFILE, 5, "fs.sendfile")    \
    X(STAT, 6, "fs.stat")            \
    X(LSTAT, 7, "fs.lstat")          \
    X(FSTAT, 8, "fs.fstat")          \
    X(FTRUNCATE, 9, "fs.ftruncate")  \
    X(UTIME, 10, "fs.utime")         \
    X(FUTIME, 11, "fs.futime")       \
    X(ACCESS, 12, "fs.access")       \
    X(CHMOD, 13, "fs.chmod")         \
    X(FCHMOD, 14, "fs.fchmod")       \
    X(FSYNC, 15, "fs.fsync")         \
    X(FDATASYNC, 16, "fs.fdatasync") \
    X(UNLINK, 17, "fs.unlink")       \
    X(RMDIR, 18, "fs.rmdir")         \
    X(MKDIR, 19, "fs.mkdir")         \
    X(MKDTEMP, 20, "fs.mkdtemp")     \
    X(RENAME, 21, "fs.rename")       \
    X(SCANDIR, 22, "fs.scandir")     \
    X(LINK, 23, "fs.link")           \
    X(SYMLINK, 24, "fs.symlink")     \
    X(READLINK, 25, "fs.readlink")   \
    X(CHOWN, 26, "fs.chown")         \
    X(FCHOWN, 27, "fs.fchown")       \
    X(REALPATH, 28, "fs.realpath")   \
    X(COPYFILE, 29, "fs.copyfile")   \
    X(LCHOWN, 30, "fs.lchown")       \
    X(OPENDIR, 31, "fs.opendir")     \
    X(READDIR, 32, "fs.readdir")     \
    X(CLOSEDIR, 33, "fs.closedir")   \
    X(STATFS, 34, "fs.statfs")       \
    X(MKSTEMP, 35, "fs.mkstemp")     \
    X(LUTIME, 36, "fs.lutime")

enum uvs_kind {
#define X(NAME, number, name, class) UVS_KIND_##NAME = number,
    UVS_KIND_MAP(X)
#undef X
#define X(NAME, number, name) UVS_KIND_FS_##NAME = UVS_KIND_FS + number,
        UVS_FS_MAP(X)
#undef X
};

// --- Why something could not be traced exactly: dropped.reason ---
#define UVS_DROPPED_MAP(X)                                                                         \
    X(HANDOFF_MISSED, 1,                                                                           \
      "handoff_missed") /* a pool request whose worker hand-off was not seen; its kind in count */ \
    X(LOOPS_FULL, 2, "loops_full") /* more live loops than slots: this one is not traced */        \
    X(TRACED_LATE, 3,                                                                              \
      "traced_late") /* a loop of the recorded process began count ms ago, when nobody traced */

enum uvs_dropped_reason {
#define X(NAME, number, name) UVS_DROPPED_##NAME = number,
    UVS_DROPPED_MAP(X)
#undef X
};

// --- How libuv was hooked: process_info.hooks ---
#define UVS_HOOKS_MAP(X)           \
    X(INTERPOSED, 0, "interposed") \
    X(PATCHED, 1, "patched")

enum uvs_hooks {
#define X(NAME, number, name) UVS_HOOKS_##NAME = number,
    UVS_HOOKS_MAP(X)
#undef X
};

// --- What a garbage collector did: gc.kind ---
// The numbers of collections are V8's GCType. NONE is no collection: from here on those of this loop are
// seen.
#define UVS_GC_MAP(X)                          \
    X(NONE, 0, "none")                         \
    X(SCAVENGE, 1, "scavenge")                 \
    X(MINOR_MARK_SWEEP, 2, "minor_mark_sweep") \
    X(MARK_COMPACT, 4, "mark_compact")         \
    X(INCREMENTAL, 8, "incremental_marking")   \
    X(WEAK_CALLBACKS, 16, "weak_callbacks")

enum uvs_gc {
#define X(NAME, number, name) UVS_GC_##NAME = number,
    UVS_GC_MAP(X)
#undef X
};

// --- Types of handles: handles_open.type ---
// The numbers are libuv's enum uv_handle_type, checked where it is compiled. ALL is none of them: all handles
// of the loop together.
#define UVS_HANDLE_MAP(X)      \
    X(ALL, 0, "all")           \
    X(ASYNC, 1, "async")       \
    X(CHECK, 2, "check")       \
    X(FS_EVENT, 3, "fs_event") \
    X(FS_POLL, 4, "fs_poll")   \
    X(IDLE, 6, "idle")         \
    X(NAMED_PIPE, 7, "pipe")   \
    X(POLL, 8, "poll")         \
    X(PREPARE, 9, "prepare")   \
    X(PROCESS, 10, "process")  \
    X(TCP, 12, "tcp")          \
    X(TIMER, 13, "timer")      \
    X(TTY, 14, "tty")          \
    X(UDP, 15, "udp")          \
    X(SIGNAL, 16, "signal")

enum uvs_handle {
#define X(NAME, number, name) UVS_HANDLE_##NAME = number,
    UVS_HANDLE_MAP(X)
#undef X
};

// --- When a loop's handles were found open: handles_open.when ---
#define UVS_OPEN_MAP(X)                                                \
    X(EXIT, 0, "exit")   /* the program ended, by exit or from main */ \
    X(CLOSE, 1, "close") /* uv_loop_close returned UV_EBUSY because of them */

enum uvs_open {
#define X(NAME, number, name) UVS_OPEN_##NAME = number,
    UVS_OPEN_MAP(X)
#undef X
        UVS_OPEN_COUNT
};

// --- What a `totals` event counts: totals.measure ---
// X(NAME, number, "name", whose). Of whom: a CALLBACK, a REQUEST of the pool (by what was asked to run), the
// place that made a SYNC call, or the LOOP itself. A distribution has buckets, a plain number has none.
#define UVS_MEASURE_MAP(X)                                                                               \
    X(DURATION, 0, "duration", CALLBACK) /* inside the callback */                                       \
    X(DELAY, 1, "delay", CALLBACK)       /* of kinds that have one */                                    \
    X(LATENCY, 2, "latency", CALLBACK)   /* of requests: submit -> callback */                           \
    X(QUEUE, 3, "queue", REQUEST)        /* submit -> taken by a worker */                               \
    X(SERVICE, 4, "service", REQUEST)    /* taken -> finished */                                         \
    X(RETURN, 5, "return", REQUEST)      /* finished -> callback */                                      \
    X(SYNC_CALL, 6, "sync_call", SYNC)   /* the call */                                                  \
    X(BUSY, 7, "busy", LOOP)             /* busy intervals */                                            \
    X(POLL, 8, "poll", LOOP)             /* number and sum: poll phases that might wait */               \
    X(SPIN, 9, "spin", LOOP)        /* number and sum: poll phases with timeout 0; their time is busy */ \
    X(OUTSIDE, 10, "outside", LOOP) /* sum: between uv_run's return and its next call */                 \
    X(CANCELLED, 11, "cancelled", CALLBACK) /* number: callbacks of cancelled requests */                \
    X(WITHDRAWN, 12, "withdrawn", REQUEST)  /* number: cancelled requests of the pool */                 \
    X(SENDS, 13, "sends", CALLBACK)         /* number: sends that async callbacks answered */

enum uvs_measure {
#define X(NAME, number, name, whose) UVS_MEASURE_##NAME = number,
    UVS_MEASURE_MAP(X)
#undef X
};

// A bucket of totals.buckets: index << 32 | how many. Index 0..127 are these nanoseconds; beyond, each power
// of two has UVS_BUCKETS buckets: chunk << UVS_BUCKET_BITS | the bits after the highest.
#define UVS_BUCKET_BITS 7u
#define UVS_BUCKETS     (1u << UVS_BUCKET_BITS)

static inline uint32_t uvs_bucket_of(uint64_t ns)
{
    if (ns < UVS_BUCKETS)
        return (uint32_t)ns;
    uint32_t chunk = (uint32_t)(64 - __builtin_clzll(ns)) - UVS_BUCKET_BITS;
    return chunk << UVS_BUCKET_BITS | ((uint32_t)(ns >> (chunk - 1)) & (UVS_BUCKETS - 1));
}

// --- Events ---
// clang-format off
// UVS_EVENT_<name>(I, S, Q, e): I(e, type, field) integer; S(e, field) string; Q(e, type, field) sequence,
// its length in the uint8_t `field`_count. The order is the order in the trace.

// A user callback returned. depth: callbacks of this loop around it (0 = outermost). duration_ns: wall time
// inside it. delay_ns: by the kind's class above. result: async -> sends coalesced into this call; read ->
// nread; requests -> status; else 0.
#define UVS_EVENT_callback(I, S, Q, e)                                                                  \
    I(e, uint32_t, loop) I(e, uint64_t, op) I(e, uint8_t, kind) I(e, uint8_t, depth)                    \
    I(e, uint64_t, callback) I(e, uint64_t, duration_ns) I(e, uint64_t, delay_ns) I(e, int32_t, result)

// An operation was asked for: a handle started, a request submitted. parent: the op of the callback that
// asked, 0 = none. callback: what will run (uv_queue_work: the work function). timeout_ms: timers; and of a
// request that libuv gave to io_uring, and not to the pool:
#define UVS_BY_KERNEL UINT32_MAX
#define UVS_EVENT_schedule(I, S, Q, e)                                                 \
    I(e, uint32_t, loop) I(e, uint64_t, op) I(e, uint64_t, parent) I(e, uint8_t, kind) \
    I(e, uint64_t, callback) I(e, uint32_t, timeout_ms)

// A pool worker finished a request. queue_ns: submit -> taken; service_ns: taken -> finished (= timestamp).
#define UVS_EVENT_work(I, S, Q, e)                                                  \
    I(e, uint32_t, loop) I(e, uint64_t, op) I(e, uint8_t, kind) I(e, uint32_t, tid) \
    I(e, uint64_t, queue_ns) I(e, uint64_t, service_ns)

// A poll phase ended, and with it the busy interval before it. wait_ns: since the phase began, inside epoll but
// for a moment; busy_ns: the busy interval [timestamp - wait - busy, timestamp - wait]; callbacks: outermost
// callback events emitted in that busy interval; ready: descriptors returned. calls: epoll calls folded into
// this phase; 0 = uv_run returned, which ends a busy interval with no poll: wait_ns is that moment. What follows
// a calls=0 event is `outside` until the next busy interval begins. The phase's exact end is the begin of the
// next busy interval (the event may be emitted a little later).
#define UVS_EVENT_poll(I, S, Q, e)                                                                 \
    I(e, uint32_t, loop) I(e, uint64_t, wait_ns) I(e, uint64_t, busy_ns) I(e, uint32_t, callbacks) \
    I(e, int32_t, timeout_ms) I(e, uint16_t, ready) I(e, uint8_t, calls)

// The thread waited for something by calling libuv synchronously. caller: the return address. Slot NONE:
// outside of any uv_run (start-up). Only the outermost of nested sync calls is recorded.
#define UVS_EVENT_sync_call(I, S, Q, e)                                                         \
    I(e, uint32_t, loop) I(e, uint8_t, kind) I(e, uint64_t, caller) I(e, uint64_t, duration_ns) \
    I(e, int32_t, result)

// The watchdog found a loop busy: still running, since busy_ns. op 0 = no callback running. Slot NONE: a worker of
// the pool runs the request op for so long; callback is what it runs, as in the request's `schedule`.
#define UVS_EVENT_stall(I, S, Q, e)                                                           \
    I(e, uint32_t, loop) I(e, uint64_t, op) I(e, uint8_t, kind) I(e, uint64_t, callback)      \
    I(e, uint32_t, tid) I(e, uint64_t, busy_ns) I(e, uint64_t, cpu_ns) Q(e, uint64_t, frames)

// Before the `stall` of the same thread: it waits in this system call, by its number on the machine that ran it.
#define UVS_EVENT_waiting(I, S, Q, e) I(e, uint32_t, loop) I(e, uint32_t, tid) I(e, uint16_t, call)

// V8 collected garbage on the thread of a loop; slot NONE: outside of any uv_run. Of nested collections only the
// outermost is recorded. Of kind NONE one is emitted, about once a second, where collections are seen: a loop
// without any has had none then, and otherwise that is not known.
#define UVS_EVENT_gc(I, S, Q, e) I(e, uint32_t, loop) I(e, uint8_t, kind) I(e, uint64_t, duration_ns)

// uv_cancel was called on op; result is what it returned.
#define UVS_EVENT_cancel(I, S, Q, e) I(e, uint32_t, loop) I(e, uint64_t, op) I(e, int32_t, result)

#define UVS_EVENT_dropped(I, S, Q, e) I(e, uint32_t, loop) I(e, uint8_t, reason) I(e, uint32_t, count)

// About once a second, so that late sessions get them too. start_ns + pid + pid_ns name a process. recording:
// UVSCOPE_RECORDING of the program's environment. libuv: uv_version(). lean_ns: the threshold of what is recorded
// lean, 0 = everything is told. argv: joined by 0x1f. unhooked: libuv functions that could not be hooked, joined
// by a space.
#define UVS_EVENT_process_info(I, S, Q, e)                                                      \
    I(e, uint32_t, loop) I(e, uint32_t, pid) I(e, uint64_t, pid_ns) I(e, uint64_t, start_ns)    \
    I(e, uint32_t, schema) I(e, uint32_t, libuv) I(e, uint32_t, pool_size) I(e, uint8_t, hooks) \
    I(e, uint64_t, lean_ns) S(e, recording) S(e, exe) S(e, argv) S(e, unhooked)

// An object mapped into the process at [base, base + size). An address minus bias is the file's own
// (link-time) one.
#define UVS_EVENT_module(I, S, Q, e)                                                                   \
    I(e, uint32_t, loop) I(e, uint64_t, base) I(e, uint64_t, size) I(e, uint64_t, bias) S(e, build_id) \
    S(e, path)

// try_writes: uv_try_write, uv_try_write2 and uv_udp_try_send calls on the loop so far: they call nobody back.
#define UVS_EVENT_loop_info(I, S, Q, e)                                           \
    I(e, uint32_t, loop) I(e, uint32_t, tid) I(e, uint8_t, is_default) I(e, uint64_t, try_writes) S(e, name)

#define UVS_EVENT_loop_end(I, S, Q, e) I(e, uint32_t, loop)

// Handles of the loop that are not closed. The first has type ALL and all of them; the same by type and callback
// follows, as far as the runtime has room. keeping: active and referenced, so that the loop goes on for them; closing:
// their close callback has still to run. ALL with a count of 0 takes back what an earlier `close` said: the loop
// was closed after all.
#define UVS_EVENT_handles_open(I, S, Q, e)                                                           \
    I(e, uint32_t, loop) I(e, uint8_t, when) I(e, uint8_t, type) I(e, uint64_t, callback)            \
    I(e, uint32_t, count) I(e, uint32_t, keeping) I(e, uint32_t, closing)

// Only with --detail full.
#define UVS_EVENT_callback_begin(I, S, Q, e) I(e, uint32_t, loop) I(e, uint64_t, op)
#define UVS_EVENT_work_begin(I, S, Q, e) I(e, uint32_t, loop) I(e, uint64_t, op)

// Only with --detail lean, where what is shorter than the threshold is counted and not told one by one.
//
// What was counted of one measure since the loop's last `totals` of it. A distribution with more buckets than fit
// comes in several events, whose count, sum_ns and buckets add up. sequence: of the loop's totals, from 0.
#define UVS_EVENT_totals(I, S, Q, e)                                                                    \
    I(e, uint32_t, loop) I(e, uint32_t, sequence) I(e, uint8_t, measure) I(e, uint8_t, kind)            \
    I(e, uint64_t, callback) I(e, uint64_t, count) I(e, uint64_t, sum_ns) I(e, uint64_t, min_ns)        \
    I(e, uint64_t, max_ns) Q(e, uint64_t, buckets)

// The process is recorded lean (slot NONE), or all that a loop has counted so far has been told: the next totals
// will have number `sequence`. ended: nothing more follows, the loop or the process has ended in order.
#define UVS_EVENT_lean(I, S, Q, e) \
    I(e, uint32_t, loop) I(e, uint64_t, threshold_ns) I(e, uint32_t, sequence) I(e, uint8_t, ended)

// clang-format on

// X(name, detail): detail DEFAULT, FULL or LEAN. With LEAN come the DEFAULT ones too.
#define UVS_EVENT_MAP(X)     \
    X(callback, DEFAULT)     \
    X(schedule, DEFAULT)     \
    X(work, DEFAULT)         \
    X(poll, DEFAULT)         \
    X(sync_call, DEFAULT)    \
    X(stall, DEFAULT)        \
    X(waiting, DEFAULT)      \
    X(gc, DEFAULT)           \
    X(cancel, DEFAULT)       \
    X(dropped, DEFAULT)      \
    X(process_info, DEFAULT) \
    X(module, DEFAULT)       \
    X(loop_info, DEFAULT)    \
    X(loop_end, DEFAULT)     \
    X(handles_open, DEFAULT) \
    X(callback_begin, FULL)  \
    X(work_begin, FULL)      \
    X(totals, LEAN)          \
    X(lean, LEAN)

#define UVS_FIELD_INT(e, type, name) type name;
#define UVS_FIELD_STR(e, name)       const char *name;
#define UVS_FIELD_SEQ(e, type, name) \
    uint8_t name##_count;            \
    const type *name;
// Without gaps: an event of integers alone is the bytes that a trace has of it.
#define X(name, detail)                                                     \
    struct uvs_ev_##name {                                                  \
        UVS_EVENT_##name(UVS_FIELD_INT, UVS_FIELD_STR, UVS_FIELD_SEQ, name) \
    } __attribute__((packed));
UVS_EVENT_MAP(X)
#undef X
#undef UVS_FIELD_INT
#undef UVS_FIELD_STR
#undef UVS_FIELD_SEQ

enum uvs_event_type {
#define X(name, detail) UVS_EV_##name,
    UVS_EVENT_MAP(X)
#undef X
        UVS_EV_COUNT
};

// What `record` puts in front of NODE_OPTIONS: V8 writes down where its code lies, and each interpreted
// function gets an address of its own.
#define UVS_NODE_OPTIONS             "--perf-basic-prof --interpreted-frames-native-stack"

// The descriptors that LTTng takes in a traced process, about, and as many again for the process itself.
#define UVS_DESCRIPTORS_NEEDED(cpus) (32 + 4 * (cpus))

// --- V8's functions by which one asks for its garbage collections; the mangled names say their signatures
// --- X(name, symbol).
#define UVS_V8_MAP(X)                                                                                    \
    X(current_isolate, "_ZN2v87Isolate13TryGetCurrentEv")                                                \
    X(add_prologue, "_ZN2v87Isolate21AddGCPrologueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEES2_") \
    X(add_epilogue, "_ZN2v87Isolate21AddGCEpilogueCallbackEPFvPS0_NS_6GCTypeENS_15GCCallbackFlagsEES2_")

// --- Environment of a traced program ---
// X(VARIABLE, "what it does"). Read once, with secure_getenv.
#define UVS_ENV_MAP(X)                                                                                 \
    X(UVSCOPE_LEAN_US, "what is shorter than so many microseconds is counted and not told one by one") \
    X(UVSCOPE_LIBUV, "file of the functions of libuvs that are not exported")                          \
    X(UVSCOPE_DEBUG, "set: the runtime says on stderr what it hooks and what it cannot")               \
    X(UVSCOPE_HANDLES, "off: handles are left alone; loops, requests and the pool are traced")         \
    X(UVSCOPE_NAMES, "set: Node.js is asked for the names of JavaScript functions")                    \
    X(UVSCOPE_PROVIDER, "path of the LTTng provider, instead of the one beside libuvscope.so")         \
    X(UVSCOPE_RECORDING, "the recording's id, set by `uvscope record` and copied into process_info")   \
    X(UVSCOPE_STALL_MS, "watchdog threshold in milliseconds (default 50); 0 turns the watchdog off")   \
    X(UVSCOPE_STALL_WORK_MS, "likewise, of a pool worker that runs one request (default: off)")        \
    X(UVSCOPE_STALL_SIGNAL, "number of the signal that the watchdog interrupts threads with")

// The file of UVSCOPE_LIBUV: text, made by `uvscope record` in the recording's directory.
//
//     uvscope-libuv-1 BUILD_ID                  (of the executable or of a library that it loads; then)
//     FUNCTION ADDRESS_IN_THE_FILE SIZE         (hexadecimal, one line for each)
#define UVS_NAMED_FORMAT "uvscope-libuv-1"
#define UVS_NAMED_FILE   "libuv.symbols"

#endif
