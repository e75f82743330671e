// SPDX-License-Identifier: MIT
// Emits every event of uvscope, with values that follow from the round's number, by LTTng's generated probes
// if that is defined, and else by those that it is linked with.
//
//   emit ROUNDS
#ifdef GENERATED_PROBES
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#endif
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "probes/tracepoints.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t numbers[] = {0x1111, 0x2222, UINT64_MAX};

// Any bits, high and low.
static uint64_t value(uint64_t round, size_t field)
{
    return (round * 257 + field + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

#define INT(event, type, field) .field = (type)value(round, offsetof(struct uvs_ev_##event, field)),
#define STR(event, field)       .field = &"text"[round % 5],
#define SEQ(event, type, field) .field##_count = (uint8_t)(round % 4), .field = numbers,
#define X(name, detail)                                                             \
    static void emit_##name(uint64_t round)                                         \
    {                                                                               \
        const struct uvs_ev_##name event = {UVS_EVENT_##name(INT, STR, SEQ, name)}; \
        lttng_ust_tracepoint(uvscope, name, &event, NULL);                          \
    }
UVS_EVENT_MAP(X)
#undef X

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: emit ROUNDS\n");
        return 2;
    }
    const uint64_t rounds = strtoull(argv[1], NULL, 10);
    for (uint64_t round = 0; round < rounds; round++) {
#define X(name, detail) emit_##name(round);
        UVS_EVENT_MAP(X)
#undef X
    }
    return 0;
}
