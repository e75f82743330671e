// SPDX-License-Identifier: MIT
// A report as one page: a frame with holes, filled with style, scripts and the report's JSON.
#include "report_forms.h"

#include "report_page.h"
#include "report_short.h"
#include "report_stacks.h"
#include "text_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { NONCE_BYTES = 16 };

struct filling {
    const struct uvs_report *report;
    const char *json;
    unsigned char nonce[NONCE_BYTES];
};

static void print_verdict(FILE *out, const struct filling *filling)
{
    const struct uvs__look plain = {.short_names = true};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    uvs__print_verdict(stream, &plain, filling->report);
    if (fclose(stream) == 0)
        for (const char *at = text; *at; at++)
            fprintf(out, strchr("<>&\"'", *at) ? "&#%d;" : "%c", *at);
    free(text);
}

static void print_short(FILE *out, const struct filling *filling)
{
    uvs__print_short_names(out, filling->json);
}

static void print_stacks(FILE *out, const struct filling *filling)
{
    uvs__print_stacks_json(out, filling->report);
}

// No name of the trace ends the script that it stands in. Line breaks are between values only: in strings
// they are escaped.
static void print_json(FILE *out, const struct filling *filling)
{
    for (const char *at = filling->json; *at; at++)
        if (*at == '\n')
            at += strspn(at + 1, " ");
        else if (*at == '<')
            fputs("\\u003c", out);
        else
            fputc(*at, out);
}

// Known to no trace: a script that one smuggled in would not run.
static void print_nonce(FILE *out, const struct filling *filling)
{
    for (size_t i = 0; i < NONCE_BYTES; i++)
        fprintf(out, "%02x", filling->nonce[i]);
}

#define PART(name)                                                     \
    static void print_##name(FILE *out, const struct filling *filling) \
    {                                                                  \
        (void)filling;                                                 \
        fputs(uvs__##name, out);                                       \
    }
PART(page_css)
PART(page_js)
PART(flame_js)
PART(uplot_min_css)
PART(uplot_iife_min_js)
PART(license)

// In the frame: @NAME@.
static const struct {
    const char *name;
    void (*print)(FILE *out, const struct filling *filling);
} holes[] = {
    {"nonce", print_nonce},
    {"verdict", print_verdict},
    {"report", print_json},
    {"short", print_short},
    {"stacks", print_stacks},
    {"page.css", print_page_css},
    {"page.js", print_page_js},
    {"flame.js", print_flame_js},
    {"uplot.css", print_uplot_min_css},
    {"uplot.js", print_uplot_iife_min_js},
    {"uplot.license", print_license},
};

static const char *fill_hole(FILE *out, const char *at, const struct filling *filling)
{
    for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
        size_t length = strlen(holes[i].name);
        if (strncmp(at + 1, holes[i].name, length) != 0 || at[length + 1] != '@')
            continue;
        holes[i].print(out, filling);
        return at + length + 2;
    }
    fputc('@', out);
    return at + 1;
}

int uvs__render_html(FILE *out, const struct uvs_report *report, void *data __attribute__((unused)),
                     struct uvs_error *error)
{
    char *json = uvs_report_to_json(report);
    if (!json)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report");
    struct filling filling = {.report = report, .json = json};
    if (getrandom(filling.nonce, NONCE_BYTES, 0) != NONCE_BYTES) {
        free(json);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no random number for the page: %s", strerror(errno));
    }
    for (const char *at = uvs__page_html; *at;) {
        size_t length = strcspn(at, "@");
        fwrite(at, 1, length, out);
        at += length;
        if (*at)
            at = fill_hole(out, at, &filling);
    }
    free(json);
    return UVS_E_OK;
}
