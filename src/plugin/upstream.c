// SPDX-License-Identifier: MIT
// A live source answers "again" when it has nothing yet: it is asked again a little later.
#include "upstream.h"

#include <time.h>

static const struct timespec pause_before_again = {.tv_nsec = 10000000};

int uvs__upstream_next(void *data, bt_message_array_const *ret_messages, uint64_t *ret_count,
                       struct uvs_error *error)
{
    struct uvs__upstream *upstream = data;
    for (;;) {
        switch (bt_message_iterator_next(upstream->messages, ret_messages, ret_count)) {
        case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK: {
            const int result = upstream->see
                                   ? upstream->see(upstream->see_data, *ret_messages, *ret_count, error)
                                   : 0;
            return result < 0 ? result : 1;
        }
        case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
            return 0;
        case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
            if (upstream->is_interrupted(upstream->self))
                return 0;
            nanosleep(&pause_before_again, NULL);
            break;
        case BT_MESSAGE_ITERATOR_NEXT_STATUS_MEMORY_ERROR:
        case BT_MESSAGE_ITERATOR_NEXT_STATUS_ERROR:
            upstream->failed = true;
            return uvs_error_set(error, UVS_E_TRACE,
                                 "the graph's messages end in an error of the component before");
        }
    }
}
