/*
 * bench_json - parse a document and pull fields out of each of its records: ours, yajl, jansson.
 *
 *   bench_json                                  an answer made here: 100 records of 8 columns
 *   bench_json FILE RECORDS FIELD...            e.g. all_week.geojson $.features '$.properties.mag'
 *
 * RECORDS is a path of names to the array of records ($ where the document is it), and each FIELD
 * one of names below a record. The three take turns within each round, so that a slow moment of the
 * machine hurts all of them, and medians over the rounds are printed. For yajl the values are
 * caught in its callbacks, without building a tree, which is its fastest way; each way ends with
 * the text of every value at hand (jansson: the value), and the number of values must agree.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_parse.h>

#include "gatherd/arena.h"
#include "gatherd/json.h"
#include "gatherd/jsonpath.h"

#define MAX_FIELDS  16
#define MAX_STEPS   8
#define MAX_DEPTH   64
#define ROUNDS      31
#define ROUND_BYTES (8u * 1024 * 1024)

struct way {
    char names[MAX_STEPS][64];
    size_t lengths[MAX_STEPS];
    size_t count;
};

struct job {
    const char *body;
    size_t length;
    struct way records;
    struct way fields[MAX_FIELDS];
    struct jsonpath *records_path;
    struct jsonpath *paths[MAX_FIELDS];
    size_t field_count;
};

/* What was pulled, so that nothing can be left out by the compiler or by a mistake. */
struct sum {
    uint64_t values;
    uint64_t bytes;
};

static void fail(const char *message)
{
    fprintf(stderr, "bench_json: %s\n", message);
    exit(1);
}

/* --- ours --- */

static struct sum run_gatherd(const struct job *job, struct arena *arena)
{
    struct sum sum = {0, 0};
    struct json_error error;
    const struct node *root;
    const struct node *records;

    arena_reset(arena);
    if (json_read(job->body, job->length, arena, &root, &error) != JSON_OK)
        fail(error.message);
    records = jsonpath_first(job->records_path, root);
    if (records == NULL || records->type != NODE_ARRAY)
        fail("the records are no array");
    for (const struct node *record = node_first(records); record < node_end(records);
         record = node_next(record)) {
        for (size_t i = 0; i < job->field_count; i++) {
            const struct node *value = jsonpath_first(job->paths[i], record);

            if (value != NULL && !node_is_container(value)) {
                sum.values++;
                sum.bytes += value->length;
            }
        }
    }
    return sum;
}

/* --- yajl: callbacks that know where they are --- */

/* Which fields can still be reached below a value: a bit each, with `step` names matched. */
struct place {
    uint32_t fields;
    unsigned step;
    bool record; /* an element of the array of records */
};

struct sax {
    const struct job *job;
    struct sum sum;
    struct place stack[MAX_DEPTH]; /* of the containers open */
    size_t depth;
    struct place next;   /* of the value that comes next */
    size_t records_step; /* names of the way to the records that matched */
    bool on_way;         /* the next value is on the way to the records */
};

static void start_place(struct sax *sax)
{
    if (sax->depth == MAX_DEPTH)
        fail("too deep for the yajl reading");
    sax->stack[sax->depth++] = sax->next;
}

static int on_key(void *context, const unsigned char *key, size_t length)
{
    struct sax *sax = context;
    const struct job *job = sax->job;
    const struct place *at = &sax->stack[sax->depth - 1];

    sax->next = (struct place){0, at->step + 1, false};
    if (at->fields != 0) {
        for (size_t i = 0; i < job->field_count; i++) {
            const struct way *way = &job->fields[i];

            if ((at->fields >> i & 1) != 0 && at->step < way->count &&
                way->lengths[at->step] == length && memcmp(way->names[at->step], key, length) == 0)
                sax->next.fields |= 1u << i;
        }
    } else if (sax->depth == sax->records_step + 1 && sax->records_step < job->records.count) {
        const struct way *way = &job->records;

        sax->on_way = way->lengths[sax->records_step] == length &&
                      memcmp(way->names[sax->records_step], key, length) == 0;
    }
    return 1;
}

