// SPDX-License-Identifier: MIT
// Command lines from the option tables: getopt_long's arrays are made from the rows.
#include "command.h"

#include "../analysis/near.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTIONS_MAX = 40,
    NAME_MAX_BYTES = 32,
    ROW_BASE = 256, // getopt_long returns ROW_BASE + row for long options, so that no letter is needed
};

static const struct uvs_option help_option = {
    .name = "help", .letter = 'h', .form = UVS_OPTION_FLAG, .help = "show this help and exit"};

// What getopt_long wants, made from the rows and --help behind them.
struct parser {
    const struct uvs_option *rows[OPTIONS_MAX];
    char names[OPTIONS_MAX][NAME_MAX_BYTES]; // with their dashes
    size_t count;
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 3];
};

static void add_row(struct parser *parser, const struct uvs_option *row)
{
    if (parser->count == OPTIONS_MAX)
        return;
    bool takes_value = row->form != UVS_OPTION_FLAG;
    parser->longs[parser->count] = (struct option){.name = row->name,
                                                   .has_arg = takes_value ? required_argument : no_argument,
                                                   .val = ROW_BASE + (int)parser->count};
    if (row->letter) {
        size_t used = strlen(parser->letters);
        parser->letters[used] = row->letter;
        parser->letters[used + 1] = takes_value ? ':' : '\0';
    }
    snprintf(parser->names[parser->count], NAME_MAX_BYTES, "--%s", row->name);
    parser->rows[parser->count++] = row;
}

static void make_parser(struct parser *parser, const struct uvs_command *command)
{
    // '+' ends the options at the first operand; ':' tells a missing argument from an unknown option.
    strcpy(parser->letters, command->program_follows ? "+:" : ":");
    for (const struct uvs_option *row = command->options; row->name; row++)
        add_row(parser, row);
    add_row(parser, &help_option);
}

static const struct uvs_option *find_row(const struct parser *parser, int code)
{
    if (code >= ROW_BASE)
        return parser->rows[code - ROW_BASE];
    for (size_t i = 0; i < parser->count; i++) {
        if (parser->rows[i]->letter == code)
            return parser->rows[i];
    }
    return NULL;
}

static int set_flag(const struct uvs_option *row, const char *text, struct uvs_error *error)
{
    (void)text, (void)error;
    *(bool *)row->value = true;
    return 0;
}

static int set_string(const struct uvs_option *row, const char *text, struct uvs_error *error)
{
    if (text[0] == '\0')
        return uvs_error_set(error, UVS_E_USAGE, "it needs %s, not an empty word", row->argument);
    *(const char **)row->value = text;
    return 0;
}

static int append_string(const struct uvs_option *row, const char *text, struct uvs_error *error)
{
    struct uvs_strings *list = row->value;
    const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "out of memory");
    items[list->count++] = text;
    list->items = items;
    return 0;
}

static int set_choice(const struct uvs_option *row, const char *text, struct uvs_error *error)
{
    size_t length = strlen(text);
    int index = 0;
    for (const char *word = row->argument; word; index++) {
        const char *bar = strchr(word, '|');
        size_t word_length = bar ? (size_t)(bar - word) : strlen(word);
        if (word_length == length && memcmp(word, text, length) == 0) {
            *(int *)row->value = index;
            return 0;
        }
        word = bar ? bar + 1 : NULL;
    }
    return uvs_error_set(error, UVS_E_USAGE, "'%s' is none of %s", text, row->argument);
}

static int set_duration(const struct uvs_option *row, const char *text, struct uvs_error *error)
{
    return uvs_parse_duration(text, row->value, error);
}

static int (*const setters[])(const struct uvs_option *row, const char *text, struct uvs_error *error) = {
    [UVS_OPTION_FLAG] = set_flag,     [UVS_OPTION_STRING] = set_string,     [UVS_OPTION_LIST] = append_string,
    [UVS_OPTION_CHOICE] = set_choice, [UVS_OPTION_DURATION] = set_duration,
};

static int see_help(const struct uvs_command *command)
{
    return uvs_complain(UVS_E_USAGE, "see 'uvscope help %s'", command->name);
}

// getopt_long said '?': an unknown or ambiguous name, an unknown letter, or a value for a flag.
static void complain_unknown(const struct parser *parser, const char *word)
{
    if (optopt >= ROW_BASE) {
        uvs_complain(0, "option --%s takes no value", parser->rows[optopt - ROW_BASE]->name);
        return;
    }
    if (optopt) {
        uvs_complain(0, "unknown option -%c", optopt);
        return;
    }
    char name[64], hint[256];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    struct uvs_near near = {.word = name};
    for (size_t i = 0; i < parser->count; i++)
        uvs_near_offer(&near, parser->names[i]);
    uvs_near_text(&near, hint, sizeof(hint));
    uvs_complain(0, "unknown option %s%s", name, hint);
}

static int take(const struct parser *parser, int code)
{
    const struct uvs_option *row = find_row(parser, code);
    struct uvs_error error = {0};
    int result = setters[row->form](row, optarg, &error);
    if (result < 0)
        uvs_complain(0, "option --%s: %s", row->name, error.text);
    return -result;
}

int uvs_parse_options(const struct uvs_command *command, int argc, char **argv, char ***ret_operands)
{
    struct parser parser = {0};
    make_parser(&parser, command);
    opterr = 0;
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, parser.letters, parser.longs, NULL)) != -1;) {
        if (code == ':') {
            const struct uvs_option *row = find_row(&parser, optopt);
            uvs_complain(0, "option --%s needs %s", row->name, row->argument);
            return see_help(command);
        }
        if (code == '?') {
            complain_unknown(&parser, argv[optind - 1]);
            return see_help(command);
        }
        if (find_row(&parser, code) == &help_option) {
            uvs_print_help(stdout, command);
            return UVS_E_OK;
        }
        int status = take(&parser, code);
        if (status)
            return status == UVS_E_USAGE ? see_help(command) : status;
    }
    *ret_operands = argv + optind;
    return UVS_OPTIONS_PARSED;
}
