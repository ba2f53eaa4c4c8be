#include "store/retention.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/arena.h"
#include "gatherd/clock.h"
#include "gatherd/log.h"
#include "gatherd/text.h"
#include "store/names.h"
#include "store/retention_parts.h"

#define MOST_ROWS      2000 /* of one step, with their children */
#define FEW_ROWS       50   /* of the first, before it is known what they cost */
#define LOOK_EVERY     64   /* rows counted between two looks at the clock */
#define LEAST_PAUSE_MS (60 * 1000)
#define MOST_PAUSE_MS  (3600 * 1000)
#define REST           500 /* so many times as long as it took a pass is rested */
#define MOST_WAITS     60  /* then it is said */
#define INDEX_PAUSE_MS (5 * 1000)

struct retention_list {
    struct arena *arena;
    struct bounded *tables;
    size_t count;
    size_t capacity;
    size_t next;
    int64_t due_ms; /* of the first that is due */
};

/* --- The list --- */

static const char *copy_text(struct retention_list *list, const char *text)
{
    return text == NULL ? NULL : arena_copy(list->arena, text, strlen(text));
}

static const char *const *copy_names(struct retention_list *list, const char *const *names,
                                     size_t count, bool *good)
{
    const char **copy = arena_alloc(list->arena, (count + 1) * sizeof(*copy));

    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = copy_text(list, names[i]);
        *good = *good && copy[i] != NULL;
    }
    *good = *good && copy != NULL;
    return copy;
}

/* Tables, keys and links: all that leads from a row to its children. */
static const struct mapping *copy_mappings(struct retention_list *list, const struct mapping *from,
                                           size_t count)
{
    struct mapping *copy = arena_alloc(list->arena, (count + 1) * sizeof(*copy));
    bool good = copy != NULL;

    for (size_t i = 0; i < count && good; i++) {
        copy[i] = (struct mapping){.table = copy_text(list, from[i].table),
                                   .primary_key_count = from[i].primary_key_count,
                                   .write_mode = from[i].write_mode,
                                   .link_count = from[i].link_count,
                                   .child_count = from[i].child_count};
        copy[i].primary_key =
            copy_names(list, from[i].primary_key, from[i].primary_key_count, &good);
        copy[i].links = copy_names(list, from[i].links, from[i].link_count, &good);
        copy[i].children = copy_mappings(list, from[i].children, from[i].child_count);
        good = good && copy[i].table != NULL && copy[i].children != NULL;
    }
    return good ? copy : NULL;
}

static struct bounded *add(struct retention_list *list, const char *table,
                           const struct retention *bounds)
{
    size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
    struct bounded *tables = list->tables;

    if (list->count == list->capacity) {
        tables = realloc(tables, capacity * sizeof(*tables));
        if (tables == NULL)
            return NULL;
        list->tables = tables;
        list->capacity = capacity;
    }
    tables[list->count] = (struct bounded){.table = copy_text(list, table),
                                           .bounds = *bounds,
                                           .counting = bounds->rows > 0,
                                           .limit = FEW_ROWS};
    tables[list->count].bounds.column = NULL;
    return tables[list->count].table == NULL ? NULL : &tables[list->count++];
}

/* Versions of children grow old by the bounds of the table above, where they have none. */
static int add_mapping(struct retention_list *list, const struct mapping *mapping,
                       const struct retention *above)
{
    bool history = mapping->write_mode == WRITE_HISTORY;
    const struct retention *bounds =
        mapping->retention != NULL || !history ? mapping->retention : above;

    if (bounds != NULL) {
        const char *time = history                  ? COLUMN_VALID_TO
                           : bounds->column != NULL ? bounds->column
                                                    : COLUMN_FETCHED_AT;
        struct bounded *b = add(list, history ? mapping->history_table : mapping->table, bounds);

        if (b == NULL || (b->column = copy_text(list, time)) == NULL)
            return -1;
        b->mapping = copy_mappings(list, mapping, 1);
        if (b->mapping == NULL)
            return -1;
    }
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (add_mapping(list, &mapping->children[i], bounds) == -1)
            return -1;
    }
    return 0;
}

