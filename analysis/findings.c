// SPDX-License-Identifier: MIT
// What the figures mean, in words: a table of what to look for, and what to advise.
#include "findings.h"

#include "duration.h"
#include "saturate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT, TEXT_SIZE = UVS__TEXT_SIZE, NAME_SIZE = 512 };

static const uint64_t late_timer_ns = 10000000;
static const uint64_t sync_sum_ns = 10000000;
static const uint64_t queue_p99_ns = 10000000;
static const uint64_t stuck_age_ns = 100000000;
static const uint64_t short_trace_ns = 100000000;
static const uint64_t few_iterations = 20;
static const double saturated_utilization = 0.9;

// --- Words ---

int uvs__found(struct uvs__hunt *hunt, uint64_t value_ns, uint32_t pid, int loop, const char *format, ...)
{
    struct uvs_report *report = hunt->report;
    struct uvs_finding *findings = uvs__grow(report->findings, report->finding_count, &hunt->capacity,
                                             sizeof(*findings));
    if (!findings)
        return NO_MEMORY;
    report->findings = findings;
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return NO_MEMORY;
    findings[report->finding_count++] = (struct uvs_finding){.id = hunt->info->id,
                                                             .severity = hunt->info->severity,
                                                             .text = text,
                                                             .advice = hunt->info->advice,
                                                             .doc = hunt->info->id,
                                                             .value_ns = value_ns,
                                                             .pid = pid,
                                                             .loop = loop};
    return 0;
}

const char *uvs__label(const struct uvs_site *site)
{
    return site ? site->label : "an unknown function";
}

static const char *kind_text(uint8_t kind, char buffer[TEXT_SIZE])
{
    const char *name = uvs_kind_name(kind);
    if (name)
        snprintf(buffer, TEXT_SIZE, "%s", name);
    else
        snprintf(buffer, TEXT_SIZE, "kind %u", (unsigned)kind);
    return buffer;
}

// What tells it from the others: that it is the default one, and its thread's name.
static void loop_name(const struct uvs_loop_row *loop, char buffer[TEXT_SIZE])
{
    const char *name = loop->name ? loop->name : "";
    buffer[0] = '\0';
    if (*name || loop->is_default)
        snprintf(buffer, TEXT_SIZE, " (%s%s%.20s)", loop->is_default ? "main" : "",
                 loop->is_default && *name ? ", " : "", name);
}

const char *uvs_loop_text(const struct uvs_report *report, const struct uvs_loop_row *loop,
                          char buffer[TEXT_SIZE])
{
    char name[TEXT_SIZE];
    if (report->loop_count == 1)
        return "the loop";
    loop_name(loop, name);
    snprintf(buffer, TEXT_SIZE, "loop %u%.28s of process %u", loop->loop, name, loop->pid);
    return buffer;
}

const char *uvs__plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

// Whom to name for a block, by its class.
static void culprit_text(const struct uvs_block *block, char buffer[NAME_SIZE])
{
    char kind[TEXT_SIZE];
    buffer[0] = '\0';
    const struct uvs_site *script = uvs_block_script(block);
    if (script)
        snprintf(buffer, NAME_SIZE, " by %s", script->label);
    else if (block->class == UVS_BLOCK_UNKNOWN)
        snprintf(buffer, NAME_SIZE, " (events were lost, so by whom is not known)");
    else if (block->class == UVS_BLOCK_SYNC_CALL && block->sync_call_count)
        snprintf(buffer, NAME_SIZE, " by the synchronous call %s in %s",
                 kind_text(block->sync_calls[0].kind, kind), uvs__label(block->sync_calls[0].site));
    else if (block->class == UVS_BLOCK_OUTSIDE_CALLBACKS || !block->callback_count)
        snprintf(buffer, NAME_SIZE, " outside of any callback");
    else if (block->class == UVS_BLOCK_LONG_CALLBACK)
        snprintf(buffer, NAME_SIZE, " by %s", uvs__label(block->callbacks[0].site));
    else
        snprintf(buffer, NAME_SIZE, " by many callbacks, most of all %s (%" PRIu64 " call%s)",
                 uvs__label(block->callbacks[0].site), block->callbacks[0].count,
                 uvs__plural(block->callbacks[0].count));
}

