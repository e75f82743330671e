// SPDX-License-Identifier: MIT
// --filter: its words, and the rows for which they hold.
#include "shown.h"

#include "lists.h"
#include "near.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 16, VALUE_SIZE = 512, NUMBER_SIZE = 16, NEAR_SIZE = 160 };

enum key { KEY_PID, KEY_PROCESS, KEY_LOOP, KEY_KIND, KEY_SITE, KEY_COUNT };

// has: the part of a row that the key is about.
static const struct {
    const char *name;
    unsigned has;
    bool is_number;
} keys[KEY_COUNT] = {
    [KEY_PID] = {"pid", UVS__ROW_HAS_PID, true},     [KEY_PROCESS] = {"process", UVS__ROW_HAS_PID, false},
    [KEY_LOOP] = {"loop", UVS__ROW_HAS_LOOP, true},  [KEY_KIND] = {"kind", UVS__ROW_HAS_KIND, false},
    [KEY_SITE] = {"site", UVS__ROW_HAS_SITE, false},
};

// The longer ones first.
static const struct {
    const char *name;
    bool is_regex, is_negated;
} operators[] = {{"!=", false, true}, {"!~", true, true}, {"=", false, false}, {"~", true, false}};

struct term {
    enum key key;
    bool is_regex, is_negated;
    char value[VALUE_SIZE]; // of `=`: words separated by commas
    regex_t regex;
};

struct uvs_filter {
    char *text;
    struct term terms[MAX_TERMS];
    size_t count;
};

// --- Parsing ---

static int bad_key(const char *word, struct uvs_error *error)
{
    char hint[NEAR_SIZE];
    struct uvs_near near = {.word = word};
    for (size_t i = 0; i < KEY_COUNT; i++)
        uvs_near_offer(&near, keys[i].name);
    uvs_near_text(&near, hint, sizeof(hint));
    return uvs_error_set(error, UVS_E_USAGE, "there is no '%s' to filter by%s", word,
                         *hint ? hint : "; there are pid, process, loop, kind and site");
}

static int take_key(const char **at, struct term *term, struct uvs_error *error)
{
    char word[VALUE_SIZE];
    const size_t length = strcspn(*at, "=~! \t\r\n");
    snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : sizeof(word) - 1), *at);
    for (term->key = 0; term->key < KEY_COUNT; term->key++)
        if (strcmp(keys[term->key].name, word) == 0)
            break;
    if (term->key == KEY_COUNT)
        return bad_key(word, error);
    *at += length;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        const size_t size = strlen(operators[i].name);
        if (strncmp(*at, operators[i].name, size) != 0)
            continue;
        *at += size;
        term->is_regex = operators[i].is_regex;
        term->is_negated = operators[i].is_negated;
        return 0;
    }
    return uvs_error_set(error, UVS_E_USAGE, "after '%s' comes =, !=, ~ or !~ and a value, e.g. %s=…", word,
                         word);
}

// A value may be quoted, and hold spaces then.
static int take_value(const char **at, struct term *term, struct uvs_error *error)
{
    const char quote[2] = {**at == '"' || **at == '\'' ? **at : '\0', '\0'};
    *at += *quote != '\0';
    const size_t length = strcspn(*at, *quote ? quote : " \t\r\n");
    if (*quote && !(*at)[length])
        return uvs_error_set(error, UVS_E_USAGE, "the value of '%s' has no closing %s", keys[term->key].name,
                             quote);
    if (length == 0 || length >= sizeof(term->value))
        return uvs_error_set(error, UVS_E_USAGE, "'%s' needs a value of 1 to %d characters",
                             keys[term->key].name, VALUE_SIZE - 1);
    memcpy(term->value, *at, length);
    term->value[length] = '\0';
    *at += length + (*quote != '\0');
    return 0;
}

static bool next_word(const char **at, char word[VALUE_SIZE])
{
    if (!**at)
        return false;
    const size_t length = strcspn(*at, ",");
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length + ((*at)[length] == ',');
    return true;
}

static int bad_kind(const char *word, struct uvs_error *error)
{
    char hint[NEAR_SIZE];
    struct uvs_near near = {.word = word};
    for (int i = 0; i <= UINT8_MAX; i++)
        if (uvs_kind_name((uint8_t)i))
            uvs_near_offer(&near, uvs_kind_name((uint8_t)i));
    uvs_near_text(&near, hint, sizeof(hint));
    return uvs_error_set(error, UVS_E_USAGE, "unknown kind '%s'%s", word,
                         *hint ? hint : "; kinds are timer, async, read, work, fs.open and so on");
}

