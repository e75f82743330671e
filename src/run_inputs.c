// SPDX-License-Identifier: MIT
// A trace is analysed in the supervised worker, and its report comes back as JSON.
#include "run_inputs.h"

#include "report_forms.h"
#include "runs_dir.h"
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

static int collect_trace(struct uvs_runs *runs, const char *path, const struct uvs__report_job *how)
{
    struct uvs__report_job job = *how;
    struct uvs_error error = {0};
    char *text;
    size_t size = 0;
    job.render = uvs__render_json;
    int status = uvs__report_job_capture(&job, path, &text, &size);
    if (status == 0 && text) {
        const int result = uvs_runs_add(runs, text, size, path, &error);
        status = result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
    }
    free(text);
    return status;
}

int uvs__runs_collect(struct uvs_runs *runs, const char *path, const struct uvs__report_job *how)
{
    struct uvs_strings traces = {0};
    struct uvs_error error = {0};
    if (uvs__is_json(path))
        return uvs__runs_load(runs, path);
    const int result = uvs__paths_add(&traces, path, &error);
    int status = result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
    for (size_t i = 0; i < traces.count && status == 0; i++)
        status = collect_trace(runs, traces.items[i], how);
    uvs__paths_clear(&traces);
    return status;
}

int uvs__expand_runs(char **operands, struct uvs_strings *ret_paths)
{
    struct uvs_error error = {0};
    char *newest = NULL;
    int result = operands[0] ? 0 : uvs_newest_trace(&newest, &error);
    if (newest)
        result = uvs__paths_add(ret_paths, newest, &error);
    for (; *operands && result == 0; operands++)
        result = uvs__paths_add(ret_paths, *operands, &error);
    free(newest);
    return result < 0 ? uvs_complain(-result, "%s", error.text) : 0;
}
