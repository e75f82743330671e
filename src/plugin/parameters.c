// SPDX-License-Identifier: MIT
// What babeltrace2's command line gives: strings, and signed integers for plain numbers.
#include "parameters.h"

#include "../../analysis/recording.h"
#include "../command.h"

#include <string.h>

struct reading {
    const struct uvs__parameter *table;
    struct uvs_error *error;
    int result;
};

static void list_names(const struct uvs__parameter *table, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (const struct uvs__parameter *row = table; row->name && used < size; row++)
        used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "", row->name);
}

static bool read_count(const bt_value *value, uint64_t *ret_count)
{
    if (bt_value_is_unsigned_integer(value)) {
        *ret_count = bt_value_integer_unsigned_get(value);
        return true;
    }
    if (!bt_value_is_signed_integer(value) || bt_value_integer_signed_get(value) < 0)
        return false;
    *ret_count = (uint64_t)bt_value_integer_signed_get(value);
    return true;
}

static int read_value(const struct uvs__parameter *row, const bt_value *value, struct uvs_error *error)
{
    if (row->form == UVS__PARAMETER_COUNT) {
        if (read_count(value, row->at))
            return 0;
        return uvs_error_set(error, UVS_E_USAGE, "parameter `%s` must be a number, 0 or more, as in %s=5",
                             row->name, row->name);
    }
    if (!bt_value_is_string(value))
        return uvs_error_set(error, UVS_E_USAGE, "parameter `%s` must be a string, as in %s=\"…\"", row->name,
                             row->name);
    if (row->form == UVS__PARAMETER_TEXT) {
        *(const char **)row->at = bt_value_string_get(value);
        return 0;
    }
    const int result = uvs_parse_duration(bt_value_string_get(value), row->at, error);
    if (result < 0)
        uvs_error_add(error, "parameter `%s`", row->name);
    return result;
}

static bt_value_map_foreach_entry_const_func_status read_entry(const char *name, const bt_value *value,
                                                               void *data)
{
    struct reading *reading = data;
    const struct uvs__parameter *row = reading->table;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    if (row->name) {
        reading->result = read_value(row, value, reading->error);
    } else {
        char names[256];
        list_names(reading->table, names, sizeof(names));
        reading->result = uvs_error_set(reading->error, UVS_E_USAGE,
                                        "there is no parameter `%s`; there are %s", name, names);
    }
    return reading->result < 0 ? BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_INTERRUPT
                               : BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_OK;
}

int uvs__parameters_read(const bt_value *parameters, const struct uvs__parameter *table,
                         struct uvs_error *error)
{
    struct reading reading = {.table = table, .error = error};
    bt_value_map_foreach_entry_const(parameters, read_entry, &reading);
    return reading.result;
}

int uvs__check_recording(const char *directory, struct uvs_error *error)
{
    struct uvs_recording recording = {0};
    const int result = uvs_recording_load(directory, &recording, error);
    uvs_recording_clear(&recording);
    if (result != 0)
        return result < 0 ? result : 0;
    return uvs_error_set(
        error, UVS_E_USAGE,
        "recording=\"%s\" is not a directory that `uvscope record` made; leave it out, or give "
        "the directory that holds " UVS_RECORDING_FILE,
        directory);
}