static int add_own(struct retention_list *list, const char *table, enum own own,
                   const struct retention *bounds)
{
    struct bounded *b;

    if (bounds->age_ms == 0 && bounds->rows == 0)
        return 0;
    b = add(list, table, bounds);
    if (b != NULL)
        b->own = own;
    return b == NULL ? -1 : 0;
}

struct retention_list *retention_list_create(const struct config *config)
{
    struct retention_list *list = calloc(1, sizeof(*list));
    int rc = -1;

    if (list == NULL)
        return NULL;
    list->arena = arena_create(0);
    if (list->arena != NULL) {
        rc = add_own(list, "_gatherd_runs", OWN_RUNS, &config->runs_retention);
        if (rc == 0)
            rc = add_own(list, "_gatherd_dead_letters", OWN_LETTERS, &config->letters_retention);
    }
    for (size_t i = 0; rc == 0 && i < config->source_count; i++)
        rc = add_mapping(list, &config->sources[i].mapping, NULL);
    if (rc == 0)
        return list;
    retention_list_free(list);
    return NULL;
}

void retention_list_free(struct retention_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->tables[i].time);
    free(list->tables);
    arena_free(list->arena);
    free(list);
}

/* --- Counting --- */

static int note_place(struct bounded *b, sqlite3_stmt *stmt, struct error *err)
{
    char *time = strdup(sqlite_column_string(stmt, 0));

    if (time == NULL)
        return schema_no_memory(err);
    free(b->time);
    b->time = time;
    b->rowid = sqlite3_column_int64(stmt, 1);
    return 0;
}

static void bind_place(sqlite3_stmt *stmt, const struct bounded *b)
{
    if (b->time != NULL) {
        sqlite_bind_string(stmt, 1, b->time);
        sqlite3_bind_int64(stmt, 2, b->rowid);
        return;
    }
    sqlite3_bind_zeroblob(stmt, 1, 0); /* behind every text */
    sqlite3_bind_int64(stmt, 2, INT64_MAX);
}

/* Up to the first row that is one too many, which is where the place is left. */
static int count_rows(struct bounded *b, sqlite3_stmt *stmt, int64_t start_us, struct error *err)
{
    int rc;

    bind_place(stmt, b);
    while ((rc = sqlite_step(stmt, b->table, err)) == 1) {
        b->count++;
        if (b->count > b->bounds.rows)
            break;
        if (b->count % LOOK_EVERY == 0 && clock_monotonic_us() - start_us > RETENTION_STEP_US)
            break;
    }
    if (rc == -1 || (rc == 1 && note_place(b, stmt, err) == -1))
        return -1;
    b->counting = rc == 1 && b->count <= b->bounds.rows;
    b->counted = rc == 1 && !b->counting;
    return 0;
}

/* 1, 0: the table is not ready; or -1. */
static int count_step(struct store *store, struct bounded *b, int64_t start_us, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = retention_prepare_walk(store, b, false, &stmt, err);

    if (rc == 1 && count_rows(b, stmt, start_us, err) == -1)
        rc = -1;
    sqlite3_finalize(stmt);
    return rc;
}

/* --- Passes --- */

static void begin_pass(struct bounded *b)
{
    free(b->time);
    b->time = NULL;
    b->counting = b->bounds.rows > 0;
    b->counted = false;
    b->count = 0;
    b->busy_us = b->longest_us = 0;
    b->steps = b->deleted = b->deleted_children = 0;
}

static void end_pass(struct bounded *b, int64_t now_ms, int64_t pause_ms)
{
    int64_t rest = b->busy_us / 1000 * REST;

    if (b->deleted + b->deleted_children > 0 && b->steps > 1)
        log_info("retention: rows deleted", LOG_STR("table", b->table), LOG_INT("rows", b->deleted),
                 LOG_INT("child_rows", b->deleted_children), LOG_INT("steps", b->steps),
                 LOG_INT("busy_ms", b->busy_us / 1000),
                 LOG_INT("longest_ms", b->longest_us / 1000));
    else if (b->deleted > 0)
        log_debug("retention: rows deleted", LOG_STR("table", b->table),
                  LOG_INT("rows", b->deleted), LOG_INT("child_rows", b->deleted_children));
    pause_ms = pause_ms < rest ? rest : pause_ms;
    b->due_ms = now_ms + (pause_ms < MOST_PAUSE_MS ? pause_ms : MOST_PAUSE_MS);
    begin_pass(b);
}

