// SPDX-License-Identifier: MIT
// Writes the file that probes/named.c reads.
#include "named_libuv.h"

#include "elf_file.h"
#include "../probes/uvs_abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static bool write_file(const struct uvs_elf_image *image, const char *build_id, const char *path)
{
    FILE *file = fopen(path, "wxe");
    if (!file)
        return false;
    fprintf(file, UVS_NAMED_FORMAT " %s\n", build_id);
    uvs__elf_functions(image, UVS_ELF_ALL, write_line, file);
    bool written = !ferror(file);
    return fclose(file) == 0 && written;
}

static enum uvs_named_libuv name_in(const struct uvs_elf_image *image, const char *path)
{
    struct uvs_elf_function run;
    char build_id[UVS_ELF_BUILD_ID_TEXT];
    if (uvs__elf_function(image, UVS_ELF_EXPORTED, "uv_run", &run) ||
        !uvs__elf_function(image, UVS_ELF_ALL, "uv_run", &run))
        return UVS_NAMED_NONE;
    if (!uvs__elf_build_id(image, build_id))
        return UVS_NAMED_NO_BUILD_ID;
    if (write_file(image, build_id, path))
        return UVS_NAMED_WRITTEN;
    unlink(path);
    return UVS_NAMED_FAILED;
}

enum uvs_named_libuv uvs__name_libuv(const char *binary, const char *directory, char ret_path[PATH_MAX])
{
    struct uvs_elf_image image;
    int length = snprintf(ret_path, PATH_MAX, "%s/" UVS_NAMED_FILE, directory);
    if (!binary[0] || !uvs__elf_map(binary, &image))
        return UVS_NAMED_NONE;
    enum uvs_named_libuv result = length < PATH_MAX ? name_in(&image, ret_path) : UVS_NAMED_FAILED;
    uvs__elf_unmap(&image);
    return result;
}
