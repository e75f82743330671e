// SPDX-License-Identifier: MIT
// The supervised child: its ends, its silence, and the supervisor's own death.
#include "src/command.h"
#include "src/progress.h"
#include "src/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define MS 1000000ull

static char complaint[4096];

int uvs_complain(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(complaint, sizeof(complaint), format, args);
    va_end(args);
    return code;
}

static int run(int (*job)(void *data, struct uvs_worker_progress *progress), void *data, uint64_t patience_ns)
{
    complaint[0] = '\0';
    return uvs_worker_run(job, data, "the trace", patience_ns, false);
}

static int return_data(void *data, struct uvs_worker_progress *progress)
{
    (void)progress;
    return *(int *)data;
}

static int die_of_data(void *data, struct uvs_worker_progress *progress)
{
    (void)progress;
    signal(*(int *)data, SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0); // no core files from a test
    raise(*(int *)data);
    return 0;
}

static void sleep_ms(unsigned ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int hang(void *data, struct uvs_worker_progress *progress)
{
    (void)data;
    (void)progress;
    while (pause() < 0)
        ;
    return 0;
}

static int hang_against_sigterm(void *data, struct uvs_worker_progress *progress)
{
    signal(SIGTERM, SIG_IGN);
    return hang(data, progress);
}

static int advance_slowly(void *data, struct uvs_worker_progress *progress)
{
    (void)data;
    for (int i = 0; i < 10; i++) {
        sleep_ms(100);
        atomic_fetch_add(&progress->events, 1);
    }
    return 5;
}

#ifndef UVS_SANITIZED
static int tell_memory_limit(void *data, struct uvs_worker_progress *progress)
{
    struct rlimit limit;
    (void)data;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return 1;
    atomic_store(&progress->events, 1);
    return limit.rlim_cur <= UVS_WORKER_MAX_MEMORY ? 0 : 2;
}
#endif

#ifndef UVS_SANITIZED
static void memory_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(run(tell_memory_limit, NULL, 5000 * MS), 0);
    // Only the worker's: this process keeps its own.
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_DATA, &limit), 0);
    assert_true(limit.rlim_cur > UVS_WORKER_MAX_MEMORY);
}
#endif

static int write_output(void *data, struct uvs_worker_progress *progress)
{
    (void)progress;
    fputs(data, stdout); // not flushed by the job
    return 0;
}

static void the_status_is_the_job_s(void **state)
{
    (void)state;
    for (int status = 0; status < 5; status++) {
        assert_int_equal(run(return_data, &status, 5000 * MS), status);
        assert_int_equal(uvs_worker_run(return_data, &status, "x", 1, true), status);
    }
    assert_string_equal(complaint, "");
}

static void the_status_is_known_where_sigchld_is_ignored(void **state)
{
    (void)state;
    int status = 3;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(run(return_data, &status, 5000 * MS), 3);
    signal(SIGCHLD, SIG_DFL);
}

static void a_crash_is_explained(void **state)
{
    (void)state;
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGKILL};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        int signal_number = signals[i];
        assert_int_equal(run(die_of_data, &signal_number, 5000 * MS), UVS_E_TRACE);
        assert_non_null(strstr(complaint, "the trace"));
        assert_non_null(strstr(complaint, signal_number == SIGKILL ? "memory" : "aborted"));
    }
}

static void silence_is_ended(void **state)
{
    (void)state;
    assert_int_equal(run(hang, NULL, 200 * MS), UVS_E_TRACE);
    assert_non_null(strstr(complaint, "no progress"));
    assert_int_equal(run(hang_against_sigterm, NULL, 200 * MS), UVS_E_TRACE);
    assert_non_null(strstr(complaint, "no progress"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no child is left
    assert_int_equal(errno, ECHILD);
}

static void slow_progress_is_progress(void **state)
{
    (void)state;
    assert_int_equal(run(advance_slowly, NULL, 700 * MS), 5);
}

static void output_comes_once_and_in_order(void **state)
{
    (void)state;
    char text[64] = "";
    char path[] = "/tmp/uvs-worker-XXXXXX";
    const int file = mkstemp(path), old = dup(STDOUT_FILENO);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    fputs("before ", stdout);
    run(write_output, "inside ", 5000 * MS);
    fputs("after", stdout);
    fflush(stdout);
    dup2(old, STDOUT_FILENO);
    const ssize_t length = pread(file, text, sizeof(text) - 1, 0);
    unlink(path);
    close(file);
    close(old);
    assert_int_equal(length, 19);
    assert_string_equal(text, "before inside after");
}

// A supervisor in a process of its own; its job says in `ready` who it is.
static pid_t start_supervisor(int (*job)(void *, struct uvs_worker_progress *), int ready[2])
{
    assert_int_equal(pipe(ready), 0);
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        const int status = uvs_worker_run(job, ready, "x", 60000 * MS, false);
        _exit(status);
    }
    return pid;
}

static int hang_and_tell(void *data, struct uvs_worker_progress *progress)
{
    const pid_t pid = getpid();
    if (write(((int *)data)[1], &pid, sizeof(pid)) != sizeof(pid))
        return 1;
    return hang(NULL, progress);
}

static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return true;
        sleep_ms(10);
    }
    return false;
}

