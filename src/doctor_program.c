// SPDX-License-Identifier: MIT
// What a program allows.
#include "doctor.h"

#include "preflight.h"

#include <string.h>

static void say_found(struct uvs_checkup *checkup, const struct uvs_program *program)
{
    if (program->binary[0] == '\0')
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "program",
                                             "%s is a script, and which interpreter it gets cannot be told",
                                             program->path),
                            "ask about the interpreter: uvscope doctor INTERPRETER");
    else if (strcmp(program->binary, program->path) != 0)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "program", "%s is a script, run by %s", program->path,
                         program->binary);
    else if (program->is_elf)
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "program", "%s may be executed", program->path);
    else
        uvs__checkup_remedy(uvs__checkup_add(checkup, UVS_HEALTH_WARNING, "program",
                                             "%s cannot be read, or is a text that the shell runs: what it "
                                             "allows cannot be told",
                                             program->path),
                            "ask about the program that it runs");
}

void uvs__doctor_program(struct uvs_checkup *checkup, const char *program)
{
    struct uvs_program found = {0};
    for (const struct uvs_preflight_step *step = uvs__preflight_steps; step->name; step++) {
        struct uvs_error error = {0};
        if (step->run(program, &found, &error)) {
            uvs__checkup_add_error(checkup, UVS_HEALTH_PROBLEM, step->name, &error);
            return;
        }
        if (step == uvs__preflight_steps)
            say_found(checkup, &found);
        else if (found.is_elf)
            uvs__checkup_add(checkup, UVS_HEALTH_OK, step->name, "%s", step->passed);
    }
    if (!found.is_elf)
        return;
    uvs__doctor_libuv(checkup, found.binary);
    uvs__doctor_gc(checkup, found.binary);
}
