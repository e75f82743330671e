// SPDX-License-Identifier: MIT
// A database of spans. A table has the name of its span's type, a view sums it up under the plural.
#include "export.h"

#include "export_sqlite.h"
#include "text_format.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

enum { ALIVE_STEPS = 1000000 };

// --- Rows: what is bound is what the declaration names, in its order ---

struct row {
    sqlite3_stmt *statement;
    int next;
};

static void put(struct row *row, uint64_t number)
{
    if (number == UVS_ABSENT)
        sqlite3_bind_null(row->statement, row->next++);
    else
        sqlite3_bind_int64(row->statement, row->next++, (sqlite3_int64)number);
}

static void put_reference(struct row *row, uint32_t number)
{
    put(row, number == UVS_SPAN_NONE ? UVS_ABSENT : number);
}

static void put_or_null(struct row *row, uint64_t number)
{
    put(row, number ? number : UVS_ABSENT);
}

// Bytes that are no UTF-8 become U+FFFD, for those who read them.
static char *clean_text(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *clean = malloc(3 * strlen(text) + 1), *to = clean;
    for (size_t length; clean && *text; text += length) {
        uint32_t character;
        length = uvs__decode_utf8(text, &character);
        to = mempcpy(to, length ? text : replacement, length ? length : sizeof(replacement) - 1);
        length += length == 0;
    }
    if (clean)
        *to = '\0';
    return clean;
}

static void put_text(struct row *row, const char *text)
{
    char *clean = text ? clean_text(text) : NULL;
    if (clean)
        sqlite3_bind_text(row->statement, row->next++, clean, -1, free);
    else
        sqlite3_bind_null(row->statement, row->next++);
}

static void put_kind(struct row *row, int kind)
{
    const char *name = kind < 0 ? NULL : uvs_kind_name((uint8_t)kind);
    char number[24];
    snprintf(number, sizeof(number), "kind %d", kind);
    put_text(row, name ? name : kind < 0 ? NULL : number);
}

// --- Tables of spans ---

#define SPAN_COLUMNS                                                                                     \
    "process_id INTEGER NOT NULL REFERENCES process, loop_id INTEGER REFERENCES loop, begin_ns INTEGER," \
    " end_ns INTEGER NOT NULL, duration_ns INTEGER"
#define WHO_COLUMNS ", kind TEXT, site_id INTEGER REFERENCES site"

static void put_who(struct row *row, const struct uvs_span *span)
{
    put_kind(row, span->kind);
    put_reference(row, span->site);
}

static void put_callback(struct row *row, const struct uvs_span *span)
{
    put_who(row, span);
    put_or_null(row, span->op);
    put_or_null(row, span->parent);
    put(row, span->scheduled_ns);
    put(row, span->delay_ns);
    put(row, span->latency_ns);
    sqlite3_bind_int(row->statement, row->next++, span->result);
    put(row, span->cancelled);
}

static void put_busy(struct row *row, const struct uvs_span *span)
{
    put(row, span->complete);
    put(row, span->open);
}

static void put_collection(struct row *row, const struct uvs_span *span)
{
    const char *name = uvs_gc_name(span->collection);
    char number[24];
    snprintf(number, sizeof(number), "gc %u", span->collection);
    put_text(row, name ? name : number);
}

static void put_stall(struct row *row, const struct uvs_span *span)
{
    put_reference(row, span->site);
    put(row, span->sampled_ns);
}

static void put_work(struct row *row, const struct uvs_span *span)
{
    put_who(row, span);
    put_or_null(row, span->op);
    put(row, span->tid);
    put(row, span->queue_ns);
}

static void put_unfinished(struct row *row, const struct uvs_span *span)
{
    put_who(row, span);
    put_or_null(row, span->op);
    put(row, span->started);
    put(row, span->stuck);
}

