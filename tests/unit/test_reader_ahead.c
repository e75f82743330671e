// SPDX-License-Identifier: MIT
// Reading ahead on a thread gives what the reader gives that it reads from: a made-up one, which borrows as
// readers do.
#include "analysis/reader_ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MANY = 20000 };

// Event number i is at the time i + 1; every seventh has texts, every eleventh a sequence.
struct made {
    struct uvs_reader base;
    uint64_t count, at;
    int result; // behind the last
    uint64_t skipped_to_ns;
    bool *is_destroyed;
    struct uvs_event event;
    char name[32];
    uint64_t frames[UINT8_MAX];
};

static void make(struct made *made, uint64_t number)
{
    made->event = (struct uvs_event){.time_ns = number + 1, .type = UVS_EV_callback};
    made->event.callback = (struct uvs_ev_callback){.loop = 7, .op = number * 3, .duration_ns = number ^ 5};
    if (number % 7 == 0) {
        made->event.type = UVS_EV_process_info;
        snprintf(made->name, sizeof(made->name), "%ju", (uintmax_t)number);
        made->event.process_info = (struct uvs_ev_process_info){
            .pid = 9, .recording = made->name, .exe = "", .argv = made->name + 1, .unhooked = "x"};
    } else if (number % 11 == 0) {
        made->event.type = UVS_EV_stall;
        memset(made->frames, (int)(number & 0x7f), sizeof(made->frames));
        made->event.stall = (struct uvs_ev_stall){.frames_count = (uint8_t)number, .frames = made->frames};
    }
}

static int next_made(struct uvs_reader *base, const struct uvs_event **ret_event, struct uvs_error *error)
{
    struct made *made = (struct made *)base;
    if (made->at == made->count) {
        if (made->result < 0)
            uvs_error_set(error, (enum uvs_exit) - made->result, "made up");
        return made->result;
    }
    make(made, made->at++);
    *ret_event = &made->event;
    return 1;
}

static void skip_made(struct uvs_reader *base, uint64_t from_ns)
{
    struct made *made = (struct made *)base;
    made->skipped_to_ns = from_ns;
    if (made->at + 1 < from_ns)
        made->at = from_ns - 1;
}

static void destroy_made(struct uvs_reader *base)
{
    struct made *made = (struct made *)base;
    *made->is_destroyed = true;
    free(made);
}

static bool destroyed, with_thread;

static struct uvs_reader *create(uint64_t count, int result)
{
    static const struct uvs_reader_ops ops = {
        .name = "made", .next = next_made, .destroy = destroy_made, .skip_to = skip_made};
    struct made *made = calloc(1, sizeof(*made));
    *made = (struct made){.base = {.ops = &ops, .note = strdup("why")},
                          .count = count,
                          .result = result,
                          .is_destroyed = &destroyed};
    destroyed = false;
    struct uvs_reader *ahead = uvs__reader_ahead_create(&made->base, with_thread);
    assert_non_null(ahead);
    assert_string_equal(ahead->ops->name, "made");
    assert_string_equal(ahead->note, "why");
    return ahead;
}

static void destroy(struct uvs_reader *ahead)
{
    uvs_reader_destroy(ahead);
    assert_true(destroyed);
}

static void expect(const struct uvs_event *event, uint64_t number)
{
    struct made made;
    make(&made, number);
    assert_int_equal(event->time_ns, number + 1);
    assert_int_equal(event->type, made.event.type);
    if (event->type == UVS_EV_callback) {
        assert_memory_equal(&event->callback, &made.event.callback, sizeof(event->callback));
    } else if (event->type == UVS_EV_stall) {
        assert_int_equal(event->stall.frames_count, (uint8_t)number);
        assert_memory_equal(event->stall.frames, made.frames, (size_t)(uint8_t)number * sizeof(uint64_t));
    } else {
        assert_string_equal(event->process_info.recording, made.name);
        assert_string_equal(event->process_info.argv, made.name + 1);
        assert_string_equal(event->process_info.unhooked, "x");
    }
}

static void gives_every_event_in_order(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 1, 511, 512, 513, MANY};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct uvs_reader *ahead = create(counts[i], 0);
        const struct uvs_event *event;
        for (uint64_t number = 0; number < counts[i]; number++) {
            assert_int_equal(uvs_reader_next(ahead, &event, NULL), 1);
            expect(event, number);
        }
        for (int again = 0; again < 2; again++)
            assert_int_equal(uvs_reader_next(ahead, &event, NULL), 0);
        destroy(ahead);
    }
}

static void an_error_comes_behind_the_last_event(void **state)
{
    (void)state;
    struct uvs_reader *ahead = create(700, -UVS_E_TRACE);
    const struct uvs_event *event;
    struct uvs_error error = {0};
    for (int i = 0; i < 700; i++)
        assert_int_equal(uvs_reader_next(ahead, &event, &error), 1);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(uvs_reader_next(ahead, &event, &error), -UVS_E_TRACE);
        assert_string_equal(error.text, "made up");
    }
    destroy(ahead);
}

// At any moment, whether the decoder runs or waits.
static void may_be_left_early(void **state)
{
    (void)state;
    for (uint64_t left = 0; left < 5000; left += 1 + left) {
        struct uvs_reader *ahead = create(MANY, 0);
        const struct uvs_event *event;
        for (uint64_t number = 0; number < left; number++)
            assert_int_equal(uvs_reader_next(ahead, &event, NULL), 1);
        destroy(ahead);
    }
}

static void skips_what_is_not_wanted(void **state)
{
    (void)state;
    struct uvs_reader *ahead = create(MANY, 0);
    const struct uvs_event *event;
    assert_int_equal(uvs_reader_next(ahead, &event, NULL), 1);
    uvs_reader_narrow(ahead, 15000, 15100);
    for (uint64_t number = 14999; number < 15100; number++) {
        assert_int_equal(uvs_reader_next(ahead, &event, NULL), 1);
        expect(event, number);
    }
    assert_int_equal(uvs_reader_next(ahead, &event, NULL), 0);
    destroy(ahead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_every_event_in_order),
        cmocka_unit_test(an_error_comes_behind_the_last_event),
        cmocka_unit_test(may_be_left_early),
        cmocka_unit_test(skips_what_is_not_wanted),
    };
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        with_thread = i == 0;
        failed |= cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
