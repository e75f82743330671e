// SPDX-License-Identifier: MIT
// Two copies of libuv in one process, at work at the same time: the shared one, and that of plugin.c, which is
// linked with the program or (a file is given) loaded by it. The program's last tick runs the plug-in's loop
// inside its own.
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "plugin.h"

static int (*run_plugin)(int ticks);
static int ticks, plugin_ticks, nested, works;
static bool is_strange;

static void *plugin_thread(void *data)
{
    *(int *)data = run_plugin(plugin_ticks);
    return NULL;
}

static void main_work(uv_work_t *work)
{
    (void)work;
}

static void main_worked(uv_work_t *work, int status)
{
    works += status == 0;
    free(work);
}

static void main_tick(uv_timer_t *timer)
{
    uv_work_t *work = calloc(1, sizeof(*work));
    is_strange |= !work || uv_queue_work(timer->loop, work, main_work, main_worked) != 0;
    if (--ticks > 0)
        return;
    nested = run_plugin(2);
    uv_close((uv_handle_t *)timer, NULL);
}

static bool find_plugin(const char *file)
{
#ifdef LINKED
    (void)file;
    run_plugin = plugin_run;
#else
    void *plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        fprintf(stderr, "%s\n", dlerror());
    else
        *(void **)&run_plugin = dlsym(plugin, "plugin_run");
#endif
    return run_plugin;
}

int main(int argc, char **argv)
{
    if (argc < 3 || !find_plugin(argc > 3 ? argv[3] : ""))
        return 64;
    ticks = atoi(argv[1]);
    plugin_ticks = atoi(argv[2]);
    pthread_t thread;
    int plugin = -1;
    uv_timer_t timer;
    if (pthread_create(&thread, NULL, plugin_thread, &plugin) ||
        uv_timer_init(uv_default_loop(), &timer) || uv_timer_start(&timer, main_tick, 1, 1))
        return 65;
    int ran = uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    printf("run %d, plug-in %d, nested %d, work %d%s\n", ran, plugin, nested, works,
           is_strange ? ", strange" : "");
    return ran || plugin || nested || is_strange;
}
