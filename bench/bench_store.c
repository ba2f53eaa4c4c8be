/*
 * bench_store - what the store costs beside SQLite alone.
 *
 * Appending and upserting alternate between store_commit() and a bare loop: the same table, a
 * statement prepared once, bind, step, reset, one transaction, the same connection settings. Small
 * runs measure commits: 50 runs of 5 rows a batch, as a busy daemon has them.
 *
 *     bench_store [FOLDER]      where the databases go; default: the working directory
 */
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/store.h"

#define COLUMNS 8
#define ROWS    200000
#define ROUNDS  7

struct bench {
    char path[512];
    struct store *store;
    sqlite3 *bare;
    struct column columns[COLUMNS];
    struct value *values; /* ROWS * COLUMNS */
    struct row *rows;
    char *texts;
};

static const char *const names[COLUMNS] = {"id",   "name",  "kind",   "magnitude",
                                           "felt", "place", "status", "updated"};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_store: %s: %s\n", what, why);
    exit(1);
}

static struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = text, .length = (uint32_t)strlen(text)};
}

/* Rows such as an API of events gives: numbers, short and long text, NULLs. */
static void make_rows(struct bench *b)
{
    b->values = calloc((size_t)ROWS * COLUMNS, sizeof(*b->values));
    b->rows = calloc(ROWS, sizeof(*b->rows));
    b->texts = calloc(ROWS, 48);
    if (b->values == NULL || b->rows == NULL || b->texts == NULL)
        die("rows", "out of memory");
    for (size_t i = 0; i < ROWS; i++) {
        struct value *v = &b->values[i * COLUMNS];
        char *text = b->texts + i * 48;

        snprintf(text, 48, "event number %zu of this benchmark", i);
        v[0] = (struct value){.type = VALUE_INTEGER, .integer = (int64_t)i};
        v[1] = text_value(text);
        v[2] = text_value("earthquake");
        v[3] = (struct value){.type = VALUE_REAL, .real = (double)i * 0.25 + 0.1};
        v[4] = i % 3 == 0 ? (struct value){.type = VALUE_NULL}
                          : (struct value){.type = VALUE_INTEGER, .integer = (int64_t)i % 100};
        v[5] = text_value("30 km SSW of somewhere in the South Pacific");
        v[6] = text_value("reviewed");
        v[7] = (struct value){.type = VALUE_INTEGER, .integer = 1700000000000 + (int64_t)i};
        b->rows[i] = (struct row){.values = v, .count = COLUMNS, .position = i};
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        b->columns[c] = (struct column){.name = {names[c], strlen(names[c])}};
        for (size_t i = 0; i < 3; i++)
            b->columns[c].seen |= 1u << b->values[i * COLUMNS + c].type;
    }
}

static void remove_database(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock", "-journal"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char name[600];

        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* --- The store --- */

static void open_store(struct bench *b, enum synchronous synchronous)
{
    const struct store_options options = {synchronous};
    struct error err = {0};

    b->store = store_open(b->path, &options, &err);
    if (b->store == NULL)
        die("open", err.text);
}

static void make_source(struct bench *b, struct source *source, struct run *run, const char *table,
                        enum write_mode mode)
{
    static const char *const key[] = {"id"};
    struct config config = {.sources = source, .source_count = 1};
    struct source_state state;
    struct error err = {0};

    *source = (struct source){.name = table,
                              .url = "http://example.org/",
                              .mapping = {.table = table,
                                          .write_mode = mode,
                                          .primary_key = key,
                                          .primary_key_count = mode == WRITE_APPEND ? 0 : 1}};
    if (store_register(b->store, &config, &state, &err) == -1)
        die("register", err.text);
    *run = (struct run){.source = source, .source_id = state.id};
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_monotonic_us() - start_us) / 1e6;
}

static double store_rows(struct bench *b, struct run *run)
{
    struct result result = {
        .run = run,
        .rows = {
            .columns = b->columns, .column_count = COLUMNS, .rows = b->rows, .row_count = ROWS}};
    struct batch batch = {&result, 1};
    struct error err = {0};
    int64_t start = clock_monotonic_us();

    if (store_commit(b->store, &batch, &err) != STORE_OK)
        die("commit", err.text);
    assert(result.inserted + result.updated + result.unchanged == ROWS);
    return ROWS / seconds_since(start);
}

