// SPDX-License-Identifier: MIT
// The words of a rule, left to right; each part has its own function and its own message.
#include "rule_parse.h"
#include "near.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What ends a word beside space.
#define STOPS "<>=!~/"
enum { WORD_SIZE = 256, NEAR_TEXT_SIZE = 160, PERCENTILE_MIN_SAMPLES = 100 };

struct parser {
    const char *at;
    struct uvs_rule *rule;
    struct uvs__term *term; // of the rule
    struct uvs_error *error;
    unsigned seen; // bits of selectors[]
};

static const struct {
    const char *name;
    enum uvs__unit unit;
    double multiply, divide; // exact ones: 1 % is 1 / 100, not 0.01
} units[] = {
    {"ns", UVS__UNIT_TIME, 1, 1},        {"us", UVS__UNIT_TIME, 1e3, 1}, {"\u00b5s", UVS__UNIT_TIME, 1e3, 1},
    {"\u03bcs", UVS__UNIT_TIME, 1e3, 1}, {"ms", UVS__UNIT_TIME, 1e6, 1}, {"s", UVS__UNIT_TIME, 1e9, 1},
    {"m", UVS__UNIT_TIME, 60e9, 1},      {"%", UVS__UNIT_RATIO, 1, 100},
};

static void skip_space(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
}

// Takes what stands before a space or one of `stops`; an overlong word is cut, and so matches nothing.
static const char *take_word(struct parser *parser, const char *stops, char word[WORD_SIZE])
{
    skip_space(parser);
    size_t length = 0;
    for (; *parser->at && !isspace((unsigned char)*parser->at) && !strchr(stops, *parser->at); parser->at++)
        if (length < WORD_SIZE - 1)
            word[length++] = *parser->at;
    word[length] = '\0';
    return word;
}

static bool take(struct parser *parser, const char *text)
{
    skip_space(parser);
    bool is_there = strncmp(parser->at, text, strlen(text)) == 0;
    parser->at += is_there ? strlen(text) : 0;
    return is_there;
}

// All digits, in range, nothing after them.
static bool to_integer(const char *word, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (const char *digit = word; *digit; digit++) {
        if (!isdigit((unsigned char)*digit) || number > max / 10)
            return false;
        number = number * 10 + (uint64_t)(*digit - '0');
    }
    *ret_number = number;
    return *word && number <= max;
}

static int parse_metric(struct parser *parser)
{
    char word[WORD_SIZE], near_text[NEAR_TEXT_SIZE];
    take_word(parser, STOPS, word);
    if (!*word)
        return uvs_error_set(parser->error, UVS_E_USAGE,
                             "a rule begins with a metric, e.g. loop.block.max < 50ms");
    parser->term->metric = uvs__metric_find(word);
    if (parser->term->metric)
        return 0;
    struct uvs_near near = {.word = word};
    for (size_t i = 0; uvs_metric_info(i); i++)
        uvs_near_offer(&near, uvs_metric_info(i)->name);
    uvs_near_text(&near, near_text, sizeof(near_text));
    return uvs_error_set(parser->error, UVS_E_USAGE, "unknown metric '%s'%s", word,
                         *near_text ? near_text
                                    : "; metrics begin with loop, callback, sync_call, pool, blame or loss");
}

static bool has_kind(enum uvs__scope scope, uint8_t kind)
{
    enum uvs_kind_class class = uvs_kind_class(kind);
    switch (scope) {
    case UVS__SCOPE_CALLBACK:
        return class != UVS_CLASS_SYNC;
    case UVS__SCOPE_SYNC_CALL:
        return class == UVS_CLASS_SYNC || class == UVS_CLASS_POOL;
    case UVS__SCOPE_CULPRIT:
        return true;
    case UVS__SCOPE_VICTIM:
        return class == UVS_CLASS_DUE || class == UVS_CLASS_READY || class == UVS_CLASS_POOL;
    default:
        return class == UVS_CLASS_POOL;
    }
}

