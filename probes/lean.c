// SPDX-License-Identifier: MIT
// The tables of lean recording.
#include "probes/lean.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "probes/poison.h"

// What takes longer is told one by one whatever the threshold.
#define CEILING_NS    (UINT64_C(1) << 30)
#define LONGEST_NS    ((UINT64_C(1) << 38) - 1) // that has a bucket of its own
#define TELL_EVERY_NS 1000000000u

// Sites beyond this many share a row of their kind that names no site, for which there is always room: there
// are fewer kinds.
enum { SITES = 128, ROWS = SITES + 160, INDEX = 1024, MEASURES = 3, CHUNKS = 32, CANCELLED = -125 };

struct hist {
    uint64_t count, sum, min, max;
    uint32_t chunks; // those that are not all zero, by bit
    uint32_t buckets[CHUNKS << UVS_BUCKET_BITS];
};

// The distributions of a row are `first`, `first + 1`, …
struct row {
    uint64_t address;
    uint64_t cancelled, sends;
    uint8_t kind, first;
    struct hist hists[MEASURES];
};

// What is counted a little later, when its place has come into the processor's cache: beside what a program
// works with the places of many sites do not stay there.
enum { LATE = 8 };
struct late {
    struct hist *hist;
    uint64_t ns;
    uint32_t bucket;
};

struct uvs__lean {
    uint32_t owned; // by uv_run, or by who tells the end of it
    uint32_t sequence, row_count;
    uint64_t told_ns, left_ns;
    uint64_t polls, poll_ns, spins, spin_ns, outside_ns;
    uint32_t late_next; // modulo LATE
    struct late late[LATE];
    struct hist busy;
    uint16_t index[INDEX]; // open addressing; row + 1
    struct row rows[ROWS];
};

uint64_t uvs__lean_ns;

// What `delay_ns` of a callback means.
enum { NO_DELAY, IS_DELAY, IS_LATENCY, IS_RETURN };
static const uint8_t classes[UINT8_MAX + 1] = {
#define CLASS_DUE                    IS_DELAY
#define CLASS_READY                  IS_DELAY
#define CLASS_PHASE                  NO_DELAY
#define CLASS_REQUEST                IS_LATENCY
#define CLASS_POOL                   IS_RETURN
#define CLASS_SYNC                   NO_DELAY
#define X(NAME, number, name, class) [number] = CLASS_##class,
    UVS_KIND_MAP(X)
#undef X
#define X(NAME, number, name) [UVS_KIND_FS + (number)] = IS_RETURN,
        UVS_FS_MAP(X)
#undef X
};

// --- Start and end ---

static void tell_all_at_exit(void)
{
    for (uint32_t i = 0; i < UVS_SLOT_NONE; i++)
        if (__atomic_load_n(&uvs__loops[i].loop, __ATOMIC_RELAXED) && uvs__loops[i].lean)
            uvs__lean_end(&uvs__loops[i]);
}

void uvs__lean_start(const char *threshold_us)
{
    uint64_t us = threshold_us ? strtoull(threshold_us, NULL, 10) : 0;
    uvs__lean_ns = us > CEILING_NS / 1000 ? CEILING_NS : us * 1000;
}

// Registered by a constructor it would come after the destructors of LTTng.
static void await_exit(void)
{
    atexit(tell_all_at_exit);
}

// Only what is touched is ever backed by memory. The table outlives the loop, for the next one in its slot.
static void make_table(struct uvs__loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, await_exit);
    void *table = mmap(NULL, sizeof(struct uvs__lean), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table != MAP_FAILED)
        loop->lean = table;
}

void uvs__lean_forget(struct uvs__loop *loop)
{
    if (loop->lean)
        madvise(loop->lean, sizeof(*loop->lean), MADV_DONTNEED);
}

// What was counted before the fork is the parent's to tell.
void uvs__lean_after_fork(void)
{
    for (uint32_t i = 0; i < UVS_SLOT_NONE; i++)
        uvs__lean_forget(&uvs__loops[i]);
}

void uvs__lean_announce(void)
{
    if (uvs__lean_on())
        uvs__emit_lean(&(struct uvs_ev_lean){.loop = uvs__key(NULL), .threshold_ns = uvs__lean_ns});
}

// --- Counting ---

