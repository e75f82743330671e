// SPDX-License-Identifier: MIT
// A report as comma-separated values (RFC 4180): one distribution a row, the same columns for all.
#include "report_forms.h"

#include "text_format.h"

#include <inttypes.h>
#include <string.h>

struct place {
    const char *table;
    uint32_t pid;
    int loop;                    // -1 none
    int kind;                    // -1 none
    const struct uvs_site *site; // NULL none
};

// A spreadsheet takes what begins with these for a formula.
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

static void print_quoted(FILE *out, const char *text)
{
    fputs(",\"", out);
    if (text && is_formula(text))
        fputc('\'', out);
    char part[8];
    for (size_t length; text && *text; text += length) {
        uint32_t character;
        length = uvs__decode_utf8(text, &character);
        length += length == 0;
        snprintf(part, sizeof(part), "%.*s", (int)length, text);
        fputs(*text == '"' ? "\"" : "", out);
        uvs__print_escaped(out, part);
    }
    fputc('"', out);
}

static void print_number(FILE *out, bool known, uint64_t number)
{
    if (known)
        fprintf(out, ",%" PRIu64, number);
    else
        fputc(',', out);
}

static void print_place(FILE *out, const struct place *place)
{
    const char *kind = place->kind < 0 ? NULL : uvs_kind_name((uint8_t)place->kind);
    fprintf(out, "%s,%" PRIu32, place->table, place->pid);
    print_number(out, place->loop >= 0, (uint64_t)place->loop);
    if (place->kind >= 0 && !kind)
        fprintf(out, ",kind %d", place->kind);
    else
        fprintf(out, ",%s", kind ? kind : "");
    print_quoted(out, place->site ? place->site->label : NULL);
    print_quoted(out, place->site ? place->site->file : NULL);
    print_number(out, place->site && place->site->line, place->site ? (uint64_t)place->site->line : 0);
}

static void print_hist(FILE *out, const struct place *place, const char *name, const struct uvs_hist *hist)
{
    static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
    bool any = hist->count > 0;
    print_place(out, place);
    fprintf(out, ",%s,%" PRIu64, name, hist->count);
    print_number(out, any, hist->sum);
    print_number(out, any, any ? hist->sum / hist->count : 0);
    print_number(out, any, hist->min);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        print_number(out, any, any ? uvs_hist_quantile(hist, quantiles[i]) : 0);
    print_number(out, any, hist->max);
    fputs("\r\n", out);
}

static void print_callback(FILE *out, const struct uvs_callback_row *row)
{
    const struct place place = {"callback", row->pid, (int)row->loop, row->kind, row->site};
    print_hist(out, &place, "duration", &row->duration);
    print_hist(out, &place, "self", &row->self);
    if (row->has_delay)
        print_hist(out, &place, "delay", &row->delay);
    if (row->has_latency)
        print_hist(out, &place, "latency", &row->latency);
}

static void print_pool(FILE *out, const struct uvs_pool_row *pool)
{
    for (size_t i = 0; i < pool->request_count; i++) {
        const struct uvs_pool_request_row *row = &pool->requests[i];
        const struct place place = {"pool", pool->pid, -1, row->kind, row->site};
        if (!row->triple_known)
            continue;
        print_hist(out, &place, "queue", &row->queue);
        print_hist(out, &place, "service", &row->service);
        print_hist(out, &place, "return", &row->return_);
    }
}

int uvs__render_csv(FILE *out, const struct uvs_report *report, void *data __attribute__((unused)),
                    struct uvs_error *error __attribute__((unused)))
{
    fputs(
        "table,pid,loop,kind,label,file,line,figure,count,sum_ns,mean_ns,min_ns,p50_ns,p90_ns,p99_ns,p999_ns,"
        "max_ns\r\n",
        out);
    for (size_t i = 0; i < report->loop_count; i++) {
        const struct uvs_loop_row *loop = &report->loops[i];
        print_hist(out, &(struct place){"loop", loop->pid, (int)loop->loop, -1, NULL}, "block", &loop->block);
    }
    for (size_t i = 0; i < report->callback_count; i++)
        print_callback(out, &report->callbacks[i]);
    for (size_t i = 0; i < report->sync_call_count; i++) {
        const struct uvs_sync_row *row = &report->sync_calls[i];
        print_hist(out, &(struct place){"sync_call", row->pid, row->loop, row->kind, row->called_from},
                   "duration", &row->duration);
    }
    for (size_t i = 0; i < report->pool_count; i++)
        print_pool(out, &report->pools[i]);
    return UVS_E_OK;
}
