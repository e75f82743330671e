// SPDX-License-Identifier: MIT
// `uvscope record`: runs a program under an LTTng session of its own.
#include "command.h"

#include "daemon_call.h"
#include "digest.h"
#include "environment.h"
#include "launch.h"
#include "left_running.h"
#include "limits.h"
#include "named_libuv.h"
#include "perf_maps.h"
#include "preflight.h"
#include "record_repeat.h"
#include "session.h"
#include "sessiond.h"
#include "summary.h"
#include "system_daemon.h"
#include "trace_dir.h"
#include "../analysis/recording.h"
#include "../probes/uvs_abi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const char *const detail_names[] = {"default", "full", "lean"}; // enum uvs_detail

#define LEAN_DEFAULT_US 5000
#define LEAN_MIN_NS     1000
#define LEAN_MAX_NS     1000000000u

static const char *wanted_directory;
static int detail = UVS_DETAIL_DEFAULT;
static bool quiet, no_js;
static const char *repeat; // NULL: once
static bool *ret_empty;    // of one of several runs, which says no more than that
static const char *max_size;
static const char *stall, *stall_work; // NULL: as the environment says
static struct uvs_strings plugins;
static const char *lean_threshold;

struct attempt {
    struct uvs_program program;
    struct uvs_named_libuv named;
    char runtime[PATH_MAX], plugins[PATH_MAX];
    char id[17], session[32], cwd[PATH_MAX], end[16];
    struct uvs_signals signals;
    struct uvs_trace_dir dir;
    struct uvs_sessiond daemon;
    struct uvs_recording facts; // its strings are borrowed
    struct uvs_witness witness;
    siginfo_t ended;
    char stall_ms[24], stall_work_ms[24], lean_us[24];
    uint64_t max_bytes; // 0: no limit
    time_t begun;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// --- Before anything is started ---

static int choose_id(struct attempt *attempt, struct uvs_error *error)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot get random bytes: %s", strerror(errno));
    snprintf(attempt->id, sizeof(attempt->id), "%016" PRIx64, number);
    snprintf(attempt->session, sizeof(attempt->session), "uvscope-%s", attempt->id);
    return 0;
}

// The watchdog counts in milliseconds.
static int choose_stall(const char *option, const char *given, char ret_ms[24], struct uvs_error *error)
{
    uint64_t ns = 0;
    int result = given && strcmp(given, "off") != 0 ? uvs_parse_duration(given, &ns, error) : 0;
    if (result)
        uvs_error_add(error, "%s", option);
    else if (given)
        snprintf(ret_ms, 24, "%" PRIu64, (ns + 999999) / 1000000);
    return result;
}

static int choose_stalls(struct attempt *attempt, struct uvs_error *error)
{
    int result = choose_stall("--stall", stall, attempt->stall_ms, error);
    return result ? result : choose_stall("--stall-work", stall_work, attempt->stall_work_ms, error);
}

// The runtime counts in microseconds.
static int choose_lean(struct attempt *attempt, struct uvs_error *error)
{
    uint64_t ns = LEAN_DEFAULT_US * UINT64_C(1000);
    if (lean_threshold && detail != UVS_DETAIL_LEAN)
        return uvs_error_set(error, UVS_E_USAGE, "--lean-threshold needs --detail lean");
    int result = lean_threshold ? uvs_parse_duration(lean_threshold, &ns, error) : 0;
    if (result) {
        uvs_error_add(error, "--lean-threshold");
        return result;
    }
    if (ns < LEAN_MIN_NS || ns > LEAN_MAX_NS)
        return uvs_error_set(
            error, UVS_E_USAGE,
            "--lean-threshold: %s is not between 1us and 1s; what is longer is what you want to "
            "see one by one",
            lean_threshold);
    snprintf(attempt->lean_us, sizeof(attempt->lean_us), "%" PRIu64, ns / 1000);
    return 0;
}

static int choose_size(struct attempt *attempt, struct uvs_error *error)
{
    int result = max_size ? uvs_parse_size(max_size, &attempt->max_bytes, error) : 0;
    if (!result && max_size && attempt->max_bytes == 0)
        result = uvs_error_set(error, UVS_E_USAGE, "a trace of no size holds nothing");
    if (result)
        uvs_error_add(error, "--max-size");
    return result;
}

