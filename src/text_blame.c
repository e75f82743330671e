// SPDX-License-Identifier: MIT
// Who waited, and for whom, in sentences.
#include "text_blame.h"

#include "text_prose.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VICTIMS_SHOWN = 10, CAUSES_SHOWN = 3 };

static void print_kind(FILE *out, int kind)
{
    const char *name = uvs_kind_name((uint8_t)kind);
    if (name)
        fputs(name, out);
    else
        fprintf(out, "kind %d", kind);
}

static void print_named(FILE *out, const struct uvs_blame_who *who, const char *before)
{
    print_kind(out, who->kind);
    fputs(before, out);
    if (who->site)
        uvs__print_escaped(out, who->site->label);
    else
        fputs("something unknown", out);
}

static const char *const nobody[] = {[UVS_BLAME_POLL] = "the loop sleeping in poll",
                                     [UVS_BLAME_OUTSIDE] = "code outside of uv_run",
                                     [UVS_BLAME_LIBUV] = "libuv itself",
                                     [UVS_BLAME_GC] = "garbage collection",
                                     [UVS_BLAME_UNKNOWN] = "something that the trace does not tell"};

static void print_share(FILE *out, const struct uvs_scripts *scripts)
{
    const double percent = 100.0 * (double)scripts->named[0].ns / (double)scripts->ns;
    if (scripts->named[0].ns < scripts->ns)
        fprintf(out, "%.0f %% ", percent < 1 ? 1 : percent > 99 ? 99 : percent);
}

// "superSlowFunction (app.js:3)" without brackets in brackets.
static void print_without_brackets(FILE *out, const char *label)
{
    const char *file = strrchr(label, '(');
    const size_t length = strlen(label);
    if (!file || file < label + 2 || file[-1] != ' ' || label[length - 1] != ')') {
        uvs__print_escaped(out, label);
        return;
    }
    char *function = strndup(label, (size_t)(file - 1 - label));
    char *place = strndup(file + 1, (size_t)(label + length - 1 - (file + 1)));
    uvs__print_escaped(out, function ? function : "");
    fputs(", ", out);
    uvs__print_escaped(out, place ? place : "");
    free(function);
    free(place);
}

static void print_in_script(FILE *out, const struct uvs_blame_who *who)
{
    if (!who->scripts)
        return;
    fputs(" (sampled ", out);
    print_share(out, who->scripts);
    fputs("in ", out);
    print_without_brackets(out, who->scripts->named[0].site->label);
    fputc(')', out);
}

static void print_what(FILE *out, const struct uvs_blame_who *who)
{
    if (who->kind < 0) {
        fputs(nobody[who->what], out);
    } else if (who->what == UVS_BLAME_SYNC_CALL) {
        fputs("sync ", out);
        print_named(out, who, " from ");
    } else {
        print_named(out, who, " ");
    }
}

static void print_who(FILE *out, const struct uvs_blame_who *who)
{
    print_what(out, who);
    print_in_script(out, who);
}

void uvs__print_blame_kind(FILE *out, const struct uvs_blame_who *who)
{
    static const char *const before[] = {[UVS_BLAME_SYNC_CALL] = "sync ", [UVS_BLAME_REQUEST] = "worker "};
    const bool has_more = (size_t)who->what < sizeof(before) / sizeof(before[0]) && before[who->what];
    if (who->kind < 0) {
        fputc('-', out);
        return;
    }
    fputs(has_more ? before[who->what] : "", out);
    print_kind(out, who->kind);
}

void uvs__print_blame_name(FILE *out, const struct uvs_blame_who *who)
{
    if (who->kind < 0)
        fputs(nobody[who->what], out);
    else
        uvs__print_escaped(out, who->site ? who->site->label : "something unknown");
}

void uvs__print_blame_script(FILE *out, const struct uvs_blame_who *who)
{
    if (!who->scripts) {
        fputc('-', out);
        return;
    }
    print_share(out, who->scripts);
    uvs__print_escaped(out, who->scripts->named[0].site->label);
}

static void print_times(FILE *out, uint64_t count)
{
    if (count == 1) {
        fputs("once", out);
        return;
    }
    uvs__print_count(out, count);
    fputs(" times", out);
}

// The next one below `last` in the order of how often it was the cause; NULL: there is none.
static const struct uvs_blame_part *next_cause(const struct uvs_victim_row *victim,
                                               const struct uvs_blame_part *last)
{
    const struct uvs_blame_part *next = NULL;
    for (size_t i = 0; i < victim->by_count; i++) {
        const struct uvs_blame_part *part = &victim->by[i];
        bool is_below = !last || part->times < last->times || (part->times == last->times && part > last);
        if (part->times && is_below && (!next || part->times > next->times))
            next = part;
    }
    return next;
}

static bool is_itself(const struct uvs_victim_row *victim, const struct uvs_blame_part *cause)
{
    const struct uvs_blame_who *a = &victim->who, *b = &cause->who;
    return a->what == UVS_BLAME_CALLBACK && b->what == a->what && a->kind == b->kind && a->site == b->site;
}

static void print_causes(FILE *out, const struct uvs_victim_row *victim)
{
    const struct uvs_blame_part *cause = NULL;
    uint64_t left = victim->suffered.count;
    for (size_t i = 0; i < CAUSES_SHOWN && (cause = next_cause(victim, cause)) != NULL; i++) {
        fputs(i ? ", " : ": ", out);
        if (cause->times < victim->suffered.count || i) {
            print_times(out, cause->times);
            fputc(' ', out);
        }
        fputs(victim->suffered.count == 1 ? "mostly because of " : "because of ", out);
        if (is_itself(victim, cause)) {
            fputs("its own earlier runs", out);
            print_in_script(out, &cause->who);
        } else {
            print_who(out, &cause->who);
        }
        left -= cause->times;
    }
    if (!left)
        return;
    fputs(", ", out);
    print_times(out, left);
    fputs(" because of others", out);
}

static void print_victim(FILE *to, const struct uvs__look *look, const struct uvs_victim_row *victim)
{
    struct uvs__prose prose;
    fputs(look->markdown ? "- " : "  ", to);
    FILE *out = uvs__prose_begin(&prose, to);
    print_named(out, &victim->who, " ");
    fputs(victim->who.what == UVS_BLAME_REQUEST ? " waited for a worker " : " was late ", out);
    print_times(out, victim->suffered.count);
    fputs(victim->suffered.count == 1 ? ", by " : ", ", out);
    uvs__print_ns(out, victim->suffered.max);
    fputs(victim->suffered.count == 1 ? "" : " at worst", out);
    print_causes(out, victim);
    fputc('.', out);
    uvs__prose_end(&prose, look, 2, 6);
    fputc('\n', to);
}

void uvs__print_blame(FILE *out, const struct uvs__look *look, const struct uvs_report *report)
{
    size_t shown = look->top && look->top < VICTIMS_SHOWN ? look->top : VICTIMS_SHOWN;
    if (look->top == 0 || shown > report->victim_count)
        shown = report->victim_count;
    if (shown == 0)
        return;
    uvs__style_begin(out, look, UVS__STYLE_BOLD);
    fputs(look->markdown ? "\n**Who waited, and for whom**\n\n" : "\nWho waited, and for whom\n", out);
    uvs__style_end(out, look, UVS__STYLE_BOLD);
    for (size_t i = 0; i < shown; i++)
        print_victim(out, look, &report->victims[i]);
    if (shown < report->victim_count)
        fprintf(out, "%s… and %zu more\n", look->markdown ? "- " : "  ", report->victim_count - shown);
}
