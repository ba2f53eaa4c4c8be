#include "test.h"

#include "fetch/retry_after.h"

#define NOW_MS 784111777000LL /* Sun, 06 Nov 1994 08:49:37 GMT */

static void seconds_are_milliseconds_from_now(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse("0", NOW_MS), 0);
    assert_int_equal(retry_after_parse("120", NOW_MS), 120000);
    assert_int_equal(retry_after_parse("  7 ", NOW_MS), 7000);
}

static void a_fraction_of_a_second_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse("1.5", NOW_MS), 2000);
}

static void the_three_forms_of_an_http_date_are_understood(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse("Sun, 06 Nov 1994 08:49:40 GMT", NOW_MS), 3000);
    assert_int_equal(retry_after_parse("Sunday, 06-Nov-94 08:49:40 GMT", NOW_MS), 3000);
    assert_int_equal(retry_after_parse("Sun Nov  6 08:49:40 1994", NOW_MS), 3000);
}

static void what_has_passed_is_now(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse("-5", NOW_MS), 0);
    assert_int_equal(retry_after_parse("Sat, 05 Nov 1994 08:49:37 GMT", NOW_MS), 0);
}

static void a_huge_wait_is_capped(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse("99999999999999999999999", NOW_MS), RETRY_AFTER_MAX_MS);
    assert_int_equal(retry_after_parse("Fri, 31 Dec 9999 23:59:59 GMT", NOW_MS),
                     RETRY_AFTER_MAX_MS);
}

static void junk_asks_for_nothing(void **state)
{
    static const char *const junk[] = {"",    " ",     "soon", "12 seconds", "1,2",
                                       "1e3", "+5",    "0x10", "12 o'clock", "-",
                                       "--1", "1.2.3", "{}",   "2024-01-01"};

    (void)state;
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        assert_int_equal(retry_after_parse(junk[i], NOW_MS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_milliseconds_from_now),
        cmocka_unit_test(a_fraction_of_a_second_is_rounded_up),
        cmocka_unit_test(the_three_forms_of_an_http_date_are_understood),
        cmocka_unit_test(what_has_passed_is_now),
        cmocka_unit_test(a_huge_wait_is_capped),
        cmocka_unit_test(junk_asks_for_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
