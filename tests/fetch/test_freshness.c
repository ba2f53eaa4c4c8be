#include "test.h"

#include "fetch/freshness.h"

#include <string.h>

#define NOW_MS 784111777000LL /* Sun, 06 Nov 1994 08:49:37 GMT */

/* Of an answer with these header lines, each ended by a newline; in seconds. */
static int64_t fresh(const char *head)
{
    struct response response = {.status = 200};
    int64_t ms;

    text_add(&response.head, head);
    ms = freshness_ms(&response, NOW_MS);
    text_free(&response.head);
    assert_int_equal(ms % 1000, 0);
    return ms / 1000;
}

static void an_answer_that_says_nothing_is_not_fresh(void **state)
{
    (void)state;
    assert_int_equal(fresh(""), 0);
    assert_int_equal(fresh("Cache-Control: \nAge: 5\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n"), 0);
    assert_int_equal(fresh("Cache-Control: private, must-revalidate\n"), 0);
}

static void max_age_is_taken_among_other_directives(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=60\n"), 60);
    assert_int_equal(fresh("cache-control: public, MAX-AGE=60, immutable\n"), 60);
    assert_int_equal(fresh("Cache-Control: ,, public ,\tmax-age=60 ,\n"), 60);
    assert_int_equal(fresh("Cache-Control: public\nX-A: b\nCache-Control: max-age=60\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=\"60\"\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=007\n"), 7);
    assert_int_equal(fresh("Cache-Control: max-age = 60\n"), 60);
}

static void what_is_for_shared_caches_is_not_for_us(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: s-maxage=600\n"), 0);
    assert_int_equal(fresh("Cache-Control: s-maxage=600, max-age=60\n"), 60);
    assert_int_equal(fresh("Cache-Control: private, max-age=60\n"), 60);
}

static void names_that_only_begin_alike_are_others(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age-x=60\n"), 0);
    assert_int_equal(fresh("Cache-Control: xmax-age=60\n"), 0);
    assert_int_equal(fresh("Cache-Control: no-cached, max-age=60\n"), 60);
}

static void no_store_and_no_cache_go_before_any_age(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: no-store, max-age=60\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=60, No-Cache\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=60\nCache-Control: no-cache\n"), 0);
    assert_int_equal(fresh("Cache-Control: no-cache=\"Set-Cookie, X\", max-age=60\n"), 0);
    assert_int_equal(fresh("Cache-Control: no-cache\nExpires: Sun, 06 Nov 1994 08:59:37 GMT\n"), 0);
}

static void directives_inside_of_quotes_are_none(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: private=\"x, max-age=600\", max-age=60\n"), 60);
    assert_int_equal(fresh("Cache-Control: ext=\"a\\\", no-store, b\", max-age=60\n"), 60);
    assert_int_equal(fresh("Cache-Control: ext=\"open, max-age=600\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=60, ext=\"open\\\n"), 60);
}

static void a_max_age_that_is_no_number_makes_the_answer_stale(void **state)
{
    static const char *const wrong[] = {
        "max-age",      "max-age=",    "max-age=-1",       "max-age=1.5",  "max-age=60s",
        "max-age=6 0",  "max-age='6'", "max-age=\"60",     "max-age=0x10", "max-age=60=60",
        "max-age=\"\"", "max-age=+60", "max-age=\"6\\0\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct text head = {0};

        text_format(&head, "Cache-Control: %s\nExpires: Sun, 06 Nov 1994 08:59:37 GMT\n", wrong[i]);
        assert_int_equal(fresh(text_string(&head)), 0);
        text_free(&head);
    }
}

static void a_directive_said_twice_is_believed_where_both_agree(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=60, max-age=60\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=60, max-age=600\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=600\nCache-Control: max-age=60\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=60, max-age=6, max-age=60\n"), 0);
}

static void a_huge_max_age_is_the_greatest_that_is_understood(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=99999999999999999999999\n"), FRESHNESS_MAX_S);
    assert_int_equal(fresh("Expires: Fri, 31 Dec 9999 23:59:59 GMT\n"), FRESHNESS_MAX_S);
}