static void note_facts(struct attempt *attempt, char **argv)
{
    if (!getcwd(attempt->cwd, sizeof(attempt->cwd)))
        attempt->cwd[0] = '\0'; // removed under our feet
    attempt->facts = (struct uvs_recording){
        .id = attempt->id,
        .argv = argv,
        .cwd = attempt->cwd,
        .detail = (char *)detail_names[detail],
        .version = (char *)UVS_VERSION,
        .begin_ns = UVS_ABSENT,
        .end_ns = UVS_ABSENT,
        .lost_events = UVS_ABSENT,
        .lost_packets = UVS_ABSENT,
    };
}

static int prepare(struct attempt *attempt, char **argv, struct uvs_error *error)
{
    int result = uvs__preflight(argv[0], &attempt->program, error);
    if (!result)
        result = uvs__find_runtime(attempt->runtime, error);
    if (!result && plugins.count)
        result = uvs__find_beside(attempt->runtime, "libuvscope-plugins.so", attempt->plugins, error);
    if (!result)
        result = uvs__limits_check(error);
    if (!result)
        result = choose_id(attempt, error);
    if (!result)
        note_facts(attempt, argv);
    return result;
}

// --- Directory, daemon, session, program ---

static int start_session(struct attempt *attempt, struct uvs_error *error)
{
    char ctf[PATH_MAX + sizeof("/" UVS_RECORDING_CTF)];
    snprintf(ctf, sizeof(ctf), "%s/" UVS_RECORDING_CTF, attempt->dir.path);
    const struct uvs_session_plan plan = {.name = attempt->session,
                                          .ctf_directory = ctf,
                                          .detail = (enum uvs_detail)detail,
                                          .max_bytes = attempt->max_bytes};
    int result = uvs__session_start(&plan, error);
    if (result == -UVS_E_USAGE)
        uvs_error_add(error, "--max-size %s", max_size);
    uvs__sessiond_unlock(&attempt->daemon);
    return result;
}

// Asked once more at the end.
static int check_disk(const struct attempt *attempt, struct uvs_error *error)
{
    int refusal = uvs__trace_dir_refusal(&attempt->dir, UVS_ROOM_TO_START);
    if (refusal == 0)
        return 0;
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "the disk of %s takes no trace: %s; use -o on another one",
                         attempt->dir.path, strerror(refusal));
}

static int start_program(struct attempt *attempt, struct uvs_error *error)
{
    int interrupted = uvs__signals_take_end();
    if (interrupted) {
        uvs_error_set(error, UVS_E_ENVIRONMENT, "interrupted before the program was started");
        return -(128 + interrupted);
    }
    const struct uvs_environment wanted = {
        .runtime = attempt->runtime,
        .plugins = plugins.count ? attempt->plugins : NULL,
        .recording = attempt->id,
        .lttng_home = attempt->daemon.home[0] ? attempt->daemon.home : NULL,
        .libuv = attempt->named.file[0] ? attempt->named.file : NULL,
        .stall_ms = stall ? attempt->stall_ms : NULL,
        .stall_work_ms = stall_work ? attempt->stall_work_ms : NULL,
        .lean_us = detail == UVS_DETAIL_LEAN ? attempt->lean_us : NULL,
        .names_of_children = !no_js,
        .names_scripts = !no_js && uvs__is_node(attempt->program.binary),
    };
    char **environment = uvs__environment_create(&wanted);
    if (!environment)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    const struct uvs_launch launch = {.path = attempt->program.path,
                                      .argv = attempt->facts.argv,
                                      .environment = environment,
                                      .signals = &attempt->signals};
    pid_t pid = 0;
    attempt->facts.begin_ns = now_ns();
    attempt->begun = time(NULL);
    uvs__witness_start(&attempt->witness);
    int result = uvs__launch(&launch, &pid, error);
    if (result)
        uvs__witness_end(&attempt->witness);
    attempt->facts.pid = (uint32_t)pid;
    uvs__environment_destroy(environment);
    return result;
}

static int start(struct attempt *attempt, struct uvs_error *error)
{
    int result = uvs__trace_dir_create(wanted_directory, attempt->facts.argv[0], &attempt->dir, error);
    if (result)
        return result;
    result = check_disk(attempt, error);
    if (!result)
        result = uvs__name_libuv(attempt->program.binary, &plugins, attempt->dir.path, &attempt->named,
                                 error);
    if (result)
        goto fail_daemon;
    result = uvs__sessiond_acquire(attempt->session, &attempt->daemon, error);
    if (result)
        goto fail_daemon;
    attempt->facts.own_daemon = attempt->daemon.home[0] != '\0';
    result = start_session(attempt, error);
    if (!result)
        result = uvs_recording_save(attempt->dir.path, &attempt->facts, error);
    if (!result)
        result = start_program(attempt, error);
    if (!result)
        return 0;
    uvs__sessiond_release(&attempt->daemon);
fail_daemon:
    uvs__trace_dir_abandon(&attempt->dir);
    uvs__trace_dir_clear(&attempt->dir);
    return result;
}

