// SPDX-License-Identifier: MIT
// Whether a program's garbage collections are seen.
#include "doctor.h"

#include "elf_file.h"
#include "needed_objects.h"
#include "../probes/uvs_abi.h"

static bool tells(const char *name __attribute__((unused)), const char *path,
                  void *data __attribute__((unused)))
{
    static const char *const needed[] = {
#define X(function, symbol) symbol,
        UVS_V8_MAP(X)
#undef X
    };
    struct uvs_elf_image image;
    if (!path || !uvs__elf_map(path, &image))
        return false;
    bool has_all = true;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && has_all; i++) {
        struct uvs_elf_function function;
        has_all = uvs__elf_function(&image, UVS_ELF_EXPORTED, needed[i], &function);
    }
    uvs__elf_unmap(&image);
    return has_all;
}

void uvs__doctor_gc(struct uvs_checkup *checkup, const char *binary)
{
    if (tells(NULL, binary, NULL) || uvs__each_object(binary, tells, NULL))
        uvs__checkup_add(checkup, UVS_HEALTH_OK, "gc",
                         "V8 tells of its garbage collections: each is recorded");
    else
        uvs__checkup_add(
            checkup, UVS_HEALTH_OK, "gc",
            "there is no V8 that would tell of garbage collections: if there are any, they are not "
            "seen");
}
