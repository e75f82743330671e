// SPDX-License-Identifier: MIT
// The lock of the system's daemon: who waits is patient with each holder, not with all of them together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/command.h"
#include "src/daemon_call.h"
#include "src/session.h"
#include "src/system_daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOLDERS = 3, LIMIT_MS = 1000, HELD_MS = 600 };

int uvs_parse_duration(const char *text, uint64_t *ret_ns, struct uvs_error *error)
{
    (void)error;
    *ret_ns = strtoull(text, NULL, 10) * 1000000;
    return 0;
}

bool uvs__any_session(void)
{
    return true;
}

// Counted as the one who waits counts, so that both are late on a busy machine.
static void pass_ms(unsigned ms)
{
    const struct timespec step = {.tv_nsec = 20000000};
    for (unsigned passed_ms = 0; passed_ms < ms; passed_ms += 20)
        nanosleep(&step, NULL);
}

// Takes its turn among those who wait, says that it has it, and holds it.
static pid_t start_holder(int said, unsigned held_ms)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    int lock = open(UVS_SYSTEM_LOCK, O_RDONLY | O_DIRECTORY);
    if (lock < 0 || flock(lock, LOCK_EX) || write(said, "", 1) != 1)
        _exit(1);
    pass_ms(held_ms);
    _exit(0);
}

static void await_word(int said)
{
    char word;
    assert_int_equal(read(said, &word, 1), 1);
}

// Returns whether it came behind all of them: between two holders the lock is free for a moment.
static bool wait_for_holders(void)
{
    int ends[2], had_it = 1;
    pid_t holders[HOLDERS];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < HOLDERS; i++)
        holders[i] = start_holder(ends[1], HELD_MS);
    await_word(ends[0]);
    int lock = uvs__system_lock();
    assert_true(lock >= 0);
    for (; poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 0) == 1; had_it++)
        await_word(ends[0]);
    uvs__system_unlock(lock);
    for (int i = 0; i < HOLDERS; i++)
        waitpid(holders[i], NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return had_it == HOLDERS;
}

static void many_holders_are_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        if (wait_for_holders())
            return;
    fail_msg("it never came behind all of them");
}

static void one_that_is_stuck_is_passed_by(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t holder = start_holder(ends[1], 60000);
    await_word(ends[0]);
    assert_int_equal(uvs__system_lock(), -1);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_holders_are_waited_for),
        cmocka_unit_test(one_that_is_stuck_is_passed_by),
    };
    char limit[16];
    snprintf(limit, sizeof(limit), "%d", LIMIT_MS);
    setenv("UVSCOPE_DAEMON_TIMEOUT", limit, 1);
    uvs__daemon_timeout_read(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