static inline void exchange(struct late *late, struct late now)
{
    const struct late before = *late;
    struct hist *hist = before.hist;
    const uint64_t ns = before.ns;
    *late = now;
    if (!hist)
        return;
    if (hist->count++ == 0 || ns < hist->min)
        hist->min = ns;
    if (ns > hist->max)
        hist->max = ns;
    hist->sum += ns;
    hist->chunks |= 1u << (before.bucket >> UVS_BUCKET_BITS);
    hist->buckets[before.bucket]++;
}

static void count(struct uvs__lean *lean, struct hist *hist, uint64_t ns)
{
    const uint32_t bucket = uvs_bucket_of(ns < LONGEST_NS ? ns : LONGEST_NS);
    __builtin_prefetch(hist, 1);
    __builtin_prefetch(&hist->buckets[bucket], 1);
    exchange(&lean->late[lean->late_next++ % LATE], (struct late){hist, ns, bucket});
}

static void count_late(struct uvs__lean *lean)
{
    for (uint32_t i = 0; i < LATE; i++)
        exchange(&lean->late[i], (struct late){0});
}

static uint32_t place_of(uint64_t address, uint8_t kind, uint8_t first)
{
    uint64_t mixed = (address ^ (uint64_t)kind << 48 ^ (uint64_t)first << 56) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 54);
}

static struct row *row_of(struct uvs__lean *lean, uint64_t address, uint8_t kind, uint8_t first)
{
    _Static_assert(INDEX == 1u << (64 - 54), "place_of gives as many bits");
    for (uint32_t place = place_of(address, kind, first);; place = (place + 1) % INDEX) {
        struct row *row = lean->index[place] ? &lean->rows[lean->index[place] - 1] : NULL;
        if (row && row->address == address && row->kind == kind && row->first == first)
            return row;
        if (row)
            continue;
        if (lean->row_count >= SITES && address)
            return row_of(lean, 0, kind, first);
        row = &lean->rows[lean->row_count++];
        lean->index[place] = (uint16_t)lean->row_count;
        row->address = address;
        row->kind = kind;
        row->first = first;
        return row;
    }
}

static bool is_short(uint64_t ns)
{
    return ns < uvs__lean_ns;
}

bool uvs__lean_work(uint64_t queue_ns, uint64_t service_ns)
{
    return is_short(queue_ns) && is_short(service_ns);
}

// Of a request whose times are all known.
static void count_request(struct uvs__lean *lean, const struct uvs__call *call,
                          const struct uvs__triple *triple)
{
    struct row *row = row_of(lean, (uintptr_t)triple->asked, call->kind, UVS_MEASURE_QUEUE);
    count(lean, &row->hists[0], triple->begin_ns - triple->submit_ns);
    count(lean, &row->hists[1], triple->end_ns - triple->begin_ns);
    if (uvs__delay_ns(call) != UVS_ABSENT)
        count(lean, &row->hists[2], uvs__delay_ns(call));
}

// Whether its `work` was counted and not told. A cancelled one never had one.
static bool take_request(struct uvs__lean *lean, const struct uvs__call *call, int64_t result,
                         const struct uvs__triple *triple)
{
    if (result == CANCELLED) {
        row_of(lean, (uintptr_t)triple->asked, call->kind, UVS_MEASURE_QUEUE)->cancelled++;
        return true;
    }
    if (!triple->submit_ns || !triple->begin_ns || !triple->end_ns)
        return false;
    if (!uvs__lean_work(triple->begin_ns - triple->submit_ns, triple->end_ns - triple->begin_ns))
        return false;
    count_request(lean, call, triple);
    return true;
}

static bool wants_telling(struct uvs__loop *loop, const struct uvs__call *call, uint64_t duration_ns)
{
    // What is nested in a callback is told, and so are the callbacks around it: times of their own stay
    // exact.
    if (call->outer.depth > 0 || loop->told_nested)
        return true;
    if (!is_short(duration_ns) || uvs__delay_ns(call) == UVS_ABSENT)
        return !is_short(duration_ns);
    uint8_t class = classes[call->kind];
    return class == IS_LATENCY ? uvs__delay_ns(call) >= CEILING_NS
                               : class != NO_DELAY && !is_short(uvs__delay_ns(call));
}

