// SPDX-License-Identifier: MIT
// The tables behind event.h, expanded from probes/uvs_abi.h.
#include "event.h"

#include <string.h>

#define PROVIDER "uvscope:"

#define FIELD_INT(event, type, field) \
    {.name = #field,                  \
     .form = UVS_FIELD_INTEGER,       \
     .is_signed = (type)-1 < (type)1, \
     .size = sizeof(type),            \
     .offset = offsetof(struct uvs_event, event.field)},
#define FIELD_STR(event, field) \
    {.name = #field, .form = UVS_FIELD_STRING, .offset = offsetof(struct uvs_event, event.field)},
#define FIELD_SEQ(event, type, field)                   \
    {.name = #field,                                    \
     .form = UVS_FIELD_SEQUENCE,                        \
     .size = sizeof(type),                              \
     .offset = offsetof(struct uvs_event, event.field), \
     .count_offset = offsetof(struct uvs_event, event.field##_count)},

#define X(name, detail) \
    static const struct uvs_field name##_fields[] = {UVS_EVENT_##name(FIELD_INT, FIELD_STR, FIELD_SEQ, name)};
UVS_EVENT_MAP(X)
#undef X

const struct uvs_event_class uvs_event_classes[UVS_EV_COUNT] = {
#define X(event, detail)                          \
    [UVS_EV_##event] = {.name = #event,           \
                        .fields = event##_fields, \
                        .field_count = sizeof(event##_fields) / sizeof(event##_fields[0])},
    UVS_EVENT_MAP(X)
#undef X
};

int uvs__event_type_from_name(const char *name)
{
    if (!name || strncmp(name, PROVIDER, sizeof(PROVIDER) - 1) != 0)
        return -1;
    for (int i = 0; i < UVS_EV_COUNT; i++)
        if (strcmp(uvs_event_classes[i].name, name + sizeof(PROVIDER) - 1) == 0)
            return i;
    return -1;
}

void uvs__event_set_absent(struct uvs_event *event, const struct uvs_field *field)
{
    if (field->form == UVS_FIELD_STRING)
        uvs__event_point(event, field->offset, "");
    else if (field->form == UVS_FIELD_INTEGER && field->size == sizeof(uint64_t))
        uvs__event_set(event, field->offset, field->size, UVS_ABSENT);
}

static const char *const kind_names[UINT8_MAX + 1] = {
#define X(NAME, number, text, class) [number] = (text),
    UVS_KIND_MAP(X)
#undef X
#define X(NAME, number, text) [UVS_KIND_FS + (number)] = (text),
        UVS_FS_MAP(X)
#undef X
};

const uint8_t uvs__kind_classes[UINT8_MAX + 1] = {
#define X(NAME, number, text, class) [number] = UVS_CLASS_##class,
    UVS_KIND_MAP(X)
#undef X
#define X(NAME, number, text) [UVS_KIND_FS + (number)] = UVS_CLASS_POOL,
        UVS_FS_MAP(X)
#undef X
};

const char *uvs_kind_name(uint8_t kind)
{
    return kind_names[kind];
}

int uvs_kind_from_name(const char *name)
{
    for (int i = 0; i <= UINT8_MAX; i++)
        if (kind_names[i] && strcmp(kind_names[i], name) == 0)
            return i;
    return -1;
}

static const struct {
    uint8_t kind;
    const char *name;
} collections[] = {
#define X(NAME, number, text) {number, text},
    UVS_GC_MAP(X)
#undef X
};

const char *uvs_gc_name(uint8_t kind)
{
    for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++)
        if (collections[i].kind == kind)
            return collections[i].name;
    return NULL;
}

int uvs_gc_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++)
        if (strcmp(collections[i].name, name) == 0)
            return collections[i].kind;
    return -1;
}

const char *uvs_handle_name(uint8_t type)
{
    static const char *const names[UINT8_MAX + 1] = {
#define X(NAME, number, text) [number] = (text),
        UVS_HANDLE_MAP(X)
#undef X
    };
    return names[type];
}
