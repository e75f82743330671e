// SPDX-License-Identifier: MIT
// The report as JSON, schema 1. Without memory a value is missing, and so in the end is the document.
#include "report.h"
#include "lists.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

// --- Values ---

static json_t *number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *number_or_null(uint64_t value)
{
    return value == UVS_ABSENT ? json_null() : number(value);
}

// Bytes of the UTF-8 sequence at `at`, 0 when it is none.
static size_t sequence_length(const unsigned char *at)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < sizeof(forms) / sizeof(forms[0]); more++) {
        if ((at[0] & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t code = at[0] & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (at[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code < forms[more].least || code > 0x10ffff || surrogate ? 0 : more + 1;
    }
    return 0;
}

// Names come from the file system and may be any bytes; what is not UTF-8 becomes U+FFFD.
static json_t *text(const char *from)
{
    static const char replacement[] = "\xef\xbf\xbd";
    if (!from)
        return json_null();
    char *clean = malloc(strlen(from) * (sizeof(replacement) - 1) + 1);
    if (!clean)
        return NULL;
    char *to = clean;
    while (*from) {
        size_t length = sequence_length((const unsigned char *)from);
        memcpy(to, length ? from : replacement, length ? length : sizeof(replacement) - 1);
        to += length ? length : sizeof(replacement) - 1;
        from += length ? length : 1;
    }
    *to = '\0';
    json_t *value = json_string(clean);
    free(clean);
    return value;
}

static json_t *kind(uint8_t number_of_kind)
{
    const char *name = uvs_kind_name(number_of_kind);
    return name ? json_string(name) : json_sprintf("kind %u", (unsigned)number_of_kind);
}

static json_t *site(const struct uvs_site *from)
{
    if (!from)
        return json_null();
    return json_pack("{so so so so so so}", "function", text(from->function), "module", text(from->module),
                     "file", text(from->file), "line", from->line ? json_integer(from->line) : json_null(),
                     "address", number(from->address), "label", text(from->label));
}

static json_t *quantile(const struct uvs_hist *hist, double q)
{
    return hist->count ? number(uvs_hist_quantile(hist, q)) : json_null();
}

static json_t *dist(const struct uvs_hist *hist)
{
    bool any = hist->count > 0;
    return json_pack("{so so so so so so so so so}", "count", number(hist->count), "sum_ns",
                     any ? number(hist->sum) : json_null(), "mean_ns",
                     any ? number(hist->sum / hist->count) : json_null(), "min_ns",
                     any ? number(hist->min) : json_null(), "p50_ns", quantile(hist, 0.5), "p90_ns",
                     quantile(hist, 0.9), "p99_ns", quantile(hist, 0.99), "p999_ns", quantile(hist, 0.999),
                     "max_ns", any ? number(hist->max) : json_null());
}

static json_t *dist_if(bool meaningful, const struct uvs_hist *hist)
{
    return meaningful ? dist(hist) : json_null();
}

// An array of `count` rows of `size` bytes, each made by `make`.
static json_t *array_of(const void *rows, size_t count, size_t size, json_t *(*make)(const void *row))
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++)
        if (json_array_append_new(array, make((const char *)rows + i * size))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

#define ARRAY(rows, count, make) array_of(rows, count, sizeof(*(rows)), make)

// --- The trace and its processes ---

static json_t *interval(const void *row)
{
    const struct uvs_interval *range = row;
    return json_pack("{so so}", "begin_ns", number(range->begin_ns), "end_ns", number(range->end_ns));
}

static json_t *trace(const struct uvs_trace_facts *facts)
{
    json_t *loss = json_pack("{so so so so}", "events", number_or_null(facts->loss.events), "packets",
                             number_or_null(facts->loss.packets), "spans_unknown",
                             number(facts->loss.spans_unknown), "intervals",
                             ARRAY(facts->loss.intervals, facts->loss.interval_count, interval));
    return json_pack("{so so so so so so so so}", "path", text(facts->path), "begin_ns",
                     number(facts->begin_ns), "overwritten_ns", number(facts->overwritten_ns), "duration_ns",
                     number(facts->duration_ns), "events", number(facts->events), "reader",
                     text(facts->reader), "incomplete", text(facts->incomplete), "loss", loss);
}

static json_t *argument(const void *row)
{
    return text(*(char *const *)row);
}

static json_t *hooks(int mode)
{
    switch (mode) {
#define X(NAME, number_of_mode, name) \
    case number_of_mode:              \
        return json_string(name);
        UVS_HOOKS_MAP(X)
#undef X
    default:
        return json_null();
    }
}

static json_t *words(const char *joined)
{
    json_t *array = json_array();
    while (*joined) {
        size_t length = strcspn(joined, " ");
        json_array_append_new(array, json_stringn(joined, length));
        joined += length + strspn(joined + length, " ");
    }
    return array;
}

static json_t *lean(const struct uvs_process_row *p)
{
    if (!p->lean_ns)
        return json_null();
    return json_pack("{so so so}", "threshold_ns", number_or_null(p->lean_ns), "totals_lost",
                     number(p->totals_lost), "untold_ns", number(p->untold_ns));
}

static json_t *process(const void *row)
{
    const struct uvs_process_row *p = row;
    return json_pack("{so so so so so so so so so so so}", "pid", number(p->pid), "copy", number(p->copy),
                     "exe", text(p->exe), "argv", p->argv ? ARRAY(p->argv, p->argc, argument) : json_null(),
                     "libuv", text(p->libuv), "hooks", hooks(p->hooks), "pool_size",
                     p->pool_size ? number(p->pool_size) : json_null(), "unhooked",
                     p->unhooked ? words(p->unhooked) : json_null(), "handoff_missed",
                     number(p->handoff_missed), "lean", lean(p), "exit", text(p->exit));
}

// --- Loops ---

static json_t *callback_part(const void *row)
{
    const struct uvs_block_part *part = row;
    return json_pack("{so so so so}", "kind", kind(part->kind), "site", site(part->site), "self_ns",
                     number(part->ns), "count", number(part->count));
}

static json_t *sync_part(const void *row)
{
    const struct uvs_block_part *part = row;
    return json_pack("{so so so so}", "kind", kind(part->kind), "called_from", site(part->site), "ns",
                     number(part->ns), "count", number(part->count));
}

static json_t *stack_frame(const void *row)
{
    const struct uvs_block_frame *frame = row;
    json_t *json = site(frame->site);
    if (json_object_set_new(json, "share", json_real(frame->share))) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *gc_kind(uint8_t kind)
{
    const char *name = uvs_gc_name(kind);
    return name ? json_string(name) : json_sprintf("gc %u", kind);
}

static json_t *call(int number)
{
    const char *name = uvs_call_name(number);
    return number < 0 ? json_null() : name ? json_string(name) : json_sprintf("call %d", number);
}

static json_t *collections(const void *row)
{
    const struct uvs_gc_row *gc = row;
    return json_pack("{so so}", "kind", gc_kind(gc->kind), "duration", dist(&gc->duration));
}

static json_t *block(const void *row)
{
    static const char *const classes[] = {
#define X(NAME, name) [UVS_BLOCK_##NAME] = name,
        UVS_BLOCK_CLASS_MAP(X)
#undef X
    };
    const struct uvs_block *b = row;
    return json_pack("{so so so sb ss so so so so so so}", "begin_ns", number(b->begin_ns), "duration_ns",
                     number(b->duration_ns), "cpu_ns", number_or_null(b->cpu_ns), "open", b->open, "class",
                     classes[b->class], "callbacks", ARRAY(b->callbacks, b->callback_count, callback_part),
                     "sync_calls", ARRAY(b->sync_calls, b->sync_call_count, sync_part), "gc_ns",
                     number_or_null(b->gc_ns), "gc_kind", b->gc_kind ? gc_kind(b->gc_kind) : json_null(),
                     "waiting_in", call(b->waiting_in), "stack",
                     b->stack_count ? ARRAY(b->stack, b->stack_count, stack_frame) : json_null());
}

static json_t *handle(const void *row)
{
    const struct uvs_handle_row *h = row;
    const char *name = uvs_handle_name(h->type);
    return json_pack("{so so so so so}", "type", name ? json_string(name) : json_sprintf("type %u", h->type),
                     "callback", site(h->callback), "count", number(h->count), "keeping", number(h->keeping),
                     "closing", number(h->closing));
}

static json_t *handles_open(const struct uvs_open_handles *open)
{
    static const char *const moments[] = {
#define X(NAME, number_of_moment, name) [number_of_moment] = name,
        UVS_OPEN_MAP(X)
#undef X
    };
    if (!open)
        return json_null();
    return json_pack("{ss so so so so}", "when", moments[open->when], "count", number(open->all.count),
                     "keeping", number(open->all.keeping), "closing", number(open->all.closing), "handles",
                     ARRAY(open->rows, open->row_count, handle));
}

static json_t *utilization(const struct uvs_loop_row *loop)
{
    double whole_ns = (double)loop->busy_ns + (double)loop->poll_ns;
    return whole_ns > 0 ? json_real((double)loop->busy_ns / whole_ns) : json_null();
}

static json_t *loop_row(const struct uvs_loop_row *loop, uint64_t threshold_ns)
{
    json_t *blocked = json_pack("{so so so so}", "threshold_ns", number(threshold_ns), "count",
                                number(loop->blocked_count), "sum_ns", number(loop->blocked_sum_ns), "worst",
                                ARRAY(loop->worst, loop->worst_count, block));
    return json_pack(
        "{so so so so sb so so so so so so so so so so}", "pid", number(loop->pid), "loop",
        number(loop->loop), "tid", loop->tid ? number(loop->tid) : json_null(), "name", text(loop->name),
        "main", loop->is_default, "iterations", number(loop->iterations), "busy_ns", number(loop->busy_ns),
        "poll_ns", number(loop->poll_ns), "outside_ns", number(loop->outside_ns), "utilization",
        utilization(loop), "try_writes", number(loop->try_writes), "gc",
        loop->sees_gc ? ARRAY(loop->gc, loop->gc_count, collections) : json_null(), "handles_open",
        handles_open(loop->open), "block", dist(&loop->block), "blocked", blocked);
}

static json_t *loops(const struct uvs_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < report->loop_count; i++)
        if (json_array_append_new(array, loop_row(&report->loops[i], report->block_threshold_ns))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

// --- Callbacks, synchronous calls, pools ---

static json_t *callback(const void *row)
{
    const struct uvs_callback_row *c = row;
    return json_pack(
        "{so so so so so so so so so so so so so}", "pid", number(c->pid), "loop", number(c->loop), "kind",
        kind(c->kind), "site", site(c->site), "count", number(c->duration.count), "cancelled",
        number(c->cancelled), "sends", c->kind == UVS_KIND_ASYNC ? number(c->sends) : json_null(), "overruns",
        c->kind == UVS_KIND_TIMER ? number_or_null(c->overruns) : json_null(), "duration", dist(&c->duration),
        "self", dist(&c->self), "delay", dist_if(c->has_delay, &c->delay), "delay_most",
        dist_if(c->has_delay_most, &c->delay_most), "latency", dist_if(c->has_latency, &c->latency));
}

static json_t *sync_call(const void *row)
{
    const struct uvs_sync_row *s = row;
    return json_pack("{so so so so so}", "pid", number(s->pid), "loop",
                     s->loop < 0 ? json_null() : json_integer(s->loop), "kind", kind(s->kind), "called_from",
                     site(s->called_from), "duration", dist(&s->duration));
}

static json_t *sampled(const struct uvs_block *b)
{
    if (!b)
        return json_null();
    return json_pack("{so so so so so}", "samples", number(b->samples), "longest_ns", number(b->duration_ns),
                     "cpu_ns", number_or_null(b->cpu_ns), "waiting_in", call(b->waiting_in), "stack",
                     b->stack_count ? ARRAY(b->stack, b->stack_count, stack_frame) : json_null());
}

static json_t *request(const void *row)
{
    const struct uvs_pool_request_row *r = row;
    return json_pack("{so so ss so so so so so so so}", "kind", kind(r->kind), "site", site(r->site),
                     "engine", r->engine, "count", number(r->count), "cancelled", number(r->cancelled),
                     "queue", dist_if(r->triple_known, &r->queue), "service",
                     dist_if(r->triple_known, &r->service), "return", dist_if(r->triple_known, &r->return_),
                     "slow_io_capped", number_or_null(r->slow_io_capped), "sampled", sampled(r->sampled));
}

static json_t *what_if(const void *row)
{
    const struct uvs_what_if *w = row;
    return json_pack("{so so so so}", "threads", w->threads ? number(w->threads) : json_null(), "sum_ns",
                     number(w->sum_ns), "p99_ns", number(w->p99_ns), "max_ns", number(w->max_ns));
}

static json_t *replayed(const struct uvs_pool_row *p)
{
    if (!p->replayed)
        return json_null();
    return json_pack("{so so so}", "requests", number(p->replayed), "recorded", what_if(&p->recorded),
                     "threads", ARRAY(p->what_if, p->what_if_count, what_if));
}

static json_t *pool(const void *row)
{
    const struct uvs_pool_row *p = row;
    json_t *stuck = json_pack("{so so so}", "never_started", number_or_null(p->never_started),
                              "never_finished", number_or_null(p->never_finished), "oldest_ns",
                              number_or_null(p->oldest_ns));
    return json_pack("{so so so so so so so so so so}", "pid", number(p->pid), "copy", number(p->copy),
                     "size", p->size ? number(p->size) : json_null(), "busy_ns", number(p->busy_ns),
                     "utilization", p->utilization < 0 ? json_null() : json_real(p->utilization),
                     "saturated_ns", p->size ? number_or_null(p->saturated_ns) : json_null(),
                     "max_queue_depth", number_or_null(p->max_queue_depth), "stuck", stuck, "requests",
                     ARRAY(p->requests, p->request_count, request), "what_if", replayed(p));
}

// --- Blame ---

static json_t *blame_what(enum uvs_blame_what what)
{
    static const char *const names[] = {
#define X(NAME, name) [UVS_BLAME_##NAME] = name,
        UVS_BLAME_MAP(X)
#undef X
    };
    return json_string(names[what]);
}

static json_t *blame_kind(const struct uvs_blame_who *who)
{
    return who->kind < 0 ? json_null() : kind((uint8_t)who->kind);
}

static json_t *blame_loop(const struct uvs_blame_who *who)
{
    return who->loop < 0 ? json_null() : json_integer(who->loop);
}

static json_t *script(const void *row)
{
    const struct uvs_script *s = row;
    return json_pack("{so so so}", "site", site(s->site), "samples", number(s->samples), "ns", number(s->ns));
}

static json_t *blame_scripts(const struct uvs_scripts *scripts)
{
    if (!scripts)
        return json_null();
    return json_pack("{so so so}", "samples", number(scripts->samples), "ns", number(scripts->ns),
                     "functions", ARRAY(scripts->named, scripts->count, script));
}

static json_t *culprit(const void *row)
{
    const struct uvs_culprit_row *c = row;
    return json_pack("{so so so so so so so so so so}", "pid", number(c->who.pid), "loop",
                     blame_loop(&c->who), "what", blame_what(c->who.what), "kind", blame_kind(&c->who),
                     "site", site(c->who.site), "javascript", blame_scripts(c->who.scripts), "inflicted_ns",
                     number(c->inflicted.sum), "wall_ns", number(c->wall_ns), "victims",
                     number(c->inflicted.count), "worst_ns", number(c->inflicted.max));
}

static json_t *blame_part(const void *row)
{
    const struct uvs_blame_part *p = row;
    return json_pack("{so so so so so so}", "what", blame_what(p->who.what), "kind", blame_kind(&p->who),
                     "site", site(p->who.site), "javascript", blame_scripts(p->who.scripts), "ns",
                     number(p->ns), "times", number(p->times));
}

static json_t *victim(const void *row)
{
    const struct uvs_victim_row *v = row;
    return json_pack("{so so so so so so so so so so}", "pid", number(v->who.pid), "loop",
                     blame_loop(&v->who), "what", blame_what(v->who.what), "kind", blame_kind(&v->who),
                     "site", site(v->who.site), "suffered_ns", number(v->suffered.sum), "count",
                     number(v->suffered.count), "worst_ns", number(v->suffered.max), "stale_ns",
                     number(v->stale_ns), "by", ARRAY(v->by, v->by_count, blame_part));
}

static json_t *blame(const struct uvs_report *report)
{
    return json_pack("{so so so}", "threshold_ns", number(report->blame_threshold_ns), "culprits",
                     ARRAY(report->culprits, report->culprit_count, culprit), "victims",
                     ARRAY(report->victims, report->victim_count, victim));
}

// --- Slices ---

// Arrays of one number a slice: pages of them stay small, and charts take them as they are.
static json_t *slice_numbers(const struct uvs_report *report, const struct uvs_slices_row *row,
                             json_t *(*make)(const struct uvs_report *report, const struct uvs_slice *slice))
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < report->slice_count; i++)
        if (json_array_append_new(array, make(report, &row->slices[i]))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static json_t *slice_utilization(const struct uvs_report *report __attribute__((unused)),
                                 const struct uvs_slice *slice)
{
    double whole_ns = (double)slice->busy_ns + (double)slice->poll_ns;
    return whole_ns > 0 ? json_real((double)slice->busy_ns / whole_ns) : json_null();
}

static json_t *slice_block(const struct uvs_report *report __attribute__((unused)),
                           const struct uvs_slice *slice)
{
    return number(slice->worst_block_ns);
}

static json_t *slice_depth(const struct uvs_report *report, const struct uvs_slice *slice)
{
    return json_real((double)slice->queued_ns / (double)report->slice_ns);
}

static json_t *slice_wait(const struct uvs_report *report __attribute__((unused)),
                          const struct uvs_slice *slice)
{
    return number(slice->max_wait_ns);
}

static json_t *slices_row(const struct uvs_report *report, const struct uvs_slices_row *row)
{
    if (row->loop < 0)
        return json_pack("{so so so}", "pid", number(row->pid), "queue_depth",
                         slice_numbers(report, row, slice_depth), "max_wait_ns",
                         slice_numbers(report, row, slice_wait));
    return json_pack("{so si so so}", "pid", number(row->pid), "loop", row->loop, "utilization",
                     slice_numbers(report, row, slice_utilization), "worst_block_ns",
                     slice_numbers(report, row, slice_block));
}

static json_t *slices_of(const struct uvs_report *report, bool pools)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < report->slices_count; i++)
        if ((report->slices[i].loop < 0) == pools &&
            json_array_append_new(array, slices_row(report, &report->slices[i]))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static json_t *slices(const struct uvs_report *report)
{
    return json_pack("{so so so so}", "width_ns", number(report->slice_ns), "count",
                     number(report->slice_count), "loops", slices_of(report, false), "pools",
                     slices_of(report, true));
}

// --- Chains ---

static json_t *chain_step(const void *row)
{
    const struct uvs_chain_step *s = row;
    return json_pack("{so so so so so so so so so}", "op", number(s->op), "kind", kind(s->kind), "site",
                     site(s->site), "begin_ns", number(s->begin_ns), "waiting_ns", number(s->waiting_ns),
                     "queue_ns", number(s->queue_ns), "service_ns", number(s->service_ns), "delayed_ns",
                     number(s->delayed_ns), "running_ns", number(s->running_ns));
}

static json_t *chain(const void *row)
{
    const struct uvs_chain_row *c = row;
    return json_pack("{so so so so so so so so so so}", "pid", number(c->pid), "op", number(c->op),
                     "begin_ns", number(c->begin_ns), "total_ns", number(c->total_ns), "waiting_ns",
                     number(c->waiting_ns), "queue_ns", number(c->queue_ns), "service_ns",
                     number(c->service_ns), "delayed_ns", number(c->delayed_ns), "running_ns",
                     number(c->running_ns), "steps", ARRAY(c->steps, c->step_count, chain_step));
}

// --- Findings ---

static json_t *where(const struct uvs_finding *finding)
{
    if (finding->pid == 0)
        return json_object();
    if (finding->loop < 0)
        return json_pack("{so}", "pid", number(finding->pid));
    return json_pack("{so si}", "pid", number(finding->pid), "loop", finding->loop);
}

static json_t *finding_row(const void *row)
{
    static const char *const severities[] = {
        [UVS_INFO] = "info", [UVS_WARNING] = "warning", [UVS_ERROR] = "error"};
    const struct uvs_finding *f = row;
    return json_pack("{ss ss so so so so}", "id", f->id, "severity", severities[f->severity], "text",
                     text(f->text), "advice", text(f->advice), "value_ns", number_or_null(f->value_ns),
                     "where", where(f));
}

// --- What is shown of it ---

static json_t *left_out(const struct uvs_shown *asked)
{
    json_t *object = json_pack("{so}", uvs__request_list.name, number(asked->requests_left_out));
    for (size_t i = 0; i < UVS_LIST_COUNT; i++)
        json_object_set_new(object, uvs__lists[i].name, number(asked->left_out[i]));
    return object;
}

static json_t *shown(const struct uvs_shown *asked)
{
    if (!asked->any)
        return json_null();
    return json_pack("{so so so so so so}", "from_ns", number(asked->from_ns), "until_ns",
                     number_or_null(asked->until_ns), "filter", text(asked->filter), "sort",
                     text(asked->sort), "top", asked->top ? number(asked->top) : json_null(), "left_out",
                     left_out(asked));
}

char *uvs_report_to_json(const struct uvs_report *report)
{
    json_t *document = json_pack(
        "{si ss so so so so so so so so so so so}", "schema", UVS_REPORT_SCHEMA, "uvscope", UVS_VERSION,
        "trace", trace(&report->trace), "processes", ARRAY(report->processes, report->process_count, process),
        "loops", loops(report), "callbacks", ARRAY(report->callbacks, report->callback_count, callback),
        "sync_calls", ARRAY(report->sync_calls, report->sync_call_count, sync_call), "pool",
        ARRAY(report->pools, report->pool_count, pool), "blame", blame(report), "chains",
        ARRAY(report->chains, report->chain_count, chain), "slices", slices(report), "shown",
        shown(&report->shown), "findings", ARRAY(report->findings, report->finding_count, finding_row));
    char *dumped = document ? json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(document);
    return dumped;
}