// --- The end ---

static void note_end(struct attempt *attempt)
{
    bool exited = attempt->ended.si_code == CLD_EXITED;
    snprintf(attempt->end, sizeof(attempt->end), "%s%d", exited ? "" : "signal ", attempt->ended.si_status);
    attempt->facts.exit = attempt->end;
    attempt->facts.end_ns = now_ns();
}

static void say_progress(const char *text)
{
    if (!quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s", text);
}

static void stop_session(struct attempt *attempt, struct uvs_summary *summary)
{
    if (uvs__sessiond_wake(&attempt->daemon))
        summary->daemon = UVS_DAEMON_WOKEN;
    if (!uvs__session_stop(attempt->session, &summary->loss, NULL))
        return;
    bool is_own = attempt->daemon.home[0] != '\0';
    summary->daemon = !uvs__daemon_is_silent() ? UVS_DAEMON_DIED
                      : is_own                 ? UVS_DAEMON_ENDED
                                               : UVS_DAEMON_LEFT;
    if (summary->daemon == UVS_DAEMON_LEFT)
        uvs__system_daemon_say_silent(&summary->daemon_left);
}

// LTTng does not count what it could not write.
static void note_disk(struct attempt *attempt, struct uvs_summary *summary)
{
    uint64_t largest;
    uvs__trace_dir_size(&attempt->dir, &largest);
    summary->file_limit = uvs__limits_near(largest);
    summary->refusal = uvs__trace_dir_refusal(&attempt->dir, UVS_ROOM_TO_GO_ON);
    bool cut = summary->file_limit || (summary->refusal && summary->refusal != EACCES);
    if (cut)
        summary->loss = (struct uvs_session_loss){UVS_ABSENT, UVS_ABSENT};
}

static void finish(struct attempt *attempt, struct uvs_summary *summary)
{
    say_progress("uvscope: writing the trace…");
    stop_session(attempt, summary);
    summary->left_running = uvs__count_left_running(attempt->id);
    uvs__sessiond_release(&attempt->daemon);
    note_disk(attempt, summary);
    attempt->facts.lost_events = summary->loss.events;
    attempt->facts.lost_packets = summary->loss.packets;
    attempt->facts.overwritten = attempt->max_bytes && uvs__trace_dir_overwritten(&attempt->dir);
    summary->overwritten = attempt->facts.overwritten;
    uvs_recording_save(attempt->dir.path, &attempt->facts, &summary->save);
    if (!no_js)
        uvs__perf_maps_take(attempt->dir.path, attempt->begun);
    say_progress("uvscope: reading the trace…");
    uvs__digest(attempt->dir.path, &summary->digest);
    summary->bytes = uvs__trace_dir_size(&attempt->dir, NULL);
    say_progress("");
}

// Nothing from here on may change what the program's caller sees.
static int accompany(struct attempt *attempt)
{
    struct uvs_summary summary = {.program = attempt->facts.argv[0],
                                  .directory = attempt->dir.path,
                                  .has_own_libuv = attempt->program.has_own_libuv,
                                  .named_libuv = &attempt->named};
    uvs_recording_save(attempt->dir.path, &attempt->facts, NULL);
    summary.is_latest = uvs__trace_dir_link_latest(&attempt->dir);
    uvs__launch_wait((pid_t)attempt->facts.pid, &attempt->witness, &attempt->ended);
    note_end(attempt);
    finish(attempt, &summary);
    const bool is_empty = summary.digest.state == UVS_DIGEST_EMPTY;
    if (!quiet && (!ret_empty || is_empty))
        uvs__summary_print(&summary);
    if (ret_empty)
        *ret_empty = is_empty;
    uvs__trace_dir_clear(&attempt->dir);
    int status = attempt->ended.si_status;
    return attempt->ended.si_code == CLD_EXITED ? status : uvs__end_by(status);
}

static int record(char **operands)
{
    if (!operands[0])
        return uvs_complain(UVS_E_USAGE, "record needs a program to run; see 'uvscope help record'");
    static struct attempt attempt;
    struct uvs_error error = {0};
    if (choose_stalls(&attempt, &error) || choose_lean(&attempt, &error) || choose_size(&attempt, &error))
        return uvs_complain(UVS_E_USAGE, "%s", error.text);
    int result = prepare(&attempt, operands, &error);
    if (!result) {
        uvs__signals_hold(&attempt.signals);
        result = start(&attempt, &error);
    }
    if (!result)
        return accompany(&attempt);
    // What is below the level of statuses is a UVS_E_.
    int status = -result >= UVS_RECORD_FAILED ? -result : UVS_RECORD_FAILED;
    uvs_complain(0, "%s", error.text);
    return status > 128 ? uvs__end_by(status - 128) : status; // interrupted
}

static int record_into(char **operands, const char *directory, bool is_quiet, bool *ret_is_empty)
{
    wanted_directory = directory;
    quiet = is_quiet;
    ret_empty = ret_is_empty;
    return record(operands);
}

static int record_once_or_more(char **operands)
{
    const struct uvs__repeat wanted = {
        .times = repeat, .output = wanted_directory, .quiet = quiet, .record = record_into};
    return repeat && operands[0] ? uvs__record_repeat(&wanted, operands) : record(operands);
}

static const struct uvs_option options[] = {
    {.name = "output",
     .letter = 'o',
     .form = UVS_OPTION_STRING,
     .argument = "DIR",
     .help = "write the trace into DIR, which must not exist or be empty (default: a new one in "
             "$UVSCOPE_TRACES or ~/uvscope-traces)",
     .value = &wanted_directory},
    {.name = "detail",
     .form = UVS_OPTION_CHOICE,
     .argument = "default|full|lean",
     .help =
         "full: also when each callback and each piece of pool work begins; lean: one by one only what is "
         "long, the rest as totals (default: default)",
     .value = &detail},
    {.name = "lean-threshold",
     .form = UVS_OPTION_STRING,
     .argument = "DURATION",
     .help = "with --detail lean: from which duration or delay on something is recorded one by one (default: "
             "5ms)",
     .value = &lean_threshold},
    {.name = "stall",
     .form = UVS_OPTION_STRING,
     .argument = "DURATION|off",
     .help = "take the stack of what holds a loop for DURATION or longer (default: 50ms)",
     .value = &stall},
    {.name = "max-size",
     .form = UVS_OPTION_STRING,
     .argument = "SIZE",
     .help = "keep the newest SIZE of the trace, as in 512M or 2G, at least 2M for each CPU, and overwrite "
             "the oldest (default: keep all)",
     .value = &max_size},
    {.name = "stall-work",
     .form = UVS_OPTION_STRING,
     .argument = "DURATION|off",
     .help = "take the stack of a pool worker that runs one request for DURATION or longer (default: off)",
     .value = &stall_work},
    {.name = "plugin",
     .form = UVS_OPTION_LIST,
     .argument = "FILE",
     .help =
         "a library that PROGRAM loads later and that has a libuv of its own inside, to be traced as well; "
         "may be repeated",
     .value = &plugins},
    {.name = "no-js",
     .form = UVS_OPTION_FLAG,
     .help = "do not ask Node.js for the names of JavaScript functions",
     .value = &no_js},
    {.name = "repeat",
     .form = UVS_OPTION_STRING,
     .argument = "N",
     .help = "run PROGRAM N times, one after the other, each into a directory run-1, run-2... of DIR, for "
             "compare "
             "and check; ends with the first status that is not 0 (default: once)",
     .value = &repeat},
    {.name = "quiet",
     .letter = 'q',
     .form = UVS_OPTION_FLAG,
     .help = "do not print the summary line at the end",
     .value = &quiet},
    {0},
};

const struct uvs_command uvs_command_record = {
    .name = "record",
    .summary = "run a program and record what its event loops do",
    .operands = "[--] PROGRAM [ARGUMENT]...",
    .description =
        "Runs PROGRAM as it would run alone - its input and output, signals, directory and exit status are\n"
        "its own - with the uvscope runtime preloaded, and records its event loops and those of its\n"
        "children into a trace directory. Nothing is rebuilt, and root is not needed.\n\n"
        "Ends with PROGRAM's status, or 128 + n if signal n ended it; 125 when recording failed, 126 when\n"
        "PROGRAM cannot be executed, 127 when it is not there. Where Ctrl-C ends PROGRAM, record dies of\n"
        "SIGINT as well, once the trace is written, so that a shell's loop stops.",
    .options = options,
    .program_follows = true,
    .run = record_once_or_more,
};
