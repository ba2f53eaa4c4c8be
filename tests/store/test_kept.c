/* Bodies are kept with their rows, read back in order, and go when their time is over. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/kept.h"
#include "store_rig.h"

#define BODIES                                                                                 \
    "SELECT run_id, source_id, http_status, content_type, bytes, dictionary FROM _gatherd_raw" \
    " ORDER BY id"

/* A source of that name that keeps its bodies, as a new configuration has it. */
static struct feed *keep(struct rig *rig, const char *name, int64_t keep_ms)
{
    struct feed *feed = feed_create(rig, name, WRITE_APPEND);
    struct config config = {.sources = &feed->source, .source_count = 1};
    struct source_state saved;

    feed->source.store_raw_ms = keep_ms;
    assert_int_equal(store_register(rig->store, &config, &saved, NULL), 0);
    run_state_clear(&saved.state);
    feed->run.scheduled_at_ms = 1;
    feed->run.response.status = 200;
    feed->run.response.content_type = (char *)"application/json";
    return feed;
}

static void commit_body(struct rig *rig, struct feed *feed, const char *body)
{
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_result(feed);
    feed->run.response.body = (char *)body;
    feed->run.response.body_bytes = strlen(body);
    feed_save(rig, feed);
    feed->run.response.status = 200;
}

static struct kept_reader *open_all(struct rig *rig, const char *source)
{
    struct error err = {0};
    struct kept_reader *reader = kept_open_bodies(rig->store, source, 0, INT64_MAX, &err);

    assert_string_equal(err.text, "");
    assert_non_null(reader);
    return reader;
}

static void a_body_is_kept_with_its_rows_and_comes_back_whole(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 1000000);
    struct kept_reader *reader;
    struct kept kept;

    text_add(&feed->run.response.head, "X-Total: 3\nSet-Cookie: a=b\nLink: <http://h/?k=v>\n"
                                       "X-Api-Key: k\nETag: \"1\"\n");
    commit_body(rig, feed, "[{\"a\":1}]");
    rig_expect(rig, BODIES, "1|1|200|application/json|9|NULL");
    rig_expect(rig,
               "SELECT r.fetched_at = t._fetched_at, r.run_id = t._run_id,"
               " keep_until > fetched_at FROM _gatherd_raw AS r, t",
               "1|1|1");
    reader = open_all(rig, "t");
    assert_int_equal(kept_count(reader), 1);
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_string_equal(kept.problem, "");
    assert_string_equal(kept.response.body, "[{\"a\":1}]");
    assert_int_equal(kept.response.body_bytes, 9);
    assert_string_equal(text_string(&kept.response.head), "X-Total: 3\nETag: \"1\"\n");
    assert_int_equal(kept.facts.run_id, 1);
    assert_int_equal(kept.scheduled_ms, 1);
    assert_false(kept.facts.more);
    kept_clear(&kept);
    assert_int_equal(kept_next(reader, &kept, NULL), 0);
    kept_go_back(reader);
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    kept_clear(&kept);
    kept_close(reader);
    text_free(&feed->run.response.head);
    feed_free(feed);
}

static void what_is_no_new_answer_keeps_no_body(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 1000000);

    feed->run.not_modified = true;
    commit_body(rig, feed, "[]");
    feed->run.ignored = true;
    commit_body(rig, feed, "[]");
    feed->run.ignored = false;
    feed->source.store_raw_ms = 0;
    commit_body(rig, feed, "[]");
    feed->source.store_raw_ms = 1000;
    commit_body(rig, feed, "");
    feed->run.failure = RUN_FAILED_DECODE; /* its body is for the dead letters */
    feed->run.response.body = (char *)"<html>";
    feed->run.response.body_bytes = 6;
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_expect(rig, BODIES, "");
    feed_free(feed);
}

static void a_damaged_body_is_a_problem_of_its_own(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 1000000);
    struct kept_reader *reader;
    struct kept kept;

    commit_body(rig, feed, "[1]");
    commit_body(rig, feed, "[2]");
    commit_body(rig, feed, "[3]");
    rig_exec(rig, "UPDATE _gatherd_raw SET content = x'00' WHERE id = 1;"
                  "UPDATE _gatherd_raw SET dictionary = 99 WHERE id = 2;"
                  "UPDATE _gatherd_raw SET bytes = -1 WHERE id = 3");
    reader = open_all(rig, "t");
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_string_equal(kept.problem,
                        "the body is damaged: it does not begin as compressed data does");
    kept_clear(&kept);
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_string_equal(kept.problem, "the body cannot be read: dictionary 99: it is not there");
    kept_clear(&kept);
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_string_equal(kept.problem, "the body is damaged: its size is none");
    kept_clear(&kept);
    kept_close(reader);
    feed_free(feed);
}

