// SPDX-License-Identifier: MIT
// A name is what reaches to the next space that no bracket is around.
#include "text_name.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_NESTING = 64, SHORT_ARGUMENT = 16 };

static const char anonymous[] = "(anonymous namespace)";
static const char operator_word[] = "operator";
static const char const_word[] = " const";

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Of a name and of all around it: what is between the entries of a cell.
static bool is_end(char c)
{
    return (unsigned char)c < ' ';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static char closing_of(char c)
{
    static const char pairs[] = "()<>[]{}";
    const char *at = c ? strchr(pairs, c) : NULL;
    return at && (at - pairs) % 2 == 0 ? at[1] : '\0';
}

// Bytes from the bracket at text to the one that closes it; 0: none does.
static size_t bracketed(const char *text)
{
    char open[MAX_NESTING];
    size_t depth = 0;
    for (const char *at = text; !is_end(*at); at++) {
        if (at[0] == '-' && at[1] == '>')
            at++;
        else if (closing_of(*at) && depth < MAX_NESTING)
            open[depth++] = closing_of(*at);
        else if (closing_of(*at) || (depth && strchr(")>]}", *at) && *at != open[depth - 1]))
            return 0;
        else if (depth && *at == open[depth - 1] && --depth == 0)
            return (size_t)(at - text) + 1;
    }
    return 0;
}

// "operator" with its sign, or 0. It may look like a bracket.
static size_t operator_at(const char *text, const char *at)
{
    const size_t word = sizeof(operator_word) - 1;
    if (!begins_with(at, operator_word) || is_word(at[word]) || (at > text && is_word(at[-1])))
        return 0;
    if (begins_with(at + word, "()") || begins_with(at + word, "[]"))
        return word + 2;
    return word + strspn(at + word, "<>=!+-*/%^&|~");
}

// What stands at `at` in a name that begins at text and must not be looked into; 0: a bracket that is not
// closed.
static size_t piece_at(const char *text, const char *at)
{
    const size_t sign = operator_at(text, at);
    if (sign)
        return sign;
    return closing_of(*at) ? bracketed(at) : 1;
}

// *ret_scoped: whether it has a namespace or a class.
static size_t name_length(const char *text, bool *ret_scoped)
{
    const char *at = text;
    *ret_scoped = false;
    while (!is_end(*at) && !strchr(" )>]}", *at)) {
        const size_t piece = piece_at(text, at);
        if (piece == 0)
            return 0;
        *ret_scoped = *ret_scoped || (at[0] == ':' && at[1] == ':');
        at += piece;
        if (at[-1] == ')' && begins_with(at, const_word) && !is_word(at[sizeof(const_word) - 1]))
            at += sizeof(const_word) - 1;
    }
    return (size_t)(at - text);
}

static void print_arguments(FILE *out, const char *text, size_t length)
{
    size_t first = 0;
    while (first < length && text[first] != ',')
        first += closing_of(text[first]) && bracketed(text + first) ? bracketed(text + first) : 1;
    const bool is_short = first <= SHORT_ARGUMENT;
    fputc('<', out);
    if (is_short)
        fwrite(text, 1, first, out);
    if (!is_short || first < length)
        fputs(is_short ? ", …" : "…", out);
    fputc('>', out);
}

// What the compilers call a lambda that is used as a function.
static size_t invoker_at(const char *at)
{
    static const char *const invokers[] = {"::_FUN", "::__invoke"};
    for (size_t i = 0; i < sizeof(invokers) / sizeof(invokers[0]); i++)
        if (begins_with(at, invokers[i]))
            return strlen(invokers[i]);
    return 0;
}

// Prints the part of a name at `at`, or leaves it out, and returns how long it was.
static size_t print_piece(FILE *out, const char *text, const char *at, const char *end)
{
    const size_t sign = operator_at(text, at), invoker = invoker_at(at);
    if (sign || begins_with(at, anonymous)) {
        const size_t whole = sign ? sign : sizeof(anonymous) - 1;
        fwrite(at, 1, whole, out);
        return whole;
    }
    if (invoker)
        return invoker;
    const size_t length = at > text && (*at == '(' || *at == '<') ? bracketed(at) : 0;
    if (length && *at == '<') {
        print_arguments(out, at + 1, length - 2);
        return length;
    }
    if (length) {
        const bool is_const = at + length < end && begins_with(at + length, const_word);
        return length + (is_const ? sizeof(const_word) - 1 : 0);
    }
    fputc(*at, out);
    return 1;
}

void uvs__print_short(FILE *out, const char *text)
{
    while (*text) {
        bool is_scoped;
        size_t length = *text == '(' && !begins_with(text, anonymous) ? 0 : name_length(text, &is_scoped);
        if (length == 0) {
            fputc(*text++, out);
            continue;
        }
        const char *end = text + length;
        if (!is_scoped)
            fwrite(text, 1, length, out);
        for (const char *at = text; is_scoped && at < end;)
            at += print_piece(out, text, at, end);
        text = end;
    }
}
