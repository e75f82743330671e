// SPDX-License-Identifier: MIT
// The LTTng session of a recording, through liblttng-ctl.
#include "session.h"

#include "daemon_call.h"
#include "limits.h"
#include "../probes/uvs_abi.h"

#include <lttng/lttng.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHANNEL       "uvscope"
#define METADATA      "metadata" // LTTng takes a channel of this name for the attributes of the session's own
#define SHARED_MEMORY "/dev/shm"

enum {
    SUBBUFFERS_MIN = 4,
    SUBBUFFERS_MAX = 16,     // some seconds of a busy server, in which others may have the processors
    SHARED_MEMORY_PART = 16, // of what is free, for more than the least
    SUBBUFFER_MAX = 1 << 20,
    SUBBUFFER_MIN = 64 << 10,
    SHARED_MEMORY_RESERVE = 1 << 20, // the metadata channel, and the tracer's own shared pages
    RING_FILES_MIN = 2,
    RING_FILES_MAX = 16,
    METADATA_SUBBUFFER = 4096,
    METADATA_SUBBUFFERS = 2,
    METADATA_TIMER_US = 200000,
    SWITCH_TIMER_US = 1000000, // what a killed daemon loses at most
};

// A refusal of liblttng-ctl; code is negative.
static int lttng_failed(struct uvs_error *error, const char *what, int code)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot %s: %s", what, lttng_strerror(code));
}

static struct lttng_domain user_space(void)
{
    return (struct lttng_domain){.type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID};
}

// --- Buffers ---

// With so many there is always one that LTTng's reader does not hold.
static uint64_t channel_bytes(unsigned count, uint64_t subbuffer, unsigned cpus)
{
    return (count + 1) * subbuffer * cpus;
}

unsigned uvs__fit_count(uint64_t available, unsigned cpus)
{
    for (unsigned count = SUBBUFFERS_MAX; count > SUBBUFFERS_MIN; count /= 2) {
        if (channel_bytes(count, SUBBUFFER_MAX, cpus) <= available / SHARED_MEMORY_PART)
            return count;
    }
    return SUBBUFFERS_MIN;
}

uint64_t uvs__fit_subbuffer(uint64_t available, unsigned cpus)
{
    if (available < SHARED_MEMORY_RESERVE)
        return 0;
    for (uint64_t size = SUBBUFFER_MAX; size >= SUBBUFFER_MIN; size /= 2) {
        if (channel_bytes(SUBBUFFERS_MIN, size, cpus) <= available - SHARED_MEMORY_RESERVE)
            return size;
    }
    return 0;
}

// The highest number in "0-3,8" plus one: LTTng has a buffer for each CPU that could ever be plugged in.
static unsigned possible_cpus(void)
{
    char text[256] = "";
    FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
    if (file) {
        if (!fgets(text, sizeof(text), file))
            text[0] = '\0';
        fclose(file);
    }
    size_t length = strcspn(text, "\n");
    while (length > 0 && text[length - 1] >= '0' && text[length - 1] <= '9')
        length--;
    unsigned long last = strtoul(text + length, NULL, 10);
    long configured = sysconf(_SC_NPROCESSORS_CONF);
    return (long)last + 1 > configured ? (unsigned)last + 1 : (unsigned)configured;
}

// LTTng does not notice a shared memory that is too small: everything seems to work and nothing is recorded.
int uvs__choose_buffers(struct uvs_buffers *ret_buffers, struct uvs_error *error)
{
    struct statvfs memory;
    if (statvfs(SHARED_MEMORY, &memory))
        return uvs_error_set(error, UVS_E_ENVIRONMENT,
                             "cannot ask how much room " SHARED_MEMORY " has: %s; LTTng needs it mounted",
                             strerror(errno));
    uint64_t available = (uint64_t)memory.f_bavail * memory.f_frsize;
    unsigned cpus = possible_cpus();
    // Each processor's buffers are a file, for which `ulimit -f` counts too.
    bool few = uvs__limits_near((uint64_t)SUBBUFFERS_MAX * SUBBUFFER_MAX);
    *ret_buffers = (struct uvs_buffers){.available = available,
                                        .subbuffer = uvs__fit_subbuffer(available, cpus),
                                        .wanted_subbuffer = SUBBUFFER_MAX,
                                        .count = few ? SUBBUFFERS_MIN : uvs__fit_count(available, cpus),
                                        .cpus = cpus};
    if (ret_buffers->subbuffer)
        return 0;
    uint64_t needed = channel_bytes(SUBBUFFERS_MIN, SUBBUFFER_MIN, cpus) + SHARED_MEMORY_RESERVE;
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         SHARED_MEMORY " has %llu KiB left, and %llu are needed for %u CPUs; make it larger "
                                       "(docker run --shm-size=64m, mount -o remount,size=64m " SHARED_MEMORY
                                       ")",
                         (unsigned long long)available >> 10, (unsigned long long)needed >> 10, cpus);
}

