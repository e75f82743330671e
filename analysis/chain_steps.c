// SPDX-License-Identifier: MIT
// What happens seldom to the steps of chains.
#include "chain_steps.h"

void uvs__steps_forget_oldest(struct uvs__steps *steps, struct uvs__step *oldest)
{
    uvs__steps_forget(steps, oldest);
}

struct uvs__step *uvs__steps_replace(struct uvs__steps *steps, struct uvs__step *step)
{
    struct uvs__step *next = uvs__step_create(steps, step->process, step->op);
    if (!next)
        return NULL;
    next->queue_ns = step->queue_ns;
    next->service_ns = step->service_ns;
    next->asked = step->asked;
    next->ran = true;
    next->place = step->place;
    next->next = step->next;
    struct uvs__step **link = uvs__steps_bucket(steps, step->process, step->op);
    while (*link != step)
        link = &(*link)->next;
    steps->ages[step->place] = *link = next;
    uvs__step_leave(steps, step);
    return next;
}

void uvs__steps_clear(struct uvs__steps *steps)
{
    uvs__slab_clear(&steps->slab);
}
