// SPDX-License-Identifier: MIT
// What all readers share.
#include "reader.h"

#include <stdlib.h>

void uvs_reader_narrow(struct uvs_reader *reader, uint64_t from_ns, uint64_t to_ns)
{
    reader->from_ns = from_ns;
    reader->to_ns = to_ns;
    if (reader->ops->skip_to)
        reader->ops->skip_to(reader, from_ns);
}

static bool ends_before(const struct uvs_event *event, uint64_t time_ns)
{
    return (event->type == UVS_EV_LOST ? event->lost.end_ns : event->time_ns) < time_ns;
}

int uvs__reader_next_within(struct uvs_reader *reader, const struct uvs_event **ret_event,
                            struct uvs_error *error)
{
    const struct uvs_event *event;
    int result = 0;
    while (!reader->is_behind && (result = reader->ops->next(reader, &event, error)) > 0) {
        reader->is_behind = reader->to_ns && event->time_ns > reader->to_ns;
        if (reader->is_behind)
            return 0;
        if (ends_before(event, reader->from_ns))
            continue;
        *ret_event = event;
        return 1;
    }
    return result;
}

void uvs_reader_destroy(struct uvs_reader *reader)
{
    if (!reader)
        return;
    free(reader->note);
    reader->ops->destroy(reader);
}