static int on_value(struct sax *sax, size_t length)
{
    uint32_t fields = sax->next.fields;

    for (size_t i = 0; fields != 0; i++, fields >>= 1) {
        if ((fields & 1) != 0 && sax->job->fields[i].count == sax->next.step) {
            sax->sum.values++;
            sax->sum.bytes += length;
        }
    }
    return 1;
}

static int on_null(void *context)
{
    return on_value(context, 4);
}

static int on_boolean(void *context, int value)
{
    return on_value(context, value ? 4 : 5);
}

static int on_number(void *context, const char *text, size_t length)
{
    (void)text;
    return on_value(context, length);
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    (void)text;
    return on_value(context, length);
}

static int on_start_map(void *context)
{
    struct sax *sax = context;

    if (sax->depth > 0 && sax->stack[sax->depth - 1].record)
        sax->next = (struct place){(1u << sax->job->field_count) - 1, 0, false};
    else if (sax->on_way)
        sax->records_step += sax->depth > 0;
    start_place(sax);
    return 1;
}

static int on_start_array(void *context)
{
    struct sax *sax = context;

    /* `record` of an open array says that its elements are records. */
    sax->next = (struct place){0, 0, false};
    if (sax->on_way && sax->depth == sax->job->records.count) {
        sax->next.record = true;
        sax->on_way = false;
    }
    start_place(sax);
    sax->next = (struct place){0, 0, false};
    return 1;
}

static int on_end(void *context)
{
    struct sax *sax = context;

    sax->depth--;
    sax->next = (struct place){0, 0, false};
    return 1;
}

static struct sum run_yajl(const struct job *job)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_start_map,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_start_array,
        .yajl_end_array = on_end,
    };
    struct sax sax = {.job = job, .on_way = true};
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &sax);

    if (handle == NULL ||
        yajl_parse(handle, (const unsigned char *)job->body, job->length) != yajl_status_ok ||
        yajl_complete_parse(handle) != yajl_status_ok)
        fail("yajl does not take the document");
    yajl_free(handle);
    return sax.sum;
}

/* --- jansson --- */

static const json_t *follow(const json_t *value, const struct way *way)
{
    for (size_t i = 0; i < way->count && value != NULL; i++)
        value = json_object_get(value, way->names[i]);
    return value;
}

static struct sum run_jansson(const struct job *job)
{
    struct sum sum = {0, 0};
    json_error_t error;
    json_t *root = json_loadb(job->body, job->length, JSON_DECODE_ANY, &error);
    const json_t *records;

    if (root == NULL)
        fail(error.text);
    records = follow(root, &job->records);
    for (size_t k = 0; k < json_array_size(records); k++) {
        const json_t *record = json_array_get(records, k);

        for (size_t i = 0; i < job->field_count; i++) {
            const json_t *value = follow(record, &job->fields[i]);

            if (value != NULL && !json_is_object(value) && !json_is_array(value)) {
                sum.values++;
                sum.bytes += json_string_length(value);
            }
        }
    }
    json_decref(root);
    return sum;
}

/* --- measuring --- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

enum reader { GATHERD, YAJL, JANSSON, READERS };

static struct sum run_one(enum reader reader, const struct job *job, struct arena *arena)
{
    if (reader == GATHERD)
        return run_gatherd(job, arena);
    return reader == YAJL ? run_yajl(job) : run_jansson(job);
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure(const struct job *job)
{
    static const char *const names[READERS] = {"gatherd", "yajl", "jansson"};
    struct arena *arena = arena_create(256u * 1024 * 1024);
    size_t times = ROUND_BYTES / job->length + 1;
    double speed[READERS][ROUNDS];
    double ratio[READERS][ROUNDS];
    struct sum sums[READERS];

    if (arena == NULL)
        fail("out of memory");
    for (int round = 0; round < ROUNDS; round++) {
        for (int reader = 0; reader < READERS; reader++) {
            double start = now();

            for (size_t i = 0; i < times; i++)
                sums[reader] = run_one((enum reader)reader, job, arena);
            speed[reader][round] = (double)(times * job->length) / 1e6 / (now() - start);
            ratio[reader][round] = speed[GATHERD][round] / speed[reader][round];
        }
    }
    arena_free(arena);
    if (sums[GATHERD].values != sums[YAJL].values || sums[GATHERD].bytes != sums[YAJL].bytes ||
        sums[GATHERD].values != sums[JANSSON].values)
        fail("the readers pulled different values");
    printf("%zu bytes, %llu values of %zu fields pulled; medians of %d rounds\n", job->length,
           (unsigned long long)sums[GATHERD].values, job->field_count, ROUNDS);
    for (int reader = 0; reader < READERS; reader++) {
        qsort(speed[reader], ROUNDS, sizeof(double), by_value);
        qsort(ratio[reader], ROUNDS, sizeof(double), by_value);
        printf("  %-8s %7.0f MB/s   gatherd is %.2f x\n", names[reader], speed[reader][ROUNDS / 2],
               ratio[reader][ROUNDS / 2]);
    }
}

/* --- the work to do --- */

