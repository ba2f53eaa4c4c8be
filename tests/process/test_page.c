/* What follows a page: through process_response(), so that records and failures are the real ones.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processing.h"

#define MOST_PATHS 5

struct fixture {
    struct processing *p;
    struct pagination pagination;
    struct jsonpath *paths[MOST_PATHS]; /* owned */
    size_t path_count;
};

static struct jsonpath *path(struct fixture *f, const char *text)
{
    struct jsonpath *compiled = jsonpath_compile(text, &(size_t){0}, NULL);

    assert_non_null(compiled);
    f->paths[f->path_count++] = compiled;
    return compiled;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->p = processing_create();
    f->p->source.pagination = &f->pagination;
    f->pagination.max_pages = 100;
    f->pagination.base_page = 1;
    processing_records(f->p, "$.items");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pages_free(f->p->run.pages);
    processing_free(f->p);
    for (size_t i = 0; i < f->path_count; i++)
        jsonpath_free(f->paths[i]);
    free(f);
    return 0;
}

static void begin(struct fixture *f, enum pagination_type type)
{
    f->pagination.type = type;
    f->pagination.stop_after_empty_page = type == PAGINATION_PAGE || type == PAGINATION_OFFSET;
    f->p->run.pages = pages_create(&f->pagination);
    assert_non_null(f->p->run.pages);
}

static void begin_cursor(struct fixture *f)
{
    begin(f, PAGINATION_CURSOR);
    f->pagination.cursor_path = path(f, "$.next");
}

/* The next answer of the run, with this header (NULL: none). The run goes on to it first. */
static void answer_with(struct fixture *f, const char *header, const char *body)
{
    struct run *run = &f->p->run;

    if (run->pages->more) {
        pages_advance(run->pages);
        run->pages->request.low = run->pages->text != NULL
                                      ? hash_bytes(run->pages->text, strlen(run->pages->text))
                                      : (uint64_t)run->pages->position;
    }
    run_clear_response(run);
    arena_reset(f->p->arena);
    run->response.status = 200;
    run->response.body = strdup(body);
    run->response.body_bytes = strlen(body);
    if (header != NULL)
        text_add(&run->response.head, header);
    assert_int_equal(process_response(run, f->p->arena, NULL, &f->p->result), 0);
    run->pages->tally.records += f->p->result.records;
}

static void answer(struct fixture *f, const char *body)
{
    answer_with(f, NULL, body);
}

static void expect_text(struct fixture *f, const char *text)
{
    assert_null(f->p->run.error);
    assert_true(f->p->result.more);
    assert_true(f->p->run.pages->more);
    assert_string_equal(f->p->run.pages->next_text, text);
}

static void expect_position(struct fixture *f, int64_t position)
{
    assert_null(f->p->run.error);
    assert_true(f->p->result.more);
    assert_int_equal(f->p->run.pages->next_position, position);
}

static void expect_last(struct fixture *f)
{
    assert_null(f->p->run.error);
    assert_false(f->p->result.more);
    assert_false(f->p->run.pages->more);
}

/* The page fails, none of its rows is used, and its body is kept. */
static void expect_broken(struct fixture *f, const char *reason)
{
    assert_int_equal(f->p->run.failure, RUN_FAILED_PAGES);
    assert_string_equal(f->p->run.error, reason);
    assert_false(f->p->result.more);
    assert_int_equal(f->p->result.rows.row_count, 0);
    assert_int_equal(f->p->result.dead_letter_count, 1);
    assert_null(f->p->result.dead_letters[0].record);
}

/* --- Link --- */

static void the_link_header_leads_on_until_there_is_none(void **state)
{
    begin(*state, PAGINATION_LINK_HEADER);
    answer_with(*state, "Link: <?page=2>; rel=\"next\"\n", "{\"items\":[1]}");
    expect_text(*state, "?page=2");
    answer_with(*state, "Link: <?page=1>; rel=\"prev\"\n", "{\"items\":[2]}");
    expect_last(*state);
}