// In the units that --max-size takes: sub-buffers are whole kilobytes.
static int too_small(const struct uvs_buffers *buffers, struct uvs_error *error)
{
    const uint64_t kilobytes = (RING_FILES_MIN * buffers->cpus * buffers->subbuffer) >> 10;
    const bool in_megabytes = kilobytes % 1024 == 0;
    return uvs_error_set(error, UVS_E_USAGE,
                         "too small for a trace, which needs at least %llu%c with %u CPUs",
                         (unsigned long long)(in_megabytes ? kilobytes / 1024 : kilobytes),
                         in_megabytes ? 'M' : 'k', buffers->cpus);
}

// Many files make the cut fine: what is overwritten at once is one of them. Each holds whole packets.
int uvs__fit_ring(uint64_t max_bytes, const struct uvs_buffers *buffers, struct uvs_ring *ret_ring,
                  struct uvs_error *error)
{
    uint64_t packets = max_bytes / buffers->cpus / buffers->subbuffer;
    *ret_ring = (struct uvs_ring){0};
    if (max_bytes == 0)
        return 0;
    if (packets < RING_FILES_MIN)
        return too_small(buffers, error);
    uint64_t packets_each = (packets + RING_FILES_MAX - 1) / RING_FILES_MAX;
    *ret_ring = (struct uvs_ring){packets_each * buffers->subbuffer, packets / packets_each};
    return 0;
}

// --- Start ---

static int create_session(const char *name, const char *directory, struct uvs_error *error)
{
    struct lttng_session_descriptor *descriptor = lttng_session_descriptor_local_create(name, directory);
    if (!descriptor)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "LTTng refuses %s as a trace directory", directory);
    enum lttng_error_code code = lttng_create_session_ext(descriptor);
    lttng_session_descriptor_destroy(descriptor);
    return code == LTTNG_OK ? 0 : lttng_failed(error, "create an LTTng session", -(int)code);
}

struct channel_plan {
    const char *name;
    uint64_t size, count; // of sub-buffers
    unsigned switch_timer_us;
    struct uvs_ring ring;
};

static int enable_channel(struct lttng_handle *handle, const struct channel_plan *plan,
                          struct uvs_error *error)
{
    struct lttng_domain domain = user_space();
    struct lttng_channel *channel = lttng_channel_create(&domain);
    if (!channel)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    snprintf(channel->name, sizeof(channel->name), "%s", plan->name);
    channel->attr.overwrite = 0;
    channel->attr.subbuf_size = plan->size;
    channel->attr.num_subbuf = plan->count;
    channel->attr.switch_timer_interval = plan->switch_timer_us;
    channel->attr.output = LTTNG_EVENT_MMAP;
    channel->attr.tracefile_size = plan->ring.file_bytes;
    channel->attr.tracefile_count = plan->ring.files;
    int code = lttng_enable_channel(handle, channel);
    lttng_channel_destroy(channel);
    return code < 0 ? lttng_failed(error, "make the LTTng channel", code) : 0;
}

static int enable_event(struct lttng_handle *handle, const char *name, struct uvs_error *error)
{
    struct lttng_event *event = lttng_event_create();
    if (!event)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    event->type = LTTNG_EVENT_TRACEPOINT;
    event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
    snprintf(event->name, sizeof(event->name), "uvscope:%s", name);
    int code = lttng_enable_event_with_exclusions(handle, event, CHANNEL, NULL, 0, NULL);
    lttng_event_destroy(event);
    if (code >= 0)
        return 0;
    lttng_failed(error, "enable its events", code);
    uvs_error_add(error, "uvscope:%s", name);
    return -UVS_E_ENVIRONMENT;
}

static int enable_events(struct lttng_handle *handle, enum uvs_detail detail, struct uvs_error *error)
{
    static const struct {
        const char *name;
        enum uvs_detail detail;
    } events[] = {
#define X(event, level) {#event, UVS_DETAIL_##level},
        UVS_EVENT_MAP(X)
#undef X
    };
    int result = 0;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]) && !result; i++) {
        if (events[i].detail == UVS_DETAIL_DEFAULT || events[i].detail == detail)
            result = enable_event(handle, events[i].name, error);
    }
    return result;
}

struct start_job {
    struct uvs_session_plan plan;
    struct uvs_buffers buffers;
    struct uvs_ring ring;
};

static int configure(const struct start_job *job, struct uvs_error *error)
{
    struct lttng_domain domain = user_space();
    struct lttng_handle *handle = lttng_create_handle(job->plan.name, &domain);
    if (!handle)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    // Without a timer of its own the metadata stays in memory until the stop, and without it what a killed
    // daemon leaves cannot be read.
    const struct channel_plan metadata = {.name = METADATA,
                                          .size = METADATA_SUBBUFFER,
                                          .count = METADATA_SUBBUFFERS,
                                          .switch_timer_us = METADATA_TIMER_US};
    const struct channel_plan events = {.name = CHANNEL,
                                        .size = job->buffers.subbuffer,
                                        .count = job->buffers.count,
                                        .switch_timer_us = SWITCH_TIMER_US,
                                        .ring = job->ring};
    int result = enable_channel(handle, &metadata, error);
    if (!result)
        result = enable_channel(handle, &events, error);
    if (!result)
        result = enable_events(handle, job->plan.detail, error);
    lttng_destroy_handle(handle);
    return result;
}

