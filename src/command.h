// SPDX-License-Identifier: MIT
// A command and its options as tables: one row is the parse, the default, the help, the man page and the
// completion.
#ifndef UVS_COMMAND_H
#define UVS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "../analysis/error.h"

enum uvs_option_form {
    UVS_OPTION_FLAG,     // bool *
    UVS_OPTION_STRING,   // const char **
    UVS_OPTION_LIST,     // struct uvs_strings *, each use appends
    UVS_OPTION_CHOICE,   // int *: index into `argument`, words separated by |
    UVS_OPTION_DURATION, // uint64_t *: nanoseconds; on the command line 50ms, 1.5s, 10us, 100ns
};

struct uvs_strings {
    const char **items;
    size_t count;
};

struct uvs_option {
    const char *name; // long, without --
    char letter;      // 0 = none
    enum uvs_option_form form;
    const char *argument; // "DIR"; for a choice "text|json"
    const char *help;     // one sentence, no full stop; says the default
    void *value;          // holds the default before parsing
};

struct uvs_command {
    const char *name, *summary;       // summary: one line for the list of commands
    const char *operands;             // "[TRACE]", "[--] PROGRAM [ARGUMENT]..."
    const char *description;          // paragraphs for --help and the man page
    const struct uvs_option *options; // ends with a row whose name is NULL
    bool program_follows;             // options end at the first operand (record)
    // operands: NULL-terminated. Returns the process's exit status; prints its own errors with uvs_complain.
    int (*run)(char **operands);
};

extern const struct uvs_command uvs_command_record, uvs_command_report, uvs_command_check,
    uvs_command_compare, uvs_command_export, uvs_command_doctor, uvs_command_completion;

// Every command in the order of --help, NULL-terminated: main, the documentation test and the completion read
// it.
extern const struct uvs_command *const uvs_commands[];

const struct uvs_command *uvs_find_command(const char *name); // NULL: there is none

// The whole of `uvscope --help` (command NULL) or `uvscope help COMMAND`, from the tables.
void uvs_print_help(FILE *stream, const struct uvs_command *command);

// Parses argv[1…] (argv[0] is the command's name) into the values of the table's rows. UVS_OPTIONS_PARSED:
// *ret_operands points into argv. Any other result is the exit status to end with: what was to be said has
// been said.
enum { UVS_OPTIONS_PARSED = -1 };
int uvs_parse_options(const struct uvs_command *command, int argc, char **argv, char ***ret_operands);

// "uvscope: TEXT" on stderr; returns `code`, so that a command can `return uvs_complain(...)`.
int uvs_complain(int code, const char *format, ...) __attribute__((format(__printf__, 2, 3)));

// "50ms" -> 50000000. -UVS_E_USAGE with the units that exist.
int uvs_parse_duration(const char *text, uint64_t *ret_ns, struct uvs_error *error);

// "1.5G" -> 1610612736. -UVS_E_USAGE with the units that exist.
int uvs_parse_size(const char *text, uint64_t *ret_bytes, struct uvs_error *error);

#endif
