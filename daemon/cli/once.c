#include "cli/once.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct line {
    bool ran;
    enum run_failure failure;
    char *error; /* owned */
    int status;
    size_t records;
    size_t inserted;
    size_t updated;
    size_t rejected;
    int64_t total_us;
};

struct once_table {
    const struct config *config;
    pthread_mutex_t mutex; /* guards everything below */
    size_t length;
    struct line lines[]; /* one for each of config->sources */
};

struct once_table *once_table_create(const struct config *config)
{
    struct once_table *table =
        calloc(1, sizeof(*table) + config->source_count * sizeof(table->lines[0]));

    if (table == NULL)
        return NULL;
    table->config = config;
    pthread_mutex_init(&table->mutex, NULL);
    return table;
}

void once_table_free(struct once_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->config->source_count; i++)
        free(table->lines[i].error);
    pthread_mutex_destroy(&table->mutex);
    free(table);
}

void once_table_add(void *context, const struct result *result)
{
    struct once_table *table = context;
    const struct run *run = result->run;
    struct line *line = &table->lines[run->source->index];

    pthread_mutex_lock(&table->mutex);
    table->length++;
    free(line->error);
    *line = (struct line){
        .ran = true,
        .failure = run->failure,
        .error = run->error == NULL ? NULL : strdup(run->error),
        .status = run->response.status,
        .records = result->records,
        .inserted = result->inserted,
        .updated = result->updated,
        .rejected = result->rejected,
        .total_us = run->timing.total_us,
    };
    pthread_mutex_unlock(&table->mutex);
}

size_t once_table_length(const struct once_table *table)
{
    struct once_table *t = (struct once_table *)table; /* only to lock it */
    size_t length;

    pthread_mutex_lock(&t->mutex);
    length = t->length;
    pthread_mutex_unlock(&t->mutex);
    return length;
}

static const char *outcome(const struct line *line)
{
    if (line->failure != RUN_OK)
        return run_failure_name(line->failure);
    return line->rejected > 0 ? "partial" : "ok";
}

static void print_line(const struct line *line, const char *name, int width, FILE *out)
{
    char status[16] = "-";

    if (line->status != 0)
        snprintf(status, sizeof(status), "%d", line->status);
    fprintf(out, "%-*s  %-8s  %6s  %8zu  %8zu  %8zu  %8zu  %7" PRId64 " ms", width, name,
            outcome(line), status, line->records, line->inserted, line->updated, line->rejected,
            line->total_us / 1000);
    if (line->error != NULL)
        fprintf(out, "  %s", line->error);
    else if (line->rejected > 0)
        fputs("  see _gatherd_dead_letters", out);
    fputc('\n', out);
}

size_t once_table_print(const struct once_table *table, FILE *out)
{
    size_t failed = 0;
    size_t width = strlen("source");

    for (size_t i = 0; i < table->config->source_count; i++) {
        size_t length = strlen(table->config->sources[i].name);

        if (table->lines[i].ran && length > width)
            width = length;
    }
    fprintf(out, "%-*s  %-8s  %6s  %8s  %8s  %8s  %8s  %10s\n", (int)width, "source", "outcome",
            "status", "records", "inserted", "updated", "rejected", "time");
    for (size_t i = 0; i < table->config->source_count; i++) {
        const struct line *line = &table->lines[i];

        if (!line->ran)
            continue;
        failed += line->failure != RUN_OK || line->rejected > 0;
        print_line(line, table->config->sources[i].name, (int)width, out);
    }
    return failed;
}
