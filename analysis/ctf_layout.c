// SPDX-License-Identifier: MIT
// The trace class says which fields an event has; what it does not say, byte order, alignment and headers, is
// compared with the text that lttng-sessiond writes.
#include "ctf_layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EVENTS = 1 << 14 };

static const char packet_header[] = "\tbyte_order = le;\n"
                                    "\tpacket.header := struct {\n"
                                    "\t\tuint32_t magic;\n"
                                    "\t\tuint8_t  uuid[16];\n"
                                    "\t\tuint32_t stream_id;\n"
                                    "\t\tuint64_t stream_instance_id;\n"
                                    "\t};\n";
static const char packet_context[] = "struct packet_context {\n"
                                     "\tuint64_clock_monotonic_t timestamp_begin;\n"
                                     "\tuint64_clock_monotonic_t timestamp_end;\n"
                                     "\tuint64_t content_size;\n"
                                     "\tuint64_t packet_size;\n"
                                     "\tuint64_t packet_seq_num;\n"
                                     "\tunsigned long events_discarded;\n"
                                     "\tuint32_t cpu_id;\n"
                                     "};\n";
static const char event_header[] = "struct event_header_large {\n"
                                   "\tenum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;\n"
                                   "\tvariant <id> {\n"
                                   "\t\tstruct {\n"
                                   "\t\t\tuint32_clock_monotonic_t timestamp;\n"
                                   "\t\t} compact;\n"
                                   "\t\tstruct {\n"
                                   "\t\t\tuint32_t id;\n"
                                   "\t\t\tuint64_clock_monotonic_t timestamp;\n"
                                   "\t\t} extended;\n"
                                   "\t} v;\n"
                                   "} align(8);\n";
static const char *const types[] = {
    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n",
    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n",
    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n",
    "typealias integer { size = 64; align = 8; signed = false; } := unsigned long;\n",
};

// Behind the first stream's declaration, each of these is followed by nothing but what is known.
static const struct {
    const char *words, *known, *why;
} followed[] = {
    {"event.header := ", "struct event_header_large;", "events have compact headers"},
    {"packet.context := ", "struct packet_context;", "packets have a context of another kind"},
    {"event.context := ", NULL, "events have contexts"},
    {"\tcontext := ", NULL, "events have contexts"},
    {"align = ", "8;", "a field is not aligned to bytes"},
    {"align(", NULL, "a field is not aligned to bytes"},
    {"byte_order = ", "le;", "a field has another byte order"},
    {"encoding = ", "none;", "a field is a text of fixed length"},
    {"map = ", NULL, "a field is a clock"},
    {"variant", NULL, "a field is a variant"},
};

static const char *find_unknown(const char *text)
{
    if (!strstr(text, packet_header))
        return "packets have another header or byte order";
    if (!strstr(text, packet_context))
        return "packets have a context of another kind";
    if (!strstr(text, event_header))
        return "events have headers of another kind";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strstr(text, types[i]))
            return "integers have another alignment";
    const char *streams = strstr(text, "\nstream {");
    for (size_t i = 0; streams && i < sizeof(followed) / sizeof(followed[0]); i++)
        for (const char *at = streams; (at = strstr(at, followed[i].words));) {
            at += strlen(followed[i].words);
            if (!followed[i].known || strncmp(at, followed[i].known, strlen(followed[i].known)) != 0)
                return followed[i].why;
        }
    return streams ? NULL : "it declares no stream";
}

static int refuse(struct uvs_error *why, const char *what)
{
    uvs_error_set(why, UVS_E_TRACE, "%s", what);
    return 0;
}

static int refuse_field(struct uvs_error *why, const char *event, const char *field)
{
    uvs_error_set(why, UVS_E_TRACE, "event %s has a field %s of a kind that it does not know", event, field);
    return 0;
}

static const struct uvs_field *find_field(int type, const char *name)
{
    for (int i = 0; type >= 0 && i < uvs_event_classes[type].field_count; i++)
        if (strcmp(uvs_event_classes[type].fields[i].name, name) == 0)
            return &uvs_event_classes[type].fields[i];
    return NULL;
}

// 0: not a fixed number of bytes, or none that is known.
static uint32_t width_of(const bt_field_class *class)
{
    const bt_field_class_type type = bt_field_class_get_type(class);
    if (type == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL)
        return 4;
    if (type == BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL)
        return 8;
    if (type == BT_FIELD_CLASS_TYPE_STATIC_ARRAY) {
        const uint64_t length = bt_field_class_array_static_get_length(class);
        return length > UINT16_MAX
                   ? 0
                   : (uint32_t)length *
                         width_of(bt_field_class_array_borrow_element_field_class_const(class));
    }
    if (!bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_INTEGER))
        return 0;
    const uint64_t bits = bt_field_class_integer_get_field_value_range(class);
    return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? (uint32_t)bits / 8 : 0;
}