static int parse_kind(struct parser *parser)
{
    char word[WORD_SIZE], near_text[NEAR_TEXT_SIZE];
    enum uvs__scope scope = parser->term->metric->scope;
    int kind = uvs_kind_from_name(take_word(parser, STOPS, word));
    parser->term->selection.kind = kind;
    if (kind >= 0 && has_kind(scope, (uint8_t)kind))
        return 0;
    if (kind >= 0)
        return uvs_error_set(parser->error, UVS_E_USAGE, "%s has no kind=%s", parser->term->metric->info.name,
                             word);
    struct uvs_near near = {.word = word};
    for (int i = 0; i <= UINT8_MAX; i++)
        if (uvs_kind_name((uint8_t)i) && has_kind(scope, (uint8_t)i))
            uvs_near_offer(&near, uvs_kind_name((uint8_t)i));
    uvs_near_text(&near, near_text, sizeof(near_text));
    return uvs_error_set(parser->error, UVS_E_USAGE, "unknown kind '%s'%s", word,
                         *near_text ? near_text : "; kinds are timer, async, read, work, fs.open and so on");
}

// A regular expression may hold spaces and operators when it is quoted, operators always.
static int parse_site(struct parser *parser)
{
    char word[WORD_SIZE], reason[128];
    skip_space(parser);
    char quote[2] = {*parser->at == '"' || *parser->at == '\'' ? *parser->at : '\0', '\0'};
    size_t length = 0;
    if (*quote) {
        length = strcspn(++parser->at, quote);
        if (!parser->at[length])
            return uvs_error_set(parser->error, UVS_E_USAGE, "site~ has no closing %s", quote);
    } else {
        length = strcspn(parser->at, " \t\r\n\v\f");
    }
    if (length == 0 || length >= sizeof(word))
        return uvs_error_set(parser->error, UVS_E_USAGE, "site~ needs an expression of 1 to %d characters",
                             WORD_SIZE - 1);
    memcpy(word, parser->at, length);
    word[length] = '\0';
    parser->at += length + (*quote ? 1 : 0);
    int status = regcomp(&parser->term->site, word, REG_EXTENDED | REG_NOSUB);
    if (status) {
        regerror(status, &parser->term->site, reason, sizeof(reason));
        return uvs_error_set(parser->error, UVS_E_USAGE, "site~%s is not a regular expression: %s", word,
                             reason);
    }
    parser->term->selection.site = &parser->term->site;
    return 0;
}

static int parse_pid(struct parser *parser)
{
    char word[WORD_SIZE];
    uint64_t pid;
    if (!to_integer(take_word(parser, STOPS, word), UINT32_MAX, &pid))
        return uvs_error_set(parser->error, UVS_E_USAGE, "pid='%s' is not a process id", word);
    parser->term->selection.pid = (int64_t)pid;
    return 0;
}

static int parse_by(struct parser *parser)
{
    char word[WORD_SIZE];
    struct uvs__selection *selection = &parser->term->selection;
    const struct uvs__metric *metric = parser->term->metric;
    if (strcmp(take_word(parser, STOPS, word), "site") != 0)
        return uvs_error_set(parser->error, UVS_E_USAGE, "'by %s': figures can be taken `by site`", word);
    selection->by_site = true;
    // Rare sites have no tail worth a verdict.
    selection->min = metric->form == UVS__FORM_HIST && metric->stat >= UVS__STAT_P90 ? PERCENTILE_MIN_SAMPLES
                                                                                     : 1;
    const char *before = parser->at;
    if (strcmp(take_word(parser, STOPS, word), "min") != 0) {
        parser->at = before;
        return 0;
    }
    if (!to_integer(take_word(parser, STOPS, word), UINT64_MAX, &selection->min))
        return uvs_error_set(parser->error, UVS_E_USAGE, "`by site min '%s'` needs a number of samples",
                             word);
    return 0;
}

// scopes: those in which the selector means something.
#define SCOPE(NAME) (1u << UVS__SCOPE_##NAME)
#define HAS_SITES   (SCOPE(CALLBACK) | SCOPE(SYNC_CALL) | SCOPE(REQUEST) | SCOPE(CULPRIT) | SCOPE(VICTIM))
static const struct {
    const char *name, *follows, *usage;
    unsigned scopes;
    int (*parse)(struct parser *parser);
} selectors[] = {
    {"kind", "=", "kind=K", HAS_SITES, parse_kind},
    {"site", "~", "site~REGEX", HAS_SITES, parse_site},
    {"pid", "=", "pid=N", HAS_SITES | SCOPE(LOOP) | SCOPE(POOL), parse_pid},
    {"by", "", "`by site`", HAS_SITES, parse_by},
};

enum { SELECTOR_COUNT = sizeof(selectors) / sizeof(selectors[0]) };