bool uvs__has_loss(const struct uvs_trace_facts *trace)
{
    return trace->loss.events || trace->loss.packets || trace->loss.uncounted;
}

// Of which nobody knows what happened.
static uint64_t lost_ns(const struct uvs_trace_facts *trace)
{
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < trace->loss.interval_count; i++)
        sum_ns = uvs__add(sum_ns, trace->loss.intervals[i].end_ns - trace->loss.intervals[i].begin_ns);
    return sum_ns;
}

// --- Loops ---

static int blocked(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    if (!loop->blocked_count || !loop->worst_count)
        return 0;
    const struct uvs_block *worst = &loop->worst[0];
    char name[TEXT_SIZE], longest[TEXT_SIZE], sum[TEXT_SIZE], culprit[NAME_SIZE];
    uvs_format_ns(longest, sizeof(longest), worst->duration_ns);
    uvs_format_ns(sum, sizeof(sum), loop->blocked_sum_ns);
    culprit_text(worst, culprit);
    const char *who = uvs_loop_text(hunt->report, loop, name);
    const char *open = worst->open ? ", and it was not over when the trace ended" : "";
    if (loop->blocked_count == 1)
        return uvs__found(hunt, worst->duration_ns, loop->pid, (int)loop->loop,
                          "%s was blocked once for %s%s%s%s", who, worst->open ? "at least " : "", longest,
                          culprit, open);
    return uvs__found(hunt, worst->duration_ns, loop->pid, (int)loop->loop,
                      "%s was blocked %" PRIu64 " times, %s in all; the longest took %s%s%s%s", who,
                      loop->blocked_count, sum, worst->open ? "at least " : "", longest, culprit, open);
}

static int busy_loop(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    // What was lost may all have been waiting.
    uint64_t whole_ns = uvs__add(uvs__add(loop->busy_ns, loop->poll_ns), lost_ns(&hunt->report->trace));
    double utilization = whole_ns ? (double)loop->busy_ns / (double)whole_ns : 0;
    if (loop->iterations < few_iterations || utilization < saturated_utilization)
        return 0;
    char name[TEXT_SIZE], busy[TEXT_SIZE], whole[TEXT_SIZE];
    uvs_format_ns(busy, sizeof(busy), loop->busy_ns);
    uvs_format_ns(whole, sizeof(whole), whole_ns);
    return uvs__found(hunt, loop->busy_ns, loop->pid, (int)loop->loop, "%s was busy for %s of %s (%.1f %%)",
                      uvs_loop_text(hunt->report, loop, name), busy, whole, utilization * 100);
}

static bool waits_for_thread(uint8_t kind)
{
    return kind >= UVS_KIND_THREAD_JOIN && kind <= UVS_KIND_RWLOCK;
}

static int held_by_calls(struct uvs__hunt *hunt, const struct uvs_loop_row *loop, bool waits)
{
    const struct uvs_report *report = hunt->report;
    const struct uvs_sync_row *most = NULL;
    uint64_t sum_ns = 0, calls = 0;
    for (size_t i = 0; i < report->sync_call_count; i++) {
        const struct uvs_sync_row *row = &report->sync_calls[i];
        if (row->pid != loop->pid || row->loop != (int)loop->loop || waits_for_thread(row->kind) != waits)
            continue;
        most = most ? most : row;
        sum_ns = uvs__add(sum_ns, row->duration.sum);
        calls += row->duration.count;
    }
    if (!most || sum_ns < sync_sum_ns)
        return 0;
    char name[TEXT_SIZE], sum[TEXT_SIZE], kind[TEXT_SIZE];
    uvs_format_ns(sum, sizeof(sum), sum_ns);
    return uvs__found(
        hunt, sum_ns, loop->pid, (int)loop->loop, "%" PRIu64 " %s%s%s held %s for %s, most of it %s in %s",
        calls, waits ? "wait" : "synchronous call", uvs__plural(calls), waits ? " for other threads" : "",
        uvs_loop_text(report, loop, name), sum, kind_text(most->kind, kind), uvs__label(most->called_from));
}

static int sync_on_loop(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    return held_by_calls(hunt, loop, false);
}

static int wait_on_loop(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    return held_by_calls(hunt, loop, true);
}