static const struct {
    const char *columns;
    void (*put)(struct row *row, const struct uvs_span *span);
} span_tables[UVS_SPAN_COUNT] = {
    [UVS_SPAN_CALLBACK] = {WHO_COLUMNS
                           ", op INTEGER, parent_op INTEGER, scheduled_ns INTEGER, delay_ns INTEGER,"
                           " latency_ns INTEGER, result INTEGER, cancelled INTEGER",
                           put_callback},
    [UVS_SPAN_BUSY] = {", complete INTEGER, open INTEGER", put_busy},
    [UVS_SPAN_POLL] = {"", NULL},
    [UVS_SPAN_OUTSIDE] = {"", NULL},
    [UVS_SPAN_SYNC_CALL] = {WHO_COLUMNS, put_who},
    [UVS_SPAN_GC] = {", kind TEXT", put_collection},
    [UVS_SPAN_STALL] = {", site_id INTEGER REFERENCES site, sampled_ns INTEGER", put_stall},
    [UVS_SPAN_WORK] = {WHO_COLUMNS ", op INTEGER, tid INTEGER, queue_ns INTEGER", put_work},
    [UVS_SPAN_UNFINISHED] = {WHO_COLUMNS ", op INTEGER, started INTEGER, stuck INTEGER", put_unfinished},
};

// --- The database ---

struct database {
    const struct uvs__export *export;
    sqlite3 *handle;
    sqlite3_stmt *spans[UVS_SPAN_COUNT];
};

static int complain(const struct database *database, struct uvs_error *error)
{
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot write the database: %s",
                         sqlite3_errmsg(database->handle));
}

static int execute(struct database *database, const char *sql, struct uvs_error *error)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : complain(database, error);
}

static size_t count_columns(const char *columns)
{
    size_t count = 1;
    for (const char *at = columns; *at; at++)
        count += *at == ',';
    return count;
}

// CREATE TABLE and the statement that fills it.
static int create_table(struct database *database, const char *name, const char *columns,
                        sqlite3_stmt **ret_insert, struct uvs_error *error)
{
    char *create = sqlite3_mprintf("CREATE TABLE %s(%s)", name, columns);
    sqlite3_str *insert = sqlite3_str_new(database->handle);
    sqlite3_str_appendf(insert, "INSERT INTO %s VALUES(?", name);
    for (size_t i = 1; i < count_columns(columns); i++)
        sqlite3_str_appendall(insert, ",?");
    sqlite3_str_appendall(insert, ")");
    char *sql = sqlite3_str_finish(insert);
    int rc = create && sql ? execute(database, create, error) : complain(database, error);
    if (!rc && sqlite3_prepare_v2(database->handle, sql, -1, ret_insert, NULL) != SQLITE_OK)
        rc = complain(database, error);
    sqlite3_free(create);
    sqlite3_free(sql);
    return rc;
}

static struct row begin_row(sqlite3_stmt *insert)
{
    return (struct row){.statement = insert, .next = 1};
}

static int end_row(struct database *database, struct row *row, struct uvs_error *error)
{
    int result = sqlite3_step(row->statement);
    sqlite3_reset(row->statement);
    return result == SQLITE_DONE ? 0 : complain(database, error);
}

static int on_span(void *data, const struct uvs_span *span, struct uvs_error *error)
{
    struct database *database = data;
    struct row row = begin_row(database->spans[span->type]);
    put(&row, span->process);
    put_reference(&row, span->loop);
    put(&row, span->begin_ns);
    put(&row, span->end_ns);
    put(&row, span->begin_ns == UVS_ABSENT ? UVS_ABSENT : span->end_ns - span->begin_ns);
    if (span_tables[span->type].put)
        span_tables[span->type].put(&row, span);
    return end_row(database, &row, error);
}

// --- Tables of facts: each puts its row `index`, until there is none ---