static void count_callback(struct uvs__lean *lean, struct row *row, const struct uvs__call *call,
                           uint64_t duration_ns, int64_t result)
{
    static const uint8_t hist_of[] = {[IS_DELAY] = 1, [IS_RETURN] = 1, [IS_LATENCY] = 2};
    uint8_t class = classes[call->kind];
    count(lean, &row->hists[0], duration_ns);
    if (call->kind == UVS_KIND_ASYNC && result > 0)
        row->sends += (uint64_t)result;
    if (class >= IS_LATENCY && result == CANCELLED)
        row->cancelled++;
    else if (class != NO_DELAY && uvs__delay_ns(call) != UVS_ABSENT)
        count(lean, &row->hists[hist_of[class]], uvs__delay_ns(call));
}

bool uvs__lean_callback(struct uvs__loop *loop, const struct uvs__call *call, uint64_t duration_ns,
                        int64_t result, const struct uvs__triple *triple)
{
    struct uvs__lean *lean = loop->lean;
    bool told_work = triple && !take_request(lean, call, result, triple);
    bool tell = wants_telling(loop, call, duration_ns) || told_work;
    if (tell) {
        loop->told = true;
        loop->told_nested = call->outer.depth > 0;
    }
    if (tell && (!triple || told_work || result == CANCELLED))
        return false;
    struct row *row = row_of(lean, (uintptr_t)call->callback, call->kind, UVS_MEASURE_DURATION);
    // The latency of a request whose work is not told cannot be known from its callback's event.
    if (triple && !told_work && result != CANCELLED)
        count(lean, &row->hists[2], call->begin_ns - triple->submit_ns);
    if (tell)
        return false;
    count_callback(lean, row, call, duration_ns, result);
    return true;
}

bool uvs__lean_sync_call(struct uvs__loop *loop, uint8_t kind, const void *caller, uint64_t duration_ns)
{
    if (!is_short(duration_ns)) {
        loop->told = true;
        return false;
    }
    struct row *row = row_of(loop->lean, (uintptr_t)caller, kind, UVS_MEASURE_SYNC_CALL);
    count(loop->lean, &row->hists[0], duration_ns);
    return true;
}

UVS__APART bool uvs__lean_poll(struct uvs__loop *loop)
{
    struct uvs__lean *lean = loop->lean;
    const struct uvs__poll *poll = &loop->poll;
    if (poll->told || (poll->busy_ns != UVS_ABSENT && !is_short(poll->busy_ns)))
        return false;
    bool spins = poll->timeout_ms == 0;
    *(spins ? &lean->spins : &lean->polls) += 1;
    *(spins ? &lean->spin_ns : &lean->poll_ns) += poll->end_ns - poll->begin_ns;
    if (poll->busy_ns != UVS_ABSENT)
        count(lean, &lean->busy, poll->busy_ns);
    return true;
}

bool uvs__lean_last_busy(struct uvs__loop *loop, uint64_t busy_ns)
{
    if (loop->told || busy_ns == UVS_ABSENT || !is_short(busy_ns))
        return false;
    count(loop->lean, &loop->lean->busy, busy_ns);
    return true;
}

// --- Telling ---

struct teller {
    const struct uvs__loop *loop;
    struct uvs_ev_totals event;
    uint64_t buckets[UINT8_MAX];
};

static void emit_part(struct teller *teller)
{
    struct uvs__lean *lean = teller->loop->lean;
    teller->event.sequence = lean->sequence++;
    teller->event.buckets = teller->buckets;
    uvs__emit_totals(&teller->event);
    teller->event.count = teller->event.sum_ns = 0;
    teller->event.buckets_count = 0;
}

static void tell_bucket(struct teller *teller, uint32_t bucket, uint32_t number)
{
    if (teller->event.buckets_count == UINT8_MAX)
        emit_part(teller);
    teller->buckets[teller->event.buckets_count++] = (uint64_t)bucket << 32 | number;
    teller->event.count += number;
}

static void tell_number(struct teller *teller, enum uvs_measure measure, uint64_t number, uint64_t sum_ns)
{
    if (!number && !sum_ns)
        return;
    teller->event.measure = (uint8_t)measure;
    teller->event.count = number;
    teller->event.sum_ns = sum_ns;
    teller->event.min_ns = teller->event.max_ns = 0;
    emit_part(teller);
}

