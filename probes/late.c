// SPDX-License-Identifier: MIT
// Copies of libuv in libraries that the program loads after its start.
#include "probes/late.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>

#include "probes/entries.h"
#include "probes/environment.h"
#include "probes/plugins.h"
#include "probes/runtime.h"

#include "probes/poison.h"

struct loaded {
    unsigned long long added; // since the start, ever
    size_t count;             // now
};

static struct loaded at_start;
static unsigned long long looked_at;

static int count_object(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct loaded *loaded = data;
    loaded->added = info->dlpi_adds;
    loaded->count++;
    return 0;
}

static int read_added(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    *(unsigned long long *)data = info->dlpi_adds;
    return 1;
}

static bool has_more(void)
{
    unsigned long long added = 0;
    dl_iterate_phdr(read_added, &added);
    return added != __atomic_load_n(&looked_at, __ATOMIC_ACQUIRE);
}

// Two threads may have opened the same library: neither goes on before its functions are whole again.
static void look(void)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one_at_a_time);
    if (has_more()) {
        uvs__hook_late(at_start.count);
        struct loaded now = {0}; // hooking has loaded and unloaded an object of ours
        dl_iterate_phdr(count_object, &now);
        __atomic_store_n(&looked_at, now.added, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&one_at_a_time);
}

static void before_dlsym(void)
{
    static __thread bool looking __attribute__((tls_model("initial-exec")));
    if (looking || !has_more())
        return;
    int saved = errno;
    looking = true;
    look();
    looking = false;
    errno = saved;
}

void uvs__await_plugins(void)
{
    uvs_watch_dlsym_t *watch = uvs__environment.UVSCOPE_LIBUV
                                   ? (uvs_watch_dlsym_t *)dlsym(RTLD_DEFAULT, "uvs_watch_dlsym")
                                   : NULL;
    dlerror();
    if (!watch)
        return;
    dl_iterate_phdr(count_object, &at_start);
    looked_at = at_start.added;
    watch(before_dlsym);
}
