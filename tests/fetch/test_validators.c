#include "test.h"

#include "fetch/validators.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS    784111777000LL /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW       "Sun, 06 Nov 1994 08:49:37 GMT"
#define YESTERDAY "Sat, 05 Nov 1994 08:49:37 GMT"

struct exchange {
    struct source source;
    struct run run;
    struct arena *arena;
    struct draft draft;
};

static int setup(void **state)
{
    struct exchange *x = calloc(1, sizeof(*x));

    assert_non_null(x);
    x->source = (struct source){.url = "http://h/", .conditional = true, .answer_fingerprint = 7};
    x->run.source = &x->source;
    x->run.response.status = 200;
    x->arena = arena_create(4096);
    draft_start(&x->draft, x->arena, x->source.url);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct exchange *x = *state;

    run_clear_response(&x->run);
    run_state_clear(&x->run.state);
    arena_free(x->arena);
    free(x);
    return 0;
}

/* Which request it is. */

static uint16_t number(const char *url, const char *param, const char *header)
{
    struct arena *arena = arena_create(4096);
    struct draft draft;
    uint16_t request;

    draft_start(&draft, arena, url);
    if (param != NULL)
        draft_add_param(&draft, "p", param);
    if (header != NULL)
        draft_add_header(&draft, "h", header);
    request = validators_request(&draft);
    arena_free(arena);
    return request;
}

static void url_params_and_headers_make_the_number_of_a_request(void **state)
{
    uint16_t plain = number("http://h/a", NULL, NULL);

    (void)state;
    assert_int_equal(number("http://h/a", NULL, NULL), plain);
    assert_int_not_equal(number("http://h/b", NULL, NULL), plain);
    assert_int_not_equal(number("http://h/a", "1", NULL), plain);
    assert_int_not_equal(number("http://h/a", NULL, "1"), plain);
    assert_int_not_equal(number("http://h/a", "1", NULL), number("http://h/a", NULL, "1"));
    assert_int_not_equal(number("http://h/a", "1", NULL), number("http://h/a", "2", NULL));
}

static void where_a_redirect_leads_is_another_request(void **state)
{
    uint16_t plain = number("http://h/a", NULL, NULL);

    (void)state;
    assert_int_not_equal(validators_redirected(plain, "http://h/b"), plain);
    assert_int_not_equal(validators_redirected(plain, "http://h/b"),
                         validators_redirected(plain, "http://h/c"));
}

/* Learning. */

static const struct validators *learn(struct exchange *x, const char *head)
{
    text_clear(&x->run.response.head);
    text_add(&x->run.response.head, head);
    validators_free(x->run.learned);
    x->run.learned = NULL;
    validators_learn(&x->run, 9, NOW_MS);
    return x->run.learned;
}

static void expect_etag(struct exchange *x, const char *head, const char *etag)
{
    const struct validators *learned = learn(x, head);

    if (etag == NULL) {
        assert_null(learned);
        return;
    }
    assert_non_null(learned);
    assert_string_equal(learned->etag, etag);
}

static void what_an_answer_says_is_kept_as_it_came(void **state)
{
    struct exchange *x = *state;
    const struct validators *learned =
        learn(x, "etag: \"a1\"\nDate: " NOW "\nlast-modified: Saturday, 05-Nov-94 08:49:37 GMT\n");

    assert_non_null(learned);
    assert_string_equal(learned->etag, "\"a1\"");
    assert_string_equal(learned->last_modified, "Saturday, 05-Nov-94 08:49:37 GMT");
    assert_int_equal(learned->fingerprint, 7);
    assert_int_equal(learned->request, 9);
    assert_false(learned->has_body_hash);
}

static void a_weak_tag_keeps_its_mark(void **state)
{
    expect_etag(*state, "ETag: W/\"a1\"\n", "W/\"a1\"");
}

static void a_tag_without_quotes_is_sent_back_without_them(void **state)
{
    expect_etag(*state, "ETag: 5f3-a1\n", "5f3-a1");
    expect_etag(*state, "ETag: W/5f3\n", "W/5f3");
}

static void every_character_that_a_tag_may_have_is_kept(void **state)
{
    struct text head = {0};
    struct text tag = {0};

    text_add(&tag, "\"!");
    for (int c = 0x23; c <= 0xff; c++) {
        if (c != 0x7f)
            text_char(&tag, (char)c);
    }
    text_add(&tag, "\"");
    text_format(&head, "ETag: %s\n", text_string(&tag));
    expect_etag(*state, text_string(&head), text_string(&tag));
    expect_etag(*state, "ETag: \"a b\"\n", "\"a b\"");
    text_free(&head);
    text_free(&tag);
}

