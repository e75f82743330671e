// SPDX-License-Identifier: MIT
// A report as Markdown.
#include "report_forms.h"

#include "text_report.h"

#include <stdlib.h>
#include <string.h>

static const char *const severities[] = {
    [UVS_INFO] = "info", [UVS_WARNING] = "warning", [UVS_ERROR] = "error"};

// What is printed for a terminal, in one line and with Markdown's characters escaped.
static int print_line(FILE *out,
                      void (*print)(FILE *out, const struct uvs__look *look, const struct uvs_report *),
                      const struct uvs_report *report)
{
    const struct uvs__look plain = {0};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return -UVS_E_ENVIRONMENT;
    print(stream, &plain, report);
    bool failed = fclose(stream) != 0;
    if (!failed) {
        text[strcspn(text, "\n")] = '\0';
        uvs__print_markdown(out, text);
    }
    free(text);
    return failed ? -UVS_E_ENVIRONMENT : 0;
}

static void print_shown(FILE *out, const struct uvs__look *look __attribute__((unused)),
                        const struct uvs_report *report)
{
    uvs__print_shown(out, report);
}

static void print_text(FILE *out, const char *raw)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    uvs__print_escaped(stream, raw);
    if (fclose(stream) == 0)
        uvs__print_markdown(out, text);
    free(text);
}

static void print_findings(FILE *out, const struct uvs_report *report)
{
    if (report->finding_count)
        fputc('\n', out);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct uvs_finding *finding = &report->findings[i];
        fprintf(out, "- **%s** (%s): ", severities[finding->severity], finding->id);
        print_text(out, finding->text);
        if (finding->advice) {
            fputs("  \n  _", out);
            print_text(out, finding->advice);
            fputc('_', out);
        }
        fputc('\n', out);
    }
}

static void print_facts(FILE *out, const struct uvs_report *report)
{
    uvs__print_count(out, report->trace.events);
    fputs(" events in ", out);
    uvs__print_ns(out, report->trace.duration_ns);
    fputs("; ", out);
    if (!uvs__print_loss(out, &report->trace))
        fputs("no events were lost", out);
    if (report->trace.incomplete)
        fputs("; **the trace is incomplete**", out);
    fputs(". By uvscope " UVS_VERSION ".\n", out);
}

int uvs__render_markdown(FILE *out, const struct uvs_report *report, void *data, struct uvs_error *error)
{
    struct uvs__look look = *(const struct uvs__look *)data;
    look.colour = false;
    look.markdown = true;
    look.width = 0;
    fputs("### uvscope\n\n", out);
    int rc = print_line(out, uvs__print_verdict, report);
    if (report->shown.any) {
        fputs("\n\n", out);
        rc = rc ? rc : print_line(out, print_shown, report);
    }
    fputc('\n', out);
    print_findings(out, report);
    fputs("\n<details><summary>Tables</summary>\n", out);
    if (!rc)
        rc = uvs__print_tables(out, &look, report);
    fputs("\n</details>\n\n", out);
    print_facts(out, report);
    return rc ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report") : UVS_E_OK;
}
