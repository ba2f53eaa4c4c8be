/* What could not become rows is kept whole, with the reason, and once. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "store_rig.h"

#define LETTERS                                                                          \
    "SELECT run_id, kind, position, line, column, reason, content_type, content, bytes," \
    " occurrences FROM _gatherd_dead_letters ORDER BY id"

static void fail_with_body(struct feed *feed, const char *body, size_t length,
                           const struct dead_letter *letter)
{
    feed->run.failure = RUN_FAILED_DECODE;
    feed->run.error = strdup("not JSON");
    feed->run.response.body = (char *)body;
    feed->run.response.body_bytes = length;
    feed->run.response.content_type = (char *)"text/html";
    feed->result.dead_letters = letter;
    feed->result.dead_letter_count = 1;
}

static void a_body_that_is_no_document_is_kept_whole(void **state)
{
    const struct dead_letter letter = {.reason = "not JSON", .line = 1, .column = 2};
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    fail_with_body(feed, "<html>", 6, &letter);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->result.rejected, 0); /* a body is no record */
    rig_expect(rig, LETTERS, "1|body|NULL|1|2|not JSON|text/html|<html>|6|1");
    rig_expect(rig, "SELECT outcome, failure, bytes, error FROM _gatherd_runs",
               "failed|decode|6|not JSON");
    rig_expect(rig, "SELECT count(*) FROM sqlite_schema WHERE name = 't'", "0");
    feed_free(feed);
}

static void the_same_letter_again_counts_up_one_row(void **state)
{
    const struct dead_letter letter = {.reason = "not JSON"};
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);
    struct feed *other = feed_create(rig, "u", WRITE_APPEND);

    for (int i = 0; i < 3; i++) {
        fail_with_body(feed, "<html>", 6, &letter);
        assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
        feed_clear(feed);
    }
    fail_with_body(other, "<html>", 6, &letter);
    assert_int_equal(feed_commit(rig, other, NULL), STORE_OK);
    fail_with_body(feed, "<HTML>", 6, &letter);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_expect(rig,
               "SELECT source, run_id, content, occurrences, first_at <= last_at, length(hash)"
               " FROM _gatherd_dead_letters ORDER BY id",
               "t|3|<html>|3|1|32\nu|4|<html>|1|1|32\nt|5|<HTML>|1|1|32");
    feed_free(feed);
    feed_free(other);
}

static void a_body_that_is_no_text_is_kept_as_a_blob(void **state)
{
    const struct dead_letter letter = {.reason = "not UTF-8"};
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    fail_with_body(feed, "a\xff\0b", 4, &letter);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_expect(rig, "SELECT typeof(content), hex(content), bytes FROM _gatherd_dead_letters",
               "blob|61FF0062|4");
    feed_free(feed);
}

static void an_empty_body_and_a_body_with_nul_bytes_are_text(void **state)
{
    const struct dead_letter letter = {.reason = "not JSON"};
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);

    fail_with_body(feed, "", 0, &letter);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    feed_clear(feed);
    fail_with_body(feed, "a\0b", 3, &letter);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_expect(rig,
               "SELECT typeof(content), hex(content), bytes FROM _gatherd_dead_letters ORDER BY id",
               "text||0\ntext|610062|3");
    feed_free(feed);
}

static void records_that_the_processor_refused_are_written_as_it_says(void **state)
{
    struct rig *rig = *state;
    struct feed *feed = feed_create(rig, "t", WRITE_APPEND);
    struct node record = {.type = NODE_OBJECT, .span = 1, .raw_length = 7, .raw = "{\"a\":1}"};
    const struct dead_letter letters[] = {
        {&record, 4, NULL, NULL, 7, 3, "field \"n\": \"x\" is not an integer"},
        {&record, 5, "others", NULL, 0, 0, "field \"n\" is missing"},
    };

    record.text = record.raw;
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed->result.dead_letters = letters;
    feed->result.dead_letter_count = 2;
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    assert_int_equal(feed->result.inserted, 1);
    assert_int_equal(feed->result.rejected, 2);
    rig_expect(
        rig, LETTERS,
        "1|record|4|7|3|field \"n\": \"x\" is not an integer|application/json|{\"a\":1}|7|1\n"
        "1|child|5|NULL|NULL|field \"n\" is missing|application/json|{\"a\":1}|7|1");
    rig_expect(rig, "SELECT table_name FROM _gatherd_dead_letters ORDER BY id", "t\nothers");
    rig_expect(rig, "SELECT outcome FROM _gatherd_runs", "partial");
    feed_free(feed);
}

/* Commits a record for each of `nodes`, which stand in `body`; the table refuses them all. */
static void refuse_records(struct rig *rig, const char *body, struct node *nodes, size_t count)
{
    struct feed *feed = feed_create(rig, "t", WRITE_UPSERT);
    struct result result;
    struct batch batch = {&result, 1};

    feed_columns(feed, "id");
    for (size_t i = 0; i < count; i++)
        ROW(feed, NUL);
    result = feed_result(feed);
    result.body = body;
    for (size_t i = 0; i < count; i++) {
        nodes[i].text = nodes[i].raw;
        feed->rows[i].record = &nodes[i];
    }
    assert_int_equal(store_commit(rig->store, &batch, NULL), STORE_OK);
    feed->run.response.body = NULL;
    feed_free(feed);
}

static void positions_count_lines_and_characters_whatever_the_order(void **state)
{
    static const char body[] = "[{\"é\":1},\n {\"b\":2}, {\"c\":3}]";
    struct rig *rig = *state;
    struct node nodes[3] = {
        {.type = NODE_OBJECT, .span = 1, .raw = body + 21, .raw_length = 7},
        {.type = NODE_OBJECT, .span = 1, .raw = body + 1, .raw_length = 8},
        {.type = NODE_OBJECT, .span = 1, .raw = body + 12, .raw_length = 7},
    };

    refuse_records(rig, body, nodes, 3);
    rig_expect(rig, "SELECT content, line, column FROM _gatherd_dead_letters ORDER BY id",
               "{\"c\":3}|2|11\n{\"é\":1}|1|2\n{\"b\":2}|2|2");
}

static void a_byte_order_mark_is_no_character_of_the_first_line(void **state)
{
    static const char body[] = "\xef\xbb\xbf[{\"a\":1}]";
    struct rig *rig = *state;
    struct node node = {.type = NODE_OBJECT, .span = 1, .raw = body + 4, .raw_length = 7};

    refuse_records(rig, body, &node, 1);
    rig_expect(rig, "SELECT content, line, column FROM _gatherd_dead_letters", "{\"a\":1}|1|2");
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_body_that_is_no_document_is_kept_whole),
        T(the_same_letter_again_counts_up_one_row),
        T(a_body_that_is_no_text_is_kept_as_a_blob),
        T(an_empty_body_and_a_body_with_nul_bytes_are_text),
        T(records_that_the_processor_refused_are_written_as_it_says),
        T(positions_count_lines_and_characters_whatever_the_order),
        T(a_byte_order_mark_is_no_character_of_the_first_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
