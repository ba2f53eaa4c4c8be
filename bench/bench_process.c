/*
 * bench_process - responses to rows: what process_response() does in a second.
 *
 * One answer of 100 records with 8 members (two integers, two reals of 15 and 17 digits, a boolean,
 * two strings, a nested object), about 20 KB, processed over and over into one arena: once with
 * every member as a column, once with eight declared fields, and once with fields of nested paths;
 * the second of these also with `where`, and with `where` and a field that SQL calculates.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gatherd/arena.h"
#include "gatherd/clock.h"
#include "gatherd/computer.h"
#include "gatherd/jsonpath.h"
#include "gatherd/processor.h"

#define RECORDS    100
#define BATCH      50 /* responses between two resets, as in a batch of 5,000 rows */
#define MEASURE_US 1000000
#define ROUNDS     5

#define WHERE "mag IS NOT NULL"
#define SQL   "CASE WHEN mag >= 6 THEN 'high' ELSE 'low' END"

struct setting {
    const char *name;
    struct field fields[9];
    size_t field_count;
    struct expression expressions[2];
    size_t computed[2];
    struct computation computation;
};

static void make_body(struct text *body)
{
    text_add(body, "[");
    for (int i = 0; i < RECORDS; i++) {
        text_format(body,
                    "%s{\"id\":\"us7000k%05d\",\"time\":%lld,\"felt\":%d,"
                    "\"mag\":%d.%014lld,\"lon\":-122.%014lld,\"alert\":%s,"
                    "\"place\":\"%d km NW of The Geysers, California\","
                    "\"net\":{\"code\":\"us\",\"rank\":%d}}",
                    i == 0 ? "" : ",\n", i, 1767323045000LL + i * 61234LL, i * 7, 1 + i % 8,
                    i * 76543210987LL + 12345, i * 987654321098LL + 7,
                    i % 2 == 0 ? "true" : "false", i % 90, i);
    }
    text_add(body, "]");
}

static struct jsonpath *path(const char *text)
{
    size_t column;
    struct error err = {0};
    struct jsonpath *compiled = jsonpath_compile(text, &column, &err);

    if (compiled == NULL) {
        fprintf(stderr, "%s: %s\n", text, err.text);
        exit(1);
    }
    return compiled;
}

static void add_field(struct setting *s, const char *name, const char *text, enum field_type type,
                      enum time_unit unit)
{
    s->fields[s->field_count++] =
        (struct field){.name = name, .path = path(text), .rule = {.type = type, .unit = unit}};
}

static void add_names(struct setting *s)
{
    static const char *const names[] = {"id",  "time",  "felt",  "mag",
                                        "lon", "alert", "place", "net"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[16];

        snprintf(text, sizeof(text), "$.%s", names[i]);
        add_field(s, names[i], text, FIELD_UNDECLARED, TIME_UNIT_NONE);
    }
}

static bool find_column(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    (void)name;
    *affinity = AFFINITY_NONE;
    return true;
}

static void add_sql(struct setting *s, const char *text, size_t field, struct arena *arena)
{
    const struct column_finder finder = {NULL, find_column};
    struct expression_checker *checker = expression_checker_create();
    struct expression_set *set = &s->computation.expressions;
    struct expression_mistake mistake;
    struct text scratch = {0};

    if (checker == NULL || expression_check(checker, text, field == COMPUTED_WHERE, &finder, arena,
                                            &s->expressions[set->count], &mistake) == -1) {
        fprintf(stderr, "%s: %s\n", text, checker == NULL ? "out of memory" : mistake.words);
        exit(1);
    }
    s->computed[set->count++] = field;
    set->list = s->expressions;
    set->hash = expression_set_hash(set, &scratch);
    s->computation.fields = s->computed;
    text_free(&scratch);
    expression_checker_free(checker);
}

