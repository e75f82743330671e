// SPDX-License-Identifier: MIT
// The commands there are.
#include "command.h"

#include <string.h>

const struct uvs_command *const uvs_commands[] = {
    &uvs_command_record,
    &uvs_command_report,
    &uvs_command_check,
    &uvs_command_compare,
    &uvs_command_export,
    &uvs_command_doctor,
    &uvs_command_completion,
    NULL,
};

const struct uvs_command *uvs_find_command(const char *name)
{
    for (const struct uvs_command *const *command = uvs_commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}
