// SPDX-License-Identifier: MIT
// JSON that is written as it comes: one object in one line, whatever bytes its names have.
#ifndef UVS_JSON_OUT_H
#define UVS_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// A quoted string; what is not UTF-8 becomes U+FFFD. No < and no line separator is in it, so that it may
// stand in a script of a page too. null for NULL.
void uvs__json_string(FILE *out, const char *text);

// ,"key":VALUE. A number that is UVS_ABSENT is null.
void uvs__json_text_member(FILE *out, const char *key, const char *text);
void uvs__json_number_member(FILE *out, const char *key, uint64_t number);
void uvs__json_signed_member(FILE *out, const char *key, int64_t number);
void uvs__json_bool_member(FILE *out, const char *key, bool value);

#endif