static int late_timers(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_report *report = hunt->report;
    const struct uvs_callback_row *latest = NULL;
    for (size_t i = 0; i < report->callback_count; i++) {
        const struct uvs_callback_row *row = &report->callbacks[i];
        if (row->kind != UVS_KIND_TIMER || row->pid != loop->pid || row->loop != loop->loop ||
            !row->delay.count)
            continue;
        if (!latest || row->delay.max > latest->delay.max)
            latest = row;
    }
    if (!latest || latest->delay.max < late_timer_ns)
        return 0;
    char name[TEXT_SIZE], delay[TEXT_SIZE];
    uvs_format_ns(delay, sizeof(delay), latest->delay.max);
    return uvs__found(hunt, latest->delay.max, loop->pid, (int)loop->loop,
                      "timer %s of %s ran up to %s after it was due", uvs__label(latest->site),
                      uvs_loop_text(report, loop, name), delay);
}

// --- Pools ---

// As if no request that was lost had waited.
static double p99_among(uint64_t count, uint64_t lost)
{
    const double rank = 0.99 * ((double)count + (double)lost) - (double)lost;
    return lost != UVS_ABSENT && rank > 0 ? rank / (double)count : 0;
}

static int queue_quantile(const struct uvs_report *report, const struct uvs_pool_row *pool,
                          uint64_t *ret_p99_ns)
{
    struct uvs_hist queue = {0};
    int rc = 0;
    for (size_t i = 0; i < pool->request_count && !rc; i++)
        rc = uvs_hist_merge(&queue, &pool->requests[i].queue);
    const struct uvs_trace_facts *trace = &report->trace;
    const bool is_countable = !trace->loss.packets && !trace->loss.uncounted;
    const double quantile = p99_among(queue.count, is_countable ? trace->loss.events : UVS_ABSENT);
    *ret_p99_ns = queue.count && quantile > 0 ? uvs_hist_quantile(&queue, quantile) : 0;
    uvs_hist_clear(&queue);
    return rc;
}

static bool is_stuck(const struct uvs_pool_row *pool)
{
    return pool->oldest_ns != UVS_ABSENT && pool->oldest_ns >= stuck_age_ns;
}

// Look-ups may not have all workers: they wait while others are free.
static bool is_capped(const struct uvs_pool_row *pool)
{
    for (size_t i = 0; i < pool->request_count; i++)
        if (pool->requests[i].slow_io_capped && pool->requests[i].slow_io_capped != UVS_ABSENT)
            return true;
    return false;
}

static int saturated_pool(struct uvs__hunt *hunt, const struct uvs_pool_row *pool)
{
    uint64_t p99_ns;
    int rc = queue_quantile(hunt->report, pool, &p99_ns);
    if (rc)
        return rc;
    char queue[TEXT_SIZE], saturated[TEXT_SIZE];
    uvs_format_ns(queue, sizeof(queue), p99_ns);
    if (pool->saturated_ns == UVS_ABSENT)
        return p99_ns < queue_p99_ns
                   ? 0
                   : uvs__found(hunt, p99_ns, pool->pid, -1,
                                "requests waited for a worker of the pool of %u: 99 %% of them up to %s",
                                pool->size, queue);
    uvs_format_ns(saturated, sizeof(saturated), pool->saturated_ns);
    // Who waited for long while workers were free waited for a processor: more threads would not help.
    if (p99_ns >= queue_p99_ns && (pool->saturated_ns >= p99_ns / 2 || is_capped(pool)))
        return uvs__found(
            hunt, p99_ns, pool->pid, -1,
            "requests waited for a worker of the pool of %u: 99 %% of them up to %s, at most %" PRIu64
            " at a time; for %s all workers were busy while some waited",
            pool->size, queue, pool->max_queue_depth, saturated);
    // Of a stuck pool that is said.
    if (!pool->saturated_ns || pool->saturated_ns < pool->life_ns / 10 || is_stuck(pool))
        return 0;
    return uvs__found(hunt, pool->saturated_ns, pool->pid, -1,
                      "requests waited for a worker of the pool of %u, at most %" PRIu64
                      " at a time; for %s all workers were busy while some waited",
                      pool->size, pool->max_queue_depth, saturated);
}

