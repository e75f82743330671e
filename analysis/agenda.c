// SPDX-License-Identifier: MIT
// Lanes are arrays whose taken front is used again when they are full. The first item of each is before all
// that is ever added.
#include "agenda.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

// The end of a lane to which nothing was added: never written to, as it is the last place too.
static struct uvs__change nothing = {.time_ns = UINT64_MAX};

void uvs__agenda_create(struct uvs__agenda *agenda)
{
    *agenda = (struct uvs__agenda){0};
    for (int type = 0; type < UVS__CHANGES; type++)
        agenda->lanes[type] = (struct uvs__lane){.next = &nothing, .end = &nothing, .last = &nothing};
}

static int grow(struct uvs__lane *lane, size_t count)
{
    const size_t capacity = lane->capacity ? 2 * lane->capacity : FIRST_CAPACITY;
    struct uvs__change *grown = malloc(capacity * sizeof(*grown));
    if (!grown)
        return -UVS_E_ENVIRONMENT;
    grown[0] = (struct uvs__change){0};
    memcpy(grown + 1, lane->next, count * sizeof(*grown));
    free(lane->items);
    lane->items = grown;
    lane->next = grown + 1;
    lane->capacity = capacity;
    return 0;
}

// Of an array that once had many, no more is used than a few need: that stays in the cache.
static int make_room(struct uvs__lane *lane)
{
    const size_t count = (size_t)(lane->end - lane->next), enough = 4 * count + FIRST_CAPACITY;
    if (count >= lane->capacity / 2 && grow(lane, count))
        return -UVS_E_ENVIRONMENT;
    memmove(lane->items + 1, lane->next, count * sizeof(*lane->items));
    lane->next = lane->items + 1;
    lane->end = lane->next + count;
    lane->last = lane->items + (enough < lane->capacity ? enough : lane->capacity) - 1;
    lane->end->time_ns = UINT64_MAX;
    return 0;
}

int uvs__agenda_add_slowly(struct uvs__agenda *agenda, enum uvs__change_type type, struct uvs__change change)
{
    struct uvs__lane *lane = &agenda->lanes[type];
    if (lane->end == lane->last && make_room(lane))
        return -UVS_E_ENVIRONMENT;
    change.time_ns -= change.time_ns == UINT64_MAX;
    struct uvs__change *at = lane->end++;
    lane->end->time_ns = UINT64_MAX;
    for (; at > lane->next && at[-1].time_ns > change.time_ns; at--)
        at[0] = at[-1];
    *at = change;
    return 0;
}

void uvs__agenda_clear(struct uvs__agenda *agenda)
{
    for (int type = 0; type < UVS__CHANGES; type++)
        free(agenda->lanes[type].items);
    *agenda = (struct uvs__agenda){0};
}
