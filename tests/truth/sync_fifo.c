// SPDX-License-Identifier: MIT
// A synchronous uv_fs_read from a FIFO whose writer takes 120 ms: the loop is blocked by a call, not by
// computing.
#include "truth.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[256];
static struct truth_times waits;

static void write_late(void *unused)
{
    (void)unused;
    int file = open(path, O_WRONLY | O_CLOEXEC);
    usleep(120000);
    if (write(file, "x", 1) != 1)
        exit(97);
    close(file);
}

static void on_timer(uv_timer_t *timer)
{
    uv_fs_t request;
    char byte;
    uv_buf_t buffer = uv_buf_init(&byte, 1);
    int file = uv_fs_open(NULL, &request, path, O_RDONLY, 0, NULL);
    MUST(file);
    uint64_t begin_ns = uv_hrtime();
    MUST(uv_fs_read(NULL, &request, file, &buffer, 1, -1, NULL));
    truth_add(&waits, uv_hrtime() - begin_ns);
    uv_fs_req_cleanup(&request);
    uv_close((uv_handle_t *)timer, NULL);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_thread_t writer;
    char directory[] = "/tmp/uvscope-truth-XXXXXX";
    if (!mkdtemp(directory))
        return 97;
    snprintf(path, sizeof(path), "%s/fifo", directory);
    MUST(-mkfifo(path, 0600));
    MUST(uv_thread_create(&writer, write_late, NULL));
    MUST(uv_timer_init(loop, &timer));
    MUST(uv_timer_start(&timer, on_timer, 0, 0));
    uv_run(loop, UV_RUN_DEFAULT);
    MUST(uv_thread_join(&writer));
    unlink(path);
    rmdir(directory);
    truth_fact_times("sync_calls kind=fs.read site=on_timer duration", &waits);
    truth_fact("loops blocked.count 1");
    truth_fact("loops blocked.worst.0.class sync_call");
    truth_fact("loops blocked.worst.0.sync_calls.0.kind fs.read");
    truth_fact("loops blocked.worst.0.sync_calls.0.called_from.function on_timer");
    return uv_loop_close(loop) == 0 ? 0 : 98;
}