static void read_way(const char *path, struct way *way, struct jsonpath **compiled)
{
    struct error err = {0};
    size_t column;
    const char *p = path;

    *compiled = jsonpath_compile(path, &column, &err);
    if (*compiled == NULL)
        fail(err.text);
    p++;
    while (*p == '.' && way->count < MAX_STEPS) {
        size_t length = strcspn(++p, ".");

        if (length >= sizeof(way->names[0]))
            fail("a name is too long");
        memcpy(way->names[way->count], p, length);
        way->lengths[way->count++] = length;
        p += length;
    }
    if (*p != '\0')
        fail("a path here is made of names only");
}

static char *make_answer(size_t *length)
{
    static const char *const places[] = {"4km W of Castaic, CA", "Kermadec Islands",
                                         "17km SSE of Volcano, Hawaii", "Central Alaska"};
    char *body = malloc(64 * 1024);
    size_t used;

    if (body == NULL)
        fail("out of memory");
    used = (size_t)sprintf(body, "{\"count\":100,\"records\":[");
    for (int i = 0; i < 100; i++)
        used += (size_t)sprintf(body + used,
                                "%s{\"id\":\"ci3786%04d\",\"magnitude\":%d.%02d,\"place\":\"%s\","
                                "\"time\":%lld,\"updated_at\":\"2018-02-07T%02d:%02d:%02d.840Z\","
                                "\"status\":\"%s\",\"felt\":%s,\"depth_km\":%d.%d}",
                                i == 0 ? "" : ",", i * 37, i % 7, i * 31 % 100, places[i % 4],
                                1517966773840LL + i * 61001, i % 24, i * 7 % 60, i * 13 % 60,
                                i % 3 == 0 ? "reviewed" : "automatic", i % 5 == 0 ? "12" : "null",
                                i * 3, i % 10);
    used += (size_t)sprintf(body + used, "]}");
    *length = used;
    return body;
}

static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    char *body = NULL;
    long size;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
        fail("the file cannot be read");
    rewind(file);
    body = malloc((size_t)size + 1);
    if (body == NULL || fread(body, 1, (size_t)size, file) != (size_t)size)
        fail("the file cannot be read");
    fclose(file);
    body[size] = '\0';
    *length = (size_t)size;
    return body;
}

int main(int argc, char **argv)
{
    static char *const made[] = {"$.id",     "$.magnitude", "$.place",      "$.time",
                                 "$.status", "$.felt",      "$.updated_at", "$.depth_km"};
    struct job job = {0};
    char *const *fields = argc > 3 ? argv + 3 : made;
    size_t count = argc > 3 ? (size_t)argc - 3 : sizeof(made) / sizeof(made[0]);
    char *body;

    if (count > MAX_FIELDS || (argc > 1 && argc < 4)) {
        fprintf(stderr, "usage: bench_json [FILE RECORDS FIELD...]\n");
        return 64;
    }
    body = argc > 3 ? read_file(argv[1], &job.length) : make_answer(&job.length);
    job.body = body;
    read_way(argc > 3 ? argv[2] : "$.records", &job.records, &job.records_path);
    for (size_t i = 0; i < count; i++)
        read_way(fields[i], &job.fields[i], &job.paths[i]);
    job.field_count = count;
    measure(&job);
    jsonpath_free(job.records_path);
    for (size_t i = 0; i < count; i++)
        jsonpath_free(job.paths[i]);
    free(body);
    return 0;
}
