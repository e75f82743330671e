// SPDX-License-Identifier: MIT
// The order of a report, its sentences, and the facts at its end.
#include "text_report.h"

#include "text_blame.h"
#include "text_chains.h"
#include "text_prose.h"
#include "../analysis/duration.h"
#include "../analysis/figure.h"

#include <inttypes.h>
#include <string.h>

enum { INTERVALS_SHOWN = 3, FINDING_INDENT = 11 };

struct blockage {
    uint64_t count;
    size_t loops; // that were blocked
    const struct uvs_block *worst;
    const struct uvs_loop_row *worst_loop;
    uint64_t longest_ns;
};

static struct blockage find_blockage(const struct uvs_report *report)
{
    struct blockage found = {0};
    for (size_t i = 0; i < report->loop_count; i++) {
        const struct uvs_loop_row *loop = &report->loops[i];
        found.count += loop->blocked_count;
        found.loops += loop->blocked_count > 0;
        if (loop->block.count && loop->block.max > found.longest_ns)
            found.longest_ns = loop->block.max;
        if (!loop->worst_count || (found.worst && loop->worst[0].duration_ns <= found.worst->duration_ns))
            continue;
        found.worst = &loop->worst[0];
        found.worst_loop = loop;
    }
    return found;
}

static void print_label(FILE *out, const struct uvs_site *site)
{
    uvs__print_escaped(out, site ? site->label : "something unknown");
}

static void print_kind(FILE *out, uint8_t kind)
{
    const char *name = uvs_kind_name(kind);
    if (name)
        fputs(name, out);
    else
        fprintf(out, "kind %u", kind);
}

static void print_sync_culprit(FILE *out, const char *before, const struct uvs_block_part *part)
{
    fprintf(out, "%s by a synchronous ", before);
    print_kind(out, part->kind);
    if (!part->site)
        return;
    fputs(" called from ", out);
    print_label(out, part->site);
}

// ", by my_callback (sync.c:14)" with a comma before; nothing when that is not known.
static void print_culprit(FILE *out, const char *before, const struct uvs_block *block)
{
    const struct uvs_block_part *part = uvs_block_culprit(block);
    uint64_t callbacks = 0;
    for (size_t i = 0; i < block->callback_count; i++)
        callbacks += block->callbacks[i].count;
    const struct uvs_site *script = uvs_block_script(block);
    if (script) {
        fprintf(out, "%s by ", before);
        print_label(out, script);
    } else if (block->class == UVS_BLOCK_OUTSIDE_CALLBACKS) {
        fprintf(out, "%s by code outside of callbacks", before);
    } else if (part && block->class == UVS_BLOCK_SYNC_CALL && block->sync_call_count) {
        print_sync_culprit(out, before, part);
    } else if (part && block->class == UVS_BLOCK_SATURATED) {
        fprintf(out, "%s by %" PRIu64 " callbacks, mostly ", before, callbacks);
        print_label(out, part->site);
    } else if (part && part->site) {
        fprintf(out, "%s by ", before);
        print_label(out, part->site);
    }
}

static void print_times(FILE *out, uint64_t count)
{
    if (count == 1) {
        fputs("once", out);
        return;
    }
    uvs__print_count(out, count);
    fputs(" times", out);
}

static void print_blocked(FILE *out, const struct uvs_report *report, const struct blockage *found)
{
    if (report->loop_count == 1)
        fputs("The loop was blocked ", out);
    else
        fprintf(out, "%zu of %zu loops %s blocked ", found->loops, report->loop_count,
                found->loops == 1 ? "was" : "were");
    print_times(out, found->count);
    if (found->worst) {
        fprintf(out, ",%s%s ", found->count == 1 ? " for" : "", found->worst->open ? " at least" : "");
        uvs__print_ns(out, found->worst->duration_ns);
        fputs(found->count == 1 ? "" : " at worst", out);
        print_culprit(out, found->count == 1 ? "," : "", found->worst);
        if (report->loop_count > 1) {
            char name[UVS_LOOP_TEXT_SIZE];
            fputs(", on ", out);
            uvs__print_escaped(out, uvs_loop_text(report, found->worst_loop, name));
        }
    }
    fputc('.', out);
}

// A round figure as a person would write it: "50 ms", not "50.0 ms".
static void print_threshold(FILE *out, uint64_t ns)
{
    char text[32];
    char *unit = strchr(uvs_format_ns(text, sizeof(text), ns), ' '), *end = unit;
    if (unit && memchr(text, '.', (size_t)(unit - text))) {
        while (end[-1] == '0')
            end--;
        end -= end[-1] == '.';
        memmove(end, unit, strlen(unit) + 1);
    }
    fputs(text, out);
}

