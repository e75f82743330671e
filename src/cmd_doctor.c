// SPDX-License-Identifier: MIT
// `uvscope doctor`: what keeps a recording from working, before it is made.
#include "command.h"

#include "doctor.h"
#include "text_format.h"
#include "../analysis/json_file.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT_TEXT, FORMAT_JSON, NAME_WIDTH = 16, INDENT = 9 };

static int format = FORMAT_TEXT, colour = UVS__COLOUR_AUTO;

static const struct {
    const char *name;
    enum uvs__style style;
} health_rows[] = {
#define X(NAME, name, style) [UVS_HEALTH_##NAME] = {name, UVS__STYLE_##style},
    UVS_HEALTH_MAP(X)
#undef X
};

static size_t count(const struct uvs_checkup *checkup, enum uvs_health health)
{
    size_t number = 0;
    for (size_t i = 0; i < checkup->count; i++)
        number += checkup->rows[i].health == health;
    return number;
}

// --- Text ---

static void print_check(const struct uvs__look *look, const struct uvs_check *check)
{
    const char *name = health_rows[check->health].name;
    fputs("  ", stdout);
    uvs__style_begin(stdout, look, health_rows[check->health].style);
    fputs(name, stdout);
    uvs__style_end(stdout, look, health_rows[check->health].style);
    printf("%*s%-*s", (int)(INDENT - strlen(name)), "", NAME_WIDTH, check->name);
    uvs__print_escaped(stdout, check->text);
    if (check->remedy[0]) {
        printf("\n%*s-> ", 2 + INDENT + NAME_WIDTH, "");
        uvs__print_escaped(stdout, check->remedy);
    }
    putchar('\n');
}

static void print_text(const struct uvs_checkup *checkup, const char *program)
{
    struct uvs__look look = uvs__look_of_stdout((enum uvs__colour)colour, 0);
    const char *about = "";
    for (size_t i = 0; i < checkup->count; i++) {
        const struct uvs_check *check = &checkup->rows[i];
        if (strcmp(about, check->about) != 0)
            printf("%s%s\n", i ? "\n" : "", strcmp(check->about, "machine") ? program : "This machine");
        about = check->about;
        print_check(&look, check);
    }
    size_t problems = count(checkup, UVS_HEALTH_PROBLEM), warnings = count(checkup, UVS_HEALTH_WARNING);
    if (problems)
        printf("\nRecording will not work: %zu problem%s.\n", problems, problems > 1 ? "s" : "");
    else if (warnings)
        printf("\nRecording will work, with %zu warning%s.\n", warnings, warnings > 1 ? "s" : "");
    else
        printf("\nRecording will work.\n");
}

// --- JSON ---

static json_t *check_to_json(const struct uvs_check *check)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "about", check->about, "name", check->name, "health",
                     health_rows[check->health].name, "text", uvs__json_text(check->text), "remedy",
                     uvs__json_text(check->remedy[0] ? check->remedy : NULL));
}

static int print_json(const struct uvs_checkup *checkup, const char *program)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < checkup->count; i++)
        json_array_append_new(rows, check_to_json(&checkup->rows[i]));
    json_t *root = json_pack("{s:b, s:o, s:o}", "works", count(checkup, UVS_HEALTH_PROBLEM) == 0, "program",
                             uvs__json_text(program), "checks", rows);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the answer");
    puts(text);
    free(text);
    return UVS_E_OK;
}

static int run(char **operands)
{
    const char *program = operands[0];
    if (program && operands[1])
        return uvs_complain(UVS_E_USAGE, "doctor takes one program, without its arguments");
    static struct uvs_checkup checkup; // too large for a stack
    checkup.about = "machine";
    uvs__doctor_machine(&checkup);
    checkup.about = "program";
    if (program)
        uvs__doctor_program(&checkup, program);
    if (format == FORMAT_TEXT)
        print_text(&checkup, program);
    else if (print_json(&checkup, program))
        return UVS_E_ENVIRONMENT;
    return count(&checkup, UVS_HEALTH_PROBLEM) ? UVS_E_ENVIRONMENT : UVS_E_OK;
}

static const struct uvs_option options[] = {
    {.name = "format",
     .letter = 'f',
     .form = UVS_OPTION_CHOICE,
     .argument = "text|json",
     .help = "For people or for programs (default text)",
     .value = &format},
    {.name = "color",
     .form = UVS_OPTION_CHOICE,
     .argument = UVS__COLOUR_CHOICES,
     .help = "When to use colour; auto is on a terminal, unless NO_COLOR is set (default auto)",
     .value = &colour},
    {0},
};

const struct uvs_command uvs_command_doctor = {
    .name = "doctor",
    .summary = "Say what keeps this machine, or a program, from being recorded",
    .operands = "[PROGRAM]",
    .description =
        "Looks at what a recording needs on this machine, for this user: LTTng, the runtime, shared memory\n"
        "for the buffers, room for the trace, limits. With PROGRAM, also at what that program allows: which\n"
        "libuv it uses, and whether that can be hooked. Nothing is started and nothing is changed; PROGRAM\n"
        "does not run.\n\n"
        "Each line is ok, a warning (recording works, but not as well as it could) or a problem, and says\n"
        "what to do. Ends with 0 when recording will work, with 3 when it will not.",
    .options = options,
    .run = run,
};
