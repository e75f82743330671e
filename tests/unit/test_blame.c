// SPDX-License-Identifier: MIT
// Random logs of loops and pools, made millisecond by millisecond: the blame must come to what counting the
// milliseconds comes to.
#include "analysis/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MS 1000000ull
enum {
    SEEDS = 40,
    LOOPS = 2,
    FUNCTIONS = 6,
    CALLERS = 3,
    BEGIN = 1000,
    END = 4000,
    LINES = 8192,
    VICTIMS = 4096,
    THRESHOLD = 10,
};
enum { SYNC = FUNCTIONS, POLL = SYNC + CALLERS, OUTSIDE, LIBUV, GC, UNKNOWN, CAUSES };

struct line {
    unsigned time;
    char text[160];
};

struct victim {
    unsigned due, run, function;
};

struct script {
    struct line lines[LINES];
    size_t line_count;
    unsigned char owner[END + 2000];
    struct victim victims[VICTIMS];
    size_t victim_count;
    unsigned loop, now, callbacks;
};

static uint64_t random_state;

static unsigned below(unsigned limit)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(random_state >> 33) % limit;
}

__attribute__((format(printf, 3, 4))) static void say(struct script *script, unsigned time,
                                                      const char *format, ...)
{
    assert_true(script->line_count < LINES);
    struct line *line = &script->lines[script->line_count++];
    line->time = time;
    va_list args;
    va_start(args, format);
    vsnprintf(line->text, sizeof(line->text), format, args);
    va_end(args);
}

static void own(struct script *script, unsigned begin, unsigned end, unsigned owner)
{
    memset(script->owner + begin, (int)owner, end - begin);
}

// --- A loop's log ---

static void collect(struct script *script, unsigned begin, unsigned end)
{
    own(script, begin, end, GC);
    say(script, end, "gc loop=7:%u kind=%s duration_ns=%ums", script->loop,
        below(2) ? "scavenge" : "mark_compact", end - begin);
}

static void sync_call(struct script *script, unsigned begin, unsigned end)
{
    unsigned caller = below(CALLERS);
    own(script, begin, end, SYNC + caller);
    if (end > begin && below(4) == 0)
        collect(script, begin, begin + below(end - begin));
    say(script, end, "sync_call loop=7:%u kind=fs.read caller=0x%x duration_ns=%ums", script->loop,
        (script->loop + 1) * 0x1000 + 0x800 + caller, end - begin);
}

static void callback(struct script *script, unsigned begin, unsigned end, unsigned depth)
{
    unsigned function = below(FUNCTIONS), delay = below(2) ? below(400) : 0, third = (end - begin) / 3;
    own(script, begin, end, function);
    if (third && below(2))
        sync_call(script, begin + below(third), begin + third);
    if (third > 1 && depth < 3 && below(2))
        callback(script, begin + third, begin + third + 1 + below(third), depth + 1);
    if (third > 1 && below(3) == 0)
        sync_call(script, end - third, end - below(third));
    else if (third && below(2))
        collect(script, end - below(third), end);
    if (delay >= THRESHOLD)
        script->victims[script->victim_count++] = (struct victim){begin - delay, begin, function};
    say(script, end,
        "callback loop=7:%u op=1 kind=timer depth=%u callback=0x%x duration_ns=%ums delay_ns=%ums",
        script->loop, depth, (script->loop + 1) * 0x1000 + function, end - begin, delay);
}

static void busy(struct script *script)
{
    script->callbacks = 0;
    for (unsigned left = below(7); left > 0; left--) {
        unsigned gap = below(8), length = 1 + below(60);
        own(script, script->now, script->now + gap, LIBUV);
        if (gap && below(4) == 0)
            collect(script, script->now, script->now + below(gap));
        script->now += gap;
        if (below(4) == 0)
            continue;
        callback(script, script->now, script->now + length, 0);
        script->now += length;
        script->callbacks++;
    }
}