static void a_tag_that_is_not_valid_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "*",
        "\"",
        "\"\"",
        "W/",
        "W/\"\"",
        "w/\"a\"",
        "W\"a\"",
        "\"a",
        "a\"",
        "\"a\"b\"",
        "W/ \"a\"",
        "W/\"a",
        "a,b",
        "a b",
        "W/*",
        "\"a\tb\"",
        "\"a\rb\"",
        "\"a\x01"
        "b\"",
        "\"a\x7f"
        "b\"",
        "a\xe9",
        "\"a\", \"b\"",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct text head = {0};

        text_format(&head, "ETag: %s\n", wrong[i]);
        expect_etag(*state, text_string(&head), NULL);
        text_free(&head);
    }
}

static void a_tag_with_a_nul_is_none(void **state)
{
    struct exchange *x = *state;
    const char head[] = "ETag: \"a\0b\"\n";

    text_append(&x->run.response.head, head, sizeof(head) - 1);
    validators_learn(&x->run, 9, NOW_MS);
    assert_null(x->run.learned);
}

static void a_tag_above_the_limit_is_none(void **state)
{
    struct text head = {0};
    struct text tag = {0};

    text_char(&tag, '"');
    for (size_t i = 0; i < VALIDATORS_MAX_BYTES - 2; i++)
        text_char(&tag, 'a');
    text_char(&tag, '"');
    text_format(&head, "ETag: %s\n", text_string(&tag));
    expect_etag(*state, text_string(&head), text_string(&tag));
    text_clear(&head);
    text_format(&head, "ETag: \"a%s\n", text_string(&tag) + 1);
    expect_etag(*state, text_string(&head), NULL);
    text_free(&head);
    text_free(&tag);
}

static void two_tags_are_one_where_they_agree_and_else_none(void **state)
{
    expect_etag(*state, "ETag: \"a\"\nETag: \"a\"\n", "\"a\"");
    expect_etag(*state, "ETag: \"a\"\nETag: \"b\"\n", NULL);
    expect_etag(*state, "ETag: \"a\"\nETag: W/\"a\"\n", NULL);
}

static void a_date_that_is_none_is_not_kept(void **state)
{
    struct exchange *x = *state;

    assert_null(learn(x, "Last-Modified: 0\n"));
    assert_null(learn(x, "Last-Modified: yesterday\n"));
    assert_null(learn(x, "Last-Modified: \n"));
    assert_null(learn(x, "Last-Modified: " YESTERDAY "\nLast-Modified: " NOW "\n"));
    assert_non_null(learn(x, "Last-Modified: " YESTERDAY "\n"));
}

static void a_change_in_the_second_of_the_answer_could_be_followed_by_another(void **state)
{
    struct exchange *x = *state;
    const struct validators *learned;

    assert_null(learn(x, "Date: " NOW "\nLast-Modified: " NOW "\n"));
    assert_null(learn(x, "Date: " YESTERDAY "\nLast-Modified: " NOW "\n"));
    assert_null(learn(x, "Last-Modified: " NOW "\n"));
    assert_non_null(learn(x, "Date: Sun, 06 Nov 1994 08:49:38 GMT\nLast-Modified: " NOW "\n"));
    learned = learn(x, "ETag: \"a\"\nDate: " NOW "\nLast-Modified: " NOW "\n");
    assert_non_null(learned);
    assert_null(learned->last_modified);
}

static void a_tag_made_of_that_second_is_no_better(void **state)
{
    struct exchange *x = *state;

    /* As nginx makes them: the date in hexadecimal, and the size. */
    assert_null(learn(x, "ETag: \"2ebc98a1-10\"\nDate: " NOW "\nLast-Modified: " NOW "\n"));
    expect_etag(x,
                "ETag: \"2ebc98a1-10\"\nDate: Sun, 06 Nov 1994 08:49:38 GMT\n"
                "Last-Modified: " NOW "\n",
                "\"2ebc98a1-10\"");
}

static void a_source_that_wants_no_conditions_learns_nothing(void **state)
{
    struct exchange *x = *state;

    x->source.conditional = false;
    assert_null(learn(x, "ETag: \"a\"\n"));
}

/* Asking. */

static void know(struct exchange *x, const char *etag, const char *last_modified)
{
    run_state_clear(&x->run.state);
    x->run.state.validators = validators_create(slice_of(etag), slice_of(last_modified));
    assert_non_null(x->run.state.validators);
    x->run.state.validators->fingerprint = 7;
    x->run.state.validators->request = 9;
}

static const char *header(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->draft.headers.count; i++) {
        if (strcmp(x->draft.headers.items[i].name, name) == 0)
            return x->draft.headers.items[i].value;
    }
    return NULL;
}

static void what_is_known_is_sent_back(void **state)
{
    struct exchange *x = *state;

    know(x, "W/\"a\"", YESTERDAY);
    validators_ask(&x->run, 9, &x->draft);
    assert_true(x->run.conditional);
    assert_string_equal(header(x, "If-None-Match"), "W/\"a\"");
    assert_string_equal(header(x, "If-Modified-Since"), YESTERDAY);
}

