// SPDX-License-Identifier: MIT
// Loading and saving.
#include "json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Through stdio: jansson asks a descriptor for one byte at a time.
static int load(FILE *file, const char *path, long max_size, json_t **ret_root, struct uvs_error *error)
{
    struct stat facts;
    json_error_t why;
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size > max_size)
        return uvs_error_set(error, UVS_E_TRACE, "%s is not a file that uvscope wrote", path);
    *ret_root = json_loadf(file, 0, &why);
    if (!*ret_root)
        return uvs_error_set(error, UVS_E_TRACE, "%s is damaged: %s in line %d", path, why.text, why.line);
    return 1;
}

int uvs__json_load(const char *path, long max_size, json_t **ret_root, struct uvs_error *error)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        const int result = uvs_error_set(error, UVS_E_TRACE, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return result;
    }
    const int result = load(file, path, max_size, ret_root, error);
    fclose(file);
    return result;
}

// Takes over the descriptor.
static bool save(int fd, const json_t *root)
{
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    const bool written = json_dumpf(root, file, JSON_INDENT(1)) == 0;
    return fclose(file) == 0 && written;
}

int uvs__json_save(const char *directory, const char *name, const json_t *root, struct uvs_error *error)
{
    char *path = NULL, *temporary = NULL;
    int result = 0, fd = -1;
    if (asprintf(&path, "%s/%s", directory, name) < 0 ||
        asprintf(&temporary, "%s/.%s-XXXXXX", directory, name) < 0)
        result = uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    else if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0) // mkostemp makes it 0600
        result = uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write in %s: %s", directory,
                               strerror(errno));
    else if (!save(fd, root) || rename(temporary, path) != 0) {
        result = uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    free(path);
    return result;
}

json_t *uvs__json_text(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    if (value)
        return value;
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}
