// SPDX-License-Identifier: MIT
// Optimal string alignment distance: insertions, deletions, substitutions and swapped neighbours cost one
// each.
#include "near.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Longer words are compared by their beginning.
enum { WORD_MAX_LENGTH = 63 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static size_t distance(const char *a, const char *b)
{
    size_t a_length = strnlen(a, WORD_MAX_LENGTH), b_length = strnlen(b, WORD_MAX_LENGTH);
    size_t rows[3][WORD_MAX_LENGTH + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smallest(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smallest(row[j], before[j - 2] + 1, row[j]);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

void uvs_near_offer(struct uvs_near *near, const char *name)
{
    // The dashes of an option are not what was misspelt.
    size_t edits = distance(near->word, name), half = strlen(near->word + strspn(near->word, "-")) / 2;
    if (edits > (half > 2 ? half : 2))
        return;
    size_t place = near->count;
    while (place > 0 && near->best[place - 1].distance > edits)
        place--;
    if (place == UVS_NEAR_MAX)
        return;
    if (near->count < UVS_NEAR_MAX)
        near->count++;
    memmove(&near->best[place + 1], &near->best[place], (near->count - 1 - place) * sizeof(near->best[0]));
    near->best[place].name = name;
    near->best[place].distance = edits;
}

void uvs_near_text(const struct uvs_near *near, char *buffer, size_t size)
{
    static const char *const between[] = {"; did you mean ", ", ", " or "};
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < near->count && used < size; i++) {
        bool is_last = i + 1 == near->count;
        int length = snprintf(buffer + used, size - used, "%s%s%s",
                              between[i == 0    ? 0
                                      : is_last ? 2
                                                : 1],
                              near->best[i].name, is_last ? "?" : "");
        used += length < 0 ? 0 : (size_t)length;
    }
}
