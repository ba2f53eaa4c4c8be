/*
 * bench_retention - whether commits keep their time while a large table is pruned beside them.
 *
 * A thread commits a small run each 100 ms and takes each commit's time.
 * Meanwhile the main thread does nothing, or makes the steps of a maintenance tick, which delete
 * 900,000 of 1,000,000 rows.
 *
 *     bench_retention [FOLDER]      where the database goes; default: the working directory
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/store.h"

#define ROWS      1000000
#define STAY      100000
#define BATCH     10000
#define PERIOD_US 100000
#define MOST      100000 /* commits that are measured */
#define REST_MS   20     /* between two steps, as the service does */

struct bench {
    char path[512];
    struct store *store;
    struct source sources[2]; /* the large table, and the one that is polled */
    struct run runs[2];
    struct column columns[2];
    struct value values[BATCH][2];
    struct row rows[BATCH];
    struct retention retention;
    atomic_bool stop;
    double took[MOST]; /* ms, of each commit from its slot on */
    size_t count;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_retention: %s: %s\n", what, why);
    exit(1);
}

static void remove_database(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char name[600];

        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void pause_us(int64_t us)
{
    struct timespec time = {us / 1000000, (long)(us % 1000000) * 1000};

    if (us > 0)
        nanosleep(&time, NULL);
}

static void commit(struct bench *b, size_t which, size_t rows)
{
    struct result result = {
        .run = &b->runs[which],
        .rows = {.columns = b->columns, .column_count = 2, .rows = b->rows, .row_count = rows}};
    struct batch batch = {&result, 1};
    struct error err = {0};

    if (store_commit(b->store, &batch, &err) != STORE_OK)
        die("commit", err.text);
}

static void register_sources(struct bench *b)
{
    struct config config = {.sources = b->sources, .source_count = 2};
    struct source_state states[2];
    struct error err = {0};

    if (store_register(b->store, &config, states, &err) == -1)
        die("register", err.text);
    for (size_t i = 0; i < 2; i++)
        b->runs[i] = (struct run){.source = &b->sources[i], .source_id = states[i].id};
}

static void prepare(struct bench *b)
{
    static const char text[] = "30 km SSW of somewhere in the South Pacific, and what else is said";
    const struct store_options options = {SYNCHRONOUS_FULL};
    struct error err = {0};

    b->sources[0] = (struct source){.name = "large", .url = "http://example.org/"};
    b->sources[1] = (struct source){.name = "polled", .url = "http://example.org/"};
    b->sources[0].mapping.table = "large";
    b->sources[1].mapping.table = "polled";
    b->columns[0] = (struct column){.name = {"id", 2}, .seen = 1u << VALUE_INTEGER};
    b->columns[1] = (struct column){.name = {"place", 5}, .seen = 1u << VALUE_TEXT};
    for (size_t i = 0; i < BATCH; i++) {
        b->values[i][0] = (struct value){.type = VALUE_INTEGER, .integer = (int64_t)i};
        b->values[i][1] =
            (struct value){.type = VALUE_TEXT, .text = text, .length = sizeof(text) - 1};
        b->rows[i] = (struct row){.values = b->values[i], .count = 2, .position = i};
    }
    remove_database(b->path);
    b->store = store_open(b->path, &options, &err);
    if (b->store == NULL)
        die("open", err.text);
    register_sources(b);
    for (size_t i = 0; i < ROWS / BATCH; i++)
        commit(b, 0, BATCH);
    store_checkpoint(b->store, NULL);
}

/* Late is what a poll feels: from its slot to the end of its commit. */
static void *poll(void *context)
{
    struct bench *b = context;
    int64_t slot = clock_monotonic_us();

    while (!atomic_load(&b->stop) && b->count < MOST) {
        slot += PERIOD_US;
        pause_us(slot - clock_monotonic_us());
        commit(b, 1, 5);
        b->took[b->count++] = (double)(clock_monotonic_us() - slot) / 1000;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void print(struct bench *b, const char *what)
{
    size_t n = b->count;

    qsort(b->took, n, sizeof(b->took[0]), compare);
    printf("%-20s %6zu commits: median %6.2f ms, 95 %% %6.2f, 99 %% %6.2f, longest %6.2f\n", what,
           n, b->took[n / 2], b->took[n * 95 / 100], b->took[n * 99 / 100], b->took[n - 1]);
}

/* Steps with their rests until there is nothing more to do. */
static void prune(struct bench *b)
{
    int64_t start = clock_monotonic_us();
    int64_t longest = 0;
    size_t over = 0;
    size_t steps = 0;
    bool more = true;

    for (; more; steps++) {
        int64_t from = clock_monotonic_us();
        struct error err = {0};
        int64_t took;

        if (store_tend(b->store, &more, &err) == -1)
            die("tend", err.text);
        took = clock_monotonic_us() - from;
        longest = took > longest ? took : longest;
        over += took > 50000;
        pause_us(REST_MS * 1000);
    }
    printf("%zu steps in %.1f s; the longest took %.1f ms with its wait for the writer, %zu above"
           " 50 ms\n",
           steps, (double)(clock_monotonic_us() - start) / 1e6, (double)longest / 1000, over);
}

static void measure(struct bench *b, bool pruning)
{
    pthread_t thread;

    b->count = 0;
    atomic_store(&b->stop, false);
    if (pthread_create(&thread, NULL, poll, b) != 0)
        die("thread", "cannot start");
    if (pruning)
        prune(b);
    else
        pause_us(5 * 1000 * 1000);
    atomic_store(&b->stop, true);
    pthread_join(thread, NULL);
    print(b, pruning ? "while rows go" : "without retention");
}

int main(int argc, char **argv)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (b == NULL)
        die("start", "out of memory");
    snprintf(b->path, sizeof(b->path), "%s/bench_retention.db", argc > 1 ? argv[1] : ".");
    prepare(b);
    measure(b, false);
    b->retention = (struct retention){.rows = STAY};
    b->sources[0].mapping.retention = &b->retention;
    register_sources(b);
    measure(b, true);
    store_close(b->store);
    remove_database(b->path);
    free(b);
    return 0;
}
