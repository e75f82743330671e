// SPDX-License-Identifier: MIT
// Where another thread is.
//
// A thread that computes is interrupted by a signal whose handler copies its registers and its stack, and
// does nothing else; the copy is walked here. A thread that waits in the kernel is not interrupted unless the
// kernel restarts what it waits in: its stack is read from outside, and what its registers hold is unknown
// but for the place and the stack pointer.
//
// It may begin to wait between the look and the signal. Then the kernel ends some calls with EINTR although
// the handler is SA_RESTART, and the handler puts the thread back before the call: it has waited for
// microseconds, so that even a relative timeout stays what it was.
#include "probes/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "probes/environment.h"
#include "probes/runtime.h"
#include "probes/stack.h"

#include "probes/poison.h"

#define ANSWER_NS     20000000u
#define RED_ZONE      128u   // below the stack pointer, where a function may keep what its callers need
#define FOREIGN_BYTES 65536u // of a stack that is not the thread's own, as coroutines have
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

enum request_state { IDLE, WANTED, TAKING, TAKEN, STATES };

static struct {
    uint32_t word; // a futex: enum request_state, and STATES times the number of the request
    struct uvs__sampled_thread thread;
    uint64_t since_ns;
} request;
static struct uvs__stack stack; // of the request, or read from outside
static int signal_number;       // 0: none chosen
static bool can_look;           // /proc may be read without touching the program's descriptors

// --- In the sampled thread: the handler ---

#if defined(__x86_64__)

// Calls that end with EINTR, whatever SA_RESTART says, before they have done anything.
static bool is_repeatable(int32_t call)
{
    static const int16_t calls[] = {
        SYS_read,          SYS_write,          SYS_readv,   SYS_writev,       SYS_poll,
        SYS_select,        SYS_pselect6,       SYS_ppoll,   SYS_pause,        SYS_nanosleep,
        SYS_epoll_wait,    SYS_epoll_pwait,    SYS_futex,   SYS_epoll_pwait2, SYS_clock_nanosleep,
        SYS_accept,        SYS_accept4,        SYS_connect, SYS_recvfrom,     SYS_recvmsg,
        SYS_recvmmsg,      SYS_sendto,         SYS_sendmsg, SYS_sendmmsg,     SYS_semop,
        SYS_semtimedop,    SYS_msgrcv,         SYS_msgsnd,  SYS_io_getevents, SYS_io_uring_enter,
        SYS_rt_sigsuspend, SYS_rt_sigtimedwait};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i] == call)
            return true;
    return false;
}

// The C library loads the call's number right before it: mov $number, %eax; syscall.
static void repeat_interrupted_call(greg_t *registers)
{
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    int32_t call;
    if (registers[REG_RAX] != -EINTR || code[-2] != 0x0f || code[-1] != 0x05 || code[-7] != 0xb8)
        return;
    memcpy(&call, code - 6, sizeof(call));
    if (!is_repeatable(call))
        return;
    registers[REG_RAX] = call;
    registers[REG_RIP] -= 2;
}