static int start_session(void *data, struct uvs_error *error)
{
    const struct start_job *job = data;
    int result = create_session(job->plan.name, job->plan.ctf_directory, error);
    if (result)
        return result;
    result = configure(job, error);
    int code = result ? 0 : lttng_start_tracing(job->plan.name);
    return code < 0 ? lttng_failed(error, "start the LTTng session", code) : result;
}

int uvs__session_start(const struct uvs_session_plan *plan, struct uvs_error *error)
{
    struct start_job job = {.plan = *plan};
    int result = uvs__choose_buffers(&job.buffers, error);
    if (!result)
        result = uvs__fit_ring(plan->max_bytes, &job.buffers, &job.ring, error);
    if (result)
        return result;
    result = uvs__daemon_call("start the LTTng session", start_session, &job, sizeof(job), error);
    if (result)
        uvs__session_destroy(plan->name);
    return result;
}

// --- Stop ---

// By then all is written that can be, and only files are left to be closed.
enum { DESTROY_TIMEOUT_MS = 2000 };

static int read_loss(const char *name, struct uvs_session_loss *ret_loss)
{
    struct lttng_domain domain = user_space();
    struct lttng_handle *handle = lttng_create_handle(name, &domain);
    if (!handle)
        return -LTTNG_ERR_NOMEM;
    struct lttng_channel *channels = NULL;
    struct uvs_session_loss loss = {0};
    int count = lttng_list_channels(handle, &channels);
    for (int i = 0; i < count; i++) {
        uint64_t events = 0, packets = 0;
        lttng_channel_get_discarded_event_count(&channels[i], &events);
        lttng_channel_get_lost_packet_count(&channels[i], &packets);
        loss.events += events;
        loss.packets += packets;
    }
    free(channels);
    lttng_destroy_handle(handle);
    if (count >= 0)
        *ret_loss = loss;
    return count;
}

struct stop_job {
    const char *name;
    struct uvs_session_loss loss;
};

static int stop_session(void *data, struct uvs_error *error)
{
    struct stop_job *job = data;
    int code = lttng_stop_tracing(job->name);
    if (code >= 0 || code == -LTTNG_ERR_TRACE_ALREADY_STOPPED)
        code = read_loss(job->name, &job->loss);
    return code < 0 ? lttng_failed(error, "stop the LTTng session", code) : 0;
}

int uvs__session_stop(const char *name, struct uvs_session_loss *ret_loss, struct uvs_error *error)
{
    struct stop_job job = {name, {UVS_ABSENT, UVS_ABSENT}};
    int result = uvs__daemon_call("stop the LTTng session", stop_session, &job, sizeof(job), error);
    *ret_loss = job.loss;
    return result;
}

struct destroy_job {
    const char *name;
    bool is_stuck;
};

static int destroy_session(void *data, struct uvs_error *error)
{
    (void)error; // no session of that name, or no daemon: nothing to destroy
    struct destroy_job *job = data;
    lttng_stop_tracing(job->name);
    struct lttng_destruction_handle *handle = NULL;
    if (lttng_destroy_session_ext(job->name, &handle) == LTTNG_OK)
        job->is_stuck = lttng_destruction_handle_wait_for_completion(handle, DESTROY_TIMEOUT_MS) ==
                        LTTNG_DESTRUCTION_HANDLE_STATUS_TIMEOUT;
    lttng_destruction_handle_destroy(handle);
    return 0;
}

bool uvs__session_destroy(const char *name)
{
    struct destroy_job job = {.name = name};
    uvs__daemon_call("destroy the LTTng session", destroy_session, &job, sizeof(job), NULL);
    return !job.is_stuck;
}

static int count_sessions(void *data, struct uvs_error *error)
{
    struct lttng_session *sessions = NULL;
    int count = lttng_list_sessions(&sessions);
    free(sessions);
    *(int *)data = count;
    return count < 0 ? lttng_failed(error, "list the LTTng sessions", count) : 0;
}

bool uvs__any_session(void)
{
    int count = 0;
    int result = uvs__daemon_call("list the LTTng sessions", count_sessions, &count, sizeof(count), NULL);
    return result ? uvs__daemon_is_silent() : count > 0;
}

static int ask_alive(void *data, struct uvs_error *error)
{
    int count;
    bool alive = lttng_session_daemon_alive() == 1; // it listens, which a stopped one does too
    *(bool *)data = alive;
    return alive ? count_sessions(&count, error) : 0;
}

int uvs__daemon_alive(bool *ret_alive, struct uvs_error *error)
{
    *ret_alive = false;
    return uvs__daemon_call("use the system's LTTng daemon", ask_alive, ret_alive, sizeof(*ret_alive), error);
}
