/*
 * bench_children - what a table of children costs beside the same rows as a source of their own.
 *
 * One answer has PARENTS records with CHILDREN elements each in a list; two others have the same
 * records without the list, and its elements flat, with the parent's id and their place in the
 * list. Both ways go through process_response() and store_commit(), in turn, into databases side by
 * side: all new, all the same again, and with one child of every hundredth record gone.
 *
 *     bench_children [FOLDER]      where the databases go; default: the working directory
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/arena.h"
#include "gatherd/clock.h"
#include "gatherd/config.h"
#include "gatherd/processor.h"
#include "gatherd/store.h"

#define PARENTS  20000
#define CHILDREN 5
#define ROUNDS   7
#define ROWS     (PARENTS * (CHILDREN + 1))

enum step { STEP_NEW, STEP_SAME, STEP_GONE, STEPS };

/* How one way is configured, and where its answers come from. */
struct way {
    const char *name;
    const char *yaml;
    size_t sources; /* 1: the nested answer; 2: the two flat ones */
};

static const char list_by_place[] =
    "sources:\n"
    "  - name: p\n    url: http://example.org/\n    primary_key: id\n    exclude: list\n"
    "    children: [{records: $.list, table: c}]\n";
static const char list_by_name[] =
    "sources:\n"
    "  - name: p\n    url: http://example.org/\n    primary_key: id\n    exclude: list\n"
    "    children: [{records: $.list, table: c, primary_key: name}]\n";
static const char two_sources[] =
    "sources:\n"
    "  - name: p\n    url: http://example.org/\n    primary_key: id\n"
    "  - name: c\n    url: http://example.org/\n    primary_key: [parent, index]\n";

static const struct way ways[] = {
    {"two sources", two_sources, 2},
    {"children by place", list_by_place, 1},
    {"children by name", list_by_name, 1},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_children: %s: %s\n", what, why);
    exit(1);
}

static void put_child(struct text *out, size_t parent, size_t index, bool flat)
{
    text_char(out, '{');
    if (flat)
        text_format(out, "\"parent\":%zu,\"index\":%zu,", parent, index);
    text_format(out,
                "\"name\":\"label number %zu\",\"color\":\"ff%04zx\",\"default\":%s,"
                "\"description\":\"what label %zu of %zu is for\"}",
                index, parent % 65536, index % 2 == 0 ? "true" : "false", index, parent);
}

static size_t children_of(size_t parent, enum step step)
{
    return step == STEP_GONE && parent % 100 == 0 ? CHILDREN - 1 : CHILDREN;
}

static void put_parent(struct text *out, size_t i, bool nested, enum step step)
{
    text_format(out,
                "%c{\"id\":%zu,\"title\":\"issue number %zu of this benchmark\",\"open\":true,"
                "\"votes\":%zu",
                i == 0 ? '[' : ',', i, i, i % 17);
    if (nested) {
        text_add(out, ",\"list\":[");
        for (size_t c = 0; c < children_of(i, step); c++) {
            text_add(out, c == 0 ? "" : ",");
            put_child(out, i, c, false);
        }
        text_char(out, ']');
    }
    text_char(out, '}');
}

/* The answers of one step: nested, parents alone, children alone. */
static void make_bodies(struct text bodies[3], enum step step)
{
    for (size_t i = 0; i < PARENTS; i++) {
        put_parent(&bodies[0], i, true, step);
        put_parent(&bodies[1], i, false, step);
        for (size_t c = 0; c < children_of(i, step); c++) {
            text_char(&bodies[2], i == 0 && c == 0 ? '[' : ',');
            put_child(&bodies[2], i, c, true);
        }
    }
    for (size_t b = 0; b < 3; b++)
        text_char(&bodies[b], ']');
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

struct bench {
    struct store *store;
    struct config *config;
    struct arena *arena;
    struct run runs[2];
};

static void take(struct bench *b, size_t source, const struct text *body)
{
    struct run *run = &b->runs[source];
    struct result result;
    struct batch batch = {&result, 1};
    struct error err = {0};

    arena_reset(b->arena);
    run->response.status = 200;
    run->response.body = body->data;
    run->response.body_bytes = body->length;
    if (process_response(run, b->arena, &result) == -1)
        die("process", "out of memory");
    if (store_commit(b->store, &batch, &err) != STORE_OK)
        die("commit", err.text);
    if (run->failure != RUN_OK || result.rejected > 0)
        die("run", run->error != NULL ? run->error : "rows were rejected");
    run->response.body = NULL;
}

static void begin(struct bench *b, const struct way *way, const char *path)
{
    const struct store_options options = {SYNCHRONOUS_NORMAL};
    struct config_report report = {0};
    struct source_state states[2];
    struct error err = {0};

    remove_database(path);
    b->config = config_parse(way->yaml, strlen(way->yaml), "bench.yaml", "", &report);
    if (b->config == NULL)
        die("configuration", text_string(&report.text));
    b->store = store_open(path, &options, &err);
    if (b->store == NULL || store_register(b->store, b->config, states, &err) == -1)
        die("open", err.text);
    for (size_t i = 0; i < way->sources; i++)
        b->runs[i] = (struct run){.source = &b->config->sources[i], .source_id = states[i].id};
}

static void end(struct bench *b, const char *path)
{
    store_close(b->store);
    config_unref(b->config);
    remove_database(path);
}

/* Rows a second of each step. */
static void measure(struct bench *b, const struct way *way, struct text bodies[STEPS][3],
                    const char *path, double rates[STEPS])
{
    begin(b, way, path);
    for (size_t step = 0; step < STEPS; step++) {
        int64_t start = clock_monotonic_us();

        if (way->sources == 1) {
            take(b, 0, &bodies[step][0]);
        } else {
            take(b, 0, &bodies[step][1]);
            take(b, 1, &bodies[step][2]);
        }
        rates[step] = ROWS / ((double)(clock_monotonic_us() - start) / 1e6);
    }
    end(b, path);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), compare);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    static const char *const steps[STEPS] = {"all new", "all the same", "some gone"};
    static struct text bodies[STEPS][3];
    static double rates[WAYS][STEPS][ROUNDS];
    struct bench bench = {.arena = arena_create(256u << 20)};
    char path[512];

    snprintf(path, sizeof(path), "%s/bench_children.db", argc > 1 ? argv[1] : ".");
    for (enum step step = STEP_NEW; step < STEPS; step++)
        make_bodies(bodies[step], step);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t way = 0; way < WAYS; way++) {
            double once[STEPS];

            measure(&bench, &ways[way], bodies, path, once);
            for (size_t step = 0; step < STEPS; step++)
                rates[way][step][round] = once[step];
        }
    }
    printf("%-20s %14s %14s %14s   rows/s, medians of %d; in brackets beside two sources\n", "",
           steps[0], steps[1], steps[2], ROUNDS);
    for (size_t way = 0; way < WAYS; way++) {
        printf("%-20s", ways[way].name);
        for (size_t step = 0; step < STEPS; step++) {
            double rate = median(rates[way][step]);

            printf(" %8.0f (%.2f)", rate, rate / rates[0][step][ROUNDS / 2]);
        }
        puts("");
    }
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t b = 0; b < 3; b++)
            text_free(&bodies[step][b]);
    }
    arena_free(bench.arena);
    return 0;
}
