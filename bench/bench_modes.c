/*
 * bench_modes - what the write modes cost beside an upsert.
 *
 * The same rows again, of which nothing changed, by each mode in turns; then a walk of a million
 * rows in pages that replaces its table: how long the swap takes, and how much memory.
 *
 *     bench_modes [FOLDER]      where the databases go; default: the working directory
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/store.h"

#define COLUMNS 8
#define ROWS    100000
#define ROUNDS  9
#define PAGES   100
#define PAGE    10000

struct bench {
    char path[512];
    struct store *store;
    struct column columns[COLUMNS];
    struct value *values;
    struct row *rows;
    char *texts;
};

static const char *const names[COLUMNS] = {"id",   "name",  "kind",   "magnitude",
                                           "felt", "place", "status", "updated"};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_modes: %s: %s\n", what, why);
    exit(1);
}

static struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = text, .length = (uint32_t)strlen(text)};
}

static void fill_row(struct bench *b, size_t i, int64_t id)
{
    struct value *v = &b->values[i * COLUMNS];
    char *text = b->texts + i * 48;

    snprintf(text, 48, "event number %lld of this benchmark", (long long)id);
    v[0] = (struct value){.type = VALUE_INTEGER, .integer = id};
    v[1] = text_value(text);
    v[2] = text_value("earthquake");
    v[3] = (struct value){.type = VALUE_REAL, .real = (double)id * 0.25 + 0.1};
    v[4] = id % 3 == 0 ? (struct value){.type = VALUE_NULL}
                       : (struct value){.type = VALUE_INTEGER, .integer = id % 100};
    v[5] = text_value("30 km SSW of somewhere in the South Pacific");
    v[6] = text_value("reviewed");
    v[7] = (struct value){.type = VALUE_INTEGER, .integer = 1700000000000 + id};
    b->rows[i] = (struct row){.values = v, .count = COLUMNS, .position = i};
}

static void make_rows(struct bench *b)
{
    b->values = calloc((size_t)ROWS * COLUMNS, sizeof(*b->values));
    b->rows = calloc(ROWS, sizeof(*b->rows));
    b->texts = calloc(ROWS, 48);
    if (b->values == NULL || b->rows == NULL || b->texts == NULL)
        die("rows", "out of memory");
    for (size_t i = 0; i < ROWS; i++)
        fill_row(b, i, (int64_t)i);
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

static void open_store(struct bench *b)
{
    const struct store_options options = {SYNCHRONOUS_FULL};
    struct error err = {0};

    remove_database(b->path);
    b->store = store_open(b->path, &options, &err);
    if (b->store == NULL)
        die("open", err.text);
}

/* --- The same again --- */

struct mode {
    const char *name;
    enum write_mode mode;
    enum missing_rows on_missing;
    bool keyless;
    struct source source;
    struct run run;
    double first;
    double again[ROUNDS];
};

static struct mode modes[] = {
    {.name = "upsert", .mode = WRITE_UPSERT},
    {.name = "upsert, on_missing", .mode = WRITE_UPSERT, .on_missing = MISSING_DELETE},
    {.name = "history", .mode = WRITE_HISTORY},
    {.name = "history, on_missing", .mode = WRITE_HISTORY, .on_missing = MISSING_DELETE},
    {.name = "replace", .mode = WRITE_REPLACE},
    {.name = "replace, no key", .mode = WRITE_REPLACE, .keyless = true},
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static void make_source(struct bench *b, struct mode *mode, const char *table, const char *history)
{
    static const char *const key[] = {"id"};
    struct config config = {.sources = &mode->source, .source_count = 1};
    struct source_state state;
    struct error err = {0};

    mode->source = (struct source){.name = table,
                                   .url = "http://example.org/",
                                   .mapping = {.table = table,
                                               .history_table = history,
                                               .write_mode = mode->mode,
                                               .on_missing = mode->on_missing,
                                               .max_shrink = 100,
                                               .primary_key = key,
                                               .primary_key_count = mode->keyless ? 0 : 1}};
    if (store_register(b->store, &config, &state, &err) == -1)
        die("register", err.text);
    mode->run = (struct run){.source = &mode->source, .source_id = state.id};
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_monotonic_us() - start_us) / 1e6;
}

