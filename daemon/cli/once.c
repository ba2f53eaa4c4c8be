#include "cli/once.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text_table.h"
#include "gatherd/text.h"

struct line {
    bool ran;
    bool not_modified;
    enum run_failure failure;
    char *note;    /* owned; what is to say beyond the numbers, or NULL */
    bool goes_on;  /* with incremental: the run of the next step follows */
    size_t items;  /* of a source with for_each, those that ran; the rest is of all of them */
    size_t failed; /* of them; failure and note are the first one's */
    int status;
    size_t records;
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t deleted;
    size_t filtered;
    size_t rejected;
    size_t child_rows;
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
        free(table->lines[i].note);
    pthread_mutex_destroy(&table->mutex);
    free(table);
}

/* Why the run failed, or why records were rejected; NULL: all is well, or out of memory. */
static char *make_note(const struct result *result)
{
    size_t rejected = result->total.rejected;
    size_t before;
    struct text note = {0};
    char item[RUN_ITEM_SIZE];

    if (run_item(result->run, item) != NULL) {
        text_add(&note, "item ");
        text_visible(&note, item, strlen(item));
        text_add(&note, ": ");
    }
    before = note.length;
    if (result->run->error != NULL && run_page(result->run) > 1)
        text_format(&note, "page %u: %s", run_page(result->run), result->run->error);
    else if (result->run->error != NULL)
        text_add(&note, result->run->error);
    else if (rejected > 0) {
        text_format(&note, "%zu record%s rejected", rejected, rejected == 1 ? "" : "s");
        /* Of several pages only the last one's are at hand. */
        if (result->dead_letter_count > 0 && rejected == result->rejected)
            text_format(&note, ", %s %s", rejected == 1 ? "because" : "the first because",
                        result->dead_letters[0].reason);
        text_format(&note, "; see gatherd failed list --source %s", result->run->source->name);
    }
    if (note.length == before) {
        text_free(&note);
        return NULL;
    }
    return text_take(&note);
}

static void add_numbers(struct line *line, const struct result *result)
{
    const struct run *run = result->run;

    if (run->response.status != 0)
        line->status = run->response.status;
    line->records += result->total.records;
    line->inserted += result->total.inserted;
    line->updated += result->total.updated;
    line->unchanged += result->total.unchanged;
    line->deleted += result->total.deleted;
    line->filtered += result->total.filtered;
    line->rejected += result->total.rejected;
    line->child_rows += result->total.child_rows;
    line->total_us += run->timing.total_us;
}

static void add_item(struct line *line, const struct result *result)
{
    const struct run *run = result->run;

    line->not_modified = run->not_modified && (line->items == 0 || line->not_modified);
    line->items++;
    line->failed += run->failure != RUN_OK;
    if (line->note == NULL || (line->failure == RUN_OK && run->failure != RUN_OK)) {
        free(line->note);
        line->note = make_note(result);
    }
    if (line->failure == RUN_OK)
        line->failure = run->failure;
    add_numbers(line, result);
}

/* A source with steps has several runs, one after the other: the last one says how it ended. */
static void add_run(struct line *line, const struct result *result)
{
    const struct run *run = result->run;

    free(line->note);
    if (!line->goes_on)
        *line = (struct line){.ran = true};
    line->not_modified = run->not_modified;
    line->failure = run->failure;
    line->note = make_note(result);
    line->goes_on = run->again && run->failure == RUN_OK;
    add_numbers(line, result);
}

void once_table_add(void *context, const struct result *result)
{
    struct once_table *table = context;
    const struct run *run = result->run;
    struct line *line = &table->lines[run->source->index];

    pthread_mutex_lock(&table->mutex);
    if (run->item != NULL) {
        add_item(line, result);
    } else {
        table->length += !line->goes_on;
        add_run(line, result);
    }
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
    if (line->not_modified)
        return "not modified";
    return line->rejected > 0 ? "partial" : "success";
}

static struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .length = (uint32_t)strlen(text), .text = text};
}

static struct value count_value(size_t count)
{
    return (struct value){.type = VALUE_INTEGER, .integer = (int64_t)count};
}

/* The columns of the table. */
enum cell {
    CELL_SOURCE,
    CELL_OUTCOME,
    CELL_STATUS,
    CELL_RECORDS, /* from here on nothing when the run failed, but for the time */
    CELL_INSERTED,
    CELL_UPDATED,
    CELL_UNCHANGED,
    CELL_DELETED,  /* stays away where no source deletes rows */
    CELL_FILTERED, /* ... where none has a condition */
    CELL_REJECTED, /* ... where no record was */
    CELL_MS,
    CELL_CHILD_ROWS, /* stays away where no source has children */
    CELL_COUNT,
};

struct cells {
    bool shown[CELL_COUNT];
    size_t count;
};

static bool deletes(const struct source *source)
{
    return source->mapping.write_mode == WRITE_REPLACE ||
           source->mapping.on_missing == MISSING_DELETE;
}

