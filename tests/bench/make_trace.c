// SPDX-License-Identifier: MIT
// Writes a trace of any length without a tracer: a loop with timers, asynchronous file reads on a pool of
// four, synchronous calls and now and then a block, on two CPUs.
//
//   make_trace DIRECTORY EVENTS [NS]
//
// NS pass between two events; without it, as few as the loop could do at all.
#include "tests/unit/ctf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS = 2, PER_PACKET = 18000, PID = 4242, SITES = 40 };

struct cpu {
    struct ctf_stream *stream;
    unsigned events;
    uint64_t begin_ns;
};

struct writer {
    struct cpu cpus[CPUS];
    uint64_t now_ns, events, op;
    uint64_t pace_ns, told_ns; // told: who it is
};

static void end_packet(struct writer *writer, struct cpu *cpu)
{
    ctf_stream_packet(cpu->stream, cpu->begin_ns, writer->now_ns, 0, 0);
    cpu->begin_ns = writer->now_ns;
    cpu->events = 0;
}

static void emit(struct writer *writer, unsigned number, struct uvs_event event)
{
    struct cpu *cpu = &writer->cpus[number];
    writer->now_ns += writer->pace_ns;
    event.time_ns = writer->now_ns;
    event.loop = uvs_loop_key(PID, 0);
    ctf_stream_event(cpu->stream, &event);
    writer->events++;
    if (++cpu->events == PER_PACKET)
        end_packet(writer, cpu);
}

static void emit_identity(struct writer *writer)
{
    writer->told_ns = writer->now_ns;
    emit(writer, 0,
         (struct uvs_event){.type = UVS_EV_process_info,
                            .process_info = {.pid = PID,
                                             .pid_ns = 1,
                                             .start_ns = 1,
                                             .schema = UVS_SCHEMA,
                                             .libuv = 0x012c02,
                                             .pool_size = 4,
                                             .recording = "bench",
                                             .exe = "/usr/bin/made",
                                             .argv = "made",
                                             .unhooked = ""}});
    emit(writer, 0,
         (struct uvs_event){.type = UVS_EV_loop_info,
                            .loop_info = {.tid = PID, .is_default = 1, .name = "made"}});
}

static void emit_callback(struct writer *writer, uint64_t op, uint8_t kind, uint64_t duration_ns,
                          uint64_t delay_ns)
{
    emit(writer, 0,
         (struct uvs_event){.type = UVS_EV_callback,
                            .callback = {.op = op,
                                         .kind = kind,
                                         .callback = 0x1000 + op * 7919 % SITES * 64,
                                         .duration_ns = duration_ns,
                                         .delay_ns = delay_ns}});
}

static void emit_schedule(struct writer *writer, uint64_t op, uint64_t parent, uint8_t kind)
{
    emit(writer, 0,
         (struct uvs_event){.type = UVS_EV_schedule,
                            .schedule = {.op = op,
                                         .parent = parent,
                                         .kind = kind,
                                         .callback = 0x1000 + op * 7919 % SITES * 64,
                                         .timeout_ms = 1}});
}

// One iteration of the loop: a timer asks for a file, a worker reads it, its callback runs.
static void emit_iteration(struct writer *writer)
{
    const uint64_t timer = ++writer->op, file = ++writer->op, begin_ns = writer->now_ns;
    const uint64_t noise = timer * 2654435761u % 1000;
    emit_schedule(writer, timer, file > 3 ? file - 3 : 0, UVS_KIND_TIMER);
    emit_schedule(writer, file, timer, UVS_KIND_FS_READ);
    if (timer % 20001 == 0) // a block
        writer->now_ns += 60000000;
    emit_callback(writer, timer, UVS_KIND_TIMER, writer->now_ns - begin_ns + 20, noise * noise);
    emit(writer, 1,
         (struct uvs_event){.type = UVS_EV_work,
                            .work = {.op = file,
                                     .kind = UVS_KIND_FS_READ,
                                     .tid = PID + 1 + (uint32_t)(timer % 4),
                                     .queue_ns = 20,
                                     .service_ns = 60}});
    if (timer % 16 == 1)
        emit(writer, 0,
             (struct uvs_event){.type = UVS_EV_sync_call,
                                .sync_call = {.kind = UVS_KIND_MUTEX_LOCK,
                                              .caller = 0x9000 + timer % 3,
                                              .duration_ns = 50 + noise % 50}});
    emit_callback(writer, file, UVS_KIND_FS_READ, 100, 40 + noise / 50);
    writer->now_ns += noise + 400;
    emit(writer, 0,
         (struct uvs_event){.type = UVS_EV_poll,
                            .poll = {.wait_ns = noise + 200,
                                     .busy_ns = writer->now_ns - begin_ns - noise - 200,
                                     .callbacks = 2,
                                     .timeout_ms = -1,
                                     .ready = 1,
                                     .calls = 1}});
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: make_trace DIRECTORY EVENTS [NS]\n");
        return 2;
    }
    const uint64_t events = strtoull(argv[2], NULL, 10);
    struct writer writer = {.now_ns = 1000000000, .pace_ns = argc > 3 ? strtoull(argv[3], NULL, 10) : 150};
    ctf_write_metadata(argv[1], &(struct ctf_variant){.clock_offset = 1795384077388641692});
    for (unsigned i = 0; i < CPUS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "ch_%u", i);
        writer.cpus[i] = (struct cpu){.stream = ctf_stream_open(argv[1], name), .begin_ns = writer.now_ns};
    }
    emit_identity(&writer);
    while (writer.events < events) {
        if (writer.now_ns - writer.told_ns >= 1000000000)
            emit_identity(&writer);
        emit_iteration(&writer);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        end_packet(&writer, &writer.cpus[i]);
        ctf_stream_close(writer.cpus[i].stream);
    }
    return 0;
}
