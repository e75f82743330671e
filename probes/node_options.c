// SPDX-License-Identifier: MIT
// Takes back what `record` put into NODE_OPTIONS.
#include "probes/node_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "probes/uvs_abi.h"

#include "probes/poison.h"

static bool concerns_snapshot(const char *argument)
{
    static const char *const options[] = {"--snapshot-blob", "--build-snapshot", "--build-sea",
                                          "--experimental-sea-config"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strncmp(argument, options[i], strlen(options[i])) == 0)
            return true;
    return false;
}

void uvs__keep_snapshots_plain(int argc, char *const *argv)
{
    const size_t length = sizeof(UVS_NODE_OPTIONS) - 1;
    char *options = getenv("NODE_OPTIONS");
    if (!options || strncmp(options, UVS_NODE_OPTIONS, length) != 0 ||
        (options[length] && options[length] != ' '))
        return;
    bool found = false;
    for (int i = 1; i < argc && !found; i++)
        found = concerns_snapshot(argv[i]);
    if (!found)
        return;
    const char *rest = options + length + (options[length] == ' ');
    memmove(options, rest, strlen(rest) + 1);
}
