// SPDX-License-Identifier: MIT
// `uvscope completion`: a shell's completion, from the tables that parse.
#include "command.h"

#include <string.h>

// --- Bash ---

// What a name of an argument or of operands stands for; the first that it contains.
static const struct {
    const char *name, *action;
} meanings[] = {
    {"PROGRAM", "_uvscope_offer -c"}, {"TRACE", "_uvscope_offer -d"},   {"DIR", "_uvscope_offer -d"},
    {"FILE", "_uvscope_offer -f"},    {"SHELL", "_uvscope_words bash"},
};

static const char bash_begin[] =
    "# bash completion of uvscope, made by `uvscope completion bash`\n"
    "\n"
    "# What compgen gives for the word at the cursor, one a line: names may have spaces.\n"
    "_uvscope_offer() {\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
    "    compopt -o filenames 2>/dev/null\n"
    "}\n"
    "\n"
    "_uvscope_words() {\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$*\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "# The program behind the options is completed as if it stood alone.\n"
    "_uvscope_program() {\n"
    "    local at=2\n"
    "    while ((at < COMP_CWORD)) && [[ ${COMP_WORDS[at]} == -?* && ${COMP_WORDS[at]} != -- ]]; do\n"
    "        [[ \" $valued \" == *\" ${COMP_WORDS[at]} \"* ]] && ((at++))\n"
    "        [[ ${COMP_WORDS[at]} == = ]] && ((at++))\n"
    "        ((at++))\n"
    "    done\n"
    "    [[ ${COMP_WORDS[at]} == -- ]] && ((at++))\n"
    "    ((at <= COMP_CWORD)) || return 1\n"
    "    [[ at -eq COMP_CWORD && $cur == -* && ${COMP_WORDS[at - 1]} != -- ]] && return 1\n"
    "    if declare -F _command_offset >/dev/null; then\n"
    "        _command_offset \"$at\"\n"
    "    elif ((at == COMP_CWORD)); then\n"
    "        _uvscope_offer -c\n"
    "    else\n"
    "        _uvscope_offer -f\n"
    "    fi\n"
    "    return 0\n"
    "}\n"
    "\n"
    "_uvscope() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} valued\n"
    "    COMPREPLY=()\n"
    "    # --option=VALUE comes as three words.\n"
    "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    [[ $cur == = ]] && cur=\n";

static const char bash_end[] = "    *) return ;;\n"
                               "    esac\n"
                               "}\n"
                               "\n"
                               "complete -F _uvscope uvscope\n";

static const char *action_of(const char *text)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strstr(text, meanings[i].name))
            return meanings[i].action;
    }
    return ":";
}

static void print_commands(void)
{
    for (const struct uvs_command *const *command = uvs_commands; *command; command++)
        printf("%s ", (*command)->name);
}

static void print_first_word(void)
{
    fputs("    if ((COMP_CWORD == 1)); then\n        _uvscope_words ", stdout);
    print_commands();
    fputs("help --help --version\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n"
          "    help) ((COMP_CWORD == 2)) && _uvscope_words ",
          stdout);
    print_commands();
    puts(";;");
}

static void print_value(const struct uvs_option *row)
{
    fputs("        ", stdout);
    if (row->letter)
        printf("-%c | ", row->letter);
    printf("--%s) ", row->name);
    if (row->form == UVS_OPTION_CHOICE) {
        fputs("_uvscope_words ", stdout);
        for (const char *at = row->argument; *at; at++)
            putchar(*at == '|' ? ' ' : *at);
    } else {
        fputs(action_of(row->argument), stdout);
    }
    puts("; return ;;");
}

static void print_valued(const struct uvs_command *command)
{
    fputs("        valued='", stdout);
    for (const struct uvs_option *row = command->options; row->name; row++) {
        if (row->form != UVS_OPTION_FLAG && row->letter)
            printf("-%c ", row->letter);
        if (row->form != UVS_OPTION_FLAG)
            printf("--%s ", row->name);
    }
    puts("'");
}

static void print_command(const struct uvs_command *command)
{
    printf("    %s)\n", command->name);
    if (command->program_follows) {
        print_valued(command);
        puts("        _uvscope_program && return");
    }
    puts("        case $before in");
    for (const struct uvs_option *row = command->options; row->name; row++) {
        if (row->form != UVS_OPTION_FLAG)
            print_value(row);
    }
    puts("        esac\n        if [[ $cur == -* ]]; then");
    fputs("            _uvscope_words ", stdout);
    for (const struct uvs_option *row = command->options; row->name; row++)
        printf("--%s ", row->name);
    printf("--help\n        else\n            %s\n        fi\n        ;;\n", action_of(command->operands));
}

static void print_bash(void)
{
    fputs(bash_begin, stdout);
    print_first_word();
    for (const struct uvs_command *const *command = uvs_commands; *command; command++)
        print_command(*command);
    fputs(bash_end, stdout);
}

// --- The command ---

static int run(char **operands)
{
    if (!operands[0] || operands[1] || strcmp(operands[0], "bash") != 0)
        return uvs_complain(UVS_E_USAGE, "completion knows one shell: uvscope completion bash");
    print_bash();
    return UVS_E_OK;
}

static const struct uvs_option options[] = {{0}};

const struct uvs_command uvs_command_completion = {
    .name = "completion",
    .summary = "Print the completion of commands and options for a shell",
    .operands = "SHELL",
    .description =
        "Prints what makes SHELL complete uvscope's commands, options and their values; bash is the\n"
        "one that is known. For the present shell: eval \"$(uvscope completion bash)\"",
    .options = options,
    .run = run,
};
