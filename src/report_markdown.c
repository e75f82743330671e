// SPDX-License-Identifier: MIT
// A report as Markdown.
#include "report_forms.h"

#include "text_blame.h"
#include "text_prose.h"
#include "text_report.h"

static const char *const severities[] = {
    [UVS_INFO] = "info", [UVS_WARNING] = "warning", [UVS_ERROR] = "error"};

static void print_shown(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    struct uvs__prose prose;
    fputc('\n', out);
    uvs__print_shown(uvs__prose_begin(&prose, out), report);
    uvs__prose_end(&prose, look, 0, 0);
}

static void print_sentence(FILE *out, const struct uvs__look *look, const char *text)
{
    struct uvs__prose prose;
    uvs__print_sentence(uvs__prose_begin(&prose, out), text);
    uvs__prose_end(&prose, look, 0, 0);
}

static void print_findings(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    if (report->finding_count)
        fputc('\n', out);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct uvs_finding *finding = &report->findings[i];
        fprintf(out, "- **%s** (%s): ", severities[finding->severity], finding->id);
        print_sentence(out, look, finding->text);
        if (finding->advice) {
            fputs("  \n  _", out);
            print_sentence(out, look, finding->advice);
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
    look.markdown = look.short_names = true;
    look.width = 0;
    fputs("### uvscope\n\n", out);
    uvs__print_verdict(out, &look, report);
    if (report->shown.any)
        print_shown(out, &look, report);
    print_findings(out, &look, report);
    uvs__print_blame(out, &look, report);
    fputs("\n<details><summary>Tables</summary>\n", out);
    const int rc = uvs__print_tables(out, &look, report);
    fputs("\n</details>\n\n", out);
    print_facts(out, report);
    return rc ? uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the report") : UVS_E_OK;
}
