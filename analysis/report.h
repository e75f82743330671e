// SPDX-License-Identifier: MIT
// The result of an analysis: what report-schema 1 says, as structs. The text, the JSON and the rules of
// `check` are all made from this. Times are nanoseconds; UVS_ABSENT / NULL is unknown, never 0.
#ifndef UVS_REPORT_H
#define UVS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include "error.h"
#include "event.h"
#include "hist.h"
#include "reader.h"
#include "site.h"

#define UVS_REPORT_SCHEMA              1
#define UVS_DEFAULT_BLOCK_THRESHOLD_NS 50000000ull
#define UVS_DEFAULT_BLAME_THRESHOLD_NS 10000000ull
enum { UVS_WORST_BLOCKS = 10, UVS_SLOWEST_CHAINS = 10, UVS_FEW_SLICES = 50, UVS_SCRIPTS_NAMED = 3 };

struct uvs_interval {
    uint64_t begin_ns, end_ns;
};

struct uvs_trace_facts {
    char *path;
    const char *reader;
    char *reader_note; // why the fast one did not read it; NULL: nothing to say
    uint64_t begin_ns, duration_ns, events;
    uint64_t overwritten_ns; // of the recording, before begin_ns: the newest part took its place
    struct {
        uint64_t events, packets; // lost; from the reader
        bool uncounted; // a processor's first events are missing: they made room, or were never written
        uint64_t spans_unknown; // callbacks whose self time or block is unknown because of it
        struct uvs_interval *intervals;
        size_t interval_count;
    } loss;
    char *incomplete; // why reading stopped before the end of the trace, or NULL
};

struct uvs_process_row {
    uint32_t pid;
    uint64_t copy; // of libuv in the process: 0, or one that a library has for itself, whose path is `exe`
    char *exe, **argv, *libuv; // argv NULL-terminated; any may be NULL when no process_info was seen
    size_t argc;
    int hooks;      // enum uvs_hooks, -1 unknown
    char *unhooked; // libuv functions that could not be hooked, separated by spaces; NULL unknown
    uint32_t pool_size;
    uint64_t handoff_missed, loops_dropped;
    uint64_t lean_ns; // recorded lean: what is shorter is in totals alone, UVS_ABSENT: it was lost from where
                      // on; 0: everything is told, or nobody says it is not
    uint64_t totals_lost; // of them
    uint64_t untold_ns;   // before its end, of which the totals are missing
    char *exit;           // "0", "signal 9", "running" or NULL
};

#define UVS_BLOCK_CLASS_MAP(X)                \
    X(SYNC_CALL, "sync_call")                 \
    X(LONG_CALLBACK, "long_callback")         \
    X(SATURATED, "saturated")                 \
    X(OUTSIDE_CALLBACKS, "outside_callbacks") \
    X(UNKNOWN, "unknown")

enum uvs_block_class {
#define X(NAME, name) UVS_BLOCK_##NAME,
    UVS_BLOCK_CLASS_MAP(X)
#undef X
};

// One line of what filled a block, largest first.
struct uvs_block_part {
    uint8_t kind;
    struct uvs_site *site; // the callback, or where the sync call was made from; NULL unknown
    uint64_t ns, count;    // self time of callbacks; duration of sync calls
};

// A function of a block's dominant stack.
struct uvs_block_frame {
    struct uvs_site *site; // the line of it that was seen most
    double share;          // of the time that was sampled in the block, by this way
    bool is_runtime;       // of the C library, libuv, a language's own machinery: not the program's code
};

struct uvs_block_stack {
    size_t index; // in the report's stacks
    uint64_t ns;  // that its samples stand for
};

struct uvs_block {
    uint64_t begin_ns, duration_ns;
    uint64_t cpu_ns;       // of the loop's thread, by the last sample; UVS_ABSENT unknown
    uint64_t gc_ns;        // of garbage collections; UVS_ABSENT unknown
    uint8_t gc_kind;       // of the longest; NONE: there was none, or it is not known
    uint64_t samples;      // that have a stack
    uint64_t looks, waits; // samples with and without one; of these, that found it in a system call
    int waiting_in;        // the system call that at least half of the sampled time is of; -1: of none
    struct uvs_block_frame *stack; // innermost first, as far as at least half of that time agrees
    size_t stack_count;
    struct uvs_block_stack *stacks; // all of them
    size_t stacks_count;
    bool open; // the process or the trace ended in it: at least this long
    enum uvs_block_class class;
    struct uvs_block_part *callbacks, *sync_calls; // at most 5 each
    size_t callback_count, sync_call_count;
};

