// SPDX-License-Identifier: MIT
// --help, from the same tables that parse.
#include "command.h"

#include <string.h>

enum { HELP_COLUMN = 26, LINE_WIDTH = 98 };

static void print_wrapped(FILE *stream, const char *text)
{
    size_t column = HELP_COLUMN;
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        bool fits = column + 1 + length <= LINE_WIDTH;
        if (word != text)
            column = fits ? column + 1 : HELP_COLUMN;
        if (word != text && fits)
            fputc(' ', stream);
        else if (word != text)
            fprintf(stream, "\n%*s", HELP_COLUMN, "");
        fprintf(stream, "%.*s", (int)length, word);
        column += length;
        word += length + strspn(word + length, " ");
    }
    fputc('\n', stream);
}

static void print_row(FILE *stream, char letter, const char *name, const char *argument, const char *help)
{
    char left[80];
    int width = letter ? snprintf(left, sizeof(left), "  -%c, --%s", letter, name)
                       : snprintf(left, sizeof(left), "      --%s", name);
    if (argument)
        width += snprintf(left + width, sizeof(left) - (size_t)width, " %s", argument);
    if (width < HELP_COLUMN - 1)
        fprintf(stream, "%-*s", HELP_COLUMN, left);
    else
        fprintf(stream, "%s\n%*s", left, HELP_COLUMN, "");
    print_wrapped(stream, help);
}

static void print_command_help(FILE *stream, const struct uvs_command *command)
{
    fprintf(stream, "Usage: uvscope %s [OPTION]... %s\n\n%s\n\nOptions:\n", command->name, command->operands,
            command->description);
    for (const struct uvs_option *row = command->options; row->name; row++)
        print_row(stream, row->letter, row->name, row->argument, row->help);
    print_row(stream, 'h', "help", NULL, "show this help and exit");
}

static void print_overview(FILE *stream)
{
    fputs("Usage: uvscope COMMAND [OPTION]... [OPERAND]...\n\n"
          "What blocked a libuv event loop, which callbacks waited because of it, and where each\n"
          "thread-pool request spent its time.\n\nCommands:\n",
          stream);
    for (const struct uvs_command *const *command = uvs_commands; *command; command++)
        fprintf(stream, "  %-12s%s\n", (*command)->name, (*command)->summary);
    fprintf(stream, "  %-12s%s\n", "help", "show the help of a command");
    fputs("\nOptions:\n", stream);
    print_row(stream, 'h', "help", NULL, "show this help and exit");
    print_row(stream, 'V', "version", NULL, "show the version and exit");
    fputs("\nExit status:\n", stream);
#define X(NAME, code, meaning) fprintf(stream, "  %-4d%s\n", code, meaning);
    UVS_EXIT_MAP(X)
#undef X
}

void uvs_print_help(FILE *stream, const struct uvs_command *command)
{
    if (command)
        print_command_help(stream, command);
    else
        print_overview(stream);
}
