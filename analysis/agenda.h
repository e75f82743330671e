// SPDX-License-Identifier: MIT
// What happens in a pool, told in about the order of its ends, taken in the order of time. Each type of
// change has a lane of its own: within it the order of telling is nearly that of time, so a change finds its
// place in a few steps from the end.
#ifndef UVS_AGENDA_H
#define UVS_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "saturate.h"

// In the order in which they count at one instant: a request may begin and end, or be submitted and begin, at
// once.
enum uvs__change_type { UVS__BEGIN, UVS__HOLD, UVS__END, UVS__SUBMIT, UVS__SUBMIT_STUCK, UVS__CHANGES };

struct uvs__change {
    uint64_t time_ns, submit_ns; // submit_ns: BEGIN of a request whose wait is known
    uint32_t who;
    bool slow, victim, counts;
};

// [next, end) are still to be taken. What is around them can be looked at without asking whether there are
// any: *end is at UINT64_MAX, and end[-1] is not later than what was taken.
struct uvs__lane {
    struct uvs__change *next, *end, *last; // last: from where `end` cannot go on
    struct uvs__change *items;
    size_t capacity;
};

struct uvs__agenda {
    struct uvs__lane lanes[UVS__CHANGES];
    bool has_stuck; // HOLD or SUBMIT_STUCK was ever added
};

void uvs__agenda_create(struct uvs__agenda *agenda);
int uvs__agenda_add_slowly(struct uvs__agenda *agenda, enum uvs__change_type type, struct uvs__change change);
void uvs__agenda_clear(struct uvs__agenda *agenda);

// When the first change of a type is; UINT64_MAX: there is none.
static inline uint64_t uvs__agenda_next(const struct uvs__agenda *agenda, enum uvs__change_type type)
{
    return agenda->lanes[type].next->time_ns;
}

// When the first of all is.
static inline uint64_t uvs__agenda_first(const struct uvs__agenda *agenda)
{
    uint64_t first_ns = UINT64_MAX;
    for (enum uvs__change_type type = 0; type < UVS__CHANGES; type++)
        first_ns = uvs__min(first_ns, uvs__agenda_next(agenda, type));
    return first_ns;
}

// Times of UINT64_MAX count as one less. 0, or -UVS_E_ENVIRONMENT without memory.
static inline int uvs__agenda_add(struct uvs__agenda *agenda, enum uvs__change_type type,
                                  struct uvs__change change)
{
    struct uvs__lane *lane = &agenda->lanes[type];
    struct uvs__change *end = lane->end;
    if (type == UVS__HOLD || type == UVS__SUBMIT_STUCK)
        agenda->has_stuck = true;
    if (__builtin_expect(end == lane->last, 0) || __builtin_expect(change.time_ns < end[-1].time_ns, 0) ||
        __builtin_expect(change.time_ns == UINT64_MAX, 0))
        return uvs__agenda_add_slowly(agenda, type, change);
    end[0] = change;
    end[1].time_ns = UINT64_MAX;
    lane->end = end + 1;
    return 0;
}

// The first change of a type, which there must be. Borrowed until the next addition.
static inline const struct uvs__change *uvs__agenda_take(struct uvs__agenda *agenda,
                                                         enum uvs__change_type type)
{
    return agenda->lanes[type].next++;
}

#endif