/* --- SQLite alone --- */

static void exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sql, sqlite3_errmsg(db));
}

static void open_bare(struct bench *b, const char *path)
{
    if (sqlite3_open_v2(path, &b->bare,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        die(path, "cannot open");
    exec(b->bare, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;"
                  "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF");
    exec(b->bare, "CREATE TABLE a (id INTEGER, name TEXT, kind TEXT, magnitude REAL, felt INTEGER,"
                  " place TEXT, status TEXT, updated INTEGER, _run_id INTEGER, _fetched_at TEXT)"
                  " STRICT;"
                  "CREATE TABLE u (id INT, name TEXT, kind TEXT, magnitude REAL, felt INTEGER,"
                  " place TEXT, status TEXT, updated INTEGER, _run_id INTEGER, _fetched_at TEXT,"
                  " PRIMARY KEY (id)) STRICT;");
}

static void bind(sqlite3_stmt *stmt, int i, const struct value *v)
{
    if (v->type == VALUE_INTEGER)
        sqlite3_bind_int64(stmt, i, v->integer);
    else if (v->type == VALUE_REAL)
        sqlite3_bind_double(stmt, i, v->real);
    else if (v->type == VALUE_TEXT)
        sqlite3_bind_text(stmt, i, v->text, (int)v->length, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, i);
}

static double bare_rows(struct bench *b, sqlite3_stmt *stmt)
{
    int64_t start = clock_monotonic_us();

    exec(b->bare, "BEGIN IMMEDIATE");
    sqlite3_bind_int64(stmt, COLUMNS + 1, 1);
    sqlite3_bind_text(stmt, COLUMNS + 2, "2026-01-02T03:04:05.678Z", -1, SQLITE_STATIC);
    for (size_t r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++)
            bind(stmt, c + 1, &b->rows[r].values[c]);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            die("step", sqlite3_errmsg(b->bare));
        sqlite3_reset(stmt);
    }
    exec(b->bare, "COMMIT");
    return ROWS / seconds_since(start);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        die(sql, sqlite3_errmsg(db));
    return stmt;
}

/* --- What is measured --- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

/* Store and bare loop in turns, so that a noisy neighbour disturbs both. */
static void alternate(struct bench *b, const char *what, struct run *run, sqlite3_stmt *stmt,
                      const char *empty)
{
    double ours[ROUNDS];
    double theirs[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        ours[i] = store_rows(b, run);
        theirs[i] = bare_rows(b, stmt);
        if (empty != NULL)
            exec(b->bare, empty);
        store_checkpoint(b->store, NULL);
        exec(b->bare, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    printf("%-28s %10.0f rows/s   bare loop %10.0f rows/s   ratio %.2f\n", what,
           median(ours, ROUNDS), median(theirs, ROUNDS),
           median(ours, ROUNDS) / median(theirs, ROUNDS));
}

static void rows_beside_sqlite(struct bench *b)
{
    char path[600];
    struct source append;
    struct source upsert;
    struct run append_run;
    struct run upsert_run;
    sqlite3_stmt *insert;
    sqlite3_stmt *merge;

    snprintf(path, sizeof(path), "%s-bare", b->path);
    remove_database(b->path);
    remove_database(path);
    open_store(b, SYNCHRONOUS_FULL);
    open_bare(b, path);
    make_source(b, &append, &append_run, "a", WRITE_APPEND);
    make_source(b, &upsert, &upsert_run, "u", WRITE_UPSERT);
    insert = prepare(b->bare, "INSERT INTO a VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    merge =
        prepare(b->bare,
                "INSERT INTO u VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " name = excluded.name, kind = excluded.kind, magnitude = excluded.magnitude,"
                " felt = excluded.felt, place = excluded.place, status = excluded.status,"
                " updated = excluded.updated, _run_id = excluded._run_id,"
                " _fetched_at = excluded._fetched_at WHERE name IS NOT excluded.name"
                " OR kind IS NOT excluded.kind OR magnitude IS NOT excluded.magnitude"
                " OR felt IS NOT excluded.felt OR place IS NOT excluded.place"
                " OR status IS NOT excluded.status OR updated IS NOT excluded.updated");
    alternate(b, "append, 8 columns", &append_run, insert, NULL);
    store_rows(b, &upsert_run);
    bare_rows(b, merge);
    alternate(b, "upsert, nothing changed", &upsert_run, merge, NULL);
    sqlite3_finalize(insert);
    sqlite3_finalize(merge);
    sqlite3_close(b->bare);
    store_close(b->store);
    remove_database(path);
    remove_database(b->path);
}

/* `sources` of small runs, each its own table, 50 runs a batch. */
static void small_runs(struct bench *b, size_t sources, enum synchronous synchronous)
{
    enum { BATCH = 50, ROWS_EACH = 5, RUNS = 50000 };
    struct source *source = calloc(sources, sizeof(*source));
    struct run *run = calloc(sources, sizeof(*run));
    char(*table)[16] = calloc(sources, sizeof(*table));
    struct result results[BATCH];
    struct batch batch = {results, BATCH};
    struct error err = {0};
    size_t done = 0;
    int64_t start = 0;

    remove_database(b->path);
    open_store(b, synchronous);
    for (size_t i = 0; i < sources; i++) {
        snprintf(table[i], sizeof(table[i]), "t%zu", i);
        make_source(b, &source[i], &run[i], table[i], WRITE_APPEND);
    }
    for (size_t n = 0; done < RUNS; n += BATCH) {
        if (n >= sources && start == 0)
            start = clock_monotonic_us(); /* every table stands */
        for (size_t i = 0; i < BATCH; i++)
            results[i] = (struct result){.run = &run[(n + i) % sources],
                                         .rows = {.columns = b->columns,
                                                  .column_count = COLUMNS,
                                                  .rows = b->rows + (n + i) % 10000,
                                                  .row_count = ROWS_EACH},
                                         .records = ROWS_EACH};
        if (store_commit(b->store, &batch, &err) != STORE_OK)
            die("commit", err.text);
        done += start == 0 ? 0 : BATCH;
    }
    printf("%6zu sources, 5 rows, %-6s  %10.0f runs/s in batches of 50\n", sources,
           synchronous == SYNCHRONOUS_FULL ? "FULL" : "NORMAL",
           (double)done / seconds_since(start));
    store_close(b->store);
    remove_database(b->path);
    free(source);
    free(run);
    free(table);
}

/* How long many sources take to be registered. */
static void registering(struct bench *b)
{
    enum { SOURCES = 10000 };
    struct source *sources = calloc(SOURCES, sizeof(*sources));
    struct source_state *states = calloc(SOURCES, sizeof(*states));
    char(*name)[16] = calloc(SOURCES, sizeof(*name));
    struct config config = {.sources = sources, .source_count = SOURCES};

    remove_database(b->path);
    open_store(b, SYNCHRONOUS_FULL);
    for (size_t i = 0; i < SOURCES; i++) {
        snprintf(name[i], sizeof(name[i]), "s%zu", i);
        sources[i] = (struct source){
            .name = name[i], .url = "https://example.org/v1/feed?key=x", .mapping.table = name[i]};
    }
    for (int i = 0; i < 2; i++) {
        int64_t start = clock_monotonic_us();

        if (store_register(b->store, &config, states, NULL) == -1)
            die("register", "failed");
        printf("10,000 sources registered%s: %.0f ms\n", i == 0 ? "" : " again",
               seconds_since(start) * 1000);
    }
    store_close(b->store);
    remove_database(b->path);
    free(sources);
    free(states);
    free(name);
}

int main(int argc, char **argv)
{
    struct bench b = {0};

    snprintf(b.path, sizeof(b.path), "%s/bench_store.db", argc > 1 ? argv[1] : ".");
    make_rows(&b);
    rows_beside_sqlite(&b);
    small_runs(&b, 50, SYNCHRONOUS_FULL);
    small_runs(&b, 50, SYNCHRONOUS_NORMAL);
    small_runs(&b, 1000, SYNCHRONOUS_FULL);
    small_runs(&b, 10000, SYNCHRONOUS_FULL);
    registering(&b);
    free(b.values);
    free(b.rows);
    free(b.texts);
    return 0;
}