static int check_words(const struct term *term, struct uvs_error *error)
{
    char word[VALUE_SIZE];
    for (const char *at = term->value; next_word(&at, word);) {
        if (keys[term->key].is_number && (!*word || word[strspn(word, "0123456789")]))
            return uvs_error_set(error, UVS_E_USAGE, "%s is a number, not '%s'", keys[term->key].name, word);
        if (term->key == KEY_KIND && uvs_kind_from_name(word) < 0)
            return bad_kind(word, error);
    }
    return 0;
}

static int compile(struct term *term, struct uvs_error *error)
{
    char reason[128];
    const int status = regcomp(&term->regex, term->value, REG_EXTENDED | REG_NOSUB);
    if (!status)
        return 0;
    regerror(status, &term->regex, reason, sizeof(reason));
    return uvs_error_set(error, UVS_E_USAGE, "'%s' is not a regular expression: %s", term->value, reason);
}

static int take_term(const char **at, struct uvs_filter *filter, struct uvs_error *error)
{
    if (filter->count == MAX_TERMS)
        return uvs_error_set(error, UVS_E_USAGE, "a filter has at most %d terms", MAX_TERMS);
    struct term *term = &filter->terms[filter->count];
    int rc = take_key(at, term, error);
    if (!rc)
        rc = take_value(at, term, error);
    if (!rc)
        rc = term->is_regex ? compile(term, error) : check_words(term, error);
    filter->count += !rc;
    return rc;
}

int uvs_filter_create(const char *text, struct uvs_filter **ret_filter, struct uvs_error *error)
{
    struct uvs_filter *filter = calloc(1, sizeof(*filter));
    if (filter)
        filter->text = strdup(text);
    int rc = filter && filter->text ? 0 : uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the filter");
    for (const char *at = text; !rc;) {
        at += strspn(at, " \t\r\n");
        if (!*at)
            break;
        rc = take_term(&at, filter, error);
    }
    if (!rc && filter->count == 0)
        rc = uvs_error_set(error, UVS_E_USAGE, "it is empty; e.g. kind=timer, or 'pid=17 site~parse'");
    if (rc)
        uvs_filter_destroy(filter);
    else
        *ret_filter = filter;
    return rc;
}

void uvs_filter_destroy(struct uvs_filter *filter)
{
    for (size_t i = 0; filter && i < filter->count; i++)
        if (filter->terms[i].is_regex)
            regfree(&filter->terms[i].regex);
    if (filter)
        free(filter->text);
    free(filter);
}

// --- Rows ---

struct match {
    const struct uvs_filter *filter;
    const struct uvs_report *report;
    uint32_t pid; // of whoever holds the rows; 0: they say it themselves
    const struct uvs__list *list;
};

static bool is_one_of(const struct term *term, const char *text)
{
    char word[VALUE_SIZE];
    for (const char *at = term->value; next_word(&at, word);)
        if (strcmp(word, text) == 0)
            return true;
    return false;
}

// What is unknown is neither equal to anything nor found.
static bool holds_for(const struct term *term, const char *text)
{
    const bool is_found = text && (term->is_regex ? regexec(&term->regex, text, 0, NULL, 0) == 0
                                                  : is_one_of(term, text));
    return is_found != term->is_negated;
}

// A program is named by its path, or by the last part of it.
static bool holds_for_program(const struct term *term, const struct uvs_report *report, uint32_t pid)
{
    const char *exe = NULL;
    for (size_t i = 0; i < report->process_count && !exe; i++)
        exe = report->processes[i].pid == pid ? report->processes[i].exe : NULL;
    const char *slash = exe ? strrchr(exe, '/') : NULL;
    if (!term->is_regex && slash && is_one_of(term, slash + 1))
        return !term->is_negated;
    return holds_for(term, exe);
}