static void several_link_headers_are_one(void **state)
{
    begin(*state, PAGINATION_LINK_HEADER);
    answer_with(*state, "Link: <a>; rel=\"prev\"\nX: y\nlink: <b>; rel=\"next\"\n",
                "{\"items\":[1]}");
    expect_text(*state, "b");
}

static void a_link_is_followed_from_an_empty_page(void **state)
{
    begin(*state, PAGINATION_LINK_HEADER);
    answer_with(*state, "Link: <b>; rel=\"next\"\n", "{\"items\":[]}");
    expect_text(*state, "b");
}

static void an_empty_page_ends_the_run_where_that_is_asked_for(void **state)
{
    struct fixture *f = *state;

    begin(f, PAGINATION_LINK_HEADER);
    f->pagination.stop_after_empty_page = true;
    answer_with(f, "Link: <b>; rel=\"next\"\n", "{\"items\":[]}");
    expect_last(f);
}

static void a_broken_link_header_fails_the_page(void **state)
{
    begin(*state, PAGINATION_LINK_HEADER);
    answer_with(*state, "Link: <a\n", "{\"items\":[1]}");
    expect_broken(*state, "the Link header is broken: a link's \"<\" has no \">\"");
}

static void a_link_longer_than_64_KiB_fails_the_page(void **state)
{
    struct text header = {0};

    begin(*state, PAGINATION_LINK_HEADER);
    text_add(&header, "Link: <");
    for (int i = 0; i < 65537; i++)
        text_char(&header, 'x');
    text_add(&header, ">; rel=next\n");
    answer_with(*state, text_string(&header), "{\"items\":[1]}");
    expect_broken(*state,
                  "the link to the next page has 65537 bytes; more than 65536 are not sent back");
    text_free(&header);
}

/* --- Next URL --- */

static void the_next_url_leads_on_until_there_is_none(void **state)
{
    static const char *const ends[] = {"{\"items\":[]}", "{\"items\":[],\"next\":null}",
                                       "{\"items\":[],\"next\":\"\"}",
                                       "{\"items\":[],\"next\":false}"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        pages_free(f->p->run.pages);
        begin(f, PAGINATION_NEXT_URL);
        if (f->pagination.next_url_path == NULL)
            f->pagination.next_url_path = path(f, "$.next");
        answer(f, "{\"items\":[],\"next\":\"/p/2?a=\\u00e9\"}");
        expect_text(f, "/p/2?a=\xc3\xa9");
        answer(f, ends[i]);
        expect_last(f);
    }
}

static void a_next_url_that_is_no_text_fails_the_page(void **state)
{
    struct fixture *f = *state;

    begin(f, PAGINATION_NEXT_URL);
    f->pagination.next_url_path = path(f, "$.next");
    answer(f, "{\"items\":[],\"next\":{\"href\":\"x\"}}");
    expect_broken(f, "next_url_path selects an object, where a URL was expected");
}

/* --- Cursor --- */

static void a_cursor_is_a_string_or_a_number_as_it_came(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":\"a b\"}");
    expect_text(*state, "a b");
    answer(*state, "{\"items\":[2],\"next\":12345678901234567890123}");
    expect_text(*state, "12345678901234567890123");
    answer(*state, "{\"items\":[3],\"next\":null}");
    expect_last(*state);
}

static void a_cursor_of_another_kind_fails_the_page(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":[1]}");
    expect_broken(*state, "cursor_path selects an array, where a string or a number was expected");
}

static void a_cursor_with_a_nul_character_fails_the_page(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":\"a\\u0000b\"}");
    expect_broken(*state, "the cursor holds a NUL character");
}

static void has_more_false_ends_the_run_although_there_is_a_cursor(void **state)
{
    struct fixture *f = *state;

    begin_cursor(f);
    f->pagination.has_more_path = path(f, "$.more");
    answer(f, "{\"items\":[1],\"next\":\"x\",\"more\":true}");
    expect_text(f, "x");
    answer(f, "{\"items\":[2],\"next\":\"y\",\"more\":false}");
    expect_last(f);
}

