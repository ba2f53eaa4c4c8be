/* Several threads on one store, and readers beside it. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_rig.h"

#define BATCHES 40
#define ROWS    25

#define PATIENCE_MS (30 * 1000)

struct writer {
    struct rig *rig;
    struct feed *feed;
    pthread_t thread;
    size_t inserted;
    atomic_bool *failed;
};

/* Each batch brings a new column, so schema changes of both threads interleave. */
static void *write_batches(void *context)
{
    struct writer *w = context;

    for (int64_t n = 0; n < BATCHES; n++) {
        struct result result;
        struct batch batch = {&result, 1};
        char columns[32];

        snprintf(columns, sizeof(columns), "id,c%lld", (long long)(n % 10));
        feed_columns(w->feed, columns);
        for (int64_t i = 0; i < ROWS; i++)
            ROW(w->feed, INT(n * ROWS + i), i % 2 == 0 ? INT(n) : TEXT("x"));
        result = feed_result(w->feed);
        if (store_commit(w->rig->store, &batch, NULL) != STORE_OK)
            atomic_store(w->failed, true);
        w->inserted += result.inserted;
        w->feed->run.response.body = NULL;
        feed_clear(w->feed);
    }
    return NULL;
}

static void *checkpoint_and_register(void *context)
{
    struct writer *w = context;
    struct source_state saved;
    struct config config = {.sources = &w->feed->source, .source_count = 1};

    for (int i = 0; i < BATCHES; i++) {
        if (store_checkpoint(w->rig->store, NULL) == -1 ||
            store_register(w->rig->store, &config, &saved, NULL) == -1)
            atomic_store(w->failed, true);
    }
    return NULL;
}

static void two_threads_commit_and_a_third_checkpoints(void **state)
{
    struct rig *rig = *state;
    atomic_bool failed = false;
    struct writer writers[3] = {
        {.rig = rig, .feed = feed_create(rig, "a", WRITE_APPEND), .failed = &failed},
        {.rig = rig, .feed = feed_create(rig, "b", WRITE_UPSERT), .failed = &failed},
        {.rig = rig, .feed = feed_create(rig, "c", WRITE_APPEND), .failed = &failed},
    };

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL,
                                        i < 2 ? write_batches : checkpoint_and_register,
                                        &writers[i]),
                         0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(writers[i].thread, NULL);
    assert_false(atomic_load(&failed));
    assert_int_equal(writers[0].inserted, BATCHES * ROWS);
    assert_int_equal(writers[1].inserted, BATCHES * ROWS);
    rig_expect(rig, "SELECT count(*), count(DISTINCT id) FROM a", "1000|1000");
    rig_expect(rig, "SELECT count(*), count(DISTINCT id) FROM b", "1000|1000");
    rig_expect(rig, "SELECT count(*), max(id) FROM _gatherd_runs", "80|80");
    rig_expect_sound(rig);
    for (size_t i = 0; i < 3; i++)
        feed_free(writers[i].feed);
}

struct reading {
    struct rig *rig;
    pthread_t thread;
    atomic_bool *stop;
    atomic_uint queries;
    unsigned failures;
    unsigned wrong;
};

static int take_names(void *context, const char *const *names, size_t count)
{
    (void)context;
    (void)names;
    (void)count;
    return 0;
}

/* Each row says whether its value is what was written for its id, by type too. */
static int check_row(void *context, const struct value *values, size_t count)
{
    struct reading *r = context;

    (void)count;
    if (values[0].type != VALUE_INTEGER || values[0].integer != 1)
        r->wrong++;
    return 0;
}

static void *read_while_writing(void *context)
{
    static const char sql[] =
        "SELECT CASE WHEN id < 1000 THEN typeof(v) = 'real' AND v = id ELSE v = 'x' || id END"
        " FROM t ORDER BY id DESC LIMIT 500; SELECT count(*) % 10 = 0 FROM t";
    struct reading *r = context;
    const struct store_query_hooks hooks = {r, take_names, check_row};
    struct store_reader *reader = store_reader_open(r->rig->path, NULL);

    while (reader != NULL && !atomic_load(r->stop)) {
        r->failures += store_query(reader, sql, &hooks, NULL) != 0;
        atomic_fetch_add(&r->queries, 1);
    }
    store_reader_close(reader);
    return NULL;
}

/* The machine may be so busy that the writer would be through before the reader begins. */
static void wait_for_first_query(struct reading *reading)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(&reading->queries) == 0; i++)
        usleep(1000);
    assert_true(atomic_load(&reading->queries) > 0);
}

static void readers_see_every_value_as_it_was_while_its_column_widens(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);
    atomic_bool stop = false;
    struct reading reading = {.rig = rig, .stop = &stop};
    char texts[10][16];

    feed_columns(feed, "id,v");
    for (int i = 0; i < 10; i++)
        ROW(feed, INT(i), REAL(i));
    feed_save(rig, feed);
    assert_int_equal(pthread_create(&reading.thread, NULL, read_while_writing, &reading), 0);
    wait_for_first_query(&reading);
    for (int64_t n = 10; n < 1500; n += 10) { /* the column widens at 1000 */
        feed_columns(feed, "id,v");
        for (int64_t i = 0; i < 10; i++) {
            struct value text = {.type = VALUE_TEXT, .text = texts[i]};

            text.length =
                (uint32_t)snprintf(texts[i], sizeof(texts[i]), "x%lld", (long long)(n + i));
            ROW(feed, INT(n + i), n < 1000 ? REAL((double)(n + i)) : text);
        }
        feed_save(rig, feed);
    }
    atomic_store(&stop, true);
    pthread_join(reading.thread, NULL);
    assert_int_equal(reading.failures, 0);
    assert_int_equal(reading.wrong, 0);
    rig_expect_sound(rig);
    feed_free(feed);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(two_threads_commit_and_a_third_checkpoints),
        T(readers_see_every_value_as_it_was_while_its_column_widens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