static bool filters(const struct mapping *mapping)
{
    bool found = mapping->where != NULL;

    for (size_t i = 0; i < mapping->child_count && !found; i++)
        found = filters(&mapping->children[i]);
    return found;
}

/* Only what may have something to say, so that the table fits a terminal of 80 columns. */
static struct cells choose_cells(const struct once_table *table)
{
    struct cells cells = {0};
    bool *shown = cells.shown;

    for (size_t i = 0; i < CELL_COUNT; i++)
        shown[i] = i < CELL_DELETED || i == CELL_MS;
    for (size_t i = 0; i < table->config->source_count; i++) {
        const struct source *source = &table->config->sources[i];
        const struct line *line = &table->lines[i];

        if (!line->ran)
            continue;
        shown[CELL_DELETED] = shown[CELL_DELETED] || deletes(source);
        shown[CELL_FILTERED] = shown[CELL_FILTERED] || filters(&source->mapping);
        shown[CELL_REJECTED] = shown[CELL_REJECTED] || line->rejected > 0;
        shown[CELL_CHILD_ROWS] = shown[CELL_CHILD_ROWS] || source->mapping.child_count > 0;
    }
    for (size_t i = 0; i < CELL_COUNT; i++)
        cells.count += cells.shown[i];
    return cells;
}

/* What did not happen stays empty: the status when no answer came, rows when the run failed. */
static void fill_cells(const struct line *line, const struct source *source,
                       struct value values[CELL_COUNT])
{
    bool nothing = line->failure != RUN_OK && line->failed == line->items;

    values[CELL_SOURCE] = text_value(source->name);
    values[CELL_OUTCOME] = text_value(outcome(line));
    values[CELL_STATUS] = count_value((size_t)line->status);
    values[CELL_RECORDS] = count_value(line->records);
    values[CELL_INSERTED] = count_value(line->inserted);
    values[CELL_UPDATED] = count_value(line->updated);
    values[CELL_UNCHANGED] = count_value(line->unchanged);
    values[CELL_DELETED] = count_value(line->deleted);
    values[CELL_FILTERED] = count_value(line->filtered);
    values[CELL_REJECTED] = count_value(line->rejected);
    values[CELL_MS] = count_value((size_t)(line->total_us / 1000));
    values[CELL_CHILD_ROWS] = count_value(line->child_rows);
    if (line->status == 0)
        values[CELL_STATUS].type = VALUE_NULL;
    for (size_t i = CELL_RECORDS; nothing && i < CELL_MS; i++)
        values[i].type = VALUE_NULL;
    if (nothing || source->mapping.child_count == 0)
        values[CELL_CHILD_ROWS].type = VALUE_NULL;
}

static int add_row(struct text_table *out, const struct line *line, const struct source *source,
                   const struct cells *cells)
{
    struct value values[CELL_COUNT];
    size_t count = 0;

    fill_cells(line, source, values);
    for (size_t i = 0; i < CELL_COUNT; i++) {
        if (cells->shown[i])
            values[count++] = values[i];
    }
    return text_table_row(out, values);
}

static void print_rows(const struct once_table *table, FILE *out)
{
    static const char *const all[CELL_COUNT] = {"source",   "outcome",  "status",    "records",
                                                "inserted", "updated",  "unchanged", "deleted",
                                                "filtered", "rejected", "ms",        "child_rows"};
    const struct cells cells = choose_cells(table);
    const char *names[CELL_COUNT];
    struct text_table *rows;
    size_t count = 0;
    int rc;

    for (size_t i = 0; i < CELL_COUNT; i++) {
        if (cells.shown[i])
            names[count++] = all[i];
    }
    rows = text_table_create(out, 0, names, cells.count);
    rc = rows == NULL ? -1 : 0;
    for (size_t i = 0; i < table->config->source_count && rc == 0; i++) {
        if (table->lines[i].ran)
            rc = add_row(rows, &table->lines[i], &table->config->sources[i], &cells);
    }
    if (rc == 0)
        rc = text_table_end(rows);
    if (rc == -1 && !ferror(out)) /* that is said when the output is flushed */
        fputs("gatherd: out of memory for the table\n", stderr);
    text_table_free(rows);
}

static bool went_wrong(const struct line *line)
{
    return line->ran && (line->failure != RUN_OK || line->rejected > 0);
}

size_t once_table_print(const struct once_table *table, FILE *out)
{
    size_t failed = 0;

    print_rows(table, out);
    for (size_t i = 0; i < table->config->source_count; i++) {
        const struct line *line = &table->lines[i];

        if (!went_wrong(line))
            continue;
        fprintf(out, "%s%s: ", failed == 0 ? "\n" : "", table->config->sources[i].name);
        if (line->failed > 0)
            fprintf(out, "%zu of %zu items failed; ", line->failed, line->items);
        fprintf(out, "%s\n", line->note == NULL ? outcome(line) : line->note);
        failed++;
    }
    return failed;
}
