// SPDX-License-Identifier: MIT
// Inputs that were cut or cannot be read, and streams whose begin is missing.
#include "ctf_gaps.h"

#include <stdlib.h>

static int by_begin(const void *a, const void *b)
{
    // An absent begin is the trace's start: + 1 wraps it to 0.
    const uint64_t x = ((const struct uvs_ev_lost *)a)->begin_ns + 1,
                   y = ((const struct uvs_ev_lost *)b)->begin_ns + 1;
    return (x > y) - (x < y);
}

int uvs__ctf_gaps_note(struct uvs__ctf_gaps *gaps, const struct uvs__ctf_inputs *inputs)
{
    gaps->items = calloc(inputs->count + 1, sizeof(*gaps->items));
    if (!gaps->items)
        return -1;
    // Nobody counted what was overwritten before the trace was taken.
    if (inputs->late_ns)
        gaps->items[gaps->count++] = (struct uvs_ev_lost){.begin_ns = UVS_ABSENT, .end_ns = inputs->late_ns};
    for (size_t i = 0; i < inputs->count; i++) {
        const struct uvs__ctf_input *input = &inputs->items[i];
        if (!input->damage || !input->has_data)
            continue;
        const bool has_begin = input->readable && input->cut_begin_ns > 0;
        gaps->items[gaps->count++] = (struct uvs_ev_lost){.begin_ns = has_begin ? input->cut_begin_ns
                                                                                : UVS_ABSENT,
                                                          .end_ns = UVS_ABSENT,
                                                          .events = UVS_ABSENT,
                                                          .packets = UVS_ABSENT};
    }
    qsort(gaps->items, gaps->count, sizeof(*gaps->items), by_begin);
    return 0;
}

bool uvs__ctf_gaps_deliver(struct uvs__ctf_gaps *gaps, uint64_t until_ns, struct uvs_event *ret_event)
{
    if (gaps->next == gaps->count)
        return false;
    const struct uvs_ev_lost *lost = &gaps->items[gaps->next];
    const uint64_t begin_ns = lost->begin_ns == UVS_ABSENT ? 0 : lost->begin_ns;
    if (begin_ns > until_ns)
        return false;
    *ret_event = (struct uvs_event){.time_ns = begin_ns, .type = UVS_EV_LOST, .lost = *lost};
    gaps->next++;
    return true;
}

static const struct uvs__ctf_input *first_damaged(const struct uvs__ctf_inputs *inputs, bool readable)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (inputs->items[i].damage && inputs->items[i].readable == readable && inputs->items[i].has_data)
            return &inputs->items[i];
    return NULL;
}

int uvs__ctf_gaps_end(const struct uvs__ctf_inputs *inputs, struct uvs_error *error)
{
    const struct uvs__ctf_input *cut = first_damaged(inputs, true);
    if (!cut)
        return 0;
    return uvs_error_set(error, UVS_E_TRACE, "%s, and what follows is lost; %s", cut->damage, cut->cause);
}

int uvs__ctf_gaps_nothing(const struct uvs__ctf_inputs *inputs, const char *directory,
                          struct uvs_error *error)
{
    const struct uvs__ctf_input *input = first_damaged(inputs, false);
    if (!input)
        input = first_damaged(inputs, true);
    if (input)
        return uvs_error_set(error, UVS_E_TRACE, "nothing in %s can be read: %s: %s; record again", directory,
                             input->directory, input->damage);
    return uvs_error_set(error, UVS_E_TRACE,
                         "the recording produced no CTF in %s: the program may never have loaded libuv, or "
                         "/dev/shm is too small; run `uvscope record` again and look at what it says",
                         directory);
}