static int stuck_pool(struct uvs__hunt *hunt, const struct uvs_pool_row *pool)
{
    if (!is_stuck(pool))
        return 0;
    char age[TEXT_SIZE];
    uvs_format_ns(age, sizeof(age), pool->oldest_ns);
    return uvs__found(hunt, pool->oldest_ns, pool->pid, -1,
                      "when the trace ended %" PRIu64 " pool request%s had not finished and %" PRIu64
                      " had not started; the oldest was submitted %s before",
                      pool->never_finished, uvs__plural(pool->never_finished), pool->never_started, age);
}

static int missed_handoffs(struct uvs__hunt *hunt, const struct uvs_process_row *process)
{
    if (!process->handoff_missed)
        return 0;
    return uvs__found(hunt, UVS_ABSENT, process->pid, -1,
                      "how %" PRIu64
                      " request%s of process %u went to the pool was not seen; the queue, service "
                      "and return times of their kind are left out",
                      process->handoff_missed, uvs__plural(process->handoff_missed), process->pid);
}

// --- The trace ---

static int collisions(struct uvs__hunt *hunt)
{
    int rc = 0;
    for (const struct uvs__process *p = hunt->spans->processes; p && !rc; p = p->next)
        if (p->collision && !p->foreign)
            rc = uvs__found(
                hunt, UVS_ABSENT, p->pid, -1,
                "several processes in different pid namespaces have the pid %u; their events cannot be "
                "told apart, and every figure of this pid mixes them",
                p->pid);
    return rc;
}

static int traced_late(struct uvs__hunt *hunt)
{
    int rc = 0;
    for (const struct uvs__process *p = hunt->spans->processes; p && !rc; p = p->next) {
        if (!p->untraced_ns || p->foreign)
            continue;
        char time[TEXT_SIZE];
        rc = uvs__found(
            hunt, p->untraced_ns, p->pid, -1,
            "process %u ran a loop for %s before LTTng traced it: its session daemon did not answer in time",
            p->pid, uvs_format_ns(time, sizeof(time), p->untraced_ns));
    }
    return rc;
}

static void quantity(char *buffer, size_t size, uint64_t number, const char *what)
{
    if (number == UVS_ABSENT)
        snprintf(buffer, size, "an unknown number of %ss", what);
    else
        snprintf(buffer, size, "%" PRIu64 " %s%s", number, what, uvs__plural(number));
}

static int lost(struct uvs__hunt *hunt)
{
    const struct uvs_trace_facts *trace = &hunt->report->trace;
    if (!trace->loss.events && !trace->loss.packets)
        return 0;
    char events[64], packets[64], unknown[64] = "";
    quantity(events, sizeof(events), trace->loss.events, "event");
    quantity(packets, sizeof(packets), trace->loss.packets, "packet");
    if (trace->loss.spans_unknown)
        snprintf(unknown, sizeof(unknown), "; the self times of %" PRIu64 " callback%s are unknown",
                 trace->loss.spans_unknown, uvs__plural(trace->loss.spans_unknown));
    const bool is_one = !trace->loss.packets && trace->loss.events == 1;
    return uvs__found(hunt, UVS_ABSENT, 0, -1, "%s%s%s %s lost, %" PRIu64 " event%s read%s",
                      trace->loss.events ? events : "",
                      trace->loss.events && trace->loss.packets ? " and " : "",
                      trace->loss.packets ? packets : "", is_one ? "was" : "were", trace->events,
                      trace->events == 1 ? " was" : "s were", unknown);
}

static int incomplete(struct uvs__hunt *hunt)
{
    const struct uvs_trace_facts *trace = &hunt->report->trace;
    if (!trace->incomplete)
        return 0;
    char read[TEXT_SIZE];
    return uvs__found(hunt, UVS_ABSENT, 0, -1, "the trace could be read only up to %s after its begin: %s",
                      uvs_format_ns(read, sizeof(read), trace->duration_ns), trace->incomplete);
}

static int short_trace(struct uvs__hunt *hunt)
{
    const struct uvs_report *report = hunt->report;
    uint64_t iterations = 0;
    for (size_t i = 0; i < report->loop_count; i++)
        iterations = uvs__add(iterations, report->loops[i].iterations);
    if (iterations >= few_iterations || report->trace.duration_ns >= short_trace_ns ||
        uvs__has_loss(&report->trace))
        return 0;
    char duration[TEXT_SIZE];
    return uvs__found(hunt, UVS_ABSENT, 0, -1,
                      "the trace has %" PRIu64 " iteration%s in %s, too little to judge by", iterations,
                      uvs__plural(iterations),
                      uvs_format_ns(duration, sizeof(duration), report->trace.duration_ns));
}

