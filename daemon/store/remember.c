/* What sources remember: read at the start, changed on request; and the items of for_each. */
#include <stdlib.h>

#include "store/item_list.h"
#include "store/parts.h"
#include "store/unfinished.h"
#include "store/views.h"
#include "store/walk.h"

/* A cursor without `incremental` waits until there is one again. */
static int load_position(struct store *store, const struct source *source,
                         struct source_state *saved, struct error *err)
{
    if (source->incremental == NULL)
        return 0;
    return positions_load(&store->positions, saved->id, &saved->state.position, err);
}

static int register_sources(struct store *store, const struct config *config,
                            struct source_state *states, struct error *err)
{
    struct moment moment;

    if (store_begin(store, err) == -1)
        return -1;
    store_read_clocks(&moment);
    for (size_t i = 0; i < config->source_count; i++) {
        const struct source *source = &config->sources[i];
        struct source_state *saved = &states[i];

        saved->state = (struct run_state){0};
        if (state_register(&store->state, source, moment.text, saved, err) == -1 ||
            validators_load(&store->validators, source, saved->id, &saved->state.validators, err) ==
                -1 ||
            load_position(store, source, saved, err) == -1 ||
            generations_register(&store->generations, source, moment.text, err) == -1)
            return -1;
    }
    if (views_fit(store->db, config, &moment, err) == -1 ||
        raw_configure(&store->raw, store->db, config, states, err) == -1)
        return -1;
    store->expire_at_ms = 0; /* the ages may be other ones */
    return store_end(store, err);
}

int store_register(struct store *store, const struct config *config, struct source_state *states,
                   struct error *err)
{
    struct error cause = {0};
    int rc;

    struct retention_list *retention = retention_list_create(config);

    if (retention == NULL) {
        error_set(err, ERROR_NOMEM, "%s: out of memory", store->path);
        return -1;
    }
    pthread_mutex_lock(&store->mutex);
    rc = register_sources(store, config, states, &cause);
    if (rc == -1) {
        store_roll_back(store);
    } else {
        retention_list_free(store->retention);
        store->retention = retention;
        retention = NULL;
    }
    /* Every page of the schema and of the sources was read, and most are not needed again soon. */
    sqlite3_db_release_memory(store->db);
    pthread_mutex_unlock(&store->mutex);
    retention_list_free(retention);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

int store_interrupt(struct store *store, int64_t run_id, const char *why, struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = unfinished_end(store->db, run_id, why, &cause);
    if (rc == 0)
        rc = walk_forget(store->db, run_id, &cause);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

static int read_source_id(struct store *store, const char *source, int64_t *id, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc =
        sqlite_prepare(store->db, "SELECT id FROM _gatherd_sources WHERE name = ?", &stmt, err);

    if (rc == 0) {
        sqlite_bind_string(stmt, 1, source);
        rc = sqlite_step(stmt, "_gatherd_sources", err);
    }
    if (rc == 1)
        *id = sqlite3_column_int64(stmt, 0);
    else if (rc == 0)
        error_set(err, ERROR_UNAVAILABLE, "source \"%s\" has not been polled yet", source);
    sqlite3_finalize(stmt);
    return rc == 1 ? 0 : -1;
}

int store_source_id(struct store *store, const char *source, int64_t *id, struct error *err)
{
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = read_source_id(store, source, id, err);
    pthread_mutex_unlock(&store->mutex);
    return rc;
}

/* What somebody says of the state of a source: with `forget` the validators go too. */
static int write_state(struct store *store, int64_t source_id, const char *cursor, bool forget,
                       struct error *err)
{
    if (store_begin(store, err) == -1 ||
        positions_set(&store->positions, source_id, cursor, err) == -1)
        return -1;
    if (forget && validators_forget(&store->validators, source_id, NULL, err) == -1)
        return -1;
    return store_end(store, err);
}

static int change_state(struct store *store, int64_t source_id, const char *cursor, bool forget,
                        struct error *err)
{
    struct error cause = {0};
    int rc;

    pthread_mutex_lock(&store->mutex);
    rc = write_state(store, source_id, cursor, forget, &cause);
    if (rc == -1)
        store_roll_back(store);
    pthread_mutex_unlock(&store->mutex);
    if (rc == -1)
        error_set(err, cause.code, "%s: %s", store->path, cause.text);
    return rc;
}

int store_set_cursor(struct store *store, int64_t source_id, const char *cursor, struct error *err)
{
    return change_state(store, source_id, cursor, false, err);
}

int store_forget_state(struct store *store, int64_t source_id, struct error *err)
{
    return change_state(store, source_id, NULL, true, err);
}

/* --- Items --- */

static struct items *list_items(sqlite3 *db, const struct source *source, void (*alive)(void *),
                                void *context, struct error *err)
{
    struct items *values = source->for_each->values;

    return values != NULL ? items_ref(values) : item_list_read(db, source, alive, context, err);
}

static struct found_items *find_items(sqlite3 *db, const struct source *source, int64_t source_id,
                                      void (*alive)(void *), void *context, struct error *err)
{
    struct found_items *found = calloc(1, sizeof(*found));

    if (found == NULL) {
        error_set(err, ERROR_NOMEM, "for_each: out of memory");
        return NULL;
    }
    found->items = list_items(db, source, alive, context, err);
    if (found->items != NULL && item_state_load(db, source, source_id, found, err) == 0)
        return found;
    found_items_free(found);
    return NULL;
}

struct found_items *store_find_items(const struct store *store, const struct source *source,
                                     int64_t source_id, void (*alive)(void *), void *context,
                                     struct error *err)
{
    struct found_items *found;
    sqlite3 *db;

    if (sqlite_open_reader(store->path, &db, err) == -1)
        return NULL;
    found = find_items(db, source, source_id, alive, context, err);
    sqlite3_close(db);
    return found;
}
