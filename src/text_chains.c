// SPDX-License-Identifier: MIT
// Chains of callbacks: a line for each one, and a line for each of its steps.
#include "text_chains.h"

#include "text_prose.h"

#include <inttypes.h>

enum { CHAINS_SHOWN = 3, STEPS_SHOWN = 8, STEP_INDENT = 17 };

struct part {
    const char *what;
    uint64_t ns;
};

// Parts that are 0 say nothing.
static void print_parts(FILE *out, const struct part *parts, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].ns == 0)
            continue;
        fprintf(out, "%s%s ", any ? ", " : "", parts[i].what);
        uvs__print_ns(out, parts[i].ns);
        any = true;
    }
}

static void print_head(FILE *to, const struct uvs__look *look, const struct uvs_report *report,
                       const struct uvs_chain_row *chain)
{
    struct uvs__prose prose;
    FILE *out = uvs__prose_begin(&prose, to);
    const struct part parts[] = {{"running", chain->running_ns},
                                 {"delayed by others", chain->delayed_ns},
                                 {"in the pool's queue", chain->queue_ns},
                                 {"on a worker", chain->service_ns},
                                 {"waiting", chain->waiting_ns}};
    fputs("  ", to);
    uvs__print_ns(out, chain->total_ns);
    fputs(" from ", out);
    uvs__print_moment(out, chain->begin_ns > report->trace.begin_ns ? chain->begin_ns - report->trace.begin_ns
                                                                    : 0);
    fputs(" on: ", out);
    print_parts(out, parts, sizeof(parts) / sizeof(parts[0]));
    fprintf(out, " (operation ");
    if (report->process_count > 1)
        fprintf(out, "%" PRIu32 ":", chain->pid);
    fprintf(out, "%" PRIu64 ")", chain->op);
    uvs__prose_end(&prose, look, 2, 6);
    fputc('\n', to);
}

static void print_step(FILE *to, const struct uvs__look *look, const struct uvs_chain_step *step)
{
    struct uvs__prose prose;
    FILE *out = uvs__prose_begin(&prose, to);
    const struct part parts[] = {{"waited", step->waiting_ns},
                                 {"queued", step->queue_ns},
                                 {"on a worker", step->service_ns},
                                 {"late", step->delayed_ns},
                                 {"ran", step->running_ns}};
    const char *kind = uvs_kind_name(step->kind);
    fprintf(to, "    %-12s ", kind ? kind : "?");
    if (step->site)
        uvs__print_escaped(out, step->site->label);
    else
        fputs("something unknown", out);
    fputs(": ", out);
    print_parts(out, parts, sizeof(parts) / sizeof(parts[0]));
    uvs__prose_end(&prose, look, STEP_INDENT, STEP_INDENT);
    fputc('\n', to);
}

static void print_steps(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                        const struct uvs_chain_row *chain, size_t shown)
{
    size_t left_out = chain->step_count > shown ? chain->step_count - shown : 0;
    print_head(out, look, report, chain);
    for (size_t i = 0; i < chain->step_count; i++) {
        bool is_left_out = i >= shown / 2 && i < shown / 2 + left_out;
        if (!is_left_out)
            print_step(out, look, &chain->steps[i]);
        else if (i == shown / 2)
            fprintf(out, "    … %zu more …\n", left_out);
    }
}

void uvs__print_chain(FILE *out, const struct uvs__look *look, const struct uvs_report *report,
                      const struct uvs_chain_row *chain)
{
    print_steps(out, look, report, chain, SIZE_MAX);
}

void uvs__print_chains(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    size_t shown = report->chain_count;
    if (look->top && shown > CHAINS_SHOWN)
        shown = CHAINS_SHOWN;
    if (shown == 0)
        return;
    uvs__style_begin(out, look, UVS__STYLE_BOLD);
    fputs("\nSlowest chains of callbacks\n", out);
    uvs__style_end(out, look, UVS__STYLE_BOLD);
    for (size_t i = 0; i < shown; i++)
        print_steps(out, look, report, &report->chains[i], look->top ? STEPS_SHOWN : SIZE_MAX);
    if (shown < report->chain_count)
        fprintf(out, "  … and %zu more\n", report->chain_count - shown);
}
