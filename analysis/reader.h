// SPDX-License-Identifier: MIT
// A trace in, events out in time order, whoever decodes it.
#ifndef UVS_READER_H
#define UVS_READER_H

#include <stdbool.h>
#include "error.h"
#include "event.h"

struct uvs_reader;

// What a decoder implements. `next` returns 1 and borrows *ret_event until the next call, 0 at the end, or a
// negative code: what was delivered before an error stays valid, nothing follows it.
struct uvs_reader_ops {
    const char *name; // "babeltrace2", "text": the report's trace.reader
    int (*next)(struct uvs_reader *reader, const struct uvs_event **ret_event, struct uvs_error *error);
    double (*share)(const struct uvs_reader *reader); // of the trace that is read, 0 to 1; NULL: nobody knows
    void (*destroy)(struct uvs_reader *reader);
    // What ends before is not wanted any more, and may be left unread; NULL: it cannot leave anything out.
    void (*skip_to)(struct uvs_reader *reader, uint64_t from_ns);
    // Faster than one by one, or NULL. borrow: `next`, but for *ret_count events that lie behind one another.
    // fill: the caller's events, as many of them as could be decoded without borrowing anything; 0 of them
    // when `next` has to be asked. What it decodes into events behind these is not to be looked at.
    int (*borrow)(struct uvs_reader *reader, const struct uvs_event **ret_events, size_t *ret_count,
                  struct uvs_error *error);
    size_t (*fill)(struct uvs_reader *reader, struct uvs_event *events, size_t room);
};

// Zero-initialised but for ops.
struct uvs_reader {
    const struct uvs_reader_ops *ops;
    char *note;              // why it is not the fast one, one line; NULL: nothing to say
    uint64_t from_ns, to_ns; // what is wanted; to_ns 0: up to the end
    bool is_behind;          // it has passed to_ns
};

enum uvs_reader_choice {
    UVS_READER_AUTO, // the fast one, or libbabeltrace2's for what that one does not know
    UVS_READER_FAST,
    UVS_READER_BABELTRACE2,
};

// path: a recording's directory, any directory with CTF traces below it, or a text event log. -UVS_E_TRACE
// when there is nothing readable, with what to do. The caller destroys the reader.
int uvs_reader_create(const char *path, struct uvs_reader **ret_reader, struct uvs_error *error);
// `choice` is about CTF; a text event log has one reader.
int uvs_reader_create_of(enum uvs_reader_choice choice, const char *path, struct uvs_reader **ret_reader,
                         struct uvs_error *error);

// From now on only events of [from_ns, to_ns], in the events' own times, are given, and losses that touch it;
// to_ns 0: up to the end. What lies before is passed over packet by packet where the decoder can, what comes
// after is not read: neither shows damage. It may be called after the first events, which tell when the trace
// begins. Who the processes and loops are, and what modules they have, is told about once a second: who needs
// more than the window holds begins earlier, and passes over by himself.
void uvs_reader_narrow(struct uvs_reader *reader, uint64_t from_ns, uint64_t to_ns);
int uvs__reader_next_within(struct uvs_reader *reader, const struct uvs_event **ret_event,
                            struct uvs_error *error);

static inline int uvs_reader_next(struct uvs_reader *reader, const struct uvs_event **ret_event,
                                  struct uvs_error *error)
{
    if (reader->from_ns || reader->to_ns)
        return uvs__reader_next_within(reader, ret_event, error);
    return reader->ops->next(reader, ret_event, error);
}

// The same for the one that is next and any that lie behind it.
static inline int uvs_reader_next_some(struct uvs_reader *reader, const struct uvs_event **ret_events,
                                       size_t *ret_count, struct uvs_error *error)
{
    *ret_count = 1;
    if (reader->from_ns || reader->to_ns || !reader->ops->borrow)
        return uvs_reader_next(reader, ret_events, error);
    return reader->ops->borrow(reader, ret_events, ret_count, error);
}

// How much of the trace was read, 0 to 1; below 0: unknown.
static inline double uvs_reader_share(const struct uvs_reader *reader)
{
    return reader->ops->share ? reader->ops->share(reader) : -1;
}

void uvs_reader_destroy(struct uvs_reader *reader);

// The decoders. ended_ns: as for uvs__ctf_inputs_find.
int uvs__reader_bt2_create(const char *ctf_directory, uint64_t ended_ns, struct uvs_reader **ret_reader,
                           struct uvs_error *error);
// 1: made. 0: the trace has something that only libbabeltrace2 knows; *ret_why says what. Negative: error.
int uvs__reader_fast_create(const char *ctf_directory, uint64_t ended_ns, struct uvs_reader **ret_reader,
                            struct uvs_error *ret_why, struct uvs_error *error);
int uvs__reader_text_create(const char *file, struct uvs_reader **ret_reader, struct uvs_error *error);

// 1, or a negative code: the event says that the trace is newer than this version.
int uvs__reader_check_schema(const struct uvs_event *event, struct uvs_error *error);

#endif
