// SPDX-License-Identifier: MIT
// A component's parameters by a table: babeltrace2's -p 'format="json",top=5'.
#ifndef UVS_PARAMETERS_H
#define UVS_PARAMETERS_H

#include <babeltrace2/babeltrace.h>
#include "../../analysis/error.h"

struct uvs__parameter {
    const char *name; // NULL: the end of the table
    enum { UVS__PARAMETER_TEXT, UVS__PARAMETER_DURATION, UVS__PARAMETER_COUNT } form;
    void *at; // const char * that lives as long as `parameters`; uint64_t in ns; uint64_t
};

// Those that are not given keep what is there. 0 or a negative code: a parameter is unknown or has a wrong
// type or value.
int uvs__parameters_read(const bt_value *parameters, const struct uvs__parameter *table,
                         struct uvs_error *error);

// 0, or a negative code: parameter `recording` does not name a directory that `uvscope record` made.
int uvs__check_recording(const char *directory, struct uvs_error *error);

#endif
