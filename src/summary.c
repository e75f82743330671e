// SPDX-License-Identifier: MIT
// The last words of `record`.
#include "summary.h"

#include "command.h"
#include "../probes/patch.h"
#include "../probes/uvs_abi.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { NUMBER_SIZE = 32 };

// 1234567 -> "1,234,567".
static const char *group_digits(uint64_t number, char ret_text[NUMBER_SIZE])
{
    char plain[NUMBER_SIZE];
    size_t length = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, number), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            ret_text[used++] = ',';
        ret_text[used++] = plain[i];
    }
    ret_text[used] = '\0';
    return ret_text;
}

static const char *say_lost(const struct uvs_session_loss *loss, char *text, size_t size)
{
    char number[NUMBER_SIZE];
    if (loss->events == UVS_ABSENT)
        snprintf(text, size, "unknown how many lost");
    else
        snprintf(text, size, "%s lost", group_digits(loss->events, number));
    return text;
}

static const char *say_size(uint64_t bytes, char text[NUMBER_SIZE])
{
    if (bytes < 100000)
        snprintf(text, NUMBER_SIZE, "%" PRIu64 " kB", (bytes + 999) / 1000);
    else
        snprintf(text, NUMBER_SIZE, "%.1f MB", (double)bytes / 1e6);
    return text;
}

// What is missing of a trace that could not be read to its end, LTTng need not have counted.
static struct uvs_session_loss whole_loss(const struct uvs_summary *summary)
{
    return summary->digest.error.text[0] ? (struct uvs_session_loss){UVS_ABSENT, UVS_ABSENT} : summary->loss;
}

static void say_trace(const struct uvs_summary *summary)
{
    const struct uvs_session_loss loss = whole_loss(summary);
    char events[NUMBER_SIZE], lost[NUMBER_SIZE + 16], size[NUMBER_SIZE];
    uvs_complain(0, "%s%s events (%s), %s in %s — next: uvscope report%s%s",
                 summary->overwritten ? "the newest " : "", group_digits(summary->digest.events, events),
                 say_lost(&loss, lost, sizeof(lost)), say_size(summary->bytes, size), summary->directory,
                 summary->is_latest ? "" : " ", summary->is_latest ? "" : summary->directory);
}

// Then what is said of the program could be wrong.
static bool has_trouble(const struct uvs_summary *summary)
{
    return summary->refusal || summary->file_limit || summary->daemon != UVS_DAEMON_ANSWERED;
}

static void say_empty(const struct uvs_summary *summary)
{
    if (summary->overwritten)
        uvs_complain(
            0,
            "nothing to read in %s: what --max-size kept is less than the second in which a program says "
            "again what it is; keep more",
            summary->directory);
    else if (summary->named_libuv->unknowable[0] || has_trouble(summary))
        uvs_complain(0, "nothing recorded in %s", summary->directory);
    else if ((summary->has_own_libuv || summary->named_libuv->count) && !UVS_CAN_PATCH)
        uvs_complain(
            0,
            "nothing recorded in %s: %s has a libuv inside that calls itself directly, and " UVS_CANNOT_PATCH,
            summary->directory, summary->program);
    else if (summary->has_own_libuv || summary->named_libuv->count)
        uvs_complain(
            0,
            "nothing recorded in %s: %s has libuv inside its executable or a library of its own, and "
            "either ran no loop or could not be hooked; UVSCOPE_DEBUG=1 tells which",
            summary->directory, summary->program);
    else
        uvs_complain(
            0,
            "nothing recorded in %s: %s never ran a libuv loop that uvscope can see: it must use the "
            "shared libuv (libuv.so.1) and run a loop; UVSCOPE_DEBUG=1 tells what is hooked",
            summary->directory, summary->program);
}

static void say_gone(const struct uvs_summary *summary)
{
    uvs_complain(0, "%s was removed or renamed while the program ran: the recording is not there any more",
                 summary->directory);
}

static void say_unreadable(const struct uvs_summary *summary)
{
    char size[NUMBER_SIZE];
    const char *why = summary->digest.error.text;
    uvs_complain(0, "%s in %s, but it could not be read%s%s", say_size(summary->bytes, size),
                 summary->directory, why[0] ? ": " : "", why);
}

static void (*const sayings[])(const struct uvs_summary *summary) = {
    [UVS_DIGEST_READ] = say_trace,
    [UVS_DIGEST_EMPTY] = say_empty,
    [UVS_DIGEST_UNREADABLE] = say_unreadable,
};

static void say_libuv(const struct uvs_named_libuv *named)
{
    if (named->unknowable[0])
        uvs_complain(
            0,
            "not traced: %s has a libuv inside that it does not export, and no build id to know it by; "
            "link it with -Wl,--build-id",
            named->unknowable);
    if (named->count > UVS_COPY_COUNT - 1)
        uvs_complain(0, "of the %zu libraries with a libuv of their own only %u can be traced", named->count,
                     UVS_COPY_COUNT - 1);
}

static const char *const daemon_sayings[] = {
    [UVS_DAEMON_ANSWERED] = NULL,
    [UVS_DAEMON_WOKEN] = "somebody had stopped the LTTng daemon (SIGSTOP): processes that started meanwhile "
                         "waited for it, 3 s each, and are not in the trace",
    [UVS_DAEMON_DIED] = "the LTTng daemon died while the program ran: the trace ends there",
    [UVS_DAEMON_ENDED] =
        "the LTTng daemon no longer answered and was ended: the trace may lack what it had not yet written",
    [UVS_DAEMON_LEFT] = "the trace may lack its end: ",
};

static void say_trouble(const struct uvs_summary *summary)
{
    say_libuv(summary->named_libuv);
    if (summary->refusal && summary->refusal != EACCES) // then the files that are there still grow
        uvs_complain(0,
                     "the disk of %s takes no more (%s): the trace ends before the program did; use -o on "
                     "another one",
                     summary->directory, strerror(summary->refusal));
    if (summary->file_limit)
        uvs_complain(0, "a file of the trace has come to 'ulimit -f', and ends there; raise that limit");
    if (summary->left_running)
        uvs_complain(
            0,
            "%u process%s of %s still run%s in the background, no longer recorded: a recording ends with "
            "the process that it started, so keep the program in the foreground (often -f or "
            "--foreground)",
            summary->left_running, summary->left_running > 1 ? "es" : "", summary->program,
            summary->left_running > 1 ? "" : "s");
    if (daemon_sayings[summary->daemon])
        uvs_complain(0, "%s%s", daemon_sayings[summary->daemon], summary->daemon_left.text);
    if (summary->digest.state == UVS_DIGEST_READ && summary->digest.error.text[0] && !has_trouble(summary))
        uvs_complain(0, "the trace is incomplete: %s", summary->digest.error.text);
    if (summary->save.text[0])
        uvs_complain(0, "the facts of the recording are incomplete: %s", summary->save.text);
    if (summary->loss.events != UVS_ABSENT && summary->loss.events + summary->loss.packets > 0)
        uvs_complain(
            0, "events came faster than LTTng's daemon could write them: record with less --detail (lean is "
               "the least), to a faster disk, with more memory in /dev/shm, or leave the daemon "
               "more of the processors");
}

void uvs__summary_print(const struct uvs_summary *summary)
{
    if (summary->refusal == ENOENT) {
        say_gone(summary);
        return;
    }
    sayings[summary->digest.state](summary);
    say_trouble(summary);
}