static bool term_holds(const struct term *term, const struct uvs_report *report, const struct uvs__row_of *of)
{
    char number[NUMBER_SIZE];
    switch (term->key) {
    case KEY_PID:
        snprintf(number, sizeof(number), "%u", of->pid);
        return holds_for(term, number);
    case KEY_PROCESS:
        return holds_for_program(term, report, of->pid);
    case KEY_LOOP:
        snprintf(number, sizeof(number), "%d", of->loop);
        return holds_for(term, of->loop < 0 ? NULL : number);
    case KEY_KIND:
        return holds_for(term, of->kind < 0 ? NULL : uvs_kind_name((uint8_t)of->kind));
    default:
        return holds_for(term, of->site ? of->site->label : NULL);
    }
}

// Terms about parts that are not in `has` are left out.
static bool terms_hold(const struct match *match, unsigned has, const struct uvs__row_of *of)
{
    for (size_t i = 0; i < match->filter->count; i++) {
        const struct term *term = &match->filter->terms[i];
        if ((keys[term->key].has & has) && !term_holds(term, match->report, of))
            return false;
    }
    return true;
}

static bool asks_for(const struct uvs_filter *filter, unsigned has)
{
    for (size_t i = 0; i < filter->count; i++)
        if (keys[filter->terms[i].key].has & has)
            return true;
    return false;
}

static const unsigned function_parts = UVS__ROW_HAS_KIND | UVS__ROW_HAS_SITE;

static bool chain_holds(const struct match *match, const struct uvs_chain_row *chain)
{
    bool holds = !asks_for(match->filter, function_parts);
    for (size_t i = 0; i < chain->step_count && !holds; i++)
        holds = terms_hold(match, function_parts,
                           &(struct uvs__row_of){chain->pid, -1, chain->steps[i].kind, chain->steps[i].site});
    return holds;
}

// A request has no loop, and a call may be of none: what cannot have one is not asked for it. A finding of
// the whole trace, such as lost events, is always told.
static bool row_holds(const void *row, size_t index __attribute__((unused)), const void *data)
{
    const struct match *match = data;
    struct uvs__row_of of;
    unsigned has = match->list->has;
    match->list->of(row, &of);
    if (match->list == &uvs__lists[UVS_LIST_FINDINGS] && of.pid == 0)
        return true;
    if (match->list == &uvs__lists[UVS_LIST_CHAINS] && !chain_holds(match, row))
        return false;
    if (of.loop < 0 && match->list != &uvs__lists[UVS_LIST_SYNC_CALLS])
        has &= ~(unsigned)UVS__ROW_HAS_LOOP;
    return terms_hold(match, has, &of);
}

static bool part_holds(const struct match *match, const struct uvs_block_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (terms_hold(match, function_parts, &(struct uvs__row_of){0, -1, parts[i].kind, parts[i].site}))
            return true;
    return false;
}

// The frames of a stack have no kind.
static bool stack_holds(const struct match *match, const struct uvs_block *block)
{
    if (asks_for(match->filter, UVS__ROW_HAS_KIND))
        return false;
    for (size_t i = 0; i < block->stack_count; i++)
        if (terms_hold(match, function_parts, &(struct uvs__row_of){0, -1, -1, block->stack[i].site}))
            return true;
    return false;
}

static void filter_blocks(const struct match *match, struct uvs_loop_row *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->worst_count; i++) {
        struct uvs_block *block = &loop->worst[i];
        if (part_holds(match, block->callbacks, block->callback_count) ||
            part_holds(match, block->sync_calls, block->sync_call_count) || stack_holds(match, block))
            loop->worst[kept++] = *block;
        else
            uvs__block_clear(block);
    }
    loop->worst_count = kept;
}

int uvs_filter_apply(const struct uvs_filter *filter, struct uvs_report *report, struct uvs_error *error)
{
    struct match match = {.filter = filter, .report = report};
    report->shown.filter = strdup(filter->text);
    report->shown.any = true;
    if (!report->shown.filter)
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for the filter");
    match.list = &uvs__request_list;
    for (size_t i = 0; i < report->pool_count; i++)
        report->shown.requests_left_out += uvs__list_keep(match.list, &report->pools[i], row_holds, &match);
    for (size_t i = 0; i < report->loop_count && asks_for(filter, function_parts); i++)
        filter_blocks(&match, &report->loops[i]);
    // Processes last: the others are asked for their programs.
    for (size_t i = UVS_LIST_COUNT; i-- > 0;) {
        match.list = &uvs__lists[i];
        report->shown.left_out[i] += uvs__list_keep(match.list, report, row_holds, &match);
    }
    return 0;
}
