// SPDX-License-Identifier: MIT
// What `uvscope doctor` finds: one row for each thing that recording depends on.
#ifndef UVS_DOCTOR_H
#define UVS_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include "../analysis/error.h"

// X(NAME, "name", style). A problem: recording will fail, or record nothing. A warning: it works, but not as
// well as it could.
#define UVS_HEALTH_MAP(X)         \
    X(OK, "ok", GREEN)            \
    X(WARNING, "warning", YELLOW) \
    X(PROBLEM, "problem", RED)

enum uvs_health {
#define X(NAME, name, style) UVS_HEALTH_##NAME,
    UVS_HEALTH_MAP(X)
#undef X
};

struct uvs_check {
    const char *about, *name; // about: "machine" or "program"
    enum uvs_health health;
    char text[1024], remedy[512]; // remedy: "" when there is nothing to do
};

struct uvs_checkup {
    struct uvs_check rows[40];
    size_t count;
    const char *about;      // of the rows that follow
    char runtime[PATH_MAX]; // libuvscope.so; "" when it was not found
};

// Adds a row. The returned one may be given a remedy.
struct uvs_check *uvs__checkup_add(struct uvs_checkup *checkup, enum uvs_health health, const char *name,
                                   const char *format, ...) __attribute__((format(__printf__, 4, 5)));
void uvs__checkup_remedy(struct uvs_check *check, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));
// Adds what an error says: "what failed, why; what to do".
void uvs__checkup_add_error(struct uvs_checkup *checkup, enum uvs_health health, const char *name,
                            const struct uvs_error *error);

void uvs__doctor_machine(struct uvs_checkup *checkup);
void uvs__doctor_program(struct uvs_checkup *checkup, const char *program);

// Where libuv is for that binary (which may be executed here), and whether it can be hooked.
void uvs__doctor_libuv(struct uvs_checkup *checkup, const char *binary);

// Whether it tells of garbage collections.
void uvs__doctor_gc(struct uvs_checkup *checkup, const char *binary);

// A library beside the runtime.
void uvs__beside_runtime(const struct uvs_checkup *checkup, const char *file, char ret_path[PATH_MAX]);

#endif