static double poll_once(struct bench *b, struct mode *mode)
{
    struct result result = {
        .run = &mode->run,
        .rows = {
            .columns = b->columns, .column_count = COLUMNS, .rows = b->rows, .row_count = ROWS}};
    struct batch batch = {&result, 1};
    struct error err = {0};
    int64_t start = clock_monotonic_us();
    double rate;

    if (store_commit(b->store, &batch, &err) != STORE_OK)
        die("commit", err.text);
    rate = ROWS / seconds_since(start);
    assert(result.inserted + result.unchanged == ROWS && mode->run.failure == RUN_OK);
    return rate;
}

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

/* In turns, so that a noisy neighbour disturbs all. */
static void the_same_again(struct bench *b)
{
    static char tables[MODES][2][32];
    double upsert;

    open_store(b);
    for (size_t m = 0; m < MODES; m++) {
        snprintf(tables[m][0], sizeof(tables[m][0]), "t%zu", m);
        snprintf(tables[m][1], sizeof(tables[m][1]), "t%zu_history", m);
        make_source(b, &modes[m], tables[m][0], tables[m][1]);
        modes[m].first = poll_once(b, &modes[m]);
        store_checkpoint(b->store, NULL);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        for (size_t m = 0; m < MODES; m++)
            modes[m].again[i] = poll_once(b, &modes[m]);
    }
    upsert = median(modes[0].again, ROUNDS);
    printf("%-20s %14s %20s %10s\n", "100,000 rows", "new, rows/s", "unchanged, rows/s", "ratio");
    for (size_t m = 0; m < MODES; m++) {
        double again = median(modes[m].again, ROUNDS);

        printf("%-20s %14.0f %20.0f %10.2f\n", modes[m].name, modes[m].first, again,
               again / upsert);
    }
    store_close(b->store);
    remove_database(b->path);
}

/* --- A long walk --- */

static long peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static int64_t commit_page(struct bench *b, struct mode *mode, int page, bool last)
{
    struct result result = {.run = &mode->run,
                            .rows = {.columns = b->columns,
                                     .column_count = COLUMNS,
                                     .rows = b->rows,
                                     .row_count = PAGE},
                            .more = !last};
    struct batch batch = {&result, 1};
    struct error err = {0};
    int64_t start;

    for (size_t i = 0; i < PAGE; i++)
        fill_row(b, i, (int64_t)page * PAGE + (int64_t)i);
    if (!last && pages_follow(mode->run.pages, slice_of("x"), 0) == -1)
        die("pages", "out of memory");
    start = clock_monotonic_us();
    if (store_commit(b->store, &batch, &err) != STORE_OK)
        die("commit", err.text);
    if (!last)
        pages_advance(mode->run.pages);
    return clock_monotonic_us() - start;
}

static void walk(struct bench *b, struct mode *mode, const char *what)
{
    static const struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 1000};
    int64_t pages_us = 0;
    int64_t swap_us;

    mode->source.pagination = &pagination;
    mode->run.pages = pages_create(&pagination);
    for (int page = 0; page < PAGES - 1; page++)
        pages_us += commit_page(b, mode, page, false);
    swap_us = commit_page(b, mode, PAGES - 1, true);
    printf("%-20s %-12s %6.1f s for 99 pages %6.1f s for the last one    peak %ld MiB\n",
           mode->name, what, (double)pages_us / 1e6, (double)swap_us / 1e6, peak_kib() / 1024);
    pages_free(mode->run.pages);
    mode->run.pages = NULL;
}

static void long_walks(struct bench *b)
{
    struct mode replace[] = {
        {.name = "replace", .mode = WRITE_REPLACE},
        {.name = "replace, no key", .mode = WRITE_REPLACE, .keyless = true},
        {.name = "upsert, on_missing", .mode = WRITE_UPSERT, .on_missing = MISSING_DELETE}};

    printf("\na million rows in 100 pages; peak before: %ld MiB\n", peak_kib() / 1024);
    for (size_t m = 0; m < sizeof(replace) / sizeof(replace[0]); m++) {
        open_store(b);
        make_source(b, &replace[m], "t", NULL);
        walk(b, &replace[m], "new");
        store_checkpoint(b->store, NULL);
        walk(b, &replace[m], "unchanged");
        store_close(b->store);
        remove_database(b->path);
    }
}

int main(int argc, char **argv)
{
    struct bench b = {0};

    snprintf(b.path, sizeof(b.path), "%s/bench_modes.db", argc > 1 ? argv[1] : ".");
    make_rows(&b);
    the_same_again(&b);
    long_walks(&b);
    free(b.values);
    free(b.rows);
    free(b.texts);
    return 0;
}