/* Rows of one turn: BATCH responses. */
static size_t turn(struct run *run, struct computer *computer, struct arena *arena)
{
    size_t rows = 0;

    arena_reset(arena);
    for (int i = 0; i < BATCH; i++) {
        struct result result;

        if (process_response(run, arena, computer, &result) == -1 || run->failure != RUN_OK) {
            fprintf(stderr, "%s\n", run->error == NULL ? "out of memory" : run->error);
            exit(1);
        }
        rows += result.rows.row_count;
    }
    return rows;
}

static double measure(struct run *run, struct computer *computer, struct arena *arena)
{
    int64_t start_us = clock_monotonic_us();
    int64_t now_us = start_us;
    size_t rows = 0;

    while (now_us - start_us < MEASURE_US) {
        rows += turn(run, computer, arena);
        now_us = clock_monotonic_us();
    }
    return (double)rows * 1e6 / (double)(now_us - start_us);
}

static void bench(const struct setting *s, struct text *body, struct computer *computer,
                  struct arena *arena)
{
    struct source source = {.name = "bench",
                            .mapping = {.fields = s->fields, .field_count = s->field_count}};
    struct run run = {.source = &source};
    double best = 0;

    if (s->computation.expressions.count > 0)
        source.mapping.computation = &s->computation;
    run.response.status = 200;
    run.response.body = body->data;
    run.response.body_bytes = body->length;
    for (int i = 0; i < ROUNDS; i++) {
        double rows = measure(&run, computer, arena);

        best = rows > best ? rows : best;
    }
    printf("%-24s %12.0f rows/s %8.0f MB/s\n", s->name, best,
           best / RECORDS * (double)body->length / 1e6);
}

int main(void)
{
    struct setting settings[] = {{.name = "every member"},
                                 {.name = "8 names"},
                                 {.name = "typed"},
                                 {.name = "8 names, where"},
                                 {.name = "8 names, where, 1 sql"}};
    const size_t count = sizeof(settings) / sizeof(settings[0]);
    struct arena *arena = arena_create(64u << 20);
    struct arena *kept = arena_create(0);
    struct computer *computer = computer_create();
    struct text body = {0};

    add_names(&settings[1]);
    add_field(&settings[2], "id", "$.id", FIELD_TEXT, TIME_UNIT_NONE);
    add_field(&settings[2], "time", "$.time", FIELD_TIMESTAMP, TIME_UNIT_MS);
    add_field(&settings[2], "felt", "$.felt", FIELD_INTEGER, TIME_UNIT_NONE);
    add_field(&settings[2], "mag", "$.mag", FIELD_REAL, TIME_UNIT_NONE);
    add_field(&settings[2], "lon", "$.lon", FIELD_REAL, TIME_UNIT_NONE);
    add_field(&settings[2], "alert", "$.alert", FIELD_BOOLEAN, TIME_UNIT_NONE);
    add_field(&settings[2], "code", "$.net.code", FIELD_TEXT, TIME_UNIT_NONE);
    add_field(&settings[2], "rank", "$.net.rank", FIELD_INTEGER, TIME_UNIT_NONE);
    make_body(&body);
    if (arena == NULL || kept == NULL || computer == NULL || text_failed(&body))
        return 1;
    for (size_t i = 3; i < count; i++) {
        add_names(&settings[i]);
        add_sql(&settings[i], WHERE, COMPUTED_WHERE, kept);
    }
    settings[4].fields[settings[4].field_count++] = (struct field){.name = "level", .sql = SQL};
    add_sql(&settings[4], SQL, 8, kept);
    printf("%d records, %zu bytes\n", RECORDS, body.length);
    for (size_t i = 0; i < count; i++)
        bench(&settings[i], &body, computer, arena);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < settings[i].field_count; f++)
            jsonpath_free(settings[i].fields[f].path);
    }
    text_free(&body);
    computer_free(computer);
    arena_free(kept);
    arena_free(arena);
    return 0;
}