static void runs_are_chosen_by_the_time_of_their_first_response(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 1000000);
    struct kept_reader *reader;
    struct kept kept;
    int64_t noon;

    for (int i = 0; i < 4; i++)
        commit_body(rig, feed, "[1]");
    rig_exec(rig, "UPDATE _gatherd_raw SET fetched_at = '2026-01-01T11:59:59.000Z' WHERE id = 1;"
                  "UPDATE _gatherd_raw SET fetched_at = '2026-01-01T12:00:00.000Z' WHERE id = 2;"
                  "UPDATE _gatherd_raw SET fetched_at = '2026-01-01T13:00:00.000Z', run_id = 2,"
                  " page = 2 WHERE id = 3;"
                  "UPDATE _gatherd_raw SET fetched_at = '2026-01-01T12:30:00.000Z' WHERE id = 4");
    assert_int_equal(clock_parse("2026-01-01T12:00:00.000Z", &noon), 0);
    reader = kept_open_bodies(rig->store, "t", noon, noon + 1800 * 1000, NULL);
    assert_int_equal(kept_count(reader), 2); /* both pages of run 2 */
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_true(kept.facts.more);
    kept_clear(&kept);
    assert_int_equal(kept_next(reader, &kept, NULL), 1);
    assert_int_equal(kept.facts.page, 2);
    assert_false(kept.facts.more);
    kept_clear(&kept);
    assert_int_equal(kept_next(reader, &kept, NULL), 0);
    kept_close(reader);
    feed_free(feed);
}

static void tend(struct rig *rig)
{
    struct error err = {0};
    bool more = true;

    while (more)
        assert_int_equal(store_tend(rig->store, &more, &err), 0);
    assert_string_equal(err.text, "");
}

static void bodies_go_when_their_time_is_over_as_the_configuration_has_it_now(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 3600 * 1000);
    struct feed *gone = keep(rig, "gone", 3600 * 1000);

    for (int i = 0; i < 50; i++)
        commit_body(rig, feed, "[1]");
    commit_body(rig, gone, "[1]");
    commit_body(rig, gone, "[1]");
    rig_exec(rig, "UPDATE _gatherd_raw SET fetched_at = '2026-01-01T00:00:00.000Z'"
                  " WHERE source_id = 1 AND id <= 40;"
                  "UPDATE _gatherd_raw SET keep_until = '2026-01-01T00:00:00.000Z' WHERE id = 51");
    rig_close(rig); /* a source that is configured no more keeps what it was promised */
    rig_open(rig);
    feed_free(keep(rig, "t", 3600 * 1000));
    tend(rig);
    rig_expect(rig, "SELECT source_id, count(*), min(id) FROM _gatherd_raw GROUP BY 1",
               "1|10|41\n2|1|52");
    feed_free(feed);
    feed_free(gone);
}

static void commit_station(struct rig *rig, struct feed *feed, int i)
{
    struct text body = {0};

    text_format(&body,
                "{\"station\":\"station-%d\",\"temperature\":%d.5,\"humidity\":%d,"
                "\"observed_at\":\"2026-01-02T03:%02d:00Z\",\"quality\":\"good\"}",
                i * 7919, i % 30, 40 + i % 50, i % 60);
    commit_body(rig, feed, text_string(&body));
    text_free(&body);
}

static void after_enough_small_bodies_they_get_a_dictionary(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 3600 * 1000);
    struct kept_reader *reader;
    struct kept kept;
    size_t count = 0;

    for (int i = 0; i < 99; i++)
        commit_station(rig, feed, i);
    tend(rig);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_dictionaries", "0");
    commit_station(rig, feed, 99);
    tend(rig);
    rig_expect(rig, "SELECT source_id, samples FROM _gatherd_dictionaries", "1|75");
    for (int i = 100; i < 110; i++)
        commit_station(rig, feed, i);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_raw WHERE dictionary = 1", "10");
    rig_expect(rig,
               "SELECT (SELECT avg(length(content)) FROM _gatherd_raw WHERE dictionary = 1) * 2"
               " < (SELECT avg(length(content)) FROM _gatherd_raw WHERE dictionary IS NULL)",
               "1");
    rig_close(rig); /* and the next start goes on with it */
    rig_open(rig);
    feed_free(feed);
    feed = keep(rig, "t", 3600 * 1000);
    commit_station(rig, feed, 110);
    rig_expect(rig, "SELECT dictionary FROM _gatherd_raw WHERE id = 111", "1");
    reader = open_all(rig, "t");
    while (kept_next(reader, &kept, NULL) == 1) {
        assert_string_equal(kept.problem, "");
        assert_memory_equal(kept.response.body, "{\"station\":", 11);
        kept_clear(&kept);
        count++;
    }
    assert_int_equal(count, 111);
    kept_close(reader);
    rig_exec(rig, "DELETE FROM _gatherd_raw");
    tend(rig);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_dictionaries", "1"); /* it will be used again */
    feed_free(keep(rig, "other", 0));
    feed->source.store_raw_ms = 0;
    feed_free(keep(rig, "t", 0));
    tend(rig);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_dictionaries", "0");
    feed_free(feed);
}

