// SPDX-License-Identifier: MIT
// The objects that an executable or a library cannot do without.
#ifndef UVS_NEEDED_OBJECTS_H
#define UVS_NEEDED_OBJECTS_H

#include <stdbool.h>

// What the dynamic linker would load for that file: calls `visit` with each object's name and path (NULL: not
// found), until it returns true; whether it did.
bool uvs__each_object(const char *file, bool (*visit)(const char *name, const char *path, void *data),
                      void *data);

#endif