// One busy interval in eight holds a callback that was lost: nothing is known of it.
static void interval(struct script *script)
{
    unsigned begin = script->now, wait = 1 + below(30);
    busy(script);
    unsigned end = script->now, lost = below(8) == 0;
    bool returns = below(6) == 0;
    if (lost)
        own(script, begin, end, UNKNOWN);
    own(script, end, end + wait, returns ? OUTSIDE : POLL);
    say(script, returns ? end : end + wait,
        "poll loop=7:%u wait_ns=%ums busy_ns=%ums callbacks=%u timeout_ms=-1 calls=%u", script->loop,
        returns ? 0 : wait, end - begin, script->callbacks + lost, !returns);
    script->now = end + wait;
}

static void write_loop(struct script *script, unsigned loop)
{
    memset(script, 0, sizeof(*script));
    script->loop = loop;
    memset(script->owner, UNKNOWN, sizeof(script->owner));
    script->now = BEGIN;
    say(script, script->now, "poll loop=7:%u wait_ns=0 busy_ns=0 callbacks=0 timeout_ms=-1 calls=1", loop);
    while (script->now < END - 500)
        interval(script);
    say(script, script->now, "poll loop=7:%u wait_ns=0 busy_ns=0 callbacks=0 timeout_ms=-1 calls=1", loop);
}

// --- Reading it ---

static struct uvs_report *report_of(const struct script *const *scripts, size_t count)
{
    char path[] = "/tmp/uvscope-blame-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fprintf(file, "0 process_info loop=7:- pid=7 pid_ns=1 start_ns=5 schema=1 pool_size=4 exe=/x argv=x\n");
    size_t at[LOOPS] = {0};
    for (;;) {
        const struct line *next = NULL;
        size_t from = 0;
        for (size_t i = 0; i < count; i++)
            if (at[i] < scripts[i]->line_count && (!next || scripts[i]->lines[at[i]].time < next->time)) {
                next = &scripts[i]->lines[at[i]];
                from = i;
            }
        if (!next)
            break;
        at[from]++;
        fprintf(file, "%ums %s\n", next->time, next->text);
    }
    fclose(file);
    struct uvs_report *report;
    struct uvs_error error = {0};
    int rc = uvs_analyse(path, NULL, &report, &error);
    unlink(path);
    if (rc)
        print_error("%s\n", error.text);
    assert_int_equal(rc, 0);
    return report;
}

static unsigned cause_of(const struct uvs_blame_who *who)
{
    static const unsigned nobody[] = {[UVS_BLAME_POLL] = POLL,
                                      [UVS_BLAME_OUTSIDE] = OUTSIDE,
                                      [UVS_BLAME_LIBUV] = LIBUV,
                                      [UVS_BLAME_GC] = GC,
                                      [UVS_BLAME_UNKNOWN] = UNKNOWN};
    if (!who->site)
        return nobody[who->what];
    unsigned low = who->site->address & 0xfff;
    return who->what == UVS_BLAME_SYNC_CALL ? SYNC + low - 0x800 : low;
}

struct table {
    uint64_t suffered[FUNCTIONS][CAUSES], times[FUNCTIONS];
    struct {
        uint64_t inflicted, wall, victims, worst;
    } culprits[CAUSES];
};

static void count_victim(const struct script *script, const struct victim *victim, struct table *table)
{
    uint64_t parts[CAUSES] = {0};
    for (unsigned ms = victim->due; ms < victim->run; ms++)
        parts[script->owner[ms]] += MS;
    table->times[victim->function]++;
    for (unsigned cause = 0; cause < CAUSES; cause++) {
        table->suffered[victim->function][cause] += parts[cause];
        table->culprits[cause].inflicted += parts[cause];
        table->culprits[cause].victims += parts[cause] > 0;
        if (parts[cause] > table->culprits[cause].worst)
            table->culprits[cause].worst = parts[cause];
    }
}

