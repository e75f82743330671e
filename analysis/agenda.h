// SPDX-License-Identifier: MIT
// What happens in a pool, told in about the order of its ends, taken in the order of time. Each type of
// change has a lane of its own: within it the order of telling is nearly that of time, so a change finds its
// place in a few steps from the end.
#ifndef UVS_AGENDA_H
#define UVS_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In the order in which they count at one instant: a request may begin and end, or be submitted and begin, at
// once.
enum uvs__change_type { UVS__BEGIN, UVS__HOLD, UVS__END, UVS__SUBMIT, UVS__SUBMIT_STUCK, UVS__CHANGES };

struct uvs__change {
    uint64_t time_ns, submit_ns; // submit_ns: BEGIN of a request whose wait is known
    uint32_t who;
    bool slow, victim, counts;
};

struct uvs__lane {
    struct uvs__change *items;
    size_t first, end, capacity; // of `items`
};

struct uvs__agenda {
    struct uvs__lane lanes[UVS__CHANGES];
    uint64_t first_ns[UVS__CHANGES]; // UINT64_MAX: the lane is empty
};

void uvs__agenda_create(struct uvs__agenda *agenda);
int uvs__agenda_add_slowly(struct uvs__agenda *agenda, enum uvs__change_type type,
                           const struct uvs__change *change);
void uvs__agenda_clear(struct uvs__agenda *agenda);

// The type of the first of all changes, which is at agenda->first_ns[type]; UINT64_MAX: there is none. Types
// have different times, or the smaller number comes first.
static inline enum uvs__change_type uvs__agenda_earliest(const struct uvs__agenda *agenda)
{
    const uint64_t *first_ns = agenda->first_ns;
    enum uvs__change_type earliest = first_ns[UVS__END] < first_ns[UVS__BEGIN] ? UVS__END : UVS__BEGIN;
    earliest = first_ns[UVS__SUBMIT] < first_ns[earliest] ? UVS__SUBMIT : earliest;
    // Only stuck requests make the others.
    if (__builtin_expect((first_ns[UVS__HOLD] & first_ns[UVS__SUBMIT_STUCK]) != UINT64_MAX, 0))
        for (enum uvs__change_type type = UVS__CHANGES; type-- > 0;)
            if (first_ns[type] < first_ns[earliest] ||
                (first_ns[type] == first_ns[earliest] && type < earliest))
                earliest = type;
    return earliest;
}

// Times of UINT64_MAX count as one less. 0, or -UVS_E_ENVIRONMENT without memory.
static inline int uvs__agenda_add(struct uvs__agenda *agenda, enum uvs__change_type type,
                                  struct uvs__change change)
{
    struct uvs__lane *lane = &agenda->lanes[type];
    change.time_ns -= change.time_ns == UINT64_MAX;
    const bool is_first = lane->first == lane->end;
    if (is_first)
        lane->first = lane->end = 0;
    if (lane->end == lane->capacity || (!is_first && lane->items[lane->end - 1].time_ns > change.time_ns))
        return uvs__agenda_add_slowly(agenda, type, &change);
    lane->items[lane->end++] = change;
    if (is_first)
        agenda->first_ns[type] = change.time_ns;
    return 0;
}

// The first change of a type, which there must be. Borrowed until the next addition.
static inline const struct uvs__change *uvs__agenda_take(struct uvs__agenda *agenda,
                                                         enum uvs__change_type type)
{
    struct uvs__lane *lane = &agenda->lanes[type];
    const struct uvs__change *change = &lane->items[lane->first++];
    agenda->first_ns[type] = lane->first != lane->end ? change[1].time_ns : UINT64_MAX;
    return change;
}

#endif
