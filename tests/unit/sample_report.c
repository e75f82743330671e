// SPDX-License-Identifier: MIT
// The hand-made report.
#include "sample_report.h"

#include <string.h>

#define MS 1000000ull

static void add(struct uvs_hist *hist, uint64_t count, uint64_t ns)
{
    while (count--)
        uvs_hist_add(hist, ns);
}

static void fill_sites(struct sample *sample)
{
    sample->tick = (struct uvs_site){
        .address = 0x1000, .function = "on_tick", .file = "/src/app.c", .line = 3, .label = "on_tick (app.c:3)"};
    sample->other = (struct uvs_site){.address = 0x1000, .label = "on_other (other.c:9)"};
    sample->start = (struct uvs_site){.address = 0x2000, .label = "start (app.c:40)"};
    sample->odd = (struct uvs_site){.address = 0x3000, .label = "odd\x1b[31m\n\xff"};
}

static void fill_loops(struct sample *sample)
{
    sample->parts[0] = (struct uvs_block_part){
        .kind = UVS_KIND_TIMER, .site = &sample->tick, .ns = 9990 * MS, .count = 1};
    sample->parts[1] = (struct uvs_block_part){
        .kind = UVS_KIND_FS_READ, .site = &sample->start, .ns = 60 * MS, .count = 2};
    sample->blocks[0] = (struct uvs_block){.begin_ns = 6203 * MS,
                                           .duration_ns = 10000 * MS,
                                           .class = UVS_BLOCK_LONG_CALLBACK,
                                           .callbacks = &sample->parts[0],
                                           .callback_count = 1};
    sample->blocks[1] = (struct uvs_block){.begin_ns = 5100 * MS,
                                           .duration_ns = 60 * MS,
                                           .class = UVS_BLOCK_SYNC_CALL,
                                           .sync_calls = &sample->parts[1],
                                           .sync_call_count = 1};
    sample->loops[0] = (struct uvs_loop_row){.pid = 12,
                                             .loop = 0,
                                             .iterations = 1234,
                                             .busy_ns = 800 * MS,
                                             .poll_ns = 200 * MS,
                                             .blocked_count = 2,
                                             .blocked_sum_ns = 10060 * MS,
                                             .worst = sample->blocks,
                                             .worst_count = 2};
    sample->loops[1] = (struct uvs_loop_row){
        .pid = 12, .loop = 1, .iterations = 5, .busy_ns = 5 * MS, .poll_ns = 95 * MS};
    sample->loops[2] = (struct uvs_loop_row){.pid = 13, .loop = 0, .iterations = 1};
    add(&sample->loops[0].block, 1, 10000 * MS);
    add(&sample->loops[0].block, 1, 60 * MS);
    add(&sample->loops[1].block, 5, 1 * MS);
}

static void fill_callbacks(struct sample *sample)
{
    sample->callbacks[0] = (struct uvs_callback_row){
        .pid = 12, .loop = 0, .kind = UVS_KIND_TIMER, .site = &sample->tick, .has_delay = true};
    for (uint64_t ms = 1; ms <= 100; ms++) {
        add(&sample->callbacks[0].duration, 1, ms * MS);
        add(&sample->callbacks[0].self, 1, ms * MS);
        add(&sample->callbacks[0].delay, 1, ms * MS);
    }
    sample->callbacks[1] = (struct uvs_callback_row){
        .pid = 12, .loop = 0, .kind = UVS_KIND_IDLE, .site = &sample->odd};
    add(&sample->callbacks[1].duration, 1, 200 * MS);
    sample->callbacks[2] = (struct uvs_callback_row){.pid = 13,
                                                     .loop = 0,
                                                     .kind = UVS_KIND_TIMER,
                                                     .site = &sample->other,
                                                     .cancelled = 2,
                                                     .has_delay = true};
    add(&sample->callbacks[2].duration, 1, 3 * MS);
    add(&sample->callbacks[2].self, 1, 3 * MS);
    add(&sample->callbacks[2].delay, 1, 3 * MS);
    sample->sync_calls[0] = (struct uvs_sync_row){
        .pid = 12, .loop = 0, .kind = UVS_KIND_FS_READ, .called_from = &sample->start};
    add(&sample->sync_calls[0].duration, 1, 7 * MS);
    sample->sync_calls[1] = (struct uvs_sync_row){
        .pid = 12, .loop = -1, .kind = UVS_KIND_SPAWN, .called_from = &sample->start};
    add(&sample->sync_calls[1].duration, 1, 9 * MS);
}

static void fill_pool(struct sample *sample)
{
    sample->requests[0] = (struct uvs_pool_request_row){.kind = UVS_KIND_FS_READ,
                                                        .site = &sample->start,
                                                        .engine = "pool",
                                                        .count = 10,
                                                        .triple_known = true};
    add(&sample->requests[0].queue, 10, 2 * MS);
    add(&sample->requests[0].service, 10, 1 * MS);
    add(&sample->requests[0].return_, 10, 1 * MS);
    sample->requests[1] = (struct uvs_pool_request_row){
        .kind = UVS_KIND_WORK, .site = &sample->tick, .engine = "pool", .count = 4};
    add(&sample->requests[1].queue, 1, 8 * MS);
    sample->pools[0] = (struct uvs_pool_row){.pid = 12,
                                             .size = 4,
                                             .busy_ns = 10 * MS,
                                             .saturated_ns = 5 * MS,
                                             .max_queue_depth = 3,
                                             .utilization = 0.25,
                                             .never_started = 1,
                                             .never_finished = 2,
                                             .oldest_ns = UVS_ABSENT,
                                             .requests = sample->requests,
                                             .request_count = 2};
}

void sample_fill(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    fill_sites(sample);
    fill_loops(sample);
    fill_callbacks(sample);
    fill_pool(sample);
    sample->processes[0] = (struct uvs_process_row){
        .pid = 12, .exe = "/bin/app", .libuv = "1.44.2", .pool_size = 4, .exit = "0"};
    sample->processes[1] = (struct uvs_process_row){.pid = 13, .hooks = -1};
    sample->findings[0] = (struct uvs_finding){.id = "loop-blocked",
                                               .severity = UVS_ERROR,
                                               .text = "the loop was blocked twice",
                                               .advice = "Do it elsewhere."};
    sample->report = (struct uvs_report){
        .trace = {.path = "trace",
                  .reader = "text",
                  .begin_ns = 5000 * MS,
                  .duration_ns = 20000 * MS,
                  .events = 1},
        .block_threshold_ns = UVS_DEFAULT_BLOCK_THRESHOLD_NS,
        .processes = sample->processes,
        .process_count = 2,
        .loops = sample->loops,
        .loop_count = 3,
        .callbacks = sample->callbacks,
        .callback_count = 3,
        .sync_calls = sample->sync_calls,
        .sync_call_count = 2,
        .pools = sample->pools,
        .pool_count = 1,
        .findings = sample->findings,
        .finding_count = 1,
    };
}

void sample_clear(struct sample *sample)
{
    for (size_t i = 0; i < 3; i++) {
        uvs_hist_clear(&sample->loops[i].block);
        uvs_hist_clear(&sample->callbacks[i].duration);
        uvs_hist_clear(&sample->callbacks[i].self);
        uvs_hist_clear(&sample->callbacks[i].delay);
    }
    for (size_t i = 0; i < 2; i++) {
        uvs_hist_clear(&sample->sync_calls[i].duration);
        uvs_hist_clear(&sample->requests[i].queue);
        uvs_hist_clear(&sample->requests[i].service);
        uvs_hist_clear(&sample->requests[i].return_);
    }
}
