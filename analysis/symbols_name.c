// SPDX-License-Identifier: MIT
// libstdc++ has the demangler; it is loaded only when a mangled name is met, so that uvscope does not need
// it.
#include "symbols_name.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct uvs__namer {
    bool tried;
    void *library;
    char *(*demangle)(const char *name, char *buffer, size_t *length, int *status); // NULL: not installed
};

struct uvs__namer *uvs__namer_create(void)
{
    return calloc(1, sizeof(struct uvs__namer));
}

void uvs__namer_destroy(struct uvs__namer *namer)
{
    if (namer && namer->library)
        dlclose(namer->library);
    free(namer);
}

static void load_demangler(struct uvs__namer *namer)
{
    namer->tried = true;
    namer->library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
    if (namer->library)
        *(void **)&namer->demangle = dlsym(namer->library, "__cxa_demangle");
}

static size_t plain_length(const char *symbol)
{
    static const char *const suffixes[] = {".constprop.", ".isra.",     ".part.",
                                           ".cold",       ".lto_priv.", ".llvm."};
    size_t length = strlen(symbol);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        const char *found = strstr(symbol, suffixes[i]);
        if (found && found > symbol && (size_t)(found - symbol) < length)
            length = (size_t)(found - symbol);
    }
    return length;
}

char *uvs__namer_name(struct uvs__namer *namer, const char *symbol)
{
    char *plain = strndup(symbol, plain_length(symbol));
    if (!plain || strncmp(plain, "_Z", 2) != 0)
        return plain;
    if (!namer->tried)
        load_demangler(namer);
    int status = -1;
    char *name = namer->demangle ? namer->demangle(plain, NULL, NULL, &status) : NULL;
    if (!name || status != 0) {
        free(name);
        return plain;
    }
    free(plain);
    return name;
}

const char *uvs__basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