static bool is_unsigned(const bt_field_class *class)
{
    return bt_field_class_type_is(bt_field_class_get_type(class), BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER);
}

static bool is_integer(const bt_field_class *class)
{
    return bt_field_class_type_is(bt_field_class_get_type(class), BT_FIELD_CLASS_TYPE_INTEGER);
}

static bool map_integer(const bt_field_class *class, struct uvs__ctf_step *step)
{
    step->width = width_of(class);
    if (!step->field) {
        step->op = UVS__CTF_SKIP;
        return step->width > 0;
    }
    step->op = step->width == step->field->size ? UVS__CTF_COPY : UVS__CTF_WIDEN;
    return step->field->form == UVS_FIELD_INTEGER && is_integer(class) && step->width > 0 &&
           step->width <= step->field->size && is_unsigned(class) != step->field->is_signed;
}

// The length is the member in front of it.
static bool map_sequence(const bt_field_class *class, uint64_t index, struct uvs__ctf_step *step)
{
    const bt_field_path *path = bt_field_class_array_dynamic_with_length_field_borrow_length_field_path_const(
        class);
    const bt_field_class *element = bt_field_class_array_borrow_element_field_class_const(class);
    const bt_field_path_item *item = bt_field_path_get_item_count(path) == 1
                                         ? bt_field_path_borrow_item_by_index_const(path, 0)
                                         : NULL;
    step->op = UVS__CTF_SEQUENCE;
    step->width = width_of(element);
    if (!item || bt_field_path_item_get_type(item) != BT_FIELD_PATH_ITEM_TYPE_INDEX || index == 0 ||
        bt_field_path_item_index_get_index(item) != index - 1)
        return false;
    if (bt_field_path_get_root_scope(path) != BT_FIELD_PATH_SCOPE_EVENT_PAYLOAD || step->width == 0)
        return false;
    return !step->field || (step->field->form == UVS_FIELD_SEQUENCE && step->field->size == step->width &&
                            step->width == sizeof(uint64_t) && is_integer(element) && is_unsigned(element));
}

static bool map_member(const bt_field_class *class, uint64_t index, struct uvs__ctf_step *step)
{
    switch (bt_field_class_get_type(class)) {
    case BT_FIELD_CLASS_TYPE_STRING:
        step->op = UVS__CTF_STRING;
        return !step->field || step->field->form == UVS_FIELD_STRING;
    case BT_FIELD_CLASS_TYPE_DYNAMIC_ARRAY_WITH_LENGTH_FIELD:
        if (!map_sequence(class, index, step) || step[-1].op != UVS__CTF_SKIP || step[-1].width > 8)
            return false;
        step[-1].op = UVS__CTF_LENGTH;
        return true;
    default:
        return map_integer(class, step);
    }
}

static void settle(struct uvs__ctf_event *event)
{
    event->is_fixed = true;
    for (uint32_t i = 0; i < event->step_count; i++) {
        struct uvs__ctf_step *step = &event->steps[i];
        step->from = event->size;
        event->is_fixed = event->is_fixed && step->op <= UVS__CTF_SKIP;
        if (step->op == UVS__CTF_STRING)
            event->size++;
        else if (step->op != UVS__CTF_SEQUENCE)
            event->size += step->width;
    }
}

static void set_initial(struct uvs__ctf_event *event)
{
    event->initial.type = event->type;
    const uint8_t count = event->type < 0 ? 0 : uvs_event_classes[event->type].field_count;
    uint8_t found = 0;
    for (uint8_t i = 0; i < count; i++)
        uvs__event_set_absent(&event->initial, &uvs_event_classes[event->type].fields[i]);
    for (uint32_t i = 0; i < event->step_count; i++)
        found = (uint8_t)(found + (event->steps[i].field != NULL));
    event->is_partial = found < count;
}

static struct uvs__ctf_plain plain_of(const struct uvs__ctf_event *event)
{
    const struct uvs__ctf_plain other = {0};
    if (event->type < 0 || !event->is_fixed || event->is_partial || event->size > UVS__CTF_PLAIN_BYTES)
        return other;
    for (uint32_t i = 0; i < event->step_count; i++) {
        const struct uvs__ctf_step *step = &event->steps[i];
        if (step->op != UVS__CTF_COPY || step->field->offset != UVS__EVENT_PAYLOAD + step->from)
            return other;
    }
    return (struct uvs__ctf_plain){.size = (uint16_t)event->size, .type = (uint16_t)event->type};
}

