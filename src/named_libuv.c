// SPDX-License-Identifier: MIT
// Writes the file that probes/named.c reads.
#include "named_libuv.h"

#include "command.h"
#include "elf_file.h"
#include "needed_objects.h"
#include "../probes/patch.h"
#include "../probes/uvs_abi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct naming {
    struct uvs_named_libuv *named;
    FILE *file;    // NULL: nothing to write yet, or it could not be opened
    bool is_bound; // an object before this one exports libuv: callers are bound to that one
};

// Its functions for others: what begins with uv__ is its own, and a dot begins the name of a part that the
// compiler has cut off.
static bool is_api(const char *name)
{
    return strncmp(name, "uv_", 3) == 0 && name[3] != '_' && !strchr(name, '.');
}

static bool write_line(const struct uvs_elf_function *function, void *data)
{
    if (is_api(function->name) && function->size)
        fprintf(data, "%s %" PRIx64 " %zx\n", function->name, function->address, function->size);
    return false;
}

static void write_object(struct naming *naming, const struct uvs_elf_image *image, enum uvs_elf_table table,
                         const char *path)
{
    char build_id[UVS_ELF_BUILD_ID_TEXT];
    if (!uvs__elf_build_id(image, build_id)) {
        snprintf(naming->named->unknowable, PATH_MAX, "%s", path);
        return;
    }
    if (!naming->file)
        naming->file = fopen(naming->named->file, "wxe");
    naming->named->count++;
    if (!naming->file)
        return;
    fprintf(naming->file, UVS_NAMED_FORMAT " %s\n", build_id);
    uvs__elf_functions(image, table, write_line, naming->file);
}

// A copy that is exported, but calls itself directly, is none that the dynamic linker would know of.
static void look_into(struct naming *naming, const struct uvs_elf_image *image, const char *path)
{
    struct uvs_elf_function run;
    if (uvs__elf_function(image, UVS_ELF_EXPORTED, "uv_run", &run)) {
        if (naming->is_bound && !uvs__elf_has_slot(image, "uv_mutex_lock"))
            write_object(naming, image, UVS_ELF_EXPORTED, path);
        naming->is_bound = true;
    } else if (uvs__elf_function(image, UVS_ELF_ALL, "uv_run", &run)) {
        write_object(naming, image, UVS_ELF_ALL, path);
    }
}

static bool name_in(const char *name __attribute__((unused)), const char *path, void *data)
{
    struct uvs_elf_image image;
    if (path && path[0] && uvs__elf_map(path, &image)) {
        look_into(data, &image, path);
        uvs__elf_unmap(&image);
    }
    return false;
}

static int name_plugin(struct naming *naming, const char *path, struct uvs_error *error)
{
    size_t before = naming->named->count;
    if (!UVS_CAN_PATCH)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "--plugin: " UVS_CANNOT_PATCH);
    naming->is_bound = true; // it comes after all that are there at the start
    if (access(path, R_OK))
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "--plugin '%s' cannot be read: %s", path,
                             strerror(errno));
    name_in(path, path, naming);
    if (naming->named->count > before)
        return 0;
    if (naming->named->unknowable[0])
        return uvs_error_set(error, UVS_E_ENVIRONMENT,
                             "--plugin '%s' has no build id to know it by; link it with -Wl,--build-id",
                             path);
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         "--plugin '%s' has no libuv of its own that could be found: it was stripped, or it "
                         "uses the program's or the shared one, which needs no option",
                         path);
}

static int name_all(struct naming *naming, const char *binary, const struct uvs_strings *plugins,
                    struct uvs_error *error)
{
    name_in(binary, binary, naming);
    if (binary[0])
        uvs__each_object(binary, name_in, naming);
    int result = 0;
    for (size_t i = 0; i < plugins->count && !result; i++)
        result = name_plugin(naming, plugins->items[i], error);
    return result;
}

int uvs__name_libuv(const char *binary, const struct uvs_strings *plugins, const char *directory,
                    struct uvs_named_libuv *ret_named, struct uvs_error *error)
{
    struct naming naming = {.named = ret_named};
    *ret_named = (struct uvs_named_libuv){0};
    if (snprintf(ret_named->file, PATH_MAX, "%s/" UVS_NAMED_FILE, directory) >= PATH_MAX)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "the name of the directory '%s' is too long",
                             directory);
    int result = name_all(&naming, binary, plugins, error);
    bool written = naming.file && !ferror(naming.file);
    if (naming.file && fclose(naming.file))
        written = false;
    if (!result && ret_named->count && !written)
        result = uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: %s", ret_named->file,
                               strerror(errno));
    if (result || !written) {
        if (naming.file)
            unlink(ret_named->file);
        ret_named->file[0] = '\0';
    }
    return result;
}
