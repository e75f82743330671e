// SPDX-License-Identifier: MIT
// Who this process is, what is mapped into it and which loops it runs: repeated about once a second while a
// loop turns, so that a session which starts late, a second session, and a snapshot all get it.
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/emit.h"
#include "probes/environment.h"
#include "probes/hooks.h"
#include "probes/lean.h"
#include "probes/loop.h"
#include "probes/object.h"

#include "probes/poison.h"

uint64_t uvs__process_announced_ns;
static uint64_t announced_loaded; // as of the last look at the modules

void uvs__announce_again(void)
{
    __atomic_store_n(&uvs__process_announced_ns, 0, __ATOMIC_RELAXED);
}

UVS__APART void uvs__pool_started(struct uvs__copy *copy, uint32_t threads)
{
    __atomic_store_n(&copy->pool_threads, threads, __ATOMIC_RELAXED);
    uvs__announce_again(); // with the true pool size
}

// libuv's rule (threadpool.c), for a pool that has not started yet.
static uint32_t future_pool_size(void)
{
    const char *text = uvs__environment.UV_THREADPOOL_SIZE;
    if (!text)
        return 4;
    int size = atoi(text);
    return size == 0 ? 1 : size < 0 || size > 1024 ? 1024 : (uint32_t)size;
}

static uint64_t pid_namespace(void)
{
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : UVS_ABSENT;
}

// As they were at the start, joined by 0x1f: a process that gives itself a title writes over them.
static char arguments[4096];

void uvs__note_arguments(int argc, char *const *argv)
{
    size_t used = 0;
    for (int i = 0; i < argc && argv[i]; i++) {
        if (i > 0 && used < sizeof(arguments) - 1)
            arguments[used++] = 0x1f;
        for (const char *from = argv[i]; *from && used < sizeof(arguments) - 1; from++)
            arguments[used++] = *from;
    }
    arguments[used] = '\0';
}

static void read_exe(char exe[4096])
{
    ssize_t length = readlink("/proc/self/exe", exe, 4095);
    exe[length < 0 ? 0 : length] = '\0';
}

static void announce_copy(const struct uvs__copy *copy, const char *exe)
{
    uint32_t number = (uint32_t)(copy - uvs__copies);
    uint32_t started = __atomic_load_n(&copy->pool_threads, __ATOMIC_RELAXED);
    uvs__emit_process_info(&(struct uvs_ev_process_info){
        .loop = uvs_loop_key(uvs__pid, number ? uvs_copy_slot(number) : UVS_SLOT_NONE),
        .pid = uvs__pid,
        .pid_ns = pid_namespace(),
        .start_ns = uvs__environment.start_ns,
        .schema = UVS_SCHEMA,
        .libuv = copy->real.uv_version ? copy->real.uv_version() : 0,
        .pool_size = started ? started : future_pool_size(),
        .hooks = (uint8_t)copy->mode,
        .lean_ns = uvs__lean_on() ? uvs__lean_ns : 0,
        .recording = uvs__environment.UVSCOPE_RECORDING ? uvs__environment.UVSCOPE_RECORDING : "",
        .exe = copy->object[0] ? copy->object : exe,
        .argv = arguments,
        .unhooked = copy->unhooked,
    });
}

// Copy 0 is there even where the process has no other than further ones: it stands for the process.
static void announce_process(void)
{
    char exe[4096];
    read_exe(exe);
    announce_copy(&uvs__copies[0], exe);
    for (size_t i = 1; i < UVS_COPY_COUNT; i++)
        if (uvs__copies[i].is_hooked)
            announce_copy(&uvs__copies[i], exe);
}

// --- A program that ran before it was traced ---

static uint64_t untraced_since_ns; // 0: it did not

