// SPDX-License-Identifier: MIT
// What is said on a processor without a patcher. Its subjects are compiled as they would be there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../probes/patch.h"
#include "../../src/command.h"
#include "../../src/doctor.h"
#include "../../src/named_libuv.h"

_Static_assert(!UVS_CAN_PATCH, "this is to be compiled with UVS_AS_ELSEWHERE");

// In the directory of the e2e programs.
static const char *program(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", E2E_PROGRAMS, name);
    return path;
}

static const struct uvs_check *libuv_of(struct uvs_checkup *checkup, const char *name)
{
    *checkup = (struct uvs_checkup){.about = "program", .runtime = "/nowhere/libuvscope.so"};
    uvs__doctor_libuv(checkup, program(name));
    for (size_t i = 0; i < checkup->count; i++)
        if (strcmp(checkup->rows[i].name, "libuv") == 0)
            return &checkup->rows[i];
    fail_msg("nothing is said of %s", name);
    return NULL;
}

static void doctor_calls_a_libuv_inside_a_problem(void **state)
{
    (void)state;
    static const char *const programs[] = {"e2e_exporting", "e2e_hidden", "e2e_symbolic", "e2e_private"};
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        struct uvs_checkup checkup;
        const struct uvs_check *check = libuv_of(&checkup, programs[i]);
        assert_int_equal(check->health, UVS_HEALTH_PROBLEM);
        assert_non_null(strstr(check->text, UVS_CANNOT_PATCH));
        assert_non_null(strstr(check->remedy, "shared libuv"));
    }
}

static void doctor_lets_a_shared_libuv_pass(void **state)
{
    (void)state;
    struct uvs_checkup checkup;
    assert_int_equal(libuv_of(&checkup, "e2e_ticker")->health, UVS_HEALTH_OK);
}

static void a_plugin_is_refused(void **state)
{
    (void)state;
    const char *plugin = program("libe2e_plugin.so");
    struct uvs_named_libuv named;
    struct uvs_error error = {0};
    assert_int_equal(uvs__name_libuv("", &(struct uvs_strings){&plugin, 1}, "/nowhere", &named, &error),
                     -UVS_E_ENVIRONMENT);
    assert_non_null(strstr(error.text, UVS_CANNOT_PATCH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doctor_calls_a_libuv_inside_a_problem),
        cmocka_unit_test(doctor_lets_a_shared_libuv_pass),
        cmocka_unit_test(a_plugin_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