static void bodies_without_anything_in_common_get_none(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 3600 * 1000);
    char noise[400];

    srand(1);
    for (int i = 0; i < 100; i++) {
        for (size_t n = 0; n < sizeof(noise) - 1; n++)
            noise[n] = (char)(33 + rand() % 90);
        noise[sizeof(noise) - 1] = '\0';
        commit_body(rig, feed, noise);
    }
    tend(rig);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_dictionaries", "0");
    feed_free(feed);
}

static void a_damaged_dictionary_costs_room_and_nothing_else(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = keep(rig, "t", 3600 * 1000);

    feed_free(feed);
    rig_exec(rig, "INSERT INTO _gatherd_dictionaries VALUES (5, 1, 'now', 1, x'00')");
    rig_close(rig);
    rig_open(rig);
    feed = keep(rig, "t", 3600 * 1000);
    commit_body(rig, feed, "[1]");
    rig_expect(rig, BODIES, "1|1|200|application/json|3|NULL");
    feed_free(feed);
}

static void letters_are_dropped_as_chosen(void **state)
{
    const int64_t ids[] = {2, 99};
    struct letter_choice choice = {.ids = ids, .id_count = 2};
    struct rig *rig = *state;
    size_t count;

    for (int i = 0; i < 5; i++)
        rig_exec(rig, "INSERT INTO _gatherd_dead_letters (source, kind, reason, hash, last_at)"
                      " SELECT iif(count(*) < 3, 'a', 'b'), 'body', 'r', count(*),"
                      " '2026-01-0' || (1 + count(*)) || 'T00:00:00.000Z'"
                      " FROM _gatherd_dead_letters");
    assert_int_equal(store_drop_letters(rig->store, &choice, &count, NULL), 0);
    assert_int_equal(count, 1);
    choice = (struct letter_choice){.source = "a"};
    assert_int_equal(clock_parse("2026-01-03T00:00:00.000Z", &choice.before_ms), 0);
    assert_int_equal(store_drop_letters(rig->store, &choice, &count, NULL), 0);
    assert_int_equal(count, 1);
    rig_expect(rig, "SELECT id FROM _gatherd_dead_letters ORDER BY id", "3\n4\n5");
    choice = (struct letter_choice){0};
    assert_int_equal(store_drop_letters(rig->store, &choice, &count, NULL), 0);
    assert_int_equal(count, 3);
}

static void a_generation_begins_with_each_other_mapping(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);
    struct config config = {.sources = &feed->source, .source_count = 1};
    const uint64_t fingerprints[] = {0, 7, 7, UINT64_MAX, 7};
    struct source_state saved;

    for (size_t i = 0; i < 5; i++) {
        feed->source.mapping_fingerprint = fingerprints[i];
        assert_int_equal(store_register(rig->store, &config, &saved, NULL), 0);
        run_state_clear(&saved.state);
    }
    rig_expect(rig, "SELECT generation, fingerprint FROM _gatherd_generations",
               "1|0\n2|7\n3|-1\n4|7");
    feed_free(feed);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_body_is_kept_with_its_rows_and_comes_back_whole),
        T(what_is_no_new_answer_keeps_no_body),
        T(a_damaged_body_is_a_problem_of_its_own),
        T(runs_are_chosen_by_the_time_of_their_first_response),
        T(bodies_go_when_their_time_is_over_as_the_configuration_has_it_now),
        T(after_enough_small_bodies_they_get_a_dictionary),
        T(bodies_without_anything_in_common_get_none),
        T(a_damaged_dictionary_costs_room_and_nothing_else),
        T(letters_are_dropped_as_chosen),
        T(a_generation_begins_with_each_other_mapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
