// SPDX-License-Identifier: MIT
// The rows of a checkup, and the questions that its parts share.
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct uvs_check *uvs__checkup_add(struct uvs_checkup *checkup, enum uvs_health health, const char *name,
                                   const char *format, ...)
{
    enum { LAST = sizeof(checkup->rows) / sizeof(checkup->rows[0]) - 1 };
    size_t at = checkup->count < LAST ? checkup->count++ : LAST;
    struct uvs_check *check = &checkup->rows[at];
    *check = (struct uvs_check){.about = checkup->about, .name = name, .health = health};
    va_list args;
    va_start(args, format);
    vsnprintf(check->text, sizeof(check->text), format, args);
    va_end(args);
    return check;
}

void uvs__checkup_remedy(struct uvs_check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(check->remedy, sizeof(check->remedy), format, args);
    va_end(args);
}

void uvs__checkup_add_error(struct uvs_checkup *checkup, enum uvs_health health, const char *name,
                            const struct uvs_error *error)
{
    const char *remedy = NULL;
    for (const char *at = error->text; (at = strstr(at, "; ")); at += 2)
        remedy = at;
    int length = remedy ? (int)(remedy - error->text) : (int)strlen(error->text);
    struct uvs_check *check = uvs__checkup_add(checkup, health, name, "%.*s", length, error->text);
    if (remedy)
        uvs__checkup_remedy(check, "%s", remedy + 2);
}

void uvs__beside_runtime(const struct uvs_checkup *checkup, const char *file, char ret_path[PATH_MAX])
{
    int directory = (int)(strrchr(checkup->runtime, '/') - checkup->runtime);
    if (snprintf(ret_path, PATH_MAX, "%.*s/%s", directory, checkup->runtime, file) >= PATH_MAX)
        ret_path[0] = '\0';
}
