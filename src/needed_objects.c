// SPDX-License-Identifier: MIT
// Asks the dynamic linker.
#include "needed_objects.h"

#include "capture.h"
#include "elf_file.h"

#include <stdlib.h>
#include <string.h>

// "\tlibuv.so.1 => /lib/libuv.so.1 (0x7f…)", "\tlibx.so => not found", "\t/lib64/ld-linux.so.2 (0x7f…)".
static bool visit_line(char *line, bool (*visit)(const char *name, const char *path, void *data), void *data)
{
    char *name = line + strspn(line, "\t ");
    char *arrow = strstr(name, " => ");
    char *path = arrow ? arrow + 4 : name;
    char *address = strstr(path, " (0x");
    if (arrow)
        *arrow = '\0';
    if (address)
        *address = '\0';
    if (!address && !arrow)
        return false;
    return visit(name, path[0] == '/' ? path : NULL, data);
}

bool uvs__each_object(const char *file, bool (*visit)(const char *name, const char *path, void *data),
                      void *data)
{
    struct uvs_elf_facts own;
    if (!uvs__elf_own_facts(&own))
        return false;
    // What ldd does, with the loader of this command: the file itself does not run.
    char *list = uvs__capture((const char *const[]){own.interpreter, "--list", file, NULL});
    bool stopped = false;
    for (char *save = NULL, *line = list ? strtok_r(list, "\n", &save) : NULL; line && !stopped;
         line = strtok_r(NULL, "\n", &save))
        stopped = visit_line(line, visit, data);
    free(list);
    return stopped;
}
