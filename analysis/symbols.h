// SPDX-License-Identifier: MIT
// Addresses of recorded processes to names: from the trace directory's symbols.json where it has them, else
// from the files that were mapped, if they are still the same (build id), else module+offset.
#ifndef UVS_SYMBOLS_H
#define UVS_SYMBOLS_H

#include "error.h"
#include "site.h"

struct uvs_symbols;

// The modules of code that no file holds: of a script, and of any other compiler at run time.
#define UVS_SCRIPT_MODULE    "js"
#define UVS_GENERATED_MODULE "jit"

// recording: the trace directory, whose symbols.json is used when it is there; may be NULL.
int uvs_symbols_create(const char *recording, struct uvs_symbols **ret_symbols, struct uvs_error *error);
void uvs_symbols_destroy(struct uvs_symbols *symbols);

// A `module` event: process pid has path mapped at [base, base + size). Repeats are fine; a new object at the
// same place replaces the old one for addresses resolved later.
int uvs_symbols_add_module(struct uvs_symbols *symbols, uint32_t pid, uint64_t base, uint64_t size,
                           uint64_t bias, const char *build_id, const char *path);

// Fills *ret_site; its strings live as long as `symbols`. is_return: a return address, so look one byte
// before it. Never fails: what is not known is NULL, and label says what can be said.
void uvs_symbols_resolve(struct uvs_symbols *symbols, uint32_t pid, uint64_t address, int is_return,
                         struct uvs_site *ret_site);

// Of a return address, the function that the one resolved there was inlined into (depth 1), that one was
// (2), …, and where. 0 when there is none, else 1 and *ret_site as above.
int uvs_symbols_resolve_inliner(struct uvs_symbols *symbols, uint32_t pid, uint64_t address, unsigned depth,
                                struct uvs_site *ret_site);

// Writes everything resolved so far to recording/symbols.json (new file, then rename).
int uvs_symbols_save(struct uvs_symbols *symbols, const char *recording, struct uvs_error *error);

#endif