static void count_milliseconds(const struct script *script, struct table *table)
{
    memset(table, 0, sizeof(*table));
    for (size_t i = 0; i < script->victim_count; i++)
        count_victim(script, &script->victims[i], table);
    for (unsigned ms = 0; ms < script->now; ms++)
        for (size_t i = 0; i < script->victim_count; i++)
            if (script->victims[i].due <= ms && ms < script->victims[i].run) {
                table->culprits[script->owner[ms]].wall += MS;
                break;
            }
    // Nobody is to blame for these.
    memset(&table->culprits[POLL], 0, sizeof(table->culprits[POLL]));
    memset(&table->culprits[UNKNOWN], 0, sizeof(table->culprits[UNKNOWN]));
}

static void read_table(const struct uvs_report *report, unsigned loop, struct table *table)
{
    memset(table, 0, sizeof(*table));
    for (size_t i = 0; i < report->victim_count; i++) {
        const struct uvs_victim_row *row = &report->victims[i];
        uint64_t sum = 0, times = 0;
        for (size_t j = 0; j < row->by_count; j++) {
            sum += row->by[j].ns;
            times += row->by[j].times;
            if (row->who.loop == (int)loop)
                table->suffered[cause_of(&row->who)][cause_of(&row->by[j].who)] = row->by[j].ns;
        }
        assert_int_equal(sum, row->suffered.sum);
        assert_int_equal(times, row->suffered.count);
        if (row->who.loop == (int)loop)
            table->times[cause_of(&row->who)] = row->suffered.count;
    }
    for (size_t i = 0; i < report->culprit_count; i++) {
        const struct uvs_culprit_row *row = &report->culprits[i];
        unsigned cause = cause_of(&row->who);
        if (row->who.loop != (int)loop)
            continue;
        table->culprits[cause].inflicted = row->inflicted.sum;
        table->culprits[cause].victims = row->inflicted.count;
        table->culprits[cause].worst = row->inflicted.max;
        table->culprits[cause].wall = row->wall_ns;
    }
}

static void expect_counted(const struct script *script, const struct uvs_report *report)
{
    struct table counted, blamed;
    count_milliseconds(script, &counted);
    read_table(report, script->loop, &blamed);
    assert_memory_equal(&counted, &blamed, sizeof(counted));
}

// --- Tests ---

static struct script scripts[LOOPS];

// Each loop's blame is what its milliseconds say, alone and beside another loop, however their events mix.
static void test_late_callbacks(void **state)
{
    (void)state;
    size_t victims = 0;
    for (random_state = 1; random_state <= SEEDS; random_state++) {
        uint64_t seed = random_state;
        for (unsigned i = 0; i < LOOPS; i++) {
            write_loop(&scripts[i], i);
            victims += scripts[i].victim_count;
        }
        const struct script *orders[][LOOPS] = {{&scripts[0], &scripts[1]}, {&scripts[1], &scripts[0]}};
        for (size_t order = 0; order < 2; order++)
            for (size_t count = 1; count <= LOOPS; count++) {
                struct uvs_report *report = report_of(orders[order], count);
                for (size_t i = 0; i < count; i++)
                    expect_counted(orders[order][i], report);
                uvs_report_destroy(report);
            }
        random_state = seed;
    }
    assert_true(victims > 1000);
}

struct job {
    unsigned submit, begin, end, function;
};
enum { JOBS = 120 };

// First in, first out, on so many workers; the victims' milliseconds are shared by who runs.
static void serve(struct job *jobs, unsigned workers)
{
    unsigned free_at[4] = {0}, submit = 0;
    for (size_t i = 0; i < JOBS; i++) {
        unsigned *worker = &free_at[0];
        for (unsigned w = 1; w < workers; w++)
            if (free_at[w] < *worker)
                worker = &free_at[w];
        submit += below(25);
        jobs[i] = (struct job){submit, submit > *worker ? submit : *worker, 0, below(FUNCTIONS)};
        *worker = jobs[i].end = jobs[i].begin + 1 + below(60);
    }
}

