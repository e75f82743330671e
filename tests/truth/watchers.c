// SPDX-License-Identifier: MIT
// What watches the outside: poll, signal, process, fs_event, fs_poll. What became ready while the loop was
// busy waited for at least as long as its poll says.
#include "truth.h"

#include <signal.h>
#include <unistd.h>

static uv_poll_t poll;
static uv_signal_t signal_watch, once;
static uv_process_t process;
static uv_fs_event_t fs_event;
static uv_fs_poll_t fs_poll;
static uv_timer_t change;
static int pipe_ends[2], polls, signals, onces, exits, events, changes;
static char file[] = "/tmp/uvscope-truth-XXXXXX";

static void on_poll(uv_poll_t *handle, int status, int ready)
{
    (void)ready;
    MUST(status);
    char byte;
    if (read(pipe_ends[0], &byte, 1) == 1 && ++polls == 3)
        uv_close((uv_handle_t *)handle, NULL);
}

static void on_once(uv_signal_t *handle, int number)
{
    (void)number;
    onces++;
    uv_close((uv_handle_t *)handle, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    if (++signals == 5)
        uv_close((uv_handle_t *)handle, NULL);
    else
        raise(number);
}

static void on_exit_of_child(uv_process_t *handle, int64_t status, int number)
{
    exits += status == 3 && number == 0;
    uv_close((uv_handle_t *)handle, NULL);
}

static void touch(uv_timer_t *timer)
{
    static int times;
    FILE *stream = fopen(file, "a");
    if (stream) {
        fprintf(stream, "%d\n", times++);
        fclose(stream);
    }
    if (events && changes) {
        uv_close((uv_handle_t *)timer, NULL);
        uv_close((uv_handle_t *)&fs_event, NULL);
        uv_close((uv_handle_t *)&fs_poll, NULL);
    }
}

static void on_event(uv_fs_event_t *handle, const char *name, int what, int status)
{
    (void)handle;
    (void)name;
    (void)what;
    MUST(status);
    events++;
}

static void on_change(uv_fs_poll_t *handle, int status, const uv_stat_t *before, const uv_stat_t *after)
{
    (void)handle;
    (void)before;
    (void)after;
    MUST(status);
    changes++;
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    int made = mkstemp(file);
    MUST(made);
    close(made);
    MUST(-pipe(pipe_ends));
    if (write(pipe_ends[1], "abc", 3) != 3)
        return 97;
    MUST(uv_poll_init(loop, &poll, pipe_ends[0]));
    MUST(uv_poll_start(&poll, UV_READABLE, on_poll));
    MUST(uv_signal_init(loop, &once));
    MUST(uv_signal_start_oneshot(&once, on_once, SIGUSR2));
    MUST(uv_signal_init(loop, &signal_watch));
    MUST(uv_signal_start(&signal_watch, on_signal, SIGUSR1));
    raise(SIGUSR2);
    raise(SIGUSR1);
    const uv_process_options_t options = {
        .exit_cb = on_exit_of_child,
        .file = "/bin/sh",
        .args = (char *[]){(char *)"sh", (char *)"-c", (char *)"exit 3", NULL}};
    MUST(uv_spawn(loop, &process, &options));
    MUST(uv_fs_event_init(loop, &fs_event));
    MUST(uv_fs_event_start(&fs_event, on_event, file, 0));
    MUST(uv_fs_poll_init(loop, &fs_poll));
    MUST(uv_fs_poll_start(&fs_poll, on_change, file, 10));
    MUST(uv_timer_init(loop, &change));
    MUST(uv_timer_start(&change, touch, 1, 20));
    uv_run(loop, UV_RUN_DEFAULT);
    unlink(file);
    truth_fact("callbacks kind=poll site=on_poll count %d", polls);
    truth_fact("callbacks kind=poll site=on_poll delay.count %d", polls);
    truth_fact("callbacks kind=signal site=on_signal count %d", signals);
    truth_fact("callbacks kind=signal site=on_once count %d", onces);
    truth_fact("callbacks kind=process site=on_exit_of_child count %d", exits);
    truth_fact("callbacks kind=fs_event site=on_event count %d", events);
    truth_fact("callbacks kind=fs_poll site=on_change count %d", changes);
    truth_fact("sync_calls kind=spawn site=main duration.count 1");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