static void a_dead_supervisor_takes_its_child_along(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
    // Orphans come to this process, so that it sees them end.
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        int ready[2], status;
        pid_t child;
        const pid_t supervisor = start_supervisor(hang_and_tell, ready);
        assert_int_equal(read(ready[0], &child, sizeof(child)), sizeof(child));
        assert_int_equal(kill(supervisor, signals[i]), 0);
        assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_true(is_gone_soon(child));
        close(ready[0]);
        close(ready[1]);
    }
}

static int die_of_pipe(void *data, struct uvs_worker_progress *progress)
{
    (void)data;
    int signal_number = SIGPIPE;
    return die_of_data(&signal_number, progress);
}

static void a_closed_pipe_ends_both_the_same_way(void **state)
{
    (void)state;
    int ready[2], status;
    const pid_t supervisor = start_supervisor(die_of_pipe, ready);
    assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    close(ready[0]);
    close(ready[1]);
}

static void progress_has_share_rate_and_rest(void **state)
{
    (void)state;
    char text[128];
    uvs__progress_text(text, sizeof(text), 3000 * MS, 6300000, 250);
    assert_string_equal(text, "uvscope: reading: 25 %, 2.1 million events/s, 9 s left");
    uvs__progress_text(text, sizeof(text), 2000 * MS, 30000, 0);
    assert_string_equal(text, "uvscope: reading, 15 thousand events/s");
    uvs__progress_text(text, sizeof(text), 2000 * MS, 0, 1000);
    assert_string_equal(text, "uvscope: reading: 100 %");
}

// It goes on until its supervisor has said so on the terminal whose other end this is.
static int wait_for_words(void *data, struct uvs_worker_progress *progress)
{
    char seen[1024];
    size_t length = 0;
    atomic_store(&progress->per_mille, 420);
    while (length < sizeof(seen) - 1) {
        atomic_fetch_add(&progress->events, 1);
        const ssize_t more = read(*(int *)data, seen + length, sizeof(seen) - 1 - length);
        if (more <= 0)
            return 1;
        length += (size_t)more;
        seen[length] = '\0';
        if (strstr(seen, "reading: 42 %") && strstr(seen, "s left"))
            return 0;
    }
    return 2;
}

static void terminals_see_progress(void **state)
{
    (void)state;
    int leader = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(leader >= 0 && grantpt(leader) == 0 && unlockpt(leader) == 0);
    const int terminal = open(ptsname(leader), O_RDWR | O_NOCTTY), before = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && before >= 0);
    dup2(terminal, STDERR_FILENO);
    const int status = run(wait_for_words, &leader, 20000 * MS);
    dup2(before, STDERR_FILENO);
    close(before);
    close(terminal);
    close(leader);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_is_the_job_s),
        cmocka_unit_test(the_status_is_known_where_sigchld_is_ignored),
        cmocka_unit_test(a_crash_is_explained),
        cmocka_unit_test(silence_is_ended),
        cmocka_unit_test(slow_progress_is_progress),
        cmocka_unit_test(progress_has_share_rate_and_rest),
        cmocka_unit_test(terminals_see_progress),
#ifndef UVS_SANITIZED
        cmocka_unit_test(memory_is_bounded),
#endif
        cmocka_unit_test(output_comes_once_and_in_order),
        cmocka_unit_test(a_dead_supervisor_takes_its_child_along),
        cmocka_unit_test(a_closed_pipe_ends_both_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