static void write_pool(struct script *script, const struct job *jobs, unsigned workers)
{
    memset(script, 0, sizeof(*script));
    say(script, 0, "process_info loop=7:- pid=7 pid_ns=1 start_ns=5 schema=1 pool_size=%u exe=/x argv=x",
        workers);
    for (unsigned ms = 0; ms < END + 9000; ms++) {
        for (size_t i = 0; i < JOBS; i++)
            if (jobs[i].end == ms && ms)
                say(script, ms, "work loop=7:0 op=%zu kind=work tid=1 queue_ns=%ums service_ns=%ums", i + 1,
                    jobs[i].begin - jobs[i].submit, jobs[i].end - jobs[i].begin);
        for (size_t i = 0; i < JOBS; i++)
            if (jobs[i].submit == ms)
                say(script, ms, "schedule loop=7:0 op=%zu kind=work callback=0x%x", i + 1,
                    0x1000 + jobs[i].function);
    }
}

static double inflicted_by(const struct job *jobs, unsigned function, unsigned workers)
{
    double ms = 0;
    for (size_t v = 0; v < JOBS; v++) {
        if (jobs[v].begin - jobs[v].submit < THRESHOLD)
            continue;
        for (size_t i = 0; i < JOBS; i++) {
            unsigned from = jobs[i].begin > jobs[v].submit ? jobs[i].begin : jobs[v].submit;
            unsigned to = jobs[i].end < jobs[v].begin ? jobs[i].end : jobs[v].begin;
            if (jobs[i].function == function && from < to)
                ms += (double)(to - from) / workers;
        }
    }
    return ms;
}

static void expect_shares(const struct uvs_report *report, const struct job *jobs, unsigned workers)
{
    double rounding_ms = 0.01;
    for (size_t i = 0; i < report->culprit_count; i++) {
        const struct uvs_culprit_row *row = &report->culprits[i];
        assert_int_equal(row->who.what, UVS_BLAME_REQUEST);
        double ms = inflicted_by(jobs, cause_of(&row->who), workers);
        assert_true((double)row->inflicted.sum / 1e6 - ms < rounding_ms);
        assert_true(ms - (double)row->inflicted.sum / 1e6 < rounding_ms);
    }
}

static void expect_waits(const struct uvs_report *report, const struct job *jobs)
{
    uint64_t waited = 0, suffered = 0;
    for (size_t i = 0; i < JOBS; i++)
        if (jobs[i].begin - jobs[i].submit >= THRESHOLD)
            waited += (jobs[i].begin - jobs[i].submit) * MS;
    for (size_t i = 0; i < report->victim_count; i++) {
        uint64_t sum = 0;
        for (size_t j = 0; j < report->victims[i].by_count; j++)
            sum += report->victims[i].by[j].ns;
        assert_int_equal(sum, report->victims[i].suffered.sum);
        suffered += sum;
    }
    assert_int_equal(suffered, waited);
}

// Replayed with as many workers, the requests wait for what they waited for.
static void expect_replay(const struct uvs_report *report, unsigned workers)
{
    const struct uvs_pool_row *pool = &report->pools[0];
    assert_int_equal(report->pool_count, 1);
    assert_int_equal(pool->replayed, JOBS);
    if (pool->what_if_count < workers)
        assert_int_equal(pool->recorded.sum_ns, 0);
    else
        assert_int_equal(pool->what_if[workers - 1].sum_ns, pool->recorded.sum_ns);
}

static void test_waits_for_a_worker(void **state)
{
    (void)state;
    for (random_state = 1; random_state <= SEEDS; random_state++) {
        uint64_t seed = random_state;
        struct job jobs[JOBS];
        unsigned workers = 1 + below(4);
        serve(jobs, workers);
        write_pool(&scripts[0], jobs, workers);
        const struct script *only[] = {&scripts[0]};
        struct uvs_report *report = report_of(only, 1);
        expect_waits(report, jobs);
        expect_shares(report, jobs, workers);
        expect_replay(report, workers);
        uvs_report_destroy(report);
        random_state = seed;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_callbacks),
        cmocka_unit_test(test_waits_for_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