static void tell_hist(struct teller *teller, enum uvs_measure measure, struct hist *hist)
{
    if (!hist->count)
        return;
    teller->event.measure = (uint8_t)measure;
    teller->event.sum_ns = hist->sum;
    teller->event.min_ns = hist->min;
    teller->event.max_ns = hist->max;
    for (uint32_t chunks = hist->chunks; chunks; chunks &= chunks - 1) {
        uint32_t first = (uint32_t)__builtin_ctz(chunks) << UVS_BUCKET_BITS;
        for (uint32_t i = first; i < first + UVS_BUCKETS; i++)
            if (hist->buckets[i])
                tell_bucket(teller, i, hist->buckets[i]);
        memset(&hist->buckets[first], 0, sizeof(hist->buckets[0]) << UVS_BUCKET_BITS);
    }
    emit_part(teller);
    hist->count = hist->sum = hist->max = hist->chunks = 0;
}

static void tell_row(struct teller *teller, struct row *row)
{
    teller->event.kind = row->kind;
    teller->event.callback = row->address;
    for (unsigned i = 0; i < MEASURES; i++)
        tell_hist(teller, row->first + i, &row->hists[i]);
    tell_number(teller, row->first == UVS_MEASURE_QUEUE ? UVS_MEASURE_WITHDRAWN : UVS_MEASURE_CANCELLED,
                row->cancelled, 0);
    tell_number(teller, UVS_MEASURE_SENDS, row->sends, 0);
    row->cancelled = row->sends = 0;
}

static void tell(struct uvs__loop *loop, bool ended)
{
    struct uvs__lean *lean = loop->lean;
    struct teller teller = {.loop = loop, .event.loop = loop->key};
    count_late(lean);
    for (uint32_t i = 0; i < lean->row_count; i++)
        tell_row(&teller, &lean->rows[i]);
    teller.event.kind = 0;
    teller.event.callback = 0;
    tell_hist(&teller, UVS_MEASURE_BUSY, &lean->busy);
    tell_number(&teller, UVS_MEASURE_POLL, lean->polls, lean->poll_ns);
    tell_number(&teller, UVS_MEASURE_SPIN, lean->spins, lean->spin_ns);
    tell_number(&teller, UVS_MEASURE_OUTSIDE, 0, lean->outside_ns);
    lean->polls = lean->poll_ns = lean->spins = lean->spin_ns = lean->outside_ns = 0;
    uvs__emit_lean(&(struct uvs_ev_lean){
        .loop = loop->key, .threshold_ns = uvs__lean_ns, .sequence = lean->sequence, .ended = ended});
}

// --- uv_run ---

void uvs__lean_enter(struct uvs__loop *loop, uint64_t now_ns)
{
    loop->told = loop->told_nested = false;
    uvs__lean_turn(loop, now_ns);
    struct uvs__lean *lean = loop->lean;
    if (!lean)
        return;
    __atomic_exchange_n(&lean->owned, 1, __ATOMIC_ACQUIRE);
    if (lean->left_ns)
        lean->outside_ns += now_ns - lean->left_ns;
}

void uvs__lean_turn(struct uvs__loop *loop, uint64_t now_ns)
{
    if (!uvs__lean_on())
        return;
    if (!loop->lean)
        make_table(loop);
    struct uvs__lean *lean = loop->lean;
    if (!lean)
        return;
    if (!lean->told_ns)
        lean->told_ns = now_ns;
    if (now_ns - lean->told_ns < TELL_EVERY_NS)
        return;
    lean->told_ns = now_ns;
    tell(loop, false);
}

void uvs__lean_leave(struct uvs__loop *loop, uint64_t now_ns)
{
    loop->lean->left_ns = now_ns;
    uvs__lean_turn(loop, now_ns);
    __atomic_store_n(&loop->lean->owned, 0, __ATOMIC_RELEASE);
}

void uvs__lean_end(struct uvs__loop *loop)
{
    // A loop that another thread runs is that thread's.
    if (__atomic_exchange_n(&loop->lean->owned, 1, __ATOMIC_ACQUIRE) && loop->tid != uvs__tid(&uvs__self))
        return;
    int saved = errno;
    if (uvs__lean_on())
        tell(loop, true);
    uvs__lean_forget(loop);
    errno = saved;
}
