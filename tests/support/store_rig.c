#include "store_rig.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "gatherd/clock.h"
#include "gatherd/text.h"

/* --- The rig --- */

struct rig *rig_make(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    const char *base = getenv("TMPDIR");

    assert_non_null(rig);
    snprintf(rig->folder, sizeof(rig->folder), "%s/gatherd-XXXXXX",
             base == NULL || strlen(base) > 40 ? "/tmp" : base);
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/test.db", rig->folder);
    return rig;
}

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[512];

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

void rig_free(struct rig *rig)
{
    if (rig == NULL)
        return;
    rig_close(rig);
    remove_folder(rig->folder);
    free(rig);
}

void rig_open(struct rig *rig)
{
    const struct store_options options = {SYNCHRONOUS_NORMAL};
    struct error err = {0};

    rig->store = store_open(rig->path, &options, &err);
    assert_string_equal(err.text, "");
    assert_non_null(rig->store);
}

void rig_close(struct rig *rig)
{
    store_close(rig->store);
    rig->store = NULL;
}

int rig_setup(void **state)
{
    struct rig *rig = rig_make();

    rig_open(rig);
    *state = rig;
    return 0;
}

int rig_teardown(void **state)
{
    rig_free(*state);
    return 0;
}

static sqlite3 *open_database(const struct rig *rig)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    /* As the manual asks of everybody but the daemon: the bug of two checkpoints at one instant. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    sqlite3_wal_autocheckpoint(db, 0);
    sqlite3_busy_timeout(db, 10000);
    return db;
}

void rig_exec(const struct rig *rig, const char *sql)
{
    sqlite3 *db = open_database(rig);
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void add_value(struct text *out, sqlite3_stmt *stmt, int i)
{
    if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
        text_add(out, "NULL");
    else
        text_append(out, sqlite3_column_blob(stmt, i), (size_t)sqlite3_column_bytes(stmt, i));
}

char *rig_query(const struct rig *rig, const char *sql)
{
    sqlite3 *db = open_database(rig);
    struct text out = {0};
    sqlite3_stmt *stmt;
    int rc;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (out.length > 0)
            text_char(&out, '\n');
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            if (i > 0)
                text_char(&out, '|');
            sqlite3_column_text(stmt, i); /* numbers as text */
            add_value(&out, stmt, i);
        }
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return text_take(&out);
}

void rig_expect(const struct rig *rig, const char *sql, const char *expected)
{
    char *got = rig_query(rig, sql);

    if (strcmp(got, expected) != 0)
        fail_msg("%s\n gave:\n%s\n not:\n%s", sql, got, expected);
    free(got);
}

void rig_expect_sound(const struct rig *rig)
{
    rig_expect(rig, "PRAGMA integrity_check", "ok");
    rig_expect(rig,
               "SELECT table_name, column_name FROM _gatherd_columns AS c WHERE NOT EXISTS"
               " (SELECT 1 FROM pragma_table_info(c.table_name) WHERE name = c.column_name)",
               "");
}

/* --- Feeds --- */

/* Tests say how many there are; nothing is extracted here that would ask for more. */
static const struct field fields[16];

struct feed *feed_create(struct rig *rig, const char *name, enum write_mode mode)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    struct config config = {.sources = NULL, .source_count = 1};
    struct source_state saved;
    struct error err = {0};

    assert_non_null(feed);
    feed->source = (struct source){
        .name = name,
        .url = "http://example.org/feed",
        .mapping = {.table = name, .write_mode = mode, .primary_key = feed->key, .fields = fields}};
    feed->run.source = &feed->source;
    feed->run.source_id = 1;
    if (rig->store != NULL) {
        config.sources = &feed->source;
        assert_int_equal(store_register(rig->store, &config, &saved, &err), 0);
        feed->run.source_id = saved.id;
        feed->run.state = saved.state;
    }
    if (mode != WRITE_APPEND)
        feed_key(feed, "id");
    return feed;
}

static void free_keys(struct feed *feed)
{
    for (size_t i = 0; i < feed->source.mapping.primary_key_count; i++)
        free((char *)feed->key[i]);
    feed->source.mapping.primary_key_count = 0;
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    feed_clear(feed);
    run_state_clear(&feed->run.state);
    free_keys(feed);
    free(feed->columns);
    free(feed->rows);
    free(feed->values);
    free(feed->nodes);
    free(feed->offsets);
    text_free(&feed->body);
    free(feed);
}

void feed_key(struct feed *feed, const char *names)
{
    char *copy = strdup(names);
    char *rest = copy;

    free_keys(feed);
    for (char *name; (name = strsep(&rest, ",")) != NULL && *name != '\0';)
        feed->key[feed->source.mapping.primary_key_count++] = strdup(name);
    free(copy);
}

