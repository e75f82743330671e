// SPDX-License-Identifier: MIT
// Files and directories for the targets. What goes wrong here is the machine's fault: it ends the process.
#include "fuzz.h"

#include "analysis/report.h"
#include "tests/unit/ctf_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 8 };

volatile size_t fuzz_seen;

static char directory[64];
static char *paths[FILES]; // of the files written
static pid_t owner;

static void clean_up(void)
{
    if (getpid() != owner)
        return;
    for (size_t i = 0; i < FILES && paths[i]; i++) {
        unlink(paths[i]);
        free(paths[i]);
        paths[i] = NULL;
    }
    rmdir(directory);
}

const char *fuzz_directory(void)
{
    if (directory[0])
        return directory;
    strcpy(directory, "/tmp/uvs-fuzz-XXXXXX");
    owner = getpid();
    if (!mkdtemp(directory) || atexit(clean_up) != 0) {
        perror(directory);
        exit(1);
    }
    return directory;
}

static const char *path_of(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", fuzz_directory(), name);
    size_t at = 0;
    while (at < FILES - 1 && paths[at] && strcmp(paths[at], path) != 0)
        at++;
    if (!paths[at])
        paths[at] = strdup(path);
    return paths[at];
}

const char *fuzz_write(const char *name, const uint8_t *data, size_t size)
{
    const char *path = path_of(name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        perror(path);
        exit(1);
    }
    close(fd);
    return path;
}

void fuzz_write_metadata(void)
{
    static uint8_t bytes[1 << 20];
    char from[4096];
    const char *trace = getenv("UVS_FUZZ_TRACE");
    snprintf(from, sizeof(from), "%s/metadata", trace ? trace : "");
    FILE *file = trace ? fopen(from, "rb") : NULL;
    if (trace && !file) {
        perror(from);
        exit(1);
    }
    fuzz_write("metadata", bytes, file ? fread(bytes, 1, sizeof(bytes), file) : 0);
    if (file)
        fclose(file);
    else
        ctf_write_metadata(fuzz_directory(), &(struct ctf_variant){0});
}

uint8_t fuzz_take_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    return size ? strndup((const char *)data, size) : strdup("");
}

static void advance(void *data, uint64_t events, double share)
{
    (void)data;
    (void)events, (void)share;
}

void fuzz_analyse(const char *path)
{
    const struct uvs_analysis_options options = {.reader = UVS_READER_FAST, .progress = advance};
    struct uvs_error error = {0};
    struct uvs_report *report;
    const int result = uvs_analyse(path, &options, &report, &error);
    if (result < 0 && !error.text[0])
        abort(); // failed without a word
    if (result < 0)
        return;
    char *text = uvs_report_to_json(report);
    json_t *document = text ? json_loads(text, 0, NULL) : NULL;
    if (!document)
        abort();
    json_decref(document);
    free(text);
    uvs_report_destroy(report);
}