static void has_more_true_without_a_cursor_fails_the_page(void **state)
{
    struct fixture *f = *state;

    begin_cursor(f);
    f->pagination.has_more_path = path(f, "$.more");
    answer(f, "{\"items\":[1],\"more\":true}");
    expect_broken(f, "has_more_path says that pages follow, but cursor_path selects nothing");
}

static void the_last_record_may_hold_the_cursor(void **state)
{
    struct fixture *f = *state;

    begin(f, PAGINATION_CURSOR);
    f->pagination.cursor_path = path(f, "$.items[-1].id");
    f->pagination.has_more_path = path(f, "$.more");
    answer(f, "{\"items\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"more\":true}");
    expect_text(f, "b");
    answer(f, "{\"items\":[],\"more\":false}");
    expect_last(f);
}

/* --- Page numbers and offsets --- */

static void page_numbers_go_up_to_the_first_empty_page(void **state)
{
    begin(*state, PAGINATION_PAGE);
    answer(*state, "{\"items\":[1,2]}");
    expect_position(*state, 2);
    answer(*state, "{\"items\":[3]}");
    expect_position(*state, 3);
    answer(*state, "{\"items\":[]}");
    expect_last(*state);
}

static void page_numbers_may_begin_at_zero(void **state)
{
    struct fixture *f = *state;

    f->pagination.base_page = 0;
    f->pagination.total_pages_path = path(f, "$.pages");
    begin(f, PAGINATION_PAGE);
    assert_int_equal(f->p->run.pages->position, 0);
    answer(f, "{\"items\":[1],\"pages\":2}");
    expect_position(f, 1);
    answer(f, "{\"items\":[2],\"pages\":2}");
    expect_last(f);
}

static void no_pages_at_all_are_one_request(void **state)
{
    struct fixture *f = *state;

    f->pagination.total_pages_path = path(f, "$.pages");
    begin(f, PAGINATION_PAGE);
    answer(f, "{\"items\":[],\"pages\":0}");
    expect_last(f);
}

static void the_total_of_records_counts_those_of_all_pages(void **state)
{
    struct fixture *f = *state;

    f->pagination.total_path = path(f, "$.total");
    begin(f, PAGINATION_PAGE);
    answer(f, "{\"items\":[1,2],\"total\":\"5\"}");
    expect_position(f, 2);
    answer(f, "{\"items\":[3,4],\"total\":5}");
    expect_position(f, 3);
    answer(f, "{\"items\":[5],\"total\":5}");
    expect_last(f);
}

static void an_offset_moves_by_what_came(void **state)
{
    struct fixture *f = *state;

    f->pagination.limit = 100;
    f->pagination.total_path = path(f, "$.total");
    begin(f, PAGINATION_OFFSET);
    answer(f, "{\"items\":[1,2,3],\"total\":4}");
    expect_position(f, 3);
    answer(f, "{\"items\":[4],\"total\":4}");
    expect_last(f);
}

static void a_total_that_is_not_told_leaves_it_to_the_empty_page(void **state)
{
    struct fixture *f = *state;

    f->pagination.total_path = path(f, "$.total");
    begin(f, PAGINATION_OFFSET);
    answer(f, "{\"items\":[1,2],\"total\":null}");
    expect_position(f, 2);
    answer(f, "{\"items\":[]}");
    expect_last(f);
}

static void where_nothing_tells_the_end_the_page_fails(void **state)
{
    struct fixture *f = *state;

    f->pagination.has_more_path = path(f, "$.more");
    begin(f, PAGINATION_PAGE);
    f->pagination.stop_after_empty_page = false;
    answer(f, "{\"items\":[1],\"more\":true}");
    expect_position(f, 2);
    answer(f, "{\"items\":[2]}");
    expect_broken(f, "nothing says whether more pages follow: has_more_path selects nothing, and "
                     "stop_after_empty_page is false");
}

static void a_total_that_is_no_number_fails_the_page(void **state)
{
    struct fixture *f = *state;

    f->pagination.total_path = path(f, "$.total");
    begin(f, PAGINATION_OFFSET);
    answer(f, "{\"items\":[1],\"total\":\"many\"}");
    expect_broken(f, "total_path selects a string, where a whole number was expected");
    answer(f, "{\"items\":[1],\"total\":-1}");
    expect_broken(f, "total_path selects a number, where a whole number was expected");
}

