// SPDX-License-Identifier: MIT
// Lanes are arrays whose taken front is used again when they are full.
#include "agenda.h"

#include "error.h"
#include "map.h"

#include <stdlib.h>
#include <string.h>

static int make_room(struct uvs__lane *lane)
{
    if (lane->first > lane->capacity / 2) {
        lane->end -= lane->first;
        memmove(lane->items, lane->items + lane->first, lane->end * sizeof(*lane->items));
        lane->first = 0;
        return 0;
    }
    struct uvs__change *grown = uvs__grow(lane->items, lane->end, &lane->capacity, sizeof(*grown));
    if (!grown)
        return -UVS_E_ENVIRONMENT;
    lane->items = grown;
    return 0;
}

void uvs__agenda_create(struct uvs__agenda *agenda)
{
    *agenda = (struct uvs__agenda){0};
    for (int type = 0; type < UVS__CHANGES; type++)
        agenda->first_ns[type] = UINT64_MAX;
}

int uvs__agenda_add_slowly(struct uvs__agenda *agenda, enum uvs__change_type type,
                           const struct uvs__change *change)
{
    struct uvs__lane *lane = &agenda->lanes[type];
    if (lane->end == lane->capacity && make_room(lane))
        return -UVS_E_ENVIRONMENT;
    size_t at = lane->end++;
    for (; at > lane->first && lane->items[at - 1].time_ns > change->time_ns; at--)
        lane->items[at] = lane->items[at - 1];
    lane->items[at] = *change;
    agenda->first_ns[type] = lane->items[lane->first].time_ns;
    return 0;
}

void uvs__agenda_clear(struct uvs__agenda *agenda)
{
    for (int type = 0; type < UVS__CHANGES; type++)
        free(agenda->lanes[type].items);
    *agenda = (struct uvs__agenda){0};
}
