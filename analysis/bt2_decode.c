// SPDX-License-Identifier: MIT
// Each event class is mapped to our table once, by field name; then events are read by index.
#include "bt2_decode.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 16, MAX_SEQUENCE = UINT8_MAX };

// What is most frequent has a form for each width.
enum form { FORM_U8, FORM_U16, FORM_U32, FORM_U64, FORM_SIGNED, FORM_STRING, FORM_SEQUENCE };

struct mapped_field {
    const struct uvs_field *field;
    uint64_t index; // of the payload's member
    enum form form;
    uint16_t offset; // the field's
};

struct mapped_class {
    const bt_event_class *class; // a reference, so that the address stays its own; NULL: a free slot
    int type;                    // enum uvs_event_type; -1: not ours
    bool clock_is_ns;
    bool is_partial; // the trace lacks fields of ours: `initial` comes first
    uint8_t field_count;
    struct mapped_field fields[MAX_FIELDS];
    struct uvs_event initial;
};

struct uvs__bt2_decoder {
    const struct mapped_class *last;
    struct mapped_class **slots; // open addressing, a power of two
    size_t slot_count, used;
    uint64_t sequence[MAX_SEQUENCE];
};

#define ONE(...) +1
#define X(name, detail) \
    _Static_assert(0 UVS_EVENT_##name(ONE, ONE, ONE, name) <= MAX_FIELDS, "MAX_FIELDS: " #name);
UVS_EVENT_MAP(X)
#undef X
#undef ONE

struct uvs__bt2_decoder *uvs__bt2_decoder_create(void)
{
    struct uvs__bt2_decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return NULL;
    decoder->slot_count = 64;
    decoder->slots = calloc(decoder->slot_count, sizeof(struct mapped_class *));
    if (decoder->slots)
        return decoder;
    free(decoder);
    return NULL;
}

void uvs__bt2_decoder_destroy(struct uvs__bt2_decoder *decoder)
{
    if (!decoder)
        return;
    for (size_t i = 0; i < decoder->slot_count; i++) {
        if (!decoder->slots[i])
            continue;
        bt_event_class_put_ref(decoder->slots[i]->class);
        free(decoder->slots[i]);
    }
    free(decoder->slots);
    free(decoder);
}

static struct mapped_class **find_slot(struct mapped_class **slots, size_t count, const bt_event_class *class)
{
    size_t i = ((uintptr_t) class >> 4) * 0x9e3779b97f4a7c15u >> 32;
    for (i &= count - 1; slots[i] && slots[i]->class != class; i = (i + 1) & (count - 1))
        ;
    return &slots[i];
}

static bool grow(struct uvs__bt2_decoder *decoder)
{
    const size_t count = decoder->slot_count * 2;
    struct mapped_class **slots = calloc(count, sizeof(struct mapped_class *));
    if (!slots)
        return false;
    for (size_t i = 0; i < decoder->slot_count; i++)
        if (decoder->slots[i])
            *find_slot(slots, count, decoder->slots[i]->class) = decoder->slots[i];
    free(decoder->slots);
    decoder->slots = slots;
    decoder->slot_count = count;
    return true;
}

static bool integer_fits(const bt_field_class *class, const struct uvs_field *field)
{
    const bt_field_class_type type = field->is_signed ? BT_FIELD_CLASS_TYPE_SIGNED_INTEGER
                                                      : BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER;
    return bt_field_class_type_is(bt_field_class_get_type(class), type) &&
           bt_field_class_integer_get_field_value_range(class) <= field->size * 8u;
}

static bool fits(const bt_field_class *class, const struct uvs_field *field)
{
    const bt_field_class_type type = bt_field_class_get_type(class);
    switch (field->form) {
    case UVS_FIELD_INTEGER:
        return integer_fits(class, field);
    case UVS_FIELD_STRING:
        return type == BT_FIELD_CLASS_TYPE_STRING;
    case UVS_FIELD_SEQUENCE:
        return field->size == sizeof(uint64_t) && bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY) &&
               integer_fits(bt_field_class_array_borrow_element_field_class_const(class), field);
    }
    return false;
}

static enum form form_of(const struct uvs_field *field)
{
    if (field->form == UVS_FIELD_INTEGER && field->is_signed)
        return FORM_SIGNED;
    if (field->form == UVS_FIELD_INTEGER)
        return field->size == 1   ? FORM_U8
               : field->size == 2 ? FORM_U16
               : field->size == 4 ? FORM_U32
                                  : FORM_U64;
    return field->form == UVS_FIELD_STRING ? FORM_STRING : FORM_SEQUENCE;
}

static bool find_member(const bt_field_class *payload, const char *name, uint64_t *ret_index,
                        const bt_field_class **ret_class)
{
    const uint64_t count = payload ? bt_field_class_structure_get_member_count(payload) : 0;
    for (uint64_t i = 0; i < count; i++) {
        const bt_field_class_structure_member *member = bt_field_class_structure_borrow_member_by_index_const(
            payload, i);
        if (strcmp(bt_field_class_structure_member_get_name(member), name) != 0)
            continue;
        *ret_index = i;
        *ret_class = bt_field_class_structure_member_borrow_field_class_const(member);
        return true;
    }
    return false;
}

