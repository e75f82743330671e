// SPDX-License-Identifier: MIT
// JUnit XML. XML 1.0 has no way to hold most control characters, so text is escaped as on a terminal first.
#include "check_forms.h"

#include <stdlib.h>
#include <string.h>

// "&amp;" for &, and so on; NULL: as it is.
static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static int print_text(FILE *out, const char *text)
{
    char *escaped = NULL;
    size_t size;
    FILE *memory = open_memstream(&escaped, &size);
    if (!memory)
        return -UVS_E_ENVIRONMENT;
    uvs__print_escaped(memory, text);
    if (fclose(memory) != 0) {
        free(escaped);
        return -UVS_E_ENVIRONMENT;
    }
    for (const char *c = escaped; *c; c++) {
        const char *entity = entity_of(*c);
        if (entity)
            fputs(entity, out);
        else
            fputc(*c, out);
    }
    free(escaped);
    return 0;
}

static int print_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    const int rc = print_text(out, text);
    fputc('"', out);
    return rc;
}

static int print_case(FILE *out, const struct uvs__outcome *outcome)
{
    fputs("    <testcase", out);
    int rc = print_attribute(out, "name", outcome->name);
    fprintf(out, " classname=\"uvscope.%s\"", outcome->suite);
    if (outcome->file && rc == 0)
        rc = print_attribute(out, "file", outcome->file);
    if (outcome->file && outcome->line > 0)
        fprintf(out, " line=\"%d\"", outcome->line);
    if (outcome->passed || rc < 0) {
        fputs("/>\n", out);
        return rc;
    }
    fputs(">\n      <failure type=\"violated\"", out);
    rc = print_attribute(out, "message", outcome->text);
    fputs("/>\n    </testcase>\n", out);
    return rc;
}

static size_t count(const struct uvs__check_result *result, const char *suite, bool only_failed)
{
    size_t number = 0;
    for (size_t i = 0; i < result->outcome_count; i++)
        number += strcmp(result->outcomes[i].suite, suite) == 0 &&
                  !(only_failed && result->outcomes[i].passed);
    return number;
}

static int print_suite(FILE *out, const struct uvs__check_result *result, const char *suite)
{
    int rc = 0;
    if (count(result, suite, false) == 0)
        return 0;
    fprintf(out,
            "  <testsuite name=\"uvscope %s\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
            suite, count(result, suite, false), count(result, suite, true));
    for (size_t i = 0; i < result->outcome_count && rc == 0; i++)
        if (strcmp(result->outcomes[i].suite, suite) == 0)
            rc = print_case(out, &result->outcomes[i]);
    fputs("  </testsuite>\n", out);
    return rc;
}

int uvs__print_check_junit(FILE *out, const struct uvs__check_result *result)
{
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"uvscope\" tests=\"%zu\" "
            "failures=\"%zu\">\n",
            result->outcome_count, result->failed);
    int rc = print_suite(out, result, "rules");
    if (rc == 0)
        rc = print_suite(out, result, "baseline");
    fputs("</testsuites>\n", out);
    return rc;
}
