// SPDX-License-Identifier: MIT
// The child and its limit.
#include "daemon_call.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DATA_MAX = 1024,
    SLICE_MS = 100,
    TIMEOUT_MS = 30000, // the buffers of many CPUs, written to a slow disk
};

// One write of this is never split, nor does it wait: a pipe holds more.
struct answer {
    int result;
    struct uvs_error error;
    _Alignas(max_align_t) char data[DATA_MAX];
};

static unsigned timeout_ms = TIMEOUT_MS;
static bool silent;

int uvs__daemon_timeout_read(struct uvs_error *error)
{
    const char *chosen = getenv("UVSCOPE_DAEMON_TIMEOUT");
    uint64_t ns = 0;
    if (!chosen || !chosen[0])
        return 0;
    if (uvs_parse_duration(chosen, &ns, error)) {
        uvs_error_add(error, "UVSCOPE_DAEMON_TIMEOUT");
        return -UVS_E_USAGE;
    }
    uint64_t ms = ns / 1000000;
    timeout_ms = ms < SLICE_MS ? SLICE_MS : ms > INT32_MAX ? INT32_MAX : (unsigned)ms;
    return 0;
}

unsigned uvs__daemon_timeout_ms(void)
{
    return timeout_ms;
}

bool uvs__daemon_is_silent(void)
{
    return silent;
}

static _Noreturn void run_child(int (*call)(void *, struct uvs_error *), const void *data, size_t size,
                                int pipe)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDERR_FILENO); // where the library has words of its own
    struct answer answer = {0};
    if (size > 0) // or there is none
        memcpy(answer.data, data, size);
    answer.result = call(answer.data, &answer.error);
    _exit(write(pipe, &answer, sizeof(answer)) != sizeof(answer));
}

// By counted slices, not by the clock: whoever stops uvscope and its daemon together for an hour finds both
// where they were.
static bool await_answer(int pipe)
{
    struct pollfd answer = {.fd = pipe, .events = POLLIN};
    for (unsigned waited_ms = 0; waited_ms < timeout_ms; waited_ms += SLICE_MS) {
        if (poll(&answer, 1, SLICE_MS) > 0)
            return true;
    }
    return false;
}

static int not_answered(const char *what, struct uvs_error *error)
{
    silent = true;
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         "cannot %s: the LTTng daemon did not answer within %.1f s (UVSCOPE_DAEMON_TIMEOUT)",
                         what, timeout_ms / 1e3);
}

// The child's end is awaited by its pipe, which it holds until then.
static int take_answer(const char *what, int pipe, void *data, size_t size, struct uvs_error *error)
{
    struct answer answer;
    if (!await_answer(pipe))
        return not_answered(what, error);
    if (read(pipe, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot %s: the process that does it was killed",
                             what);
    memcpy(data, answer.data, size);
    if (answer.result && error)
        *error = answer.error;
    return answer.result;
}

int uvs__daemon_call(const char *what, int (*call)(void *, struct uvs_error *), void *data, size_t size,
                     struct uvs_error *error)
{
    int ends[2];
    if (silent)
        return not_answered(what, error);
    if (pipe2(ends, O_CLOEXEC))
        return call(data, error); // better without a limit than not at all
    pid_t pid = fork();
    if (pid == 0)
        run_child(call, data, size, ends[1]);
    close(ends[1]);
    int result = pid < 0 ? call(data, error) : take_answer(what, ends[0], data, size, error);
    close(ends[0]);
    if (pid > 0) {
        kill(pid, SIGKILL); // it has answered, or is not to any more
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return result;
}
