// SPDX-License-Identifier: MIT
// replay PATH…: gives each file, and each file of each directory, to the target it is linked with.
#include "fuzz.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int replay(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(size + 1);
    const int is_read = file && bytes && fread(bytes, 1, size, file) == size;
    if (file)
        fclose(file);
    // An address of its own size, so that a sanitizer sees what is read behind it.
    uint8_t *exact = is_read ? realloc(bytes, size ? size : 1) : NULL;
    if (exact) {
        LLVMFuzzerTestOneInput(exact, size);
        bytes = exact;
    } else {
        perror(path);
    }
    free(bytes);
    return exact != NULL;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    FTS *tree = argc > 1 ? fts_open(argv + 1, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL) : NULL;
    if (!tree) {
        fprintf(stderr, "usage: %s PATH...\n", argv[0]);
        return 2;
    }
    for (FTSENT *entry; (entry = fts_read(tree));) {
        if (entry->fts_info != FTS_F)
            continue;
        if (!replay(entry->fts_path, (size_t)entry->fts_statp->st_size))
            return 1;
        count++;
    }
    fts_close(tree);
    printf("%zu inputs\n", count);
    // A corpus that was not made would prove nothing.
    return count > 0 ? 0 : 1;
}
