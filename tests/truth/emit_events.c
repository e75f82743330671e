// SPDX-License-Identifier: MIT
// Emits a known sequence of uvscope events without libuv: what the reader's tests and its bench compare with.
//
//   emit_events samples   every event once with the values of SAMPLES, then strings that are empty
//   emit_events N         N rounds of schedule, callback, poll, with values that follow from the round's
//   number
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "probes/tracepoints.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t frames[] = {0x1111, 0x2222, 0xffffffffffffffff};

static void emit_samples(uint32_t loop)
{
#define EMIT(event, ...) \
    lttng_ust_tracepoint(uvscope, event, (&(struct uvs_ev_##event){.loop = loop, __VA_ARGS__}))
    EMIT(process_info, .pid = uvs_key_pid(loop), .pid_ns = 4026531836, .start_ns = 77, .schema = UVS_SCHEMA,
         .libuv = 0x012c02, .pool_size = 4, .hooks = UVS_HOOKS_PATCHED, .recording = "r-1", .exe = "/bin/x",
         .argv = "x\x1fy");
    EMIT(module, .base = 0x400000, .size = 0x1000, .bias = 0x300000, .build_id = "abcd", .path = "/bin/x");
    EMIT(loop_info, .tid = 12, .is_default = 1, .name = "main");
    EMIT(schedule, .op = 1, .parent = 0, .kind = UVS_KIND_TIMER, .callback = 0x400100, .timeout_ms = 10);
    EMIT(callback_begin, .op = 1);
    EMIT(callback, .op = 1, .kind = UVS_KIND_TIMER, .depth = 0, .callback = 0x400100, .duration_ns = 200,
         .delay_ns = UVS_ABSENT, .result = -125);
    EMIT(work_begin, .op = 2);
    EMIT(work, .op = 2, .kind = UVS_KIND_FS_READ, .tid = 13, .queue_ns = 5, .service_ns = 6);
    EMIT(poll, .wait_ns = 7, .busy_ns = 8, .callbacks = 9, .timeout_ms = -1, .ready = 65535, .calls = 255);
    EMIT(sync_call, .kind = UVS_KIND_SLEEP, .caller = 0x400200, .duration_ns = 11, .result = -2147483647 - 1);
    EMIT(stall, .op = 1, .kind = UVS_KIND_TIMER, .callback = 0x400100, .tid = 12, .busy_ns = 50, .cpu_ns = 49,
         .frames_count = sizeof(frames) / sizeof(frames[0]), .frames = frames);
    EMIT(stall, .op = 3, .frames_count = 0, .frames = frames);
    EMIT(cancel, .op = 4, .result = -16);
    EMIT(dropped, .reason = UVS_DROPPED_HANDOFF_MISSED, .count = 65);
    EMIT(module, .base = 0x500000, .size = 0x1000, .bias = 0x500000, .build_id = "", .path = "");
    EMIT(loop_end);
#undef EMIT
}

static void emit_round(uint32_t loop, uint64_t i)
{
    const struct uvs_ev_schedule schedule = {
        .loop = loop, .op = i + 1, .parent = i, .kind = UVS_KIND_TIMER, .callback = 0x1000, .timeout_ms = 1};
    const struct uvs_ev_callback callback = {.loop = loop,
                                             .op = i + 1,
                                             .kind = UVS_KIND_TIMER,
                                             .callback = 0x1000 + i % 64,
                                             .duration_ns = i % 1000,
                                             .delay_ns = i % 7,
                                             .result = (int32_t)(i % 3) - 1};
    const struct uvs_ev_poll poll = {.loop = loop,
                                     .wait_ns = i,
                                     .busy_ns = i % 100,
                                     .callbacks = 1,
                                     .timeout_ms = -1,
                                     .ready = 1,
                                     .calls = 1};
    lttng_ust_tracepoint(uvscope, schedule, &schedule);
    lttng_ust_tracepoint(uvscope, callback, &callback);
    lttng_ust_tracepoint(uvscope, poll, &poll);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: emit_events samples | N\n");
        return 2;
    }
    const uint32_t loop = uvs_loop_key((uint32_t)getpid(), 0);
    if (strcmp(argv[1], "samples") == 0) {
        emit_samples(loop);
        return 0;
    }
    const uint64_t rounds = strtoull(argv[1], NULL, 10);
    for (uint64_t i = 0; i < rounds; i++)
        emit_round(loop, i);
    return 0;
}