static int parse_selector(struct parser *parser)
{
    char word[WORD_SIZE];
    const char *metric = parser->term->metric->info.name;
    take_word(parser, STOPS, word);
    size_t i = 0;
    while (i < SELECTOR_COUNT && strcmp(selectors[i].name, word) != 0)
        i++;
    if (i == SELECTOR_COUNT)
        return uvs_error_set(parser->error, UVS_E_USAGE,
                             "unknown word '%s' after %s; there are kind=K, site~REGEX, pid=N and `by site`",
                             word, metric);
    if (!(selectors[i].scopes & 1u << parser->term->metric->scope))
        return uvs_error_set(parser->error, UVS_E_USAGE, "%s cannot be selected with %s", metric,
                             selectors[i].usage);
    if (!take(parser, selectors[i].follows))
        return uvs_error_set(parser->error, UVS_E_USAGE, "'%s' is written %s", word, selectors[i].usage);
    if (parser->seen & 1u << i)
        return uvs_error_set(parser->error, UVS_E_USAGE, "%s is given twice", selectors[i].usage);
    parser->seen |= 1u << i;
    return selectors[i].parse(parser);
}

static int parse_operator(struct parser *parser)
{
    char word[WORD_SIZE];
    for (size_t i = 0; i < UVS__OPERATOR_COUNT; i++) {
        if (!take(parser, uvs__operators[i].name))
            continue;
        parser->rule->comparison = &uvs__operators[i];
        // `=<` and `===` are slips, not operators followed by something.
        if (!*parser->at || !strchr(STOPS, *parser->at))
            return 0;
        parser->at -= strlen(uvs__operators[i].name);
        break;
    }
    size_t length = strspn(parser->at, STOPS);
    memcpy(word, parser->at, length < WORD_SIZE ? length : WORD_SIZE - 1);
    word[length < WORD_SIZE ? length : WORD_SIZE - 1] = '\0';
    if (!*word)
        return uvs_error_set(parser->error, UVS_E_USAGE,
                             "%s is compared with nothing; add an operator and a value, e.g. < 50ms",
                             parser->term->metric->info.name);
    return uvs_error_set(parser->error, UVS_E_USAGE,
                         "unknown operator '%s'; there are < <= > >= == !=", word);
}

// Digits with an optional fraction, whatever the locale says. false when there is no number.
static bool take_number(struct parser *parser, double *ret_mantissa, double *ret_divisor)
{
    double mantissa = 0, divisor = 1;
    skip_space(parser);
    const char *begin = parser->at;
    for (; isdigit((unsigned char)*parser->at); parser->at++)
        mantissa = mantissa * 10 + (*parser->at - '0');
    if (parser->at > begin && *parser->at == '.' && isdigit((unsigned char)parser->at[1])) {
        for (parser->at++; isdigit((unsigned char)*parser->at); parser->at++) {
            mantissa = mantissa * 10 + (*parser->at - '0');
            divisor *= 10;
        }
    }
    *ret_mantissa = mantissa;
    *ret_divisor = divisor;
    return parser->at > begin && isfinite(mantissa) && isfinite(divisor);
}

static int scale(struct parser *parser, const char *unit, double *mantissa, double *divisor)
{
    enum uvs__unit kind = parser->rule->unit;
    if (!*unit && kind != UVS__UNIT_TIME)
        return 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == kind && strcmp(units[i].name, unit) == 0) {
            *mantissa *= units[i].multiply;
            *divisor *= units[i].divide;
            return 0;
        }
    }
    static const char *const allowed[] = {
        [UVS__UNIT_TIME] = "a time: ns, us, ms, s or m, e.g. 50ms",
        [UVS__UNIT_COUNT] = "a count, without a unit",
        [UVS__UNIT_RATIO] = "a ratio, e.g. 80% or 0.8",
        [UVS__UNIT_QUOTIENT] = "compared with a number, without a unit",
    };
    const char *name = parser->term->metric->info.name;
    if (!*unit)
        return uvs_error_set(parser->error, UVS_E_USAGE, "the value has no unit; %s is %s", name,
                             allowed[kind]);
    return uvs_error_set(parser->error, UVS_E_USAGE, "'%s' is no unit here; %s is %s", unit, name,
                         allowed[kind]);
}

