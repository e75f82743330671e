// SPDX-License-Identifier: MIT
// A trace is analysed in the supervised worker, and its report comes back as JSON.
#include "run_inputs.h"

#include "report_forms.h"
#include "trace_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_JSON = 256 << 20 };

static bool begins_with_brace(FILE *file)
{
    int c;
    while ((c = getc(file)) == ' ' || c == '\t' || c == '\r' || c == '\n')
        ;
    return c == '{';
}

bool uvs__is_json(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    FILE *file = fopen(path, "re");
    const bool is = file && begins_with_brace(file);
    if (file)
        fclose(file);
    return is;
}

// NULL: errno says why.
static char *read_file(const char *path, size_t *ret_size)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = NULL;
    errno = EFBIG;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) && status.st_size < MAX_JSON)
        text = malloc((size_t)status.st_size + 1);
    if (text)
        *ret_size = fread(text, 1, (size_t)status.st_size, file);
    fclose(file);
    return text;
}

int uvs__runs_load(struct uvs_runs *runs, const char *path)
{
    struct uvs_error error = {0};
    size_t size = 0;
    char *text = read_file(path, &size);
    if (!text)
        return uvs_complain(UVS_E_USAGE, "cannot read %s: %s", path, strerror(errno));
    const int result = uvs_runs_add(runs, text, size, path, &error);
    free(text);
    return result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
}

int uvs__runs_collect(struct uvs_runs *runs, const char *path, const struct uvs__report_job *how)
{
    struct uvs__report_job job = *how;
    struct uvs_error error = {0};
    char *text;
    size_t size = 0;
    if (uvs__is_json(path))
        return uvs__runs_load(runs, path);
    job.render = uvs__render_json;
    int status = uvs__report_job_capture(&job, path, &text, &size);
    if (status == 0 && text) {
        const int result = uvs_runs_add(runs, text, size, path, &error);
        status = result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
    }
    free(text);
    return status;
}

// --- Several runs ---

void uvs__strings_clear(struct uvs_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free((char *)strings->items[i]);
    free(strings->items);
    *strings = (struct uvs_strings){0};
}

// Takes `text`.
static int append(struct uvs_strings *strings, char *text)
{
    const char **items = text ? realloc(strings->items, (strings->count + 1) * sizeof(*items)) : NULL;
    if (!items) {
        free(text);
        return uvs_complain(UVS_E_ENVIRONMENT, "no memory for the names of the runs");
    }
    strings->items = items;
    items[strings->count++] = text;
    return 0;
}

int uvs__expand_runs(char **operands, struct uvs_strings *ret_paths)
{
    struct uvs_error error = {0};
    char *newest = NULL;
    int status = 0;
    if (!operands[0]) {
        const int result = uvs_newest_trace(&newest, &error);
        return result < 0 ? uvs_complain(-result, "%s", error.text) : append(ret_paths, newest);
    }
    for (; *operands && status == 0; operands++)
        status = append(ret_paths, strdup(*operands));
    return status;
}