static void take_registers(const greg_t *from, struct uvs__registers *ret_registers)
{
    static const int8_t numbers[UVS__REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                   REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                   REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (unsigned i = 0; i < UVS__REGISTERS; i++)
        uvs__know(ret_registers, i, (uint64_t)from[numbers[i]]);
}

static greg_t *registers_of(void *context)
{
    return ((ucontext_t *)context)->uc_mcontext.gregs;
}

#else
#error "uvscope samples stacks on x86-64 only: this file needs the registers and the system calls of others"
#endif

// The kernel copies: what is not mapped ends the copy instead of the process.
static size_t copy_from(uintptr_t address, size_t size)
{
    const struct iovec here = {stack.bytes, size}, there = {(void *)address, size};
    const ssize_t copied = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    return copied > 0 ? (size_t)copied : 0;
}

static bool is_on_own_stack(const struct uvs__sampled_thread *thread, uintptr_t at)
{
    return at >= thread->stack_low && at < thread->stack_high;
}

// Not memcpy: in a program built with AddressSanitizer that is a checked one, to which the gaps between a
// stack's variables are forbidden ground.
static void copy_bytes(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void copy_stack(const struct uvs__sampled_thread *thread, uintptr_t at, bool from_outside)
{
    const bool is_own = is_on_own_stack(thread, at);
    if (is_own && at - thread->stack_low >= RED_ZONE)
        at -= RED_ZONE;
    size_t size = is_own ? thread->stack_high - at : FOREIGN_BYTES;
    if (size > sizeof(stack.bytes))
        size = sizeof(stack.bytes);
    if (is_own && !from_outside)
        copy_bytes(stack.bytes, (const void *)at, size);
    else
        size = copy_from(at, size);
    stack.low = at;
    stack.high = at + size;
}

static enum request_state state_of(uint32_t word)
{
    return word % STATES;
}

static uint32_t word_now(void)
{
    return __atomic_load_n(&request.word, __ATOMIC_ACQUIRE);
}

// Of the same request.
static uint32_t with_state(uint32_t word, enum request_state state)
{
    return word - word % STATES + state;
}

static void set_word(uint32_t word)
{
    __atomic_store_n(&request.word, word, __ATOMIC_RELEASE);
}

static bool change_word(uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&request.word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

// A signal may come late, when another thread is asked already.
static bool is_asked(void)
{
    const uint32_t word = word_now();
    return state_of(word) == WANTED && request.thread.tid == (uint32_t)syscall(SYS_gettid) &&
           change_word(word, with_state(word, TAKING));
}

// Somebody else means the program, which did not handle it: it is to do what it would have done.
static void act_as_default(int number)
{
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigaction(number, &normal, NULL);
    syscall(SYS_tgkill, uvs__pid, syscall(SYS_gettid), number);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    const int saved = errno;
    greg_t *registers = registers_of(context);
    repeat_interrupted_call(registers);
    if (info->si_code != SI_TKILL || info->si_pid != getpid()) {
        act_as_default(number);
    } else if (is_asked()) {
        take_registers(registers, &stack.registers);
        copy_stack(&request.thread, stack.registers.value[UVS__REGISTER_STACK], false);
        set_word(with_state(word_now(), TAKEN));
        syscall(SYS_futex, &request.word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    errno = saved;
}

// --- Which signal ---

static bool is_ours(int number)
{
    struct sigaction now;
    return number && sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
           now.sa_sigaction == on_signal;
}

static bool is_free(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

static bool take_signal(int number)
{
    // On the program's alternative stack where it has one: it may run on stacks that are too small.
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    if (!is_free(number) || sigaction(number, &action, NULL) != 0)
        return false;
    __atomic_store_n(&signal_number, number, __ATOMIC_RELAXED);
    return true;
}

// A program that handles the signal itself has the right to it: another one is taken. First one that is
// ignored by default: what comes too late, when the program has reset its handlers or is another one after
// execve, does nothing there, where a real-time signal would end it.
static bool has_signal(void)
{
    const char *wanted = uvs__environment.UVSCOPE_STALL_SIGNAL;
    if (is_ours(signal_number))
        return true;
    __atomic_store_n(&signal_number, 0, __ATOMIC_RELAXED);
    if (wanted)
        return take_signal(atoi(wanted));
    if (take_signal(SIGURG))
        return true;
    for (int number = SIGRTMAX - 1; number >= SIGRTMIN; number--)
        if (take_signal(number))
            return true;
    return false;
}

// --- /proc ---

// A path of /proc/self/task/<tid>, without printf's locks and locale.
static void task_path(uint32_t tid, const char *file, char *path)
{
    static const char directory[] = "/proc/self/task/";
    char digits[10];
    size_t count = 0;
    memcpy(path, directory, sizeof(directory) - 1);
    path += sizeof(directory) - 1;
    do
        digits[count++] = (char)('0' + tid % 10);
    while (tid /= 10);
    while (count > 0)
        *path++ = digits[--count];
    *path++ = '/';
    memcpy(path, file, strlen(file) + 1);
}

static bool read_task_file(uint32_t tid, const char *file, char *text, size_t size)
{
    char path[64];
    task_path(tid, file, path);
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const long length = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool blocks_signal(uint32_t tid)
{
    char text[4096];
    const char *mask = read_task_file(tid, "status", text, sizeof(text)) ? strstr(text, "SigBlk:\t") : NULL;
    return !mask || (strtoull(mask + strlen("SigBlk:\t"), NULL, 16) >> (signal_number - 1) & 1);
}

struct task_state {
    bool is_known, is_running;
    long call; // -1: waits in no call
    uint64_t arguments[6];
    uint64_t stack_pointer, place;
};

// "running", or "number arguments stack-pointer place", or "-1 stack-pointer place".
static struct task_state look_at(uint32_t tid)
{
    struct task_state state = {0};
    char text[256], *at = text;
    if (!read_task_file(tid, "syscall", text, sizeof(text)))
        return state;
    state.is_known = true;
    state.is_running = text[0] == 'r';
    state.call = state.is_running ? -1 : strtol(text, &at, 10);
    for (size_t i = 0; state.call >= 0 && i < 6; i++)
        state.arguments[i] = strtoull(at, &at, 16);
    if (!state.is_running) {
        state.stack_pointer = strtoull(at, &at, 16);
        state.place = strtoull(at, &at, 16);
    }
    return state;
}

static bool is_socket(uint64_t descriptor)
{
    char path[32] = "/proc/self/fd/", link[16] = "", digits[10];
    size_t count = 0, used = strlen(path);
    uint32_t number = (uint32_t)descriptor;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        path[used++] = digits[--count];
    const ssize_t length = readlink(path, link, sizeof(link));
    return length < 0 || (length >= 7 && memcmp(link, "socket:", 7) == 0);
}

// Whether SA_RESTART makes the kernel go on with the call as if nothing had been. Sockets may have timeouts
// of their own, and then it does not.
static bool is_restarted(const struct task_state *state)
{
    const uint64_t operation = state->arguments[1] & 0x7f;
    switch (state->call) {
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_pread64:
    case SYS_pwrite64:
        return !is_socket(state->arguments[0]);
    case SYS_open:
    case SYS_openat:
    case SYS_flock:
    case SYS_wait4:
    case SYS_waitid:
        return true;
    case SYS_futex:
        return state->arguments[3] == 0 && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET);
    default:
        return false;
    }
}

// --- Sampling ---

// False: for so long nothing was heard.
static bool wait_for_answer(uint32_t word)
{
    const struct timespec patience = {.tv_nsec = ANSWER_NS};
    return syscall(SYS_futex, &request.word, FUTEX_WAIT_PRIVATE, word, &patience, NULL, 0) == 0 ||
           errno != ETIMEDOUT;
}

// Nobody is asked any more, and nobody copies. Whether somebody has answered: then the stack is there.
static bool withdraw(void)
{
    uint32_t word = word_now();
    while (state_of(word) == TAKING ||
           (state_of(word) == WANTED && !change_word(word, with_state(word, IDLE)))) {
        wait_for_answer(with_state(word, TAKING));
        word = word_now();
    }
    set_word(with_state(word, IDLE));
    return state_of(word) == TAKEN;
}

// False: it has not answered, and may still do so until that is withdrawn.
static bool ask(const struct uvs__sampled_thread *thread, uint64_t since_ns)
{
    if (!has_signal() || blocks_signal(thread->tid))
        return false;
    request.thread = *thread;
    request.since_ns = since_ns;
    set_word(with_state(word_now() + STATES, WANTED));
    if (syscall(SYS_tgkill, uvs__pid, thread->tid, signal_number) != 0) {
        withdraw();
        return false;
    }
    for (uint32_t word; state_of(word = word_now()) != TAKEN;) {
        // Whoever has begun to copy will end.
        if (!wait_for_answer(word) && state_of(word_now()) == WANTED)
            return false;
    }
    return withdraw();
}

bool uvs__has_answered_late(const struct uvs__sampled_thread *thread, uint64_t since_ns)
{
    return state_of(word_now()) == TAKEN && request.thread.tid == thread->tid && request.since_ns == since_ns;
}

static void take_from_outside(const struct uvs__sampled_thread *thread, const struct task_state *state)
{
    uvs__know(&stack.registers, UVS__REGISTER_RETURN, state->place);
    uvs__know(&stack.registers, UVS__REGISTER_STACK, state->stack_pointer);
    copy_stack(thread, state->stack_pointer, true);
}

size_t uvs__sample_thread(const struct uvs__sampled_thread *thread, uint64_t since_ns,
                          uint64_t frames[UVS__FRAMES_MAX], int *ret_call)
{
    *ret_call = -1;
    if (!can_look)
        return 0;
    const bool is_late = uvs__has_answered_late(thread, since_ns);
    withdraw();
    if (is_late)
        return uvs__stack_walk(&stack, frames, UVS__FRAMES_MAX);
    const struct task_state state = look_at(thread->tid);
    if (!state.is_known)
        return 0;
    *ret_call = (int)state.call;
    stack.registers.known = 0;
    const bool may_interrupt = state.is_running || is_restarted(&state);
    if (!may_interrupt || !ask(thread, since_ns)) {
        if (state.is_running || !state.place)
            return 0;
        if (!withdraw())
            take_from_outside(thread, &state);
    }
    return uvs__stack_walk(&stack, frames, UVS__FRAMES_MAX);
}

uint64_t uvs__thread_cpu_ns(uint32_t tid)
{
    // What pthread_getcpuclockid makes of a thread, which must then still be there: this one may be gone.
    enum { PER_THREAD_CPU = 6 };
    const clockid_t clock = (clockid_t)(~tid << 3 | PER_THREAD_CPU);
    struct timespec used;
    if (clock_gettime(clock, &used) != 0)
        return UVS_ABSENT;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

void uvs__sampler_choose(void)
{
    has_signal();
}

void uvs__sampler_admit(void)
{
    static __thread int admitted __attribute__((tls_model("initial-exec")));
    const int number = __atomic_load_n(&signal_number, __ATOMIC_RELAXED);
    sigset_t set;
    if (number == admitted || number == 0)
        return;
    admitted = number;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void uvs__find_own_stack(uintptr_t *ret_low, uintptr_t *ret_high)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    const int saved = errno;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
            *ret_low = (uintptr_t)low;
            *ret_high = (uintptr_t)low + size;
        }
        pthread_attr_destroy(&attributes);
    }
    errno = saved;
}

void uvs__sampler_start(void)
{
    // A descriptor table of its own, and an empty one: otherwise a program that opens a file at the same
    // moment would see other numbers than alone, and one that closes all would close ours.
    can_look = syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0;
    set_word(IDLE);
}