// Garbage collections of a loop's thread of one kind.
struct uvs_gc_row {
    uint8_t kind;
    struct uvs_hist duration;
};

// Handles of one type and callback that were open.
struct uvs_handle_row {
    uint8_t type;              // enum uvs_handle, or one that this version does not know
    struct uvs_site *callback; // NULL: it had none, or it is not known
    uint64_t count;
    uint64_t keeping; // of them: active and referenced, so that the loop goes on for them
    uint64_t closing; // of them: closed, but their close callback has still to run
};

// The handles that a loop had when it should have none.
struct uvs_open_handles {
    uint8_t when;              // enum uvs_open
    struct uvs_handle_row all; // those too that have no row of their own
    struct uvs_handle_row *rows;
    size_t row_count;
};

struct uvs_loop_row {
    uint32_t index; // for the analyses that add to the row
    uint32_t pid, tid;
    unsigned loop; // the slot, 0…
    char *name;    // of the thread
    bool is_default;
    uint64_t iterations, busy_ns, poll_ns, outside_ns;
    uint64_t try_writes;   // uv_try_write and the like: counted, not traced
    struct uvs_hist block; // busy intervals
    uint64_t blocked_count, blocked_sum_ns;
    struct uvs_block *worst; // by duration, at most UVS_WORST_BLOCKS
    size_t worst_count;
    bool sees_gc;          // false: whether garbage was collected is not known
    struct uvs_gc_row *gc; // by kind; only those that were seen
    size_t gc_count;
    struct uvs_open_handles *open; // NULL: none, or not known
};

struct uvs_callback_row {
    uint32_t pid;
    unsigned loop;
    uint8_t kind;
    struct uvs_site *site;
    uint64_t cancelled;
    uint64_t sends;    // async: that these calls answered
    uint64_t overruns; // timer: it was due again before its last run had returned
    struct uvs_hist duration, self, delay, latency; // duration.count is the count
    struct uvs_hist delay_most; // of descriptors: delay is a lower bound, this is the upper one
    bool has_delay, has_delay_most, has_latency; // whether the kind has one at all (false -> null)
};

struct uvs_sync_row {
    uint32_t pid;
    int loop; // -1: not on a loop
    uint8_t kind;
    struct uvs_site *called_from;
    struct uvs_hist duration;
};

struct uvs_pool_request_row {
    uint32_t who; // for the analyses that add to the row
    uint8_t kind;
    struct uvs_site *site;
    const char *engine;                        // "pool", "io_uring", "unknown"
    uint64_t count, cancelled, slow_io_capped; // slow_io_capped UVS_ABSENT: not known
    struct uvs_hist queue, service, return_;
    // What workers did that ran one for long, by the samples of all of them; its times are those of the
    // longest as of the last sample. NULL: there is no sample.
    struct uvs_block *sampled;
    bool triple_known; // false: hand-off missed for this kind; queue, service, return are null
};

// What requests would have waited for with so many threads.
struct uvs_what_if {
    uint32_t threads;
    uint64_t sum_ns, p99_ns, max_ns;
};

struct uvs_pool_row {
    uint32_t process; // its index, for the analyses that add to the row
    uint32_t pid, size;
    uint64_t copy; // of libuv in the process
    bool missed;   // a hand-off was: what it says of all requests together may be too little
    uint64_t busy_ns, saturated_ns, max_queue_depth;
    uint64_t life_ns; // from the first submit to the last finish, or the trace's end when something is stuck
    double utilization;                                // busy / (size * life); < 0 unknown
    uint64_t never_started, never_finished, oldest_ns; // oldest_ns UVS_ABSENT when none
    struct uvs_pool_request_row *requests;
    size_t request_count;
    uint64_t replayed;           // requests; 0: nothing is foretold
    struct uvs_what_if recorded; // what these did wait for
    struct uvs_what_if *what_if; // 1, 2, …: up to the first number of threads with which nothing waits, or 64
    size_t what_if_count;
};

// What filled a victim's time. A request held a worker that another one waited for; unknown is what the trace
// does not tell.
#define UVS_BLAME_MAP(X)      \
    X(CALLBACK, "callback")   \
    X(SYNC_CALL, "sync_call") \
    X(GC, "gc")               \
    X(REQUEST, "request")     \
    X(POLL, "poll")           \
    X(OUTSIDE, "outside")     \
    X(LIBUV, "libuv")         \
    X(UNKNOWN, "unknown")

enum uvs_blame_what {
#define X(NAME, name) UVS_BLAME_##NAME,
    UVS_BLAME_MAP(X)
#undef X
};