static bool put_trace(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    const struct uvs_trace_facts *trace = &tables->report->trace;
    if (index > 0)
        return false;
    put_text(row, trace->path);
    put(row, trace->begin_ns);
    put(row, trace->duration_ns);
    put(row, trace->events);
    put(row, trace->loss.events);
    put(row, trace->loss.packets);
    put(row, tables->report->block_threshold_ns);
    put_text(row, trace->incomplete);
    return true;
}

static bool put_process(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    if (index >= tables->process_count)
        return false;
    const struct uvs_span_process *process = &tables->processes[index];
    char libuv[32];
    snprintf(libuv, sizeof(libuv), "%u.%u.%u", process->libuv >> 16, process->libuv >> 8 & 0xff,
             process->libuv & 0xff);
    put(row, index);
    put(row, process->pid);
    put_text(row, process->exe);
    put_text(row, process->argv);
    put_text(row, process->libuv ? libuv : NULL);
    put_or_null(row, process->pool_size);
    return true;
}

static bool put_loop(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    if (index >= tables->loop_count)
        return false;
    const struct uvs_span_loop *loop = &tables->loops[index];
    put(row, index);
    put(row, loop->process);
    put(row, loop->slot);
    put_or_null(row, loop->tid);
    put_text(row, loop->name);
    put(row, loop->is_default);
    return true;
}

static bool put_site(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    if (index >= tables->report->site_count)
        return false;
    const struct uvs_site *site = tables->report->sites[index];
    put(row, index);
    put_text(row, site->label);
    put_text(row, site->function);
    put_text(row, site->module);
    put_text(row, site->file);
    put_or_null(row, (uint64_t)site->line);
    // As SQL has no unsigned integers, the highest addresses are negative.
    sqlite3_bind_int64(row->statement, row->next++, (sqlite3_int64)site->address);
    return true;
}

static bool put_finding(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    static const char *const severities[] = {
        [UVS_INFO] = "info", [UVS_WARNING] = "warning", [UVS_ERROR] = "error"};
    if (index >= tables->report->finding_count)
        return false;
    const struct uvs_finding *finding = &tables->report->findings[index];
    put_text(row, finding->id);
    put_text(row, severities[finding->severity]);
    put_text(row, finding->text);
    put_text(row, finding->advice);
    put(row, finding->value_ns);
    put_or_null(row, finding->pid);
    put(row, finding->loop < 0 ? UVS_ABSENT : (uint64_t)finding->loop);
    return true;
}

static void put_site_reference(struct row *row, const struct uvs_report *report, const struct uvs_site *site)
{
    size_t i = 0;
    while (i < report->site_count && report->sites[i] != site)
        i++;
    put(row, site && i < report->site_count ? i : UVS_ABSENT);
}

static const char *const whats[] = {
#define X(NAME, name) [UVS_BLAME_##NAME] = name,
    UVS_BLAME_MAP(X)
#undef X
};

static void put_blamed(struct row *row, const struct uvs_report *report, const struct uvs_blame_who *who)
{
    put_text(row, whats[who->what]);
    put_kind(row, who->kind);
    put_site_reference(row, report, who->site);
}

static bool put_victim(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    if (index >= tables->report->victim_count)
        return false;
    const struct uvs_victim_row *victim = &tables->report->victims[index];
    put(row, index);
    put(row, victim->who.pid);
    put_blamed(row, tables->report, &victim->who);
    put(row, victim->suffered.count);
    put(row, victim->suffered.sum);
    return true;
}

static bool put_blame_part(struct row *row, const struct uvs_span_tables *tables, size_t index)
{
    const struct uvs_report *report = tables->report;
    size_t victim = 0;
    while (victim < report->victim_count && index >= report->victims[victim].by_count)
        index -= report->victims[victim++].by_count;
    if (victim == report->victim_count)
        return false;
    const struct uvs_blame_part *part = &report->victims[victim].by[index];
    put(row, victim);
    put_blamed(row, report, &part->who);
    put(row, part->ns);
    put(row, part->times);
    return true;
}

#define BLAMED_COLUMNS "what TEXT, kind TEXT, site_id INTEGER REFERENCES site"

