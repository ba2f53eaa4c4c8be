/* skip_unchanged: a body that is the same as the last committed one is not read. */
#include "test.h"

#include "processing.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct processing *p = processing_create();

    p->source.skip_unchanged = true;
    p->source.answer_fingerprint = 7;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    processing_free(*state);
    return 0;
}

/* What the store does after the commit. */
static void commit(struct processing *p)
{
    validators_free(p->run.state.validators);
    p->run.state.validators = p->run.learned;
    p->run.learned = NULL;
}

static void expect_read(struct processing *p)
{
    assert_false(p->run.not_modified);
    assert_int_equal(p->result.records, 1);
}

static void expect_skipped(struct processing *p)
{
    assert_true(p->run.not_modified);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.records, 0);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.rows.column_count, 0);
    assert_int_equal(p->result.dead_letter_count, 0);
}

static void the_first_body_is_read_and_its_hash_learned(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    expect_read(p);
    assert_non_null(p->run.learned);
    assert_true(p->run.learned->has_body_hash);
    assert_int_equal(p->run.learned->fingerprint, 7);
}

static void the_same_body_again_is_skipped(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    commit(p);
    processing_run(p, NULL, "[{\"a\":1}]");
    expect_skipped(p);
    assert_true(validators_same(p->run.learned, p->run.state.validators));
}

static void another_body_is_read(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    commit(p);
    processing_run(p, NULL, "[{\"a\":2}]");
    expect_read(p);
}

static void a_body_that_was_not_committed_is_read_again(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    processing_run(p, NULL, "[{\"a\":1}]");
    expect_read(p);
}

static void the_same_body_is_read_where_other_rows_would_be_made_of_it(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    commit(p);
    p->source.answer_fingerprint = 8;
    processing_run(p, NULL, "[{\"a\":1}]");
    expect_read(p);
    assert_int_equal(p->run.learned->fingerprint, 8);
}

static void without_skip_unchanged_every_body_is_read(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1}]");
    commit(p);
    p->source.skip_unchanged = false;
    processing_run(p, NULL, "[{\"a\":1}]");
    expect_read(p);
    assert_null(p->run.learned);
}

static void a_body_that_cannot_be_read_is_not_skipped_the_next_time(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_false(p->run.not_modified);
}

static void a_304_is_no_rows_and_no_body(void **state)
{
    struct processing *p = *state;

    p->run.response.status = 304;
    p->run.not_modified = true;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    expect_skipped(p);
    assert_null(p->run.learned);
}

/* Pages. An answer's own validators stand here for whatever was learned. */

static struct pagination link_header = {.type = PAGINATION_LINK_HEADER, .max_pages = 10};

/* The first page: two records, with this header. */
static void run_page_of_two(struct processing *p, struct pagination *pagination, const char *head)
{
    static const char body[] = "[{\"a\":1},{\"a\":2}]";

    run_clear_response(&p->run);
    p->source.pagination = pagination;
    pages_free(p->run.pages);
    p->run.pages = pages_create(pagination);
    p->run.response.status = 200;
    p->run.response.body = strdup(body);
    p->run.response.body_bytes = strlen(body);
    text_add(&p->run.response.head, head);
    p->run.learned = validators_create(slice_of("\"a\""), slice_of(NULL));
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.records, 2);
}

static void end_pages(struct processing *p)
{
    pages_free(p->run.pages);
    p->run.pages = NULL;
    p->source.pagination = NULL;
}

static void the_first_of_several_pages_is_not_remembered(void **state)
{
    struct processing *p = *state;

    run_page_of_two(p, &link_header, "Link: </?2>; rel=\"next\"\n");
    assert_true(p->result.more);
    assert_null(p->run.learned);
    end_pages(p);
}

static void a_single_page_that_has_room_is_remembered(void **state)
{
    struct pagination roomy = link_header;
    struct processing *p = *state;

    roomy.limit = 3;
    run_page_of_two(p, &roomy, "");
    assert_false(p->result.more);
    assert_non_null(p->run.learned);
    assert_true(p->run.learned->has_body_hash);
    end_pages(p);
}

static void a_page_that_may_be_full_is_not_remembered_where_links_are_in_the_head(void **state)
{
    struct pagination full = link_header;
    struct processing *p = *state;

    run_page_of_two(p, &link_header, "");
    assert_null(p->run.learned);
    full.limit = 2;
    run_page_of_two(p, &full, "");
    assert_null(p->run.learned);
    end_pages(p);
}

static void a_single_page_whose_body_would_tell_of_others_is_remembered(void **state)
{
    struct pagination cursor = {.type = PAGINATION_CURSOR, .max_pages = 10};
    struct processing *p = *state;
    size_t column;

    cursor.cursor_path = jsonpath_compile("$.next", &column, NULL);
    run_page_of_two(p, &cursor, "");
    assert_false(p->result.more);
    assert_non_null(p->run.learned);
    end_pages(p);
    jsonpath_free(cursor.cursor_path);
}

static void later_pages_are_read_and_not_remembered(void **state)
{
    struct processing *p = *state;

    link_header.limit = 3;
    run_page_of_two(p, &link_header, "Link: </?2>; rel=\"next\"\n");
    pages_advance(p->run.pages);
    run_clear_response(&p->run);
    p->run.response.status = 200;
    p->run.response.body = strdup("[{\"a\":3}]");
    p->run.response.body_bytes = 9;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_false(p->result.more);
    assert_null(p->run.learned);
    link_header.limit = 0;
    end_pages(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_body_is_read_and_its_hash_learned),
        TEST(the_same_body_again_is_skipped),
        TEST(another_body_is_read),
        TEST(a_body_that_was_not_committed_is_read_again),
        TEST(the_same_body_is_read_where_other_rows_would_be_made_of_it),
        TEST(without_skip_unchanged_every_body_is_read),
        TEST(a_body_that_cannot_be_read_is_not_skipped_the_next_time),
        TEST(a_304_is_no_rows_and_no_body),
        TEST(the_first_of_several_pages_is_not_remembered),
        TEST(a_single_page_that_has_room_is_remembered),
        TEST(a_page_that_may_be_full_is_not_remembered_where_links_are_in_the_head),
        TEST(a_single_page_whose_body_would_tell_of_others_is_remembered),
        TEST(later_pages_are_read_and_not_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