static void print_free(FILE *out, const struct uvs_report *report, uint64_t longest_ns)
{
    fprintf(out, "Nothing blocked %s for ", report->loop_count > 1 ? "the loops" : "the loop");
    print_threshold(out, report->block_threshold_ns);
    fputs(" or more", out);
    if (longest_ns) {
        fputs("; the longest busy interval was ", out);
        uvs__print_ns(out, longest_ns);
    }
    fputc('.', out);
}

// What a person has to know beside a loop that was free.
static const struct uvs_finding *first_other_finding(const struct uvs_report *report)
{
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].severity >= UVS_WARNING &&
            strcmp(report->findings[i].id, "events-lost") != 0 &&
            strcmp(report->findings[i].id, "trace-incomplete") != 0)
            return &report->findings[i];
    return NULL;
}

void uvs__print_sentence(FILE *out, const char *text)
{
    size_t length = strlen(text);
    char first[2] = {*text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text, '\0'};
    if (length == 0)
        return;
    uvs__print_escaped(out, first[0] & 0x80 ? text : first);
    if (!(first[0] & 0x80))
        uvs__print_escaped(out, text + 1);
    if (!strchr(".!?", text[length - 1]))
        fputc('.', out);
}

void uvs__print_verdict(FILE *to, const struct uvs__look *look, const struct uvs_report *report)
{
    struct blockage found = find_blockage(report);
    const struct uvs_finding *other = found.count ? NULL : first_other_finding(report);
    enum uvs__style style = found.count ? UVS__STYLE_RED : other ? UVS__STYLE_YELLOW : UVS__STYLE_GREEN;
    struct uvs__prose prose;
    uvs__style_begin(to, look, style);
    FILE *out = uvs__prose_begin(&prose, to);
    if (report->loop_count == 0)
        fputs(report->shown.left_out[UVS_LIST_LOOPS] ? "No event loop is in what was asked for."
                                                     : "No event loop ran in this trace.",
              out);
    else if (found.count)
        print_blocked(out, report, &found);
    else
        print_free(out, report, found.longest_ns);
    if (other) {
        fputc(' ', out);
        uvs__print_sentence(out, other->text);
    }
    if (report->trace.incomplete)
        fputs(" The trace is incomplete: this holds for the part that could be read.", out);
    uvs__prose_end(&prose, look, 0, 0);
    uvs__style_end(to, look, style);
    fputc('\n', to);
}

static void print_window(FILE *out, const struct uvs_shown *shown)
{
    if (shown->from_ns == 0 && shown->until_ns == UVS_ABSENT)
        return;
    fputs("from ", out);
    uvs__print_moment(out, shown->from_ns);
    fputs(" to ", out);
    if (shown->until_ns == UVS_ABSENT)
        fputs("the end", out);
    else
        uvs__print_moment(out, shown->until_ns);
    fputs(shown->filter || shown->sort ? "; " : "", out);
}

bool uvs__print_shown(FILE *out, const struct uvs_report *report)
{
    const struct uvs_shown *shown = &report->shown;
    uint64_t left_out = shown->requests_left_out;
    for (size_t i = 0; i < UVS_LIST_COUNT; i++)
        left_out += shown->left_out[i];
    if (!shown->any ||
        (!left_out && !shown->filter && !shown->sort && shown->from_ns == 0 && shown->until_ns == UVS_ABSENT))
        return false;
    fputs("Of the trace: ", out);
    print_window(out, shown);
    if (shown->filter) {
        uvs__print_escaped(out, shown->filter);
        fputs(shown->sort ? "; " : "", out);
    }
    if (shown->sort) {
        fputs("sorted by ", out);
        uvs__print_escaped(out, shown->sort);
    }
    if (left_out) {
        fputs(" (", out);
        uvs__print_count(out, left_out);
        fprintf(out, " row%s left out)", left_out == 1 ? "" : "s");
    }
    fputs(".\n", out);
    return true;
}

static void print_prose(FILE *out, const struct uvs__look *look, const char *text)
{
    struct uvs__prose prose;
    uvs__print_sentence(uvs__prose_begin(&prose, out), text);
    uvs__prose_end(&prose, look, FINDING_INDENT, FINDING_INDENT);
}

void uvs__print_findings(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    static const struct {
        const char *name;
        enum uvs__style style;
    } severities[] = {[UVS_INFO] = {"info", UVS__STYLE_PLAIN},
                      [UVS_WARNING] = {"warning", UVS__STYLE_YELLOW},
                      [UVS_ERROR] = {"error", UVS__STYLE_RED}};
    if (report->finding_count == 0)
        return;
    uvs__style_begin(out, look, UVS__STYLE_BOLD);
    fputs("\nFindings\n", out);
    uvs__style_end(out, look, UVS__STYLE_BOLD);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct uvs_finding *finding = &report->findings[i];
        enum uvs__style style = severities[finding->severity].style;
        fputs("  ", out);
        uvs__style_begin(out, look, style);
        fprintf(out, "%-7s", severities[finding->severity].name);
        uvs__style_end(out, look, style);
        fputs("  ", out);
        print_prose(out, look, finding->text);
        if (finding->advice) {
            fprintf(out, "\n%*s", FINDING_INDENT, "");
            print_prose(out, look, finding->advice);
        }
        fputc('\n', out);
    }
}