static int parse_value(struct parser *parser)
{
    char word[WORD_SIZE];
    double mantissa, divisor;
    skip_space(parser);
    const char *begin = parser->at;
    if (!take_number(parser, &mantissa, &divisor)) {
        parser->at = begin;
        return uvs_error_set(parser->error, UVS_E_USAGE, "'%s' is not a number", take_word(parser, "", word));
    }
    const char *after_number = parser->at;
    if (strcmp(take_word(parser, "", word), "or") == 0 && parser->at > after_number + 2) {
        parser->at = after_number;
        word[0] = '\0';
    }
    int result = scale(parser, word, &mantissa, &divisor);
    if (result < 0)
        return result;
    parser->rule->limit = mantissa / divisor;
    if (parser->rule->unit == UVS__UNIT_RATIO && parser->rule->limit > 1)
        return uvs_error_set(parser->error, UVS_E_USAGE, "%s is a ratio, never above 1; write 80%% or 0.8",
                             parser->term->metric->info.name);
    return 0;
}

static int parse_end(struct parser *parser)
{
    char word[WORD_SIZE], next[WORD_SIZE];
    take_word(parser, "", word);
    if (!*word)
        return 0;
    take_word(parser, "", next);
    parser->rule->or_none = strcmp(word, "or") == 0 && strcmp(next, "none") == 0;
    skip_space(parser);
    if (parser->rule->or_none && !*parser->at)
        return 0;
    return uvs_error_set(parser->error, UVS_E_USAGE, "'%s%s%s' after the value; only `or none` may follow",
                         word, *next ? " " : "", next);
}

static bool is_at_selector(struct parser *parser)
{
    skip_space(parser);
    return *parser->at && !strchr(STOPS, *parser->at);
}

static int parse_term(struct parser *parser, struct uvs__term *term)
{
    parser->term = term;
    parser->seen = 0;
    int result = parse_metric(parser);
    while (result == 0 && is_at_selector(parser))
        result = parse_selector(parser);
    return result;
}

// Only counts: a sum over the whole trace is what both sides have in common.
static int check_divided(struct parser *parser, const struct uvs__term *term)
{
    if (!term->metric->additive || term->metric->unit != UVS__UNIT_COUNT)
        return uvs_error_set(parser->error, UVS_E_USAGE,
                             "%s cannot stand beside a /; counts can, such as callback.count, sync_call.count "
                             "and pool.count",
                             term->metric->info.name);
    if (term->selection.by_site)
        return uvs_error_set(parser->error, UVS_E_USAGE, "`by site` cannot stand beside a /: each side is one sum");
    return 0;
}

static int parse_divisor(struct parser *parser)
{
    struct uvs_rule *rule = parser->rule;
    rule->unit = rule->value.metric->unit;
    if (!take(parser, "/"))
        return 0;
    rule->unit = UVS__UNIT_QUOTIENT;
    int result = check_divided(parser, &rule->value);
    if (result == 0)
        result = parse_term(parser, &rule->divisor);
    return result == 0 ? check_divided(parser, &rule->divisor) : result;
}

static int parse(struct parser *parser)
{
    int result = parse_term(parser, &parser->rule->value);
    if (result == 0)
        result = parse_divisor(parser);
    int (*const rest[])(struct parser * parser) = {parse_operator, parse_value, parse_end};
    for (size_t i = 0; result == 0 && i < sizeof(rest) / sizeof(rest[0]); i++)
        result = rest[i](parser);
    return result;
}

int uvs_rule_parse(const char *text, struct uvs_rule **ret_rule, struct uvs_error *error)
{
    struct uvs_rule *rule = calloc(1, sizeof(*rule));
    size_t begin = strspn(text, " \t\r\n"), length = strlen(text + begin);
    while (length > 0 && isspace((unsigned char)text[begin + length - 1]))
        length--;
    if (rule)
        rule->text = strndup(text + begin, length);
    if (!rule || !rule->text) {
        uvs_rule_destroy(rule);
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "no memory for a rule");
    }
    rule->value.selection = rule->divisor.selection = (struct uvs__selection){.kind = -1, .pid = -1};
    struct parser parser = {.at = rule->text, .rule = rule, .error = error};
    int result = parse(&parser);
    if (result < 0) {
        uvs_error_add(error, "rule '%s'", rule->text);
        uvs_rule_destroy(rule);
        return result;
    }
    *ret_rule = rule;
    return 0;
}

void uvs_rule_destroy(struct uvs_rule *rule)
{
    if (!rule)
        return;
    if (rule->value.selection.site)
        regfree(&rule->value.site);
    if (rule->divisor.selection.site)
        regfree(&rule->divisor.site);
    free(rule->text);
    free(rule);
}