// A function of a script, and the samples of the watchdog that were innermost in it, of the program's own.
struct uvs_script {
    struct uvs_site *site;
    uint64_t samples, ns; // ns: that they stand for
};

// What scripts did while a culprit ran, where it was sampled.
struct uvs_scripts {
    uint64_t samples, ns;                       // all that were taken while it ran, in a script or not
    struct uvs_script named[UVS_SCRIPTS_NAMED]; // with most time first
    size_t count;
};

struct uvs_blame_who {
    enum uvs_blame_what what;
    uint32_t pid;
    int loop;                          // the slot; -1: of the process's pool
    int kind;                          // -1: what is no function of the program's
    struct uvs_site *site;             // NULL: unknown, or none
    const struct uvs_scripts *scripts; // of a culprit; NULL: none that is known
};

struct uvs_culprit_row {
    struct uvs_blame_who who;
    struct uvs_hist inflicted; // on each victim: may exceed the time that passed
    uint64_t wall_ns;          // its time while at least one victim waited for it
};

struct uvs_blame_part {
    struct uvs_blame_who who;
    uint64_t ns, times; // times: victims of which it was the greatest part
};

// who.what: CALLBACK ran late, REQUEST waited for a worker.
struct uvs_victim_row {
    struct uvs_blame_who who;
    struct uvs_hist suffered;
    uint64_t stale, stale_ns;  // timers: that a poll slept too long for them, and for how long
    struct uvs_blame_part *by; // largest first; their sum is that of `suffered`
    size_t by_count;
};

// One stack of the samples that the watchdog took, and the time that they stand for.
struct uvs_stack_row {
    uint32_t pid;
    int loop; // -1: of a worker of the pool
    uint64_t ns;
    struct uvs_site **frames; // innermost first
    size_t frame_count;
};

// One callback of a chain: what passed since the one before asked for it, and how long it ran until it asked
// for the next, or returned.
struct uvs_chain_step {
    uint64_t op;
    uint8_t kind;
    struct uvs_site *site;
    uint64_t begin_ns;
    uint64_t waiting_ns; // for a timer or for the kernel
    uint64_t queue_ns, service_ns;
    uint64_t delayed_ns; // it could have run
    uint64_t running_ns;
};

// From a root to a callback; the five times are the sums of the steps', and sum to the total.
struct uvs_chain_row {
    uint32_t pid;
    uint64_t op; // of the last step
    uint64_t begin_ns, total_ns, waiting_ns, queue_ns, service_ns, delayed_ns, running_ns;
    struct uvs_chain_step *steps; // the root first
    size_t step_count;
};

// What happened in a slice of the trace. Of loops: all but the last two; of pools: these.
struct uvs_slice {
    uint64_t busy_ns, poll_ns, iterations;
    uint64_t worst_block_ns; // of the busy intervals that began in it
    uint64_t queued_ns;      // by all requests together: divided by the slice's length, the mean queue depth
    uint64_t max_wait_ns;    // of the requests that a worker took in it
};

// A loop's or a pool's slices: report->slice_count of them.
struct uvs_slices_row {
    uint32_t pid;
    int loop; // -1: the pool
    struct uvs_slice *slices;
};

enum uvs_severity { UVS_INFO, UVS_WARNING, UVS_ERROR };

struct uvs_finding {
    const char *id; // "loop-blocked"
    enum uvs_severity severity;
    char *text;         // observation and cause, one sentence
    const char *advice; // what to do
    const char *doc;    // anchor in docs/ANALYSES.md
    uint64_t value_ns;  // the figure it rests on, for sorting; UVS_ABSENT none
    uint32_t pid;       // where; 0 = the whole trace
    int loop;           // -1: the process
};

// The lists of rows that a report can be filtered, ordered and shortened by; in the JSON's order.
enum uvs_list {
    UVS_LIST_PROCESSES,
    UVS_LIST_LOOPS,
    UVS_LIST_CALLBACKS,
    UVS_LIST_SYNC_CALLS,
    UVS_LIST_POOLS,
    UVS_LIST_CULPRITS,
    UVS_LIST_VICTIMS,
    UVS_LIST_CHAINS,
    UVS_LIST_SLICES,
    UVS_LIST_FINDINGS,
    UVS_LIST_COUNT
};

// What a report was asked to show, and what is not in it because of that.
struct uvs_shown {
    bool any;                   // false: all of the trace
    char *filter, *sort;        // as given, or NULL
    uint64_t from_ns, until_ns; // of the window, since the begin of the trace; 0 and UVS_ABSENT: open
    uint64_t top;               // rows of each list at most; 0: all
    uint64_t left_out[UVS_LIST_COUNT], requests_left_out; // rows
};

