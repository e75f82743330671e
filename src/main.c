// SPDX-License-Identifier: MIT
// uvscope: finds the command and runs it.
#include "command.h"

#include "../analysis/near.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int unknown_command(const char *word)
{
    struct uvs_near near = {.word = word};
    for (const struct uvs_command *const *command = uvs_commands; *command; command++)
        uvs_near_offer(&near, (*command)->name);
    char hint[256];
    uvs_near_text(&near, hint, sizeof(hint));
    uvs_complain(0, "unknown %s %s%s", word[0] == '-' ? "option" : "command", word, hint);
    return uvs_complain(UVS_E_USAGE, "see 'uvscope --help'");
}

static int show_version(void)
{
    puts("uvscope " UVS_VERSION);
    return UVS_E_OK;
}

static int show_help(const char *name)
{
    const struct uvs_command *command = name ? uvs_find_command(name) : NULL;
    if (name && !command)
        return unknown_command(name);
    uvs_print_help(stdout, command);
    return UVS_E_OK;
}

static bool is_either(const char *word, const char *letter, const char *name)
{
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

// A descriptor of ours must never be number 0, 1 or 2: what is printed would go there.
static void fill_closed_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    fill_closed_stdio();
    if (argc < 2) {
        uvs_print_help(stderr, NULL);
        return UVS_E_USAGE;
    }
    if (is_either(argv[1], "-h", "--help") || strcmp(argv[1], "help") == 0)
        return show_help(argv[2]);
    if (is_either(argv[1], "-V", "--version"))
        return show_version();
    const struct uvs_command *command = uvs_find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    char **operands;
    int status = uvs_parse_options(command, argc - 1, argv + 1, &operands);
    return status == UVS_OPTIONS_PARSED ? command->run(operands) : status;
}