static const struct fact_table {
    const char *name, *columns;
    bool (*put)(struct row *row, const struct uvs_span_tables *tables, size_t index);
} fact_tables[] = {
    {"trace",
     "path TEXT, begin_ns INTEGER, duration_ns INTEGER, events INTEGER, lost_events INTEGER,"
     " lost_packets INTEGER, block_threshold_ns INTEGER, incomplete TEXT",
     put_trace},
    {"process", "id INTEGER PRIMARY KEY, pid INTEGER, exe TEXT, command TEXT, libuv TEXT, pool_size INTEGER",
     put_process},
    {"loop",
     "id INTEGER PRIMARY KEY, process_id INTEGER REFERENCES process, loop INTEGER, tid INTEGER, name TEXT,"
     " main INTEGER",
     put_loop},
    {"site",
     "id INTEGER PRIMARY KEY, label TEXT, function TEXT, module TEXT, file TEXT, line INTEGER, address "
     "INTEGER",
     put_site},
    {"finding", "id TEXT, severity TEXT, text TEXT, advice TEXT, value_ns INTEGER, pid INTEGER, loop INTEGER",
     put_finding},
    {"victim", "id INTEGER PRIMARY KEY, pid INTEGER, " BLAMED_COLUMNS ", count INTEGER, suffered_ns INTEGER",
     put_victim},
    {"blame_part", "victim_id INTEGER REFERENCES victim, " BLAMED_COLUMNS ", ns INTEGER, times INTEGER",
     put_blame_part},
};

static int fill_facts(struct database *database, const struct fact_table *table, struct uvs_error *error)
{
    sqlite3_stmt *insert = NULL;
    int rc = create_table(database, table->name, table->columns, &insert, error);
    for (size_t i = 0; !rc; i++) {
        struct row row = begin_row(insert);
        if (!table->put(&row, database->export->tables, i))
            break;
        rc = end_row(database, &row, error);
    }
    sqlite3_finalize(insert);
    return rc;
}

static int create_span_tables(struct database *database, struct uvs_error *error)
{
    int rc = 0;
    for (size_t i = 0; i < UVS_SPAN_COUNT && !rc; i++) {
        char *columns = sqlite3_mprintf("%s%s", SPAN_COLUMNS, span_tables[i].columns);
        rc = columns ? create_table(database, uvs_span_names[i], columns, &database->spans[i], error)
                     : complain(database, error);
        sqlite3_free(columns);
    }
    return rc;
}

static int on_steps(void *data)
{
    const struct uvs__export *export = data;
    export->alive(export->alive_data);
    return 0;
}

static int fill(struct database *database, struct uvs_error *error)
{
    // Nobody sees the file before it is whole.
    int rc = execute(database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN", error);
    for (size_t i = 0; i < sizeof(fact_tables) / sizeof(fact_tables[0]) && !rc; i++)
        rc = fill_facts(database, &fact_tables[i], error);
    if (!rc)
        rc = create_span_tables(database, error);
    if (!rc)
        rc = uvs_span_source_visit(database->export->source, on_span, database, error);
    for (size_t i = 0; i < UVS_SPAN_COUNT; i++)
        sqlite3_finalize(database->spans[i]);
    if (!rc)
        rc = execute(database, uvs__sqlite_views, error);
    return rc ? rc : execute(database, "PRAGMA user_version = 1; COMMIT; ANALYZE", error);
}

static int run(const struct uvs__export *export, struct uvs_error *error)
{
    struct database database = {.export = export};
    int rc = 0;
    if (sqlite3_open_v2(export->file, &database.handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = complain(&database, error);
    if (!rc) {
        sqlite3_progress_handler(database.handle, ALIVE_STEPS, on_steps, (void *)export);
        rc = fill(&database, error);
    }
    sqlite3_close(database.handle);
    return rc;
}

const struct uvs__export_form uvs__export_sqlite = {.own_file = true, .run = run};
