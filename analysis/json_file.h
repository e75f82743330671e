// SPDX-License-Identifier: MIT
// The JSON files of a trace directory.
#ifndef UVS_JSON_FILE_H
#define UVS_JSON_FILE_H

#include <jansson.h>
#include "error.h"

// Reads a regular file of at most max_size bytes. 1: *ret_root is the caller's; 0: there is no such file;
// -UVS_E_TRACE: it cannot be read or is not JSON.
int uvs__json_load(const char *path, long max_size, json_t **ret_root, struct uvs_error *error);

// Writes DIRECTORY/NAME, mode 0600: a new file, then a rename, so that nobody sees half of it.
int uvs__json_save(const char *directory, const char *name, const json_t *root, struct uvs_error *error);

// A string value; bytes that are not UTF-8, which JSON cannot hold, become '?'. null for NULL.
json_t *uvs__json_text(const char *text);

#endif
