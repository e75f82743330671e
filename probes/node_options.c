// SPDX-License-Identifier: MIT
// NODE_OPTIONS of this process: what `record` put into them taken back, or put there where a shell started
// Node.
#include "probes/node_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static bool concern_snapshots(int argc, char *const *argv)
{
    bool found = false;
    for (int i = 1; i < argc && !found; i++)
        found = concerns_snapshot(argv[i]);
    return found;
}

static bool begin_with_ours(const char *options)
{
    const size_t length = sizeof(UVS_NODE_OPTIONS) - 1;
    return options && strncmp(options, UVS_NODE_OPTIONS, length) == 0 &&
           (!options[length] || options[length] == ' ');
}

static bool is_node(void)
{
    char exe[4096];
    const ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[length < 0 ? 0 : length] = '\0';
    const char *slash = strrchr(exe, '/');
    return slash && (strcmp(slash, "/node") == 0 || strcmp(slash, "/nodejs") == 0);
}

void uvs__ask_for_names(int argc, char *const *argv)
{
    char options[4096] = UVS_NODE_OPTIONS;
    const char *theirs = getenv("NODE_OPTIONS");
    if (begin_with_ours(theirs) || !is_node() || concern_snapshots(argc, argv))
        return;
    if (theirs && theirs[0]) {
        if (strlen(theirs) + sizeof(UVS_NODE_OPTIONS " ") > sizeof(options))
            return;
        strcat(strcat(options, " "), theirs);
    }
    setenv("NODE_OPTIONS", options, 1);
}

void uvs__keep_snapshots_plain(int argc, char *const *argv)
{
    const size_t length = sizeof(UVS_NODE_OPTIONS) - 1;
    char *options = getenv("NODE_OPTIONS");
    if (!begin_with_ours(options) || !concern_snapshots(argc, argv))
        return;
    const char *rest = options + length + (options[length] == ' ');
    memmove(options, rest, strlen(rest) + 1);
}