void feed_clear(struct feed *feed)
{
    for (size_t i = 0; i < feed->result.rows.row_count; i++)
        free(feed->values[i]);
    for (size_t i = 0; i < feed->result.rows.column_count; i++)
        free((char *)feed->columns[i].name.data);
    feed->result = (struct result){.run = &feed->run};
    free(feed->run.error);
    feed->run.error = NULL;
    feed->run.failure = RUN_OK;
    validators_free(feed->run.learned);
    feed->run.learned = NULL;
    feed->run.not_modified = false;
    text_clear(&feed->body);
}

void feed_column(struct feed *feed, const char *name, enum field_type type)
{
    size_t n = feed->result.rows.column_count++;

    feed->result.run = &feed->run;
    feed->columns = realloc(feed->columns, (n + 1) * sizeof(feed->columns[0]));
    assert_non_null(feed->columns);
    feed->columns[n] = (struct column){.name = {strdup(name), strlen(name)}, .type = type};
}

void feed_columns(struct feed *feed, const char *names)
{
    char *copy = strdup(names);
    char *rest = copy;

    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        feed_column(feed, name, FIELD_UNDECLARED);
    free(copy);
}

static void grow(struct feed *feed)
{
    feed->capacity = feed->capacity == 0 ? 16 : feed->capacity * 2;
    feed->rows = realloc(feed->rows, feed->capacity * sizeof(feed->rows[0]));
    feed->values = realloc(feed->values, feed->capacity * sizeof(feed->values[0]));
    feed->nodes = realloc(feed->nodes, feed->capacity * sizeof(feed->nodes[0]));
    feed->offsets = realloc(feed->offsets, feed->capacity * sizeof(feed->offsets[0]));
    assert_true(feed->rows != NULL && feed->values != NULL && feed->nodes != NULL &&
                feed->offsets != NULL);
}

void feed_row(struct feed *feed, size_t count, const struct value *values)
{
    size_t n = feed->result.rows.row_count++;
    size_t start = feed->body.length;

    assert_true(count <= feed->result.rows.column_count);
    feed->result.run = &feed->run;
    if (n == feed->capacity)
        grow(feed);
    feed->values[n] = malloc((count + 1) * sizeof(*values));
    assert_non_null(feed->values[n]);
    if (count > 0)
        memcpy(feed->values[n], values, count * sizeof(*values));
    for (size_t i = 0; i < count; i++)
        feed->columns[i].seen |= 1u << values[i].type;
    for (size_t i = count; i < feed->result.rows.column_count; i++)
        feed->columns[i].seen |= 1u << VALUE_NULL;
    text_format(&feed->body, "{\"row\":%zu}", n);
    feed->offsets[n] = start;
    feed->nodes[n] = (struct node){.type = NODE_OBJECT,
                                   .length = 1,
                                   .span = 1,
                                   .raw_length = (uint32_t)(feed->body.length - start)};
    feed->rows[n] = (struct row){.count = count, .position = n};
    text_char(&feed->body, '\n');
}

struct result feed_result(struct feed *feed)
{
    struct row_set *set = &feed->result.rows;

    feed->result.run = &feed->run;
    if (feed->run.response.body == NULL) {
        feed->run.response.body = feed->body.data;
        feed->run.response.body_bytes = feed->body.length;
    }
    feed->result.body = feed->run.response.body;
    for (size_t i = 0; i < set->row_count; i++) {
        feed->nodes[i].text = feed->nodes[i].raw = feed->body.data + feed->offsets[i];
        feed->rows[i].values = feed->values[i];
        feed->rows[i].record = &feed->nodes[i];
    }
    set->columns = feed->columns;
    set->rows = feed->rows;
    feed->result.records = set->row_count;
    return feed->result;
}

enum store_status feed_commit(struct rig *rig, struct feed *feed, struct error *err)
{
    struct result result = feed_result(feed);
    struct batch batch = {&result, 1};
    enum store_status status = store_commit(rig->store, &batch, err);

    feed->result = result;
    feed->run.response.body = NULL;
    return status;
}

void feed_save(struct rig *rig, struct feed *feed)
{
    struct error err = {0};

    assert_int_equal(feed_commit(rig, feed, &err), STORE_OK);
    assert_string_equal(err.text, "");
    assert_string_equal(feed->run.error == NULL ? "" : feed->run.error, "");
    assert_int_equal(feed->run.failure, RUN_OK);
    feed_clear(feed);
}
