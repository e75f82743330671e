// SPDX-License-Identifier: MIT
// Findings about handles that nobody closed.
#include "findings.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAMED = 3, LIST_SIZE = NAMED * 320 };

static uint64_t count_of(const struct uvs_open_handles *open, const struct uvs_handle_row *row)
{
    return open->when == UVS_OPEN_EXIT ? row->keeping : row->count;
}

static void append(char list[LIST_SIZE], size_t *used, const char *separator, uint64_t count,
                   const char *type, const struct uvs_site *callback)
{
    const int length = snprintf(list + *used, LIST_SIZE - *used, "%s%" PRIu64 " %s%s%.256s", separator, count,
                                type, callback ? " " : "", callback ? callback->label : "");
    *used += (size_t)(length < 0 || (size_t)length >= LIST_SIZE - *used ? 0 : length);
}

// "2 timer on_tick (app.c:7), 1 tcp on_connection (app.c:9) and 4 others"
static void list_rows(const struct uvs_open_handles *open, char list[LIST_SIZE])
{
    uint64_t others = count_of(open, &open->all);
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < open->row_count && i < NAMED; i++) {
        const struct uvs_handle_row *row = &open->rows[i];
        const uint64_t count = count_of(open, row);
        const char *type = uvs_handle_name(row->type);
        if (!count)
            break;
        append(list, &used, i ? ", " : "", count, type ? type : "of an unknown type", row->callback);
        others -= count < others ? count : others;
    }
    if (others)
        append(list, &used, used ? " and " : "", others, used ? "more" : "of unknown types", NULL);
}

int uvs__find_handles_open(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_open_handles *open = loop->open;
    if (!open || open->when != UVS_OPEN_EXIT || !open->all.keeping)
        return 0;
    char name[UVS__TEXT_SIZE], list[LIST_SIZE];
    list_rows(open, list);
    return uvs__found(hunt, UVS_ABSENT, loop->pid, (int)loop->loop,
                      "when the program ended, %" PRIu64 " handle%s kept %s alive: %s", open->all.keeping,
                      uvs__plural(open->all.keeping), uvs_loop_text(hunt->report, loop, name), list);
}

int uvs__find_refused_close(struct uvs__hunt *hunt, const struct uvs_loop_row *loop)
{
    const struct uvs_open_handles *open = loop->open;
    if (!open || open->when != UVS_OPEN_CLOSE)
        return 0;
    char name[UVS__TEXT_SIZE], closing[UVS__TEXT_SIZE] = "", list[LIST_SIZE];
    list_rows(open, list);
    if (open->all.closing)
        snprintf(closing, sizeof(closing), "; of %" PRIu64 " the close callback had still to run",
                 open->all.closing);
    return uvs__found(hunt, UVS_ABSENT, loop->pid, (int)loop->loop,
                      "%s was not closed: uv_loop_close returned UV_EBUSY, because %" PRIu64
                      " handle%s open: %s%s",
                      uvs_loop_text(hunt->report, loop, name), open->all.count,
                      open->all.count == 1 ? " was" : "s were", list, closing);
}