static void the_age_is_taken_off(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: 20\n"), 40);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: 20, 50\n"), 40);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: 20\nAge: 50\n"), 40);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: 60\n"), 0);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: 99999999999999999999\n"), 0);
}

static void an_age_that_is_no_number_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: -20\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: soon\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=60\nAge: \n"), 60);
}

static void expires_counts_from_date(void **state)
{
    (void)state;
    assert_int_equal(fresh("Date: Sun, 06 Nov 1994 08:00:00 GMT\n"
                           "Expires: Sun, 06 Nov 1994 08:10:00 GMT\n"),
                     600);
    assert_int_equal(fresh("Date: Sun, 06 Nov 1994 08:00:00 GMT\nAge: 100\n"
                           "Expires: Sun, 06 Nov 1994 08:10:00 GMT\n"),
                     500);
}

static void expires_counts_from_now_where_there_is_no_date(void **state)
{
    (void)state;
    assert_int_equal(fresh("Expires: Sun, 06 Nov 1994 08:59:37 GMT\n"), 600);
    assert_int_equal(fresh("Date: yesterday\nExpires: Sun, 06 Nov 1994 08:59:37 GMT\n"), 600);
}

static void max_age_goes_before_expires(void **state)
{
    (void)state;
    assert_int_equal(fresh("Cache-Control: max-age=60\nExpires: Sun, 06 Nov 1994 08:59:37 GMT\n"),
                     60);
    assert_int_equal(fresh("Cache-Control: max-age=60\nExpires: 0\n"), 60);
    assert_int_equal(fresh("Cache-Control: max-age=0\nExpires: Sun, 06 Nov 1994 08:59:37 GMT\n"),
                     0);
}

static void an_expires_that_is_no_date_has_passed(void **state)
{
    (void)state;
    assert_int_equal(fresh("Expires: 0\n"), 0);
    assert_int_equal(fresh("Expires: -1\n"), 0);
    assert_int_equal(fresh("Expires: \n"), 0);
    assert_int_equal(fresh("Expires: never\n"), 0);
    assert_int_equal(fresh("Expires: Sun, 06 Nov 1994 08:59:37 CET\n"), 0);
    assert_int_equal(fresh("Expires: Thu, 01 Jan 1970 00:00:00 GMT\n"), 0);
}

static void two_expires_that_disagree_are_not_believed(void **state)
{
    (void)state;
    assert_int_equal(fresh("Expires: Sun, 06 Nov 1994 08:59:37 GMT\n"
                           "Expires: Sun, 06 Nov 1994 08:59:37 GMT\n"),
                     600);
    assert_int_equal(fresh("Expires: Sun, 06 Nov 1994 08:59:37 GMT\nExpires: 0\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_says_nothing_is_not_fresh),
        cmocka_unit_test(max_age_is_taken_among_other_directives),
        cmocka_unit_test(what_is_for_shared_caches_is_not_for_us),
        cmocka_unit_test(names_that_only_begin_alike_are_others),
        cmocka_unit_test(no_store_and_no_cache_go_before_any_age),
        cmocka_unit_test(directives_inside_of_quotes_are_none),
        cmocka_unit_test(a_max_age_that_is_no_number_makes_the_answer_stale),
        cmocka_unit_test(a_directive_said_twice_is_believed_where_both_agree),
        cmocka_unit_test(a_huge_max_age_is_the_greatest_that_is_understood),
        cmocka_unit_test(the_age_is_taken_off),
        cmocka_unit_test(an_age_that_is_no_number_is_ignored),
        cmocka_unit_test(expires_counts_from_date),
        cmocka_unit_test(expires_counts_from_now_where_there_is_no_date),
        cmocka_unit_test(max_age_goes_before_expires),
        cmocka_unit_test(an_expires_that_is_no_date_has_passed),
        cmocka_unit_test(two_expires_that_disagree_are_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