static void one_of_the_two_is_enough(void **state)
{
    struct exchange *x = *state;

    know(x, NULL, YESTERDAY);
    validators_ask(&x->run, 9, &x->draft);
    assert_true(x->run.conditional);
    assert_null(header(x, "If-None-Match"));
    assert_string_equal(header(x, "If-Modified-Since"), YESTERDAY);
}

static void expect_no_condition(struct exchange *x, uint16_t request)
{
    validators_ask(&x->run, request, &x->draft);
    assert_false(x->run.conditional);
    assert_int_equal(x->draft.headers.count, 0);
}

static void nothing_is_sent_where_nothing_is_known(void **state)
{
    expect_no_condition(*state, 9);
}

static void nothing_is_sent_with_another_request(void **state)
{
    know(*state, "\"a\"", YESTERDAY);
    expect_no_condition(*state, 8);
}

static void nothing_is_sent_where_other_rows_would_be_made_now(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    x->source.answer_fingerprint = 6;
    expect_no_condition(x, 9);
}

static void nothing_is_sent_when_the_source_does_not_want_it(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    x->source.conditional = false;
    expect_no_condition(x, 9);
}

static void a_hash_of_the_body_alone_is_no_condition(void **state)
{
    struct exchange *x = *state;

    know(x, NULL, NULL);
    x->run.state.validators->has_body_hash = true;
    expect_no_condition(x, 9);
}

static void after_two_failures_nothing_is_sent(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    x->run.failures = 2;
    expect_no_condition(x, 9);
    x->run.failures = 1;
    validators_ask(&x->run, 9, &x->draft);
    assert_true(x->run.conditional);
}

static void what_was_damaged_in_the_database_is_not_sent(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"\r\nX-Evil: 1", "now\r\nX-Evil: 1");
    expect_no_condition(x, 9);
}

static void nothing_is_sent_but_with_get(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    x->source.method = METHOD_POST;
    expect_no_condition(x, 9);
    assert_null(learn(x, "ETag: \"a\"\n"));
}

static void nothing_is_sent_or_learned_from_the_second_page_on(void **state)
{
    const struct pagination pagination = {.type = PAGINATION_PAGE};
    struct pages pages = {.number = 1};
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    x->source.pagination = &pagination;
    x->run.pages = &pages;
    assert_non_null(learn(x, "ETag: \"a\"\n"));
    pages.number = 2;
    expect_no_condition(x, 9);
    assert_null(learn(x, "ETag: \"a\"\n"));
}

static void a_condition_of_the_source_s_own_goes_before_ours(void **state)
{
    struct exchange *x = *state;

    know(x, "\"a\"", YESTERDAY);
    draft_add_header(&x->draft, "if-none-match", "\"mine\"");
    validators_ask(&x->run, 9, &x->draft);
    assert_true(x->run.conditional);
    assert_int_equal(x->draft.headers.count, 1);
    assert_string_equal(header(x, "if-none-match"), "\"mine\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_params_and_headers_make_the_number_of_a_request),
        cmocka_unit_test(where_a_redirect_leads_is_another_request),
        TEST(what_an_answer_says_is_kept_as_it_came),
        TEST(a_weak_tag_keeps_its_mark),
        TEST(a_tag_without_quotes_is_sent_back_without_them),
        TEST(every_character_that_a_tag_may_have_is_kept),
        TEST(a_tag_that_is_not_valid_is_none),
        TEST(a_tag_with_a_nul_is_none),
        TEST(a_tag_above_the_limit_is_none),
        TEST(two_tags_are_one_where_they_agree_and_else_none),
        TEST(a_date_that_is_none_is_not_kept),
        TEST(a_change_in_the_second_of_the_answer_could_be_followed_by_another),
        TEST(a_tag_made_of_that_second_is_no_better),
        TEST(a_source_that_wants_no_conditions_learns_nothing),
        TEST(what_is_known_is_sent_back),
        TEST(one_of_the_two_is_enough),
        TEST(nothing_is_sent_where_nothing_is_known),
        TEST(nothing_is_sent_with_another_request),
        TEST(nothing_is_sent_where_other_rows_would_be_made_now),
        TEST(nothing_is_sent_when_the_source_does_not_want_it),
        TEST(a_hash_of_the_body_alone_is_no_condition),
        TEST(after_two_failures_nothing_is_sent),
        TEST(what_was_damaged_in_the_database_is_not_sent),
        TEST(nothing_is_sent_but_with_get),
        TEST(nothing_is_sent_or_learned_from_the_second_page_on),
        TEST(a_condition_of_the_source_s_own_goes_before_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
