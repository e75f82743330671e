// SPDX-License-Identifier: MIT
// One function for each event of uvs_abi.h, of as many loads and stores as it has fields.
#include "ctf_plain.h"

#include <string.h>

#define TAKE_INTEGER(name, type, field)           \
    memcpy(&event->name.field, at, sizeof(type)); \
    at += sizeof(type);
#define TAKE_OTHER(...)
#define X(name, detail)                                                       \
    static void take_##name(const unsigned char *at, struct uvs_event *event) \
    {                                                                         \
        UVS_EVENT_##name(TAKE_INTEGER, TAKE_OTHER, TAKE_OTHER, name);         \
        (void)at;                                                             \
    }
UVS_EVENT_MAP(X)
#undef X

static uvs__ctf_take_function *const takes[UVS_EV_COUNT] = {
#define X(name, detail) [UVS_EV_##name] = take_##name,
    UVS_EVENT_MAP(X)
#undef X
};

uvs__ctf_take_function *uvs__ctf_plain(const struct uvs__ctf_event *event)
{
    if (event->type < 0 || event->step_count != uvs_event_classes[event->type].field_count)
        return NULL;
    for (uint32_t i = 0; i < event->step_count; i++)
        if (event->steps[i].op != UVS__CTF_COPY ||
            event->steps[i].field != &uvs_event_classes[event->type].fields[i])
            return NULL;
    return takes[event->type];
}