static int map_event(const bt_event_class *class, struct uvs__ctf_event *event, struct uvs_error *why)
{
    const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(class);
    const uint64_t count = payload ? bt_field_class_structure_get_member_count(payload) : 0;
    const char *name = bt_event_class_get_name(class);
    event->is_known = true;
    event->type = uvs__event_type_from_name(name);
    event->steps = calloc(count + 1, sizeof(*event->steps));
    if (!event->steps)
        return uvs_error_set(why, UVS_E_ENVIRONMENT, "out of memory");
    for (uint64_t i = 0; i < count; i++) {
        const bt_field_class_structure_member *member = bt_field_class_structure_borrow_member_by_index_const(
            payload, i);
        const char *member_name = bt_field_class_structure_member_get_name(member);
        struct uvs__ctf_step *step = &event->steps[i];
        step->field = find_field(event->type, member_name);
        if (!map_member(bt_field_class_structure_member_borrow_field_class_const(member), i, step))
            return refuse_field(why, name, member_name);
        event->step_count++;
    }
    settle(event);
    set_initial(event);
    return 1;
}

static bool clock_is_known(const bt_stream_class *class)
{
    const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(class);
    return clock && bt_clock_class_get_frequency(clock) == 1000000000;
}

static int map_class(const bt_stream_class *class, struct uvs__ctf_stream_class *mapped,
                     struct uvs_error *why)
{
    const uint64_t count = bt_stream_class_get_event_class_count(class);
    mapped->id = bt_stream_class_get_id(class);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t id = bt_event_class_get_id(
            bt_stream_class_borrow_event_class_by_index_const(class, i));
        if (id >= MAX_EVENTS)
            return refuse(why, "there are too many kinds of events");
        if (id >= mapped->event_count)
            mapped->event_count = id + 1;
    }
    mapped->events = calloc(mapped->event_count + 1, sizeof(*mapped->events));
    mapped->plains = calloc(mapped->event_count + 1, sizeof(*mapped->plains));
    if (!mapped->events || !mapped->plains)
        return uvs_error_set(why, UVS_E_ENVIRONMENT, "out of memory");
    if (!clock_is_known(class))
        return refuse(why, "its clock does not count nanoseconds");
    int result = 1;
    for (uint64_t i = 0; i < count && result > 0; i++) {
        const bt_event_class *event = bt_stream_class_borrow_event_class_by_index_const(class, i);
        const uint64_t id = bt_event_class_get_id(event);
        result = map_event(event, &mapped->events[id], why);
        mapped->plains[id] = plain_of(&mapped->events[id]);
    }
    return result;
}

static int map_trace(const bt_trace_class *class, struct uvs__ctf_layout *layout, struct uvs_error *why)
{
    const uint64_t count = bt_trace_class_get_stream_class_count(class);
    layout->classes = calloc(count + 1, sizeof(*layout->classes));
    if (!layout->classes)
        return uvs_error_set(why, UVS_E_ENVIRONMENT, "out of memory");
    int result = 1;
    for (uint64_t i = 0; i < count && result > 0; i++)
        result = map_class(bt_trace_class_borrow_stream_class_by_index_const(class, i),
                           &layout->classes[layout->class_count++], why);
    return result;
}

static int check_text(struct uvs__ctf_input *input, struct uvs_error *why)
{
    struct uvs__ctf_metadata metadata = {0};
    if (!uvs__ctf_metadata_load(input, &metadata))
        return refuse(why, "its metadata cannot be read");
    const char *unknown = metadata.is_lttng ? find_unknown(metadata.text) : "another tracer wrote it";
    free(metadata.text);
    return unknown ? refuse(why, unknown) : 1;
}

int uvs__ctf_layout_learn(struct uvs__ctf_input *input, const bt_trace_class *class,
                          struct uvs__ctf_layout *ret_layout, struct uvs_error *ret_why)
{
    struct uvs__ctf_layout layout = {0};
    int result = check_text(input, ret_why);
    if (result > 0)
        result = map_trace(class, &layout, ret_why);
    if (result > 0)
        *ret_layout = layout;
    else
        uvs__ctf_layout_clear(&layout);
    return result;
}

void uvs__ctf_layout_clear(struct uvs__ctf_layout *layout)
{
    for (size_t i = 0; i < layout->class_count; i++) {
        struct uvs__ctf_stream_class *class = &layout->classes[i];
        for (size_t k = 0; class->events && k < class->event_count; k++)
            free(class->events[k].steps);
        free(class->events);
        free(class->plains);
    }
    free(layout->classes);
    *layout = (struct uvs__ctf_layout){0};
}

const struct uvs__ctf_stream_class *uvs__ctf_layout_class(const struct uvs__ctf_layout *layout, uint64_t id)
{
    for (size_t i = 0; i < layout->class_count; i++)
        if (layout->classes[i].id == id)
            return &layout->classes[i];
    return NULL;
}