/* A hundredth of an age is soon enough for it. */
static int64_t pause_of(const struct bounded *b)
{
    int64_t pause = b->bounds.rows > 0 ? 0 : b->bounds.age_ms / 100;

    return pause < LEAST_PAUSE_MS ? LEAST_PAUSE_MS : pause;
}

/* As many as take half of what a step may: a commit and its disk come on top. */
static void adapt(struct bounded *b, int64_t took_us)
{
    if (took_us > RETENTION_STEP_US && b->limit > 1)
        b->limit /= 2;
    else if (took_us < RETENTION_STEP_US / 2)
        b->limit = 2 * b->limit < MOST_ROWS ? 2 * b->limit : MOST_ROWS;
}

static void note_step(struct bounded *b, int64_t took_us, bool deleting)
{
    b->busy_us += took_us;
    if (took_us > b->longest_us)
        b->longest_us = took_us;
    if (!deleting)
        return;
    b->steps++;
    adapt(b, took_us);
    log_debug("retention: a step", LOG_STR("table", b->table), LOG_INT("rows", b->deleted),
              LOG_INT("child_rows", b->deleted_children), LOG_INT("took_us", took_us));
}

static void tell_once(struct bounded *b, const char *why)
{
    if (!b->told)
        log_warning("retention cannot delete rows", LOG_STR("table", b->table),
                    LOG_STR("reason", why));
    b->told = true;
}

/* A trigger that refuses, or a table of another kind, is no reason to stop polling. */
static int fail_step(struct store *store, struct bounded *b, struct error *cause, struct error *err)
{
    int64_t now = clock_monotonic_ms();

    store_roll_back(store);
    if (cause->code == ERROR_FAILED) {
        tell_once(b, cause->text);
        end_pass(b, now, MOST_PAUSE_MS);
        return 0;
    }
    b->due_ms = now + INDEX_PAUSE_MS;
    *err = *cause;
    return -1;
}

/* It is made with the next rows that are written; a table that is not there yet waits as well. */
static void wait_for_index(struct bounded *b)
{
    int64_t now = clock_monotonic_ms();

    end_pass(b, now, 0);
    b->due_ms = now + INDEX_PAUSE_MS;
    if (++b->waits > MOST_WAITS)
        tell_once(b, "its index by time is not there; the source makes it when it writes");
}

static int step_table(struct store *store, struct bounded *b, struct error *err)
{
    int64_t start_us = clock_monotonic_us();
    struct error cause = {0};
    bool deleting = !b->counting;
    bool all = false;
    int rc = deleting ? retention_cut(store, b, start_us, &all, &cause)
                      : count_step(store, b, start_us, &cause);

    if (rc == -1)
        return fail_step(store, b, &cause, err);
    if (rc == 0) {
        wait_for_index(b);
        return 0;
    }
    b->waits = 0;
    note_step(b, clock_monotonic_us() - start_us, deleting);
    if (deleting && b->steps == 1 && !all)
        log_info("retention: deleting rows", LOG_STR("table", b->table));
    if (all || (!b->counting && !b->counted && b->bounds.age_ms == 0))
        end_pass(b, clock_monotonic_ms(), pause_of(b));
    return 0;
}

static struct bounded *next_due(struct retention_list *list, int64_t now)
{
    struct bounded *due = NULL;
    size_t first = list->next;

    if (now < list->due_ms)
        return NULL;
    list->due_ms = INT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        size_t at = (first + i) % list->count;

        if (due == NULL && list->tables[at].due_ms <= now) {
            due = &list->tables[at];
            list->next = at + 1;
        }
        if (&list->tables[at] != due && list->tables[at].due_ms < list->due_ms)
            list->due_ms = list->tables[at].due_ms;
    }
    return due;
}

int retention_step(struct store *store, bool *more, struct error *err)
{
    struct retention_list *list = store->retention;
    int64_t now = clock_monotonic_ms();
    struct bounded *b = list == NULL ? NULL : next_due(list, now);
    int rc;

    if (b == NULL)
        return 0;
    rc = step_table(store, b, err);
    if (b->due_ms < list->due_ms)
        list->due_ms = b->due_ms;
    *more = list->due_ms <= now;
    return rc;
}