// LTTng lets the program run when the session daemon has not answered within three seconds. Without `record`
// a session may begin whenever it likes.
void uvs__runs_untraced(void)
{
    uint64_t expected = 0;
    if (uvs__environment.UVSCOPE_RECORDING && !__atomic_load_n(&untraced_since_ns, __ATOMIC_RELAXED))
        __atomic_compare_exchange_n(&untraced_since_ns, &expected, uvs__now(), false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
}

// Each time: the first may be told before LTTng's buffers are there.
static void announce_late(void)
{
    const uint64_t since_ns = __atomic_load_n(&untraced_since_ns, __ATOMIC_RELAXED);
    if (since_ns)
        uvs__emit_dropped(&(struct uvs_ev_dropped){.loop = uvs__key(NULL),
                                                   .reason = UVS_DROPPED_TRACED_LATE,
                                                   .count = (uint32_t)((uvs__now() - since_ns) / 1000000)});
}

// --- Modules ---

static int announce_module(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    const char *exe = data; // of the first object, whose name is empty
    const char *path = object->dlpi_name && object->dlpi_name[0] ? object->dlpi_name : exe;
    if (!path[0])
        return 0;
    if (path[0] != '/') // in no file
        path = "[vdso]";
    uintptr_t begin = UINTPTR_MAX, end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t at = object->dlpi_addr + segment->p_vaddr;
        begin = at < begin ? at : begin;
        end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
    }
    char build_id[UVS_BUILD_ID_TEXT];
    uvs__read_build_id(object, build_id);
    uvs__emit_module(&(struct uvs_ev_module){
        .loop = uvs__key(NULL),
        .base = begin,
        .size = end > begin ? end - begin : 0,
        .bias = object->dlpi_addr,
        .build_id = build_id,
        .path = path,
    });
    return 0;
}

// Objects that were ever loaded.
static int count_loaded(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    *(uint64_t *)data = object->dlpi_adds;
    return 1;
}

static uint64_t loaded(void)
{
    uint64_t count = 0;
    dl_iterate_phdr(count_loaded, &count);
    return count;
}

static void announce_modules(void)
{
    __atomic_store_n(&announced_loaded, loaded(), __ATOMIC_RELAXED);
    char exe[4096];
    read_exe(exe);
    dl_iterate_phdr(announce_module, exe);
}

void uvs__announce_new_modules(void)
{
    int saved = errno;
    if (uvs__on(module) && loaded() != __atomic_load_n(&announced_loaded, __ATOMIC_RELAXED))
        announce_modules();
    errno = saved;
}

// --- Loops ---

static void announce_loop(struct uvs__loop *loop, uint64_t now_ns)
{
    char name[16] = "";
    loop->announced_ns = now_ns;
    loop->announced_try_writes = loop->try_writes;
    prctl(PR_GET_NAME, name);
    uvs__emit_loop_info(&(struct uvs_ev_loop_info){.loop = loop->key,
                                                   .tid = loop->tid,
                                                   .is_default = uvs__is_default_loop(loop->loop),
                                                   .try_writes = loop->try_writes,
                                                   .name = name});
    if (loop->sees_gc)
        uvs__emit_gc(&(struct uvs_ev_gc){.loop = loop->key, .kind = UVS_GC_NONE});
}

void uvs__announce_counts(struct uvs__loop *loop, uint64_t now_ns)
{
    int saved = errno;
    if (loop->try_writes != loop->announced_try_writes && uvs__on(loop_info))
        announce_loop(loop, now_ns);
    errno = saved;
}

UVS__APART void uvs__announce(struct uvs__loop *loop, uint64_t now_ns)
{
    int saved = errno;
    uint64_t last_ns = __atomic_load_n(&uvs__process_announced_ns, __ATOMIC_RELAXED);
    if ((!last_ns || now_ns - last_ns >= UVS__ANNOUNCE_EVERY_NS) && now_ns >= last_ns &&
        uvs__on(process_info) &&
        __atomic_compare_exchange_n(&uvs__process_announced_ns, &last_ns, now_ns, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED)) {
        announce_process();
        announce_late();
        uvs__lean_announce();
        announce_modules();
    }
    if (loop && !loop->announced_ns)
        uvs__announce_new_modules();
    if (loop && (!loop->announced_ns || now_ns - loop->announced_ns >= UVS__ANNOUNCE_EVERY_NS) &&
        uvs__on(loop_info))
        announce_loop(loop, now_ns);
    errno = saved;
}

void uvs__announce_first(void)
{
    if (__builtin_expect(!__atomic_load_n(&uvs__process_announced_ns, __ATOMIC_RELAXED), 0))
        uvs__announce(NULL, uvs__now());
}

void uvs__announce_after_fork(void)
{
    uvs__process_announced_ns = 0;
    untraced_since_ns = 0;
    for (size_t i = 0; i < UVS_COPY_COUNT; i++)
        uvs__copies[i].pool_threads = 0; // the child's pools start anew
}