// --- The table ---

static const struct {
    struct uvs_finding_info info;
    bool by_slot; // of loops: rows of callbacks name the slot alone, so two that took it in turn are one
    // One of them: what it looks at.
    int (*loop)(struct uvs__hunt *hunt, const struct uvs_loop_row *loop);
    int (*pool)(struct uvs__hunt *hunt, const struct uvs_pool_row *pool);
    int (*process)(struct uvs__hunt *hunt, const struct uvs_process_row *process);
    int (*trace)(struct uvs__hunt *hunt);
} table[] = {
    {{"loop-blocked", UVS_ERROR, "a busy interval lasted at least the block threshold",
      "cut the work into pieces, or hand it to the thread pool (uv_queue_work) or another process"},
     .loop = blocked},
    {{"loop-saturated", UVS_WARNING, "a loop of 20 iterations or more was busy for at least 90 % of its time",
      "spread the work over more loops or processes, or look at the callbacks with the largest self time"},
     .loop = busy_loop},
    {{"sync-on-loop", UVS_WARNING, "synchronous calls held a loop for 10 ms or more",
      "use the asynchronous form of the call: pass a callback"},
     .by_slot = true,
     .loop = sync_on_loop},
    {{"wait-on-loop", UVS_WARNING, "waits for locks and other threads held a loop for 10 ms or more",
      "hold the lock for less time where others take it, or let the thread send an async when it is done"},
     .by_slot = true,
     .loop = wait_on_loop},
    {{"late-timers", UVS_WARNING, "a timer ran 10 ms or more after it was due",
      "see what ran on the loop meanwhile: the blocks, and the callbacks with the largest self time"},
     .by_slot = true,
     .loop = late_timers},
    {{"stale-time", UVS_INFO, "polls slept beyond a timer for 10 ms or more, after long callbacks",
      "call uv_update_time at the end of a long callback, or make it shorter"},
     .by_slot = true,
     .loop = uvs__find_stale_time},
    {{"timer-overrun", UVS_WARNING,
      "a repeating timer was due again before its callback had returned, twice or more",
      "give the timer a longer interval, or its callback less to do: hand the work to the thread pool"},
     .by_slot = true,
     .loop = uvs__find_overruns},
    {{"async-storm", UVS_INFO, "an async handle was sent 1,000 times or more, and 20 times for each callback",
      "send only when the queue that the callback empties was empty before"},
     .by_slot = true,
     .loop = uvs__find_async_storms},
    {{"gc-pressure", UVS_WARNING,
      "garbage collections held a loop for 10 % of its busy time or more, and for 50 ms or more in all",
      "make less garbage in what runs most often; with Node.js, --max-semi-space-size gives young objects "
      "more "
      "room"},
     .loop = uvs__find_gc_pressure},
    {{"onset", UVS_INFO,
      "from some moment on a loop was much busier, or blocked much more often, than before",
      "see what the program began to do then, or who began to ask it for more"},
     .by_slot = true,
     .loop = uvs__find_onset},
    {{"loop-not-closed", UVS_WARNING,
      "uv_loop_close was refused because handles of the loop were open, and did not succeed afterwards",
      "close each handle with uv_close and run the loop once more, which calls their close callbacks; only "
      "then "
      "call uv_loop_close"},
     .loop = uvs__find_refused_close},
    {{"handles-open", UVS_INFO, "the program ended while handles kept a loop alive",
      "if the loop was to end by itself, close these handles when they are no longer needed, or uv_unref "
      "them"},
     .loop = uvs__find_handles_open},
    {{"pool-saturated", UVS_WARNING,
      "the 99th percentile of the pool's queue waits is 10 ms or more, and all workers were busy "
      "meanwhile, or they were while requests waited for 10 % of the pool's life",
      "raise UV_THREADPOOL_SIZE, or keep long work off the pool that files and name look-ups need"},
     .pool = saturated_pool},
    {{"pool-too-small", UVS_INFO,
      "requests waited for a worker for 10 ms or more, and more threads would have halved that",
      "set UV_THREADPOOL_SIZE in the environment before the program starts, and measure again"},
     .pool = uvs__find_small_pool},
    {{"dns-starves-fs", UVS_WARNING,
      "file system requests waited 10 ms or more for workers that look up names",
      "raise UV_THREADPOOL_SIZE, cache what was looked up, or use a resolver that needs no thread (c-ares)"},
     .pool = uvs__find_starved_fs},
    {{"pool-stuck", UVS_ERROR, "a pool request of 100 ms or older had not finished when the trace ended",
      "see what the running requests wait for; a lock or a descriptor that never gets ready holds a worker "
      "for ever"},
     .pool = stuck_pool},
    {{"handoff-missed", UVS_INFO, "how a request went to the pool was not seen",
      "run `uvscope doctor` in the program's environment"},
     .process = missed_handoffs},
    {{"totals-missing", UVS_WARNING,
      "totals of a lean recording were lost, or its process ended before it told the last",
      "let the program end by itself, and record with more shared memory if events were lost"},
     .process = uvs__find_missing_totals},
    {{"traced-late", UVS_WARNING, "a recorded process ran a loop before LTTng traced it",
      "record on a machine that is less busy, or with a larger LTTNG_UST_REGISTER_TIMEOUT "
      "(milliseconds; 3000 if it is not set)"},
     .trace = traced_late},
    {{"recorded-lean", UVS_INFO, "a process was recorded with --detail lean",
      "record without it to see everything one by one"},
     .process = uvs__find_lean},
    {{"pid-collision", UVS_WARNING, "two live processes share a pid, in different pid namespaces",
      "record one container at a time"},
     .trace = collisions},
    {{"events-lost", UVS_WARNING, "LTTng could not keep up and dropped events",
      "record with larger buffers, or for a shorter time"},
     .trace = lost},
    {{"trace-incomplete", UVS_WARNING, "the trace breaks off or is damaged",
      "end recordings with Ctrl-C or let the program finish, so that the last packets are written"},
     .trace = incomplete},
    {{"trace-short", UVS_INFO, "fewer than 20 iterations in less than 100 ms",
      "record for longer, under the load that you want to know about"},
     .trace = short_trace},
};
enum { FINDING_COUNT = sizeof(table) / sizeof(table[0]) };

