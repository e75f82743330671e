// SPDX-License-Identifier: MIT
// The names that a misspelt word was probably meant to be.
#ifndef UVS_NEAR_H
#define UVS_NEAR_H

#include <stddef.h>

enum { UVS_NEAR_MAX = 3 };

// Zero-initialise but for `word`; offer every name there is; the names must outlive it.
struct uvs_near {
    const char *word;
    struct {
        const char *name;
        size_t distance; // edits between word and name
    } best[UVS_NEAR_MAX];
    size_t count;
};

void uvs_near_offer(struct uvs_near *near, const char *name);
// "; did you mean a, b or c?", or an empty string when nothing is near. size > 0; always terminated.
void uvs_near_text(const struct uvs_near *near, char *buffer, size_t size);

#endif