// Rows are sorted: processes and loops by pid and slot, callbacks by total self time, sync calls by total
// duration, requests by total queue + service, culprits by inflicted time, victims by suffered time, findings
// by severity and value; largest first; ties by name and address. Of processes that are recorded lean, blocks
// and delays below their threshold are not known: it raises ours.
struct uvs_report {
    struct uvs_trace_facts trace;
    uint64_t block_threshold_ns;
    struct uvs_process_row *processes;
    size_t process_count;
    struct uvs_loop_row *loops;
    size_t loop_count;
    struct uvs_callback_row *callbacks;
    size_t callback_count;
    struct uvs_sync_row *sync_calls;
    size_t sync_call_count;
    struct uvs_pool_row *pools;
    size_t pool_count;
    uint64_t blame_threshold_ns;
    struct uvs_culprit_row *culprits;
    size_t culprit_count;
    struct uvs_victim_row *victims;
    size_t victim_count;
    struct uvs_scripts *scripts; // those that culprits borrow
    uint64_t slice_ns;           // their length; the first begins with the trace, or with the window of it
    size_t slice_count;
    struct uvs_slices_row *slices; // loops, then pools, each by pid and slot
    size_t slices_count;
    uint64_t chain_op; // 0: the slowest chains; else the chain of this operation alone
    uint32_t chain_pid;
    struct uvs_chain_row *chains; // with the most time that was not waiting first
    size_t chain_count;
    struct uvs_finding *findings;
    size_t finding_count;
    struct uvs_stack_row *stacks; // in the order of their first sample
    size_t stack_count;
    struct uvs_site **sites; // owns every site above
    size_t site_count;
    struct uvs_shown shown;
};

struct uvs_analysis_options {
    enum uvs_reader_choice reader;
    // Where the events come from, if not from `path`, which is the recording's directory then, or NULL: there
    // is none. NULL: uvs_reader_create_of.
    int (*open)(void *open_data, struct uvs_reader **ret_reader, struct uvs_error *error);
    void *open_data;
    uint64_t block_threshold_ns; // 0 = the default
    uint64_t blame_threshold_ns; // 0 = the default: delays of this length have victims and culprits
    uint64_t chain_op;  // 0: report the slowest chains; else only the one that ends in this operation
    uint32_t chain_pid; // 0 = of any process
    // Only what happened in this window counts, since the begin of the trace; until_ns 0: up to its end. See
    // docs/ANALYSES.md for what that is.
    uint64_t from_ns, until_ns;
    uint64_t
        look_back_ns; // how long before the window reading begins; 0: as is needed; UVS_ABSENT: at the begin
    // Called about every 10,000 events with the number read so far and the share of the trace that they are,
    // below 0: unknown, so that a supervisor sees progress. A second reading has shares from 1 to 2. May
    // be NULL.
    void (*progress)(void *data, uint64_t events, double share);
    void *progress_data;
    // Set when all was read and none of it was the recording's own; may be NULL.
    bool *ret_empty;
};

// Of a system call by its number, as it is on x86-64: "flock"; NULL: none that may wait.
const char *uvs_call_name(int call);

// "the loop" where there is one, else "loop 2 (main, node) of process 14": the default loop is the main one,
// and the name is its thread's. Returns the text, in the buffer or constant.
enum { UVS_LOOP_TEXT_SIZE = 64 };
const char *uvs_loop_text(const struct uvs_report *report, const struct uvs_loop_row *loop,
                          char buffer[UVS_LOOP_TEXT_SIZE]);

// The function of a script that held the block: beside one, the callback that libuv called is only the
// machinery. NULL: none is known.
const struct uvs_site *uvs_block_script(const struct uvs_block *block);

// Reads the whole trace at `path`. 0: *ret_report is the caller's. A trace that breaks off in the middle
// still gives a report, with trace.incomplete set and return value 0; no uvscope event at all is
// -UVS_E_TRACE.
int uvs_analyse(const char *path, const struct uvs_analysis_options *options, struct uvs_report **ret_report,
                struct uvs_error *error);
void uvs_report_destroy(struct uvs_report *report);

// Every finding there can be, for the documentation and its test: returns NULL past the end.
struct uvs_finding_info {
    const char *id;
    enum uvs_severity severity;
    const char *meaning, *advice;
};
const struct uvs_finding_info *uvs_finding_info(size_t index);

// schema 1 as a JSON document; the string is the caller's (free). NULL without memory.
char *uvs_report_to_json(const struct uvs_report *report);

#endif
