// SPDX-License-Identifier: MIT
// Symbol names for people.
#ifndef UVS_SYMBOLS_NAME_H
#define UVS_SYMBOLS_NAME_H

struct uvs__namer;

// NULL without memory.
struct uvs__namer *uvs__namer_create(void);
void uvs__namer_destroy(struct uvs__namer *namer);

// The plain name: without the compiler's clone suffixes (.constprop.0, .isra.0, .cold, …), demangled where
// libstdc++ is installed. The caller's; NULL without memory.
char *uvs__namer_name(struct uvs__namer *namer, const char *symbol);

// Behind the last slash.
const char *uvs__basename(const char *path);

#endif
