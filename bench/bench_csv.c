/*
 * bench_csv - read a table into nodes, beside a bare loop that only finds where its cells end.
 *
 *   bench_csv           a table made here: 20,000 rows of 8 columns, a quarter of them quoted
 *   bench_csv FILE      e.g. birdstrikes.csv
 *
 * The two take turns within each round, so that a slow moment of the machine hurts both, and
 * medians over the rounds are printed. The bare loop goes by the byte, knows quotes, and counts;
 * both must find as many cells. peers/csv_reader.py measures Python's reader on the same file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/arena.h"
#include "gatherd/csv.h"
#include "gatherd/text.h"

#define ROUNDS      31
#define ROUND_BYTES (8u * 1024 * 1024)
#define MADE_ROWS   20000

static void fail(const char *message)
{
    fprintf(stderr, "bench_csv: %s\n", message);
    exit(1);
}

static size_t run_gatherd(const char *body, size_t length, struct arena *arena)
{
    struct csv_table table;
    struct csv_error error;

    arena_reset(arena);
    if (csv_read(body, length, &csv_defaults, ',', arena, &table, &error) != CSV_OK)
        fail(error.message);
    return ((size_t)table.root->length + 1) * table.columns;
}

static size_t run_bare(const char *body, size_t length)
{
    const char *end = body + length;
    size_t cells = end[-1] == '\n' ? 0 : 1;
    bool quoted = false;

    for (const char *p = body; p < end; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == ',' || *p == '\n'))
            cells++;
    }
    return cells;
}

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

static void measure(const char *body, size_t length)
{
    static const char *const names[] = {"gatherd", "bare loop"};
    struct arena *arena = arena_create(1024u * 1024 * 1024);
    size_t times = ROUND_BYTES / length + 1;
    double speed[2][ROUNDS];
    size_t cells[2];

    if (arena == NULL)
        fail("out of memory");
    for (int round = 0; round < ROUNDS; round++) {
        for (int reader = 0; reader < 2; reader++) {
            double start = now();

            for (size_t i = 0; i < times; i++)
                cells[reader] =
                    reader == 0 ? run_gatherd(body, length, arena) : run_bare(body, length);
            speed[reader][round] = (double)(times * length) / 1e6 / (now() - start);
        }
    }
    arena_free(arena);
    if (cells[0] != cells[1])
        fail("the two found different cells");
    printf("%zu bytes, %zu cells; medians of %d rounds\n", length, cells[0], ROUNDS);
    for (int reader = 0; reader < 2; reader++) {
        qsort(speed[reader], ROUNDS, sizeof(double), by_value);
        printf("  %-9s %7.0f MB/s  %6.1f million cells/s\n", names[reader],
               speed[reader][ROUNDS / 2],
               speed[reader][ROUNDS / 2] * (double)cells[reader] / (double)length);
    }
}

static char *make_table(size_t *length)
{
    struct text text = {0};

    text_add(&text, "id,magnitude,place,time,updated_at,status,felt,depth_km\n");
    for (int i = 0; i < MADE_ROWS; i++)
        text_format(&text, "ci3786%04d,%d.%02d,\"%dkm W of Castaic, CA\",%lld,%s,%s,%s,%d.%d\n", i,
                    i % 7, i % 100, i % 40, 1517966773840LL + i, "2018-02-07T01:02:03.840Z",
                    i % 3 == 0 ? "reviewed" : "\"automatic\"", i % 5 == 0 ? "12" : "", i * 3 % 700,
                    i % 10);
    *length = text.length;
    return text_take(&text);
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
    size_t length = 0;
    char *body = argc > 1 ? read_file(argv[1], &length) : make_table(&length);

    if (body == NULL)
        fail("out of memory");
    measure(body, length);
    free(body);
    return 0;
}
