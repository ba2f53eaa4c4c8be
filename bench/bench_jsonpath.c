/*
 * bench_jsonpath - paths on a large document, beside a bare walk over its nodes.
 *
 *   bench_jsonpath [RECORDS]      default 100,000
 *
 * The document is made here: an array of records of eight members, two of them in an object within.
 * All cases take turns within each round, so that a slow moment of the machine hurts all of them,
 * and medians over the rounds are printed. The limit is a loop over all nodes that looks at each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/arena.h"
#include "gatherd/json.h"
#include "gatherd/jsonpath.h"

#define ROUNDS 21

struct job {
    char *body;
    size_t length;
    const struct node *root;
    struct arena *arena; /* for what is selected; reset for each case */
};

/* A way to run a path. */
typedef size_t runner(const struct job *job, const struct jsonpath *path);

struct bench {
    const char *name;
    const char *path;
    runner *run;
    struct jsonpath *compiled;
    double seconds[ROUNDS];
    size_t result;
};

static void fail(const char *message)
{
    fprintf(stderr, "bench_jsonpath: %s\n", message);
    exit(1);
}

/* The limit: every node is looked at. */
static size_t walk(const struct job *job, const struct jsonpath *path)
{
    size_t sum = 0;

    (void)path;
    for (const struct node *node = job->root; node < node_next(job->root); node++)
        sum += node->type != NODE_STRING;
    return sum;
}

static size_t read_json(const struct job *job, const struct jsonpath *path)
{
    const struct node *root;

    (void)path;
    if (json_read(job->body, job->length, job->arena, &root, NULL) != JSON_OK)
        fail("the document is not JSON");
    return root->span;
}

/* A path of names, asked of each record as a field is. */
static size_t run_first(const struct job *job, const struct jsonpath *path)
{
    const struct node *records = node_member(job->root, slice_of("records"));
    size_t count = 0;

    for (const struct node *record = node_first(records); record < node_end(records);
         record = node_next(record))
        count += jsonpath_first(path, record) != NULL;
    return count;
}

static size_t run_select(const struct job *job, const struct jsonpath *path)
{
    struct jsonpath_session session;
    struct node_list list;

    jsonpath_begin(&session, job->arena, job->root, job->length, 1);
    if (jsonpath_select(path, job->root, &session, &list) != JSONPATH_OK)
        fail("the path takes too long");
    return list.count;
}

/* A path of a field that may select many, asked of each record. */
static size_t run_select_each(const struct job *job, const struct jsonpath *path)
{
    const struct node *records = node_member(job->root, slice_of("records"));
    struct jsonpath_session session;
    size_t count = 0;

    jsonpath_begin(&session, job->arena, job->root, job->length, 1);
    for (const struct node *record = node_first(records); record < node_end(records);
         record = node_next(record)) {
        struct node_list list;

        if (jsonpath_select(path, record, &session, &list) != JSONPATH_OK)
            fail("the path takes too long");
        count += list.count;
    }
    return count;
}

static struct bench benches[] = {
    {.name = "a bare walk over all nodes", .run = walk},
    {.name = "reading the document", .run = read_json},
    {.name = "a name of each record", .path = "$.magnitude", .run = run_first},
    {.name = "a name within a name of each record", .path = "$.place.region", .run = run_first},
    {.name = "all records", .path = "$.records[*]", .run = run_select},
    {.name = "existence", .path = "$.records[?@.felt]", .run = run_select},
    {.name = "a number", .path = "$.records[?@.magnitude >= 5]", .run = run_select},
    {.name = "a text", .path = "$.records[?@.status == 'reviewed']", .run = run_select},
    {.name = "two conditions, one of them deeper",
     .path = "$.records[?@.magnitude > 3.5 && @.place.region == 'Alaska']",
     .run = run_select},
    {.name = "a regular expression, whole",
     .path = "$.records[?match(@.id, 'ci[0-9]*7')]",
     .run = run_select},
    {.name = "a regular expression, part",
     .path = "$.records[?search(@.place.name, 'of .*aii')]",
     .run = run_select},
    {.name = "descendants by name", .path = "$..region", .run = run_select},
    {.name = "a filter within each record",
     .path = "$.place[?@ == 'Alaska']",
     .run = run_select_each},
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure(const struct job *job)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BENCHES; i++) {
            double start;

            arena_reset(job->arena);
            start = now();
            benches[i].result = benches[i].run(job, benches[i].compiled);
            benches[i].seconds[round] = now() - start;
        }
    }
}

static void print(const struct job *job, size_t records)
{
    double limit;

    printf("%zu records, %zu bytes, %u nodes; medians of %d rounds\n", records, job->length,
           job->root->span, ROUNDS);
    for (size_t i = 0; i < BENCHES; i++)
        qsort(benches[i].seconds, ROUNDS, sizeof(double), by_value);
    limit = benches[0].seconds[ROUNDS / 2];
    for (size_t i = 0; i < BENCHES; i++) {
        double seconds = benches[i].seconds[ROUNDS / 2];

        printf("  %-36s %7.2f ms  %5.2f x the walk  %7zu nodes\n", benches[i].name, seconds * 1e3,
               seconds / limit, benches[i].result);
    }
}

static void make_document(struct job *job, size_t records)
{
    static const char *const regions[] = {"California", "Alaska", "Hawaii", "Nevada"};
    struct text body = {0};

    text_add(&body, "{\"records\":[");
    for (size_t i = 0; i < records; i++)
        text_format(
            &body,
            "%s{\"id\":\"ci3786%04zu\",\"magnitude\":%zu.%02zu,\"time\":%zu,\"status\":\"%s\","
            "\"felt\":%s,\"place\":{\"name\":\"%zukm W of %s\",\"region\":\"%s\"},"
            "\"depth\":%zu.%zu}",
            i == 0 ? "" : ",", i * 37, i % 7, i * 31 % 100, 1517966773840 + i * 61001,
            i % 3 == 0 ? "reviewed" : "automatic", i % 5 == 0 ? "12" : "null", i % 50,
            regions[i % 4], regions[i % 4], i % 300, i % 10);
    text_add(&body, "]}");
    job->length = body.length;
    job->body = text_take(&body);
    if (job->body == NULL)
        fail("out of memory");
}

static void compile_paths(void)
{
    for (size_t i = 0; i < BENCHES; i++) {
        struct error err = {0};
        size_t column;

        if (benches[i].path == NULL)
            continue;
        benches[i].compiled = jsonpath_compile(benches[i].path, &column, &err);
        if (benches[i].compiled == NULL)
            fail(err.text);
    }
}

int main(int argc, char **argv)
{
    size_t records = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    struct arena *document = arena_create(0);
    struct job job = {.arena = arena_create(256u * 1024 * 1024)};

    if (records == 0 || document == NULL || job.arena == NULL)
        fail("usage: bench_jsonpath [RECORDS]");
    make_document(&job, records);
    if (json_read(job.body, job.length, document, &job.root, NULL) != JSON_OK)
        fail("the document is not JSON");
    compile_paths();
    measure(&job);
    print(&job, records);
    for (size_t i = 0; i < BENCHES; i++)
        jsonpath_free(benches[i].compiled);
    arena_free(job.arena);
    arena_free(document);
    free(job.body);
    return 0;
}
