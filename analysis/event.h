// SPDX-License-Identifier: MIT
// The flat event that every reader produces and the span builder consumes.
#ifndef UVS_EVENT_H
#define UVS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "../probes/uvs_abi.h"

// Beyond the trace's own events: what a reader knows about events it cannot deliver.
enum { UVS_EV_LOST = UVS_EV_COUNT };

// Events (or whole packets) were lost somewhere in [begin_ns, end_ns]; neither: what was there was not
// counted. Delivered in time order by begin_ns.
struct uvs_ev_lost {
    uint64_t begin_ns, end_ns; // either may be UVS_ABSENT: from the start / up to the end of the trace
    uint64_t events, packets;  // UVS_ABSENT: some, number unknown
};

// Strings and sequences are borrowed from the reader until its next call.
struct uvs_event {
    uint64_t time_ns;
    int type; // enum uvs_event_type or UVS_EV_LOST
    union {
#define X(name, detail) struct uvs_ev_##name name;
        UVS_EVENT_MAP(X)
#undef X
        struct uvs_ev_lost lost;
        uint32_t loop; // the first field of every event but LOST
    };
};

enum { UVS__EVENT_PAYLOAD = offsetof(struct uvs_event, loop) };

// One row per field of an event, expanded from uvs_abi.h: what generic decoders (babeltrace2, text) need.
struct uvs_field {
    const char *name;
    enum { UVS_FIELD_INTEGER, UVS_FIELD_STRING, UVS_FIELD_SEQUENCE } form;
    bool is_signed;
    uint8_t size;          // bytes of the integer, or of a sequence's element
    uint16_t offset;       // in struct uvs_event
    uint16_t count_offset; // of a sequence's length
};

struct uvs_event_class {
    const char *name;
    const struct uvs_field *fields;
    uint8_t field_count;
};

extern const struct uvs_event_class uvs_event_classes[UVS_EV_COUNT];

// Sets an integer or a pointer of a struct uvs_event, whose fields are not aligned.
static inline void uvs__event_set(struct uvs_event *event, size_t offset, size_t size, uint64_t value)
{
    char *at = (char *)event + offset;
    switch (size) {
    case 1:
        memcpy(at, &(uint8_t){(uint8_t)value}, 1);
        break;
    case 2:
        memcpy(at, &(uint16_t){(uint16_t)value}, 2);
        break;
    case 4:
        memcpy(at, &(uint32_t){(uint32_t)value}, 4);
        break;
    default:
        memcpy(at, &value, 8);
    }
}

static inline void uvs__event_point(struct uvs_event *event, size_t offset, const void *to)
{
    memcpy((char *)event + offset, &to, sizeof(to));
}

// Of a string or a sequence.
static inline const void *uvs__event_pointer(const struct uvs_event *event, size_t offset)
{
    const void *pointer;
    memcpy(&pointer, (const char *)event + offset, sizeof(pointer));
    return pointer;
}

// Of a trace's event, "uvscope:callback"; -1: not one of ours.
int uvs__event_type_from_name(const char *name);
// The value of a field that a trace lacks.
void uvs__event_set_absent(struct uvs_event *event, const struct uvs_field *field);

// "timer", "fs.read"; NULL for a number this version does not know.
const char *uvs_kind_name(uint8_t kind);
// The number, or -1.
int uvs_kind_from_name(const char *name);

// The same of what a garbage collector did: "mark_compact".
const char *uvs_gc_name(uint8_t kind);
int uvs_gc_from_name(const char *name);

// Of a handle, by libuv's number of its type: "tcp"; NULL for one that this version does not know.
const char *uvs_handle_name(uint8_t type);

enum uvs_kind_class {
    UVS_CLASS_UNKNOWN,
    UVS_CLASS_DUE,
    UVS_CLASS_READY,
    UVS_CLASS_PHASE,
    UVS_CLASS_REQUEST,
    UVS_CLASS_POOL,
    UVS_CLASS_SYNC,
};
extern const uint8_t uvs__kind_classes[UINT8_MAX + 1];

static inline enum uvs_kind_class uvs_kind_class(uint8_t kind)
{
    return (enum uvs_kind_class)uvs__kind_classes[kind];
}

#endif
