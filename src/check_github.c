// SPDX-License-Identifier: MIT
// Workflow commands of GitHub Actions ("Workflow commands for GitHub Actions" in its documentation says what
// is escaped and how).
#include "check_forms.h"

#include <stdlib.h>
#include <string.h>

// is_property: a value within the command, where , and : would end it.
static void print_escaped(FILE *out, const char *text, bool is_property)
{
    const char *special = is_property ? "%\r\n:," : "%\r\n";
    for (; *text; text++) {
        if (strchr(special, *text))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else
            fputc(*text, out);
    }
}

// GitHub knows files by their path in the repository.
static const char *path_in_workspace(const char *file)
{
    const char *workspace = getenv("GITHUB_WORKSPACE");
    const size_t length = workspace ? strlen(workspace) : 0;
    return length > 0 && strncmp(file, workspace, length) == 0 && file[length] == '/' ? file + length + 1
                                                                                      : file;
}

static void print_violation(FILE *out, const struct uvs__outcome *outcome)
{
    fputs("::error title=uvscope", out);
    if (outcome->file) {
        fputs(",file=", out);
        print_escaped(out, path_in_workspace(outcome->file), true);
    }
    if (outcome->file && outcome->line > 0)
        fprintf(out, ",line=%d", outcome->line);
    fputs("::", out);
    print_escaped(out, outcome->text, false);
    fputc('\n', out);
}

int uvs__print_check_github(FILE *out, const struct uvs__check_result *result)
{
    for (size_t i = 0; i < result->outcome_count; i++)
        if (!result->outcomes[i].passed)
            print_violation(out, &result->outcomes[i]);
    return 0;
}