static void a_total_beyond_64_bits_is_just_large(void **state)
{
    struct fixture *f = *state;

    f->pagination.total_path = path(f, "$.total");
    begin(f, PAGINATION_OFFSET);
    answer(f, "{\"items\":[1],\"total\":99999999999999999999}");
    expect_position(f, 1);
}

static void has_more_may_be_a_number_or_a_word(void **state)
{
    struct fixture *f = *state;

    f->pagination.has_more_path = path(f, "$.more");
    begin(f, PAGINATION_PAGE);
    answer(f, "{\"items\":[1],\"more\":1}");
    expect_position(f, 2);
    answer(f, "{\"items\":[2],\"more\":\"True\"}");
    expect_position(f, 3);
    answer(f, "{\"items\":[3],\"more\":\"maybe\"}");
    expect_broken(f, "has_more_path selects a string, where true or false was expected");
    answer(f, "{\"items\":[4],\"more\":0}");
    expect_last(f);
}

/* --- Empty pages --- */

static void null_or_no_list_of_records_is_an_empty_page(void **state)
{
    static const char *const bodies[] = {"{\"items\":null}", "{}", "{\"other\":1}", "null"};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct fixture *f = *state;

        pages_free(f->p->run.pages);
        begin(f, PAGINATION_PAGE);
        answer(f, bodies[i]);
        expect_last(f);
        assert_int_equal(f->p->result.records, 0);
    }
}

static void the_same_holds_for_a_path_with_a_wildcard(void **state)
{
    struct fixture *f = *state;

    processing_records(f->p, "$.data.items[*]");
    begin(f, PAGINATION_PAGE);
    answer(f, "{\"data\":{\"items\":[1]}}");
    expect_position(f, 2);
    answer(f, "{\"data\":null}");
    expect_last(f);
}

static void something_else_in_the_place_of_the_list_fails_the_page(void **state)
{
    struct fixture *f = *state;

    begin(f, PAGINATION_PAGE);
    answer(f, "{\"items\":\"none\"}");
    assert_int_equal(f->p->run.failure, RUN_FAILED_RECORDS);
    answer(f, "[1,2]");
    assert_int_equal(f->p->run.failure, RUN_FAILED_RECORDS);
}

static void without_pagination_a_missing_list_is_a_failure_still(void **state)
{
    struct fixture *f = *state;

    f->p->source.pagination = NULL;
    processing_run(f->p, NULL, "{\"items\":null}");
    assert_int_equal(f->p->run.failure, RUN_FAILED_RECORDS);
}

static void an_answer_without_content_is_an_empty_page(void **state)
{
    struct fixture *f = *state;
    struct run *run = &f->p->run;

    begin(f, PAGINATION_PAGE);
    run->response.status = 204;
    assert_int_equal(process_response(run, f->p->arena, NULL, &f->p->result), 0);
    expect_last(f);
}

/* --- Circles and the most pages --- */

static void the_same_request_and_answer_are_a_circle(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":\"x\"}");
    answer(*state, "{\"items\":[2],\"next\":\"x\"}");
    expect_text(*state, "x"); /* the same cursor, but new records */
    answer(*state, "{\"items\":[2],\"next\":\"x\"}");
    expect_broken(*state, "the same request has brought the same answer as on an earlier page: the "
                          "pages lead in a circle");
}

static void the_same_answer_to_another_request_is_none(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":\"x\"}");
    answer(*state, "{\"items\":[1],\"next\":\"y\"}");
    answer(*state, "{\"items\":[1],\"next\":\"x\"}");
    expect_text(*state, "x");
}

