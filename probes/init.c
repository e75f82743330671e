// SPDX-License-Identifier: MIT
// Start-up: the constructor, the provider, operation numbers, thread registration. Nothing is emitted from
// here: LTTng's own constructors may not have run.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/clock.h"
#include "probes/emit.h"
#include "probes/entries.h"
#include "probes/environment.h"
#include "probes/guest.h"
#include "probes/hooks.h"
#include "probes/late.h"
#include "probes/lean.h"
#include "probes/leave.h"
#include "probes/node_options.h"
#include "probes/runtime.h"

#include "probes/poison.h"

#define PROVIDER_FILE "libuvscope-provider.so"

__thread struct uvs__thread uvs__self __attribute__((tls_model("initial-exec")));
uint32_t uvs__pid;
bool uvs__provider_loaded;
struct uvs__environment uvs__environment;

static void (*know_thread)(void);
static bool started; // our constructor has run

UVS__APART uint64_t uvs__next_op_block(struct uvs__thread *self)
{
    static uint64_t next_block;
    const uint64_t op = __atomic_fetch_add(&next_block, UVS__OP_BLOCK, __ATOMIC_RELAXED) + 1;
    self->next_op = op + 1;
    return op;
}

uint32_t uvs__tid(struct uvs__thread *self)
{
    if (!self->tid)
        self->tid = (uint32_t)syscall(SYS_gettid);
    return self->tid;
}

void uvs__debug(const char *format, ...)
{
    if (!uvs__environment.UVSCOPE_DEBUG)
        return;
    int saved = errno;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "uvscope[%u]: %s\n", uvs__pid, text);
    errno = saved;
}

UVS__APART void uvs__register_thread(struct uvs__thread *self)
{
    if (!know_thread)
        return;
    int saved = errno;
    know_thread();
    uvs__tracepoints_last(); // once all constructors have run, and LTTng's functions are known
    errno = saved;
    self->known_to_lttng = true;
}

static bool path_beside(const char *file, char *path, size_t size)
{
    Dl_info here;
    if (!dladdr((void *)path_beside, &here) || !here.dli_fname)
        return false;
    const char *slash = strrchr(here.dli_fname, '/');
    int directory = slash ? (int)(slash + 1 - here.dli_fname) : 0;
    return (size_t)snprintf(path, size, "%.*s%s", directory, here.dli_fname, file) < size;
}

void *uvs__open_beside(const char *file, const char *path)
{
    char beside[4096];
    if (!path && path_beside(file, beside, sizeof(beside)))
        path = beside;
    void *object = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const char *why = object ? NULL : dlerror();
    if (!object)
        uvs__debug("cannot load %s: %s", file, why ? why : "its path is too long");
    return object;
}

// LTTng's descriptors count for the program's limit. A program that has few is to have them all.
static bool has_descriptors(void)
{
    struct rlimit files;
    long needed = UVS_DESCRIPTORS_NEEDED(sysconf(_SC_NPROCESSORS_CONF));
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= (rlim_t)needed)
        return true;
    uvs__debug("not traced: it may have %lu open files, and with LTTng it needs about %ld",
               (unsigned long)files.rlim_cur, needed);
    return false;
}

static void load_provider(void)
{
    if (!has_descriptors())
        return;
    const bool is_alone = !uvs__has_tracer();
    void *provider = uvs__open_beside(PROVIDER_FILE, uvs__environment.UVSCOPE_PROVIDER);
    if (!provider)
        return;
    if (is_alone)
        uvs__share_clock(provider);
    // LTTng cancels its threads at exit, and glibc loads this for the first cancellation: a program that has
    // entered a chroot by then would be aborted.
    dlopen("libgcc_s.so.1", RTLD_LAZY | RTLD_LOCAL);
    know_thread = (void (*)(void))dlsym(provider, "lttng_ust_init_thread");
    uvs__guest_init(provider);
    uvs__leave_init(provider);
    dlerror();
    __atomic_store_n(&uvs__provider_loaded, true, __ATOMIC_RELEASE);
}

void uvs__load_provider(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int saved = errno;
    pthread_once(&once, load_provider);
    errno = saved;
}

void uvs__first_loop(void)
{
    if (__builtin_expect(!started, 0)) // by the constructor of a library: ours comes, and loads the provider
        uvs__pid = (uint32_t)getpid();
    else
        uvs__load_provider();
}

void uvs__process_after_fork(void)
{
    uvs__pid = (uint32_t)getpid();
    uvs__self.tid = 0;
    uvs__leaving = false;
    uvs__loops_after_fork();
    uvs__lean_after_fork();
    uvs__announce_after_fork();
    uvs__watchdog_after_fork();
}

static void start(int argc, char **argv)
{
    int saved = errno;
    uvs__pid = (uint32_t)getpid();
    uvs__environment = (struct uvs__environment){
#define X(variable, meaning) .variable = secure_getenv(#variable),
        UVS_ENV_MAP(X)
#undef X
            .UV_THREADPOOL_SIZE = getenv("UV_THREADPOOL_SIZE"),
        .start_ns = uvs__now(),
    };
    const char *handles = uvs__environment.UVSCOPE_HANDLES;
    uvs__leaves_handles = handles && strcmp(handles, "off") == 0;
    uvs__lean_start(uvs__environment.UVSCOPE_LEAN_US);
    uvs__note_arguments(argc, argv);
    uvs__keep_snapshots_plain(argc, argv);
    uvs__resolve_libc();
    // Programs without libuv get neither LTTng nor its threads. One that loads libuv later gets them at its
    // first loop.
    bool is_bound = uvs__hook_executable() || uvs__resolve_libuv();
    if (uvs__hook_named() || is_bound)
        uvs__load_provider();
    if (is_bound && uvs__environment.UVSCOPE_NAMES)
        uvs__ask_for_names(argc, argv);
    uvs__await_plugins();
    started = true;
    errno = saved;
}

// A constructor, but listed by ourselves: those that the compiler may gather in one function are called
// without the arguments.
__attribute__((section(".init_array"), used)) static void (*first)(int, char **) = start;