const struct uvs_finding_info *uvs_finding_info(size_t index)
{
    return index < FINDING_COUNT ? &table[index].info : NULL;
}

static bool again(const struct uvs_report *report, size_t i)
{
    return i && report->loops[i - 1].pid == report->loops[i].pid &&
           report->loops[i - 1].loop == report->loops[i].loop;
}

static int look(struct uvs__hunt *hunt, size_t row)
{
    const struct uvs_report *report = hunt->report;
    int rc = 0;
    hunt->info = &table[row].info;
    for (size_t i = 0; table[row].loop && i < report->loop_count && !rc; i++)
        if (!table[row].by_slot || !again(report, i))
            rc = table[row].loop(hunt, &report->loops[i]);
    for (size_t i = 0; table[row].pool && i < report->pool_count && !rc; i++)
        rc = table[row].pool(hunt, &report->pools[i]);
    for (size_t i = 0; table[row].process && i < report->process_count && !rc; i++)
        rc = table[row].process(hunt, &report->processes[i]);
    if (table[row].trace && !rc)
        rc = table[row].trace(hunt);
    return rc;
}

static uint64_t weight(const struct uvs_finding *finding)
{
    return finding->value_ns == UVS_ABSENT ? 0 : finding->value_ns;
}

static int compare(const void *left, const void *right)
{
    const struct uvs_finding *a = left, *b = right;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    if (weight(a) != weight(b))
        return weight(a) < weight(b) ? 1 : -1;
    int order = strcmp(a->id, b->id);
    if (order)
        return order;
    return a->pid == b->pid ? a->loop - b->loop : a->pid < b->pid ? -1 : 1;
}

int uvs__find(struct uvs__output *output)
{
    struct uvs__hunt hunt = {.report = output->report, .spans = output->spans};
    int rc = 0;
    for (size_t row = 0; row < FINDING_COUNT && !rc; row++)
        rc = look(&hunt, row);
    if (output->report->finding_count)
        qsort(output->report->findings, output->report->finding_count, sizeof(*output->report->findings),
              compare);
    return rc;
}