static void a_circle_of_many_pages_is_found(void **state)
{
    struct fixture *f = *state;
    char body[100];
    unsigned page = 0;

    begin_cursor(f);
    for (; page < 60 && f->p->run.failure == RUN_OK; page++) {
        /* Three pages that lead into a circle of eleven. */
        unsigned at = page < 3 ? page : 3 + (page - 3) % 11;
        unsigned next = page + 1 < 3 ? page + 1 : 3 + (page + 1 - 3) % 11;

        snprintf(body, sizeof(body), "{\"items\":[%u],\"next\":\"c%u\"}", at, next);
        answer(f, body);
    }
    assert_int_equal(f->p->run.failure, RUN_FAILED_PAGES);
    assert_true(page <= 28);
}

static void a_last_page_is_never_a_circle(void **state)
{
    begin_cursor(*state);
    answer(*state, "{\"items\":[1],\"next\":\"x\"}");
    answer(*state, "{\"items\":[],\"next\":null}");
    expect_last(*state);
}

static void max_pages_fails_the_run_when_more_follow(void **state)
{
    struct fixture *f = *state;

    f->pagination.max_pages = 2;
    begin_cursor(f);
    answer(f, "{\"items\":[1],\"next\":\"x\"}");
    answer(f, "{\"items\":[2],\"next\":\"y\"}");
    expect_broken(f, "max_pages (2) are done and more follow; raise it, ask for less, or set "
                     "on_max_pages: stop");
}

static void max_pages_may_end_the_run_instead(void **state)
{
    struct fixture *f = *state;

    f->pagination.max_pages = 2;
    f->pagination.stop_at_max_pages = true;
    begin_cursor(f);
    answer(f, "{\"items\":[1],\"next\":\"x\"}");
    answer(f, "{\"items\":[2],\"next\":\"y\"}");
    expect_last(f);
}

static void a_failed_page_decides_nothing(void **state)
{
    struct fixture *f = *state;

    begin_cursor(f);
    answer(f, "not json");
    assert_int_equal(f->p->run.failure, RUN_FAILED_DECODE);
    assert_false(f->p->result.more);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_link_header_leads_on_until_there_is_none),
        TEST(several_link_headers_are_one),
        TEST(a_link_is_followed_from_an_empty_page),
        TEST(an_empty_page_ends_the_run_where_that_is_asked_for),
        TEST(a_broken_link_header_fails_the_page),
        TEST(a_link_longer_than_64_KiB_fails_the_page),
        TEST(the_next_url_leads_on_until_there_is_none),
        TEST(a_next_url_that_is_no_text_fails_the_page),
        TEST(a_cursor_is_a_string_or_a_number_as_it_came),
        TEST(a_cursor_of_another_kind_fails_the_page),
        TEST(a_cursor_with_a_nul_character_fails_the_page),
        TEST(has_more_false_ends_the_run_although_there_is_a_cursor),
        TEST(has_more_true_without_a_cursor_fails_the_page),
        TEST(the_last_record_may_hold_the_cursor),
        TEST(page_numbers_go_up_to_the_first_empty_page),
        TEST(page_numbers_may_begin_at_zero),
        TEST(no_pages_at_all_are_one_request),
        TEST(the_total_of_records_counts_those_of_all_pages),
        TEST(an_offset_moves_by_what_came),
        TEST(a_total_that_is_not_told_leaves_it_to_the_empty_page),
        TEST(where_nothing_tells_the_end_the_page_fails),
        TEST(a_total_that_is_no_number_fails_the_page),
        TEST(a_total_beyond_64_bits_is_just_large),
        TEST(has_more_may_be_a_number_or_a_word),
        TEST(null_or_no_list_of_records_is_an_empty_page),
        TEST(the_same_holds_for_a_path_with_a_wildcard),
        TEST(something_else_in_the_place_of_the_list_fails_the_page),
        TEST(without_pagination_a_missing_list_is_a_failure_still),
        TEST(an_answer_without_content_is_an_empty_page),
        TEST(the_same_request_and_answer_are_a_circle),
        TEST(the_same_answer_to_another_request_is_none),
        TEST(a_circle_of_many_pages_is_found),
        TEST(a_last_page_is_never_a_circle),
        TEST(max_pages_fails_the_run_when_more_follow),
        TEST(max_pages_may_end_the_run_instead),
        TEST(a_failed_page_decides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