static void print_lost(FILE *out, uint64_t number, const char *what)
{
    if (number == UVS_ABSENT) {
        fprintf(out, "an unknown number of %ss", what);
        return;
    }
    uvs__print_count(out, number);
    fprintf(out, " %s%s", what, number == 1 ? "" : "s");
}

bool uvs__print_loss(FILE *out, const struct uvs_trace_facts *trace)
{
    if (trace->loss.events == 0 && trace->loss.packets == 0 && trace->loss.uncounted)
        return fputs("a processor's first events are missing; how many is not known", out) >= 0;
    if (trace->loss.events == 0 && trace->loss.packets == 0)
        return false;
    if (trace->loss.events)
        print_lost(out, trace->loss.events, "event");
    if (trace->loss.events && trace->loss.packets)
        fputs(" and ", out);
    if (trace->loss.packets)
        print_lost(out, trace->loss.packets, "packet");
    bool is_one = trace->loss.events <= 1 && trace->loss.packets <= 1 &&
                  trace->loss.events + trace->loss.packets == 1;
    fprintf(out, " %s lost", is_one ? "was" : "were");
    return true;
}

static uint64_t since_begin(const struct uvs_trace_facts *trace, uint64_t ns)
{
    return ns > trace->begin_ns ? ns - trace->begin_ns : 0;
}

// A range of which the figures would be the same is a moment.
static void print_lost_interval(FILE *out, const struct uvs_trace_facts *trace,
                                const struct uvs_interval *interval)
{
    const uint64_t begin_ns = interval->begin_ns == UVS_ABSENT ? 0 : since_begin(trace, interval->begin_ns);
    const uint64_t end_ns = since_begin(trace, interval->end_ns);
    const bool is_to_end = interval->end_ns == UVS_ABSENT || end_ns >= trace->duration_ns;
    const bool is_moment = begin_ns / 1000000 == end_ns / 1000000;
    fputs(is_to_end ? "from " : is_moment ? "at " : "between ", out);
    uvs__print_moment(out, begin_ns);
    if (is_to_end) {
        fputs(" on", out);
    } else if (!is_moment) {
        fputs(" and ", out);
        uvs__print_moment(out, end_ns);
    }
}

static void print_lost_intervals(FILE *out, const struct uvs_trace_facts *trace)
{
    size_t shown = trace->loss.interval_count < INTERVALS_SHOWN ? trace->loss.interval_count
                                                                : INTERVALS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        fputs(i ? ", " : "  lost ", out);
        print_lost_interval(out, trace, &trace->loss.intervals[i]);
    }
    if (trace->loss.interval_count == shown + 1)
        fputs(" and once more", out);
    else if (trace->loss.interval_count > shown)
        fprintf(out, " and %zu more times", trace->loss.interval_count - shown);
    if (shown)
        fputc('\n', out);
}

void uvs__print_trace_facts(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    const struct uvs_trace_facts *trace = &report->trace;
    uvs__style_begin(out, look, UVS__STYLE_BOLD);
    fputs("\nTrace\n", out);
    uvs__style_end(out, look, UVS__STYLE_BOLD);
    fputs("  ", out);
    uvs__print_escaped(out, trace->path ? trace->path : "-");
    fputs(": ", out);
    uvs__print_count(out, trace->events);
    fprintf(out, " event%s in ", trace->events == 1 ? "" : "s");
    uvs__print_ns(out, trace->duration_ns);
    fprintf(out, ", read by %s\n  ", trace->reader ? trace->reader : "-");
    if (!uvs__print_loss(out, trace))
        fputs("no events were lost", out);
    if (trace->loss.spans_unknown) {
        fputs("; the self time and the block are unknown of ", out);
        print_lost(out, trace->loss.spans_unknown, "callback");
    }
    fputc('\n', out);
    print_lost_intervals(out, trace);
    if (trace->overwritten_ns) {
        fputs("  the newest part: the ", out);
        uvs__print_ns(out, trace->overwritten_ns);
        fputs(" before it were overwritten (record --max-size)\n", out);
    }
    if (trace->incomplete) {
        fputs("  incomplete: ", out);
        uvs__print_escaped(out, trace->incomplete);
        fputc('\n', out);
    }
}

int uvs__print_report(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    uvs__print_verdict(out, look, report);
    uvs__print_shown(out, report);
    uvs__print_findings(out, look, report);
    uvs__print_blame(out, look, report);
    int result = uvs__print_stacks(out, look, report);
    if (!result)
        result = uvs__print_tables(out, look, report);
    uvs__print_chains(out, look, report);
    uvs__print_trace_facts(out, look, report);
    return result;
}