static int map_fields(struct mapped_class *mapped, struct uvs_error *error)
{
    const struct uvs_event_class *ours = &uvs_event_classes[mapped->type];
    const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(mapped->class);
    for (uint8_t i = 0; i < ours->field_count; i++) {
        const struct uvs_field *field = &ours->fields[i];
        const bt_field_class *class;
        uint64_t index;
        uvs__event_set_absent(&mapped->initial, field);
        if (!find_member(payload, field->name, &index, &class))
            continue;
        if (!fits(class, field))
            return uvs_error_set(
                error, UVS_E_TRACE,
                "the trace is of another schema: field %s of event %s has another type; read it "
                "with the uvscope version that recorded it",
                field->name, ours->name);
        mapped->fields[mapped->field_count++] = (struct mapped_field){
            .field = field, .index = index, .form = form_of(field), .offset = field->offset};
    }
    mapped->is_partial = mapped->field_count < ours->field_count;
    return 0;
}

static int map_class(struct mapped_class *mapped, struct uvs_error *error)
{
    const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(
        bt_event_class_borrow_stream_class_const(mapped->class));
    mapped->type = uvs__event_type_from_name(bt_event_class_get_name(mapped->class));
    mapped->initial.type = mapped->type;
    if (mapped->type < 0)
        return 0;
    if (!clock)
        return uvs_error_set(error, UVS_E_TRACE, "event %s has no clock",
                             uvs_event_classes[mapped->type].name);
    mapped->clock_is_ns = bt_clock_class_get_frequency(clock) == 1000000000;
    return map_fields(mapped, error);
}

static int add_class(struct uvs__bt2_decoder *decoder, const bt_event_class *class,
                     const struct mapped_class **ret_mapped, struct uvs_error *error)
{
    struct mapped_class *mapped = calloc(1, sizeof(*mapped));
    if (!mapped || (decoder->used * 2 >= decoder->slot_count && !grow(decoder))) {
        free(mapped);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    }
    mapped->class = class;
    const int result = map_class(mapped, error);
    if (result < 0) {
        free(mapped);
        return result;
    }
    bt_event_class_get_ref(class);
    *find_slot(decoder->slots, decoder->slot_count, class) = mapped;
    decoder->used++;
    *ret_mapped = mapped;
    return 0;
}

static void read_sequence(struct uvs__bt2_decoder *decoder, const bt_field *array,
                          const struct uvs_field *field, struct uvs_event *event)
{
    uint64_t count = bt_field_array_get_length(array);
    if (count > MAX_SEQUENCE)
        count = MAX_SEQUENCE;
    for (uint64_t i = 0; i < count; i++)
        decoder->sequence[i] = bt_field_integer_unsigned_get_value(
            bt_field_array_borrow_element_field_by_index_const(array, i));
    *((uint8_t *)event + field->count_offset) = (uint8_t)count;
    uvs__event_point(event, field->offset, decoder->sequence);
}

// babeltrace < 2.0.5 clears a string's length only: the value of an empty one is what was there before.
static const char *read_string(const bt_field *value)
{
    return bt_field_string_get_length(value) == 0 ? "" : bt_field_string_get_value(value);
}

static void read_field(struct uvs__bt2_decoder *decoder, const bt_field *value,
                       const struct mapped_field *mapped, struct uvs_event *event)
{
    switch (mapped->form) {
    case FORM_U8:
        uvs__event_set(event, mapped->offset, 1, bt_field_integer_unsigned_get_value(value));
        break;
    case FORM_U16:
        uvs__event_set(event, mapped->offset, 2, bt_field_integer_unsigned_get_value(value));
        break;
    case FORM_U32:
        uvs__event_set(event, mapped->offset, 4, bt_field_integer_unsigned_get_value(value));
        break;
    case FORM_U64:
        uvs__event_set(event, mapped->offset, 8, bt_field_integer_unsigned_get_value(value));
        break;
    case FORM_SIGNED:
        uvs__event_set(event, mapped->offset, mapped->field->size,
                       (uint64_t)bt_field_integer_signed_get_value(value));
        break;
    case FORM_STRING:
        uvs__event_point(event, mapped->offset, read_string(value));
        break;
    case FORM_SEQUENCE:
        read_sequence(decoder, value, mapped->field, event);
        break;
    }
}

uint64_t uvs__bt2_snapshot_ns(const bt_clock_snapshot *snapshot)
{
    const uint64_t value = bt_clock_snapshot_get_value(snapshot);
    const uint64_t frequency = bt_clock_class_get_frequency(
        bt_clock_snapshot_borrow_clock_class_const(snapshot));
    if (frequency == 1000000000 || frequency == 0)
        return value;
    return (uint64_t)((unsigned __int128)value * 1000000000 / frequency);
}

int uvs__bt2_decode(struct uvs__bt2_decoder *decoder, const bt_message *message, struct uvs_event *ret_event,
                    struct uvs_error *error)
{
    const bt_event *event = bt_message_event_borrow_event_const(message);
    const bt_event_class *class = bt_event_borrow_class_const(event);
    const struct mapped_class *mapped = decoder->last;
    if (!mapped || mapped->class != class) {
        mapped = *find_slot(decoder->slots, decoder->slot_count, class);
        const int result = mapped ? 0 : add_class(decoder, class, &mapped, error);
        if (result < 0)
            return result;
        decoder->last = mapped;
    }
    if (mapped->type < 0)
        return 0;
    const bt_clock_snapshot *clock = bt_message_event_borrow_default_clock_snapshot_const(message);
    const bt_field *payload = bt_event_borrow_payload_field_const(event);
    if (mapped->is_partial)
        *ret_event = mapped->initial;
    ret_event->type = mapped->type;
    ret_event->time_ns = mapped->clock_is_ns ? bt_clock_snapshot_get_value(clock)
                                             : uvs__bt2_snapshot_ns(clock);
    for (uint8_t i = 0; i < mapped->field_count; i++) {
        const struct mapped_field *field = &mapped->fields[i];
        read_field(decoder, bt_field_structure_borrow_member_field_by_index_const(payload, field->index),
                   field, ret_event);
    }
    return 1;
}
