#include "test.h"

#include "gatherd/trouble.h"

#define HOUR_MS (60 * 60 * 1000)

static enum trouble_line after(struct run *run, enum run_failure failure, size_t rejected,
                               int64_t now_ms)
{
    struct result result = {.run = run, .total = {.rejected = rejected}};

    run->failure = failure;
    return trouble_next(&result, now_ms);
}

static void a_source_that_is_well_writes_no_line(void **state)
{
    struct run run = {0};

    (void)state;
    assert_int_equal(after(&run, RUN_OK, 0, 1), TROUBLE_NO_LINE);
    assert_int_equal(after(&run, RUN_OK, 0, 2 * HOUR_MS), TROUBLE_NO_LINE);
}

static void a_failing_source_writes_one_line_and_then_one_an_hour(void **state)
{
    struct run run = {0};

    (void)state;
    assert_int_equal(after(&run, RUN_FAILED_STATUS, 0, 1), TROUBLE_FAILING);
    assert_int_equal(after(&run, RUN_FAILED_STATUS, 0, 1000), TROUBLE_NO_LINE);
    assert_int_equal(after(&run, RUN_FAILED_NETWORK, 0, HOUR_MS), TROUBLE_NO_LINE);
    assert_int_equal(after(&run, RUN_FAILED_STATUS, 0, HOUR_MS + 1), TROUBLE_FAILING);
    assert_int_equal(after(&run, RUN_FAILED_STATUS, 0, HOUR_MS + 2), TROUBLE_NO_LINE);
}

static void it_says_when_it_is_well_again_and_when_it_fails_anew(void **state)
{
    struct run run = {0};

    (void)state;
    after(&run, RUN_FAILED_TIMEOUT, 0, 1);
    assert_int_equal(after(&run, RUN_OK, 0, 2), TROUBLE_WELL_AGAIN);
    assert_int_equal(after(&run, RUN_OK, 0, 3), TROUBLE_NO_LINE);
    assert_int_equal(after(&run, RUN_FAILED_TIMEOUT, 0, 4), TROUBLE_FAILING);
}

static void rejected_records_write_one_line_an_hour(void **state)
{
    struct run run = {0};

    (void)state;
    assert_int_equal(after(&run, RUN_OK, 3, 1), TROUBLE_REJECTING);
    assert_int_equal(after(&run, RUN_OK, 2, 1000), TROUBLE_NO_LINE);
    assert_int_equal(after(&run, RUN_OK, 2, HOUR_MS + 1), TROUBLE_REJECTING);
    assert_int_equal(after(&run, RUN_OK, 0, HOUR_MS + 2), TROUBLE_WELL_AGAIN);
}

static void trouble_of_another_kind_is_said_at_once(void **state)
{
    struct run run = {0};

    (void)state;
    after(&run, RUN_OK, 3, 1);
    assert_int_equal(after(&run, RUN_FAILED_NETWORK, 0, 2), TROUBLE_FAILING);
    assert_int_equal(after(&run, RUN_OK, 1, 3), TROUBLE_REJECTING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_is_well_writes_no_line),
        cmocka_unit_test(a_failing_source_writes_one_line_and_then_one_an_hour),
        cmocka_unit_test(it_says_when_it_is_well_again_and_when_it_fails_anew),
        cmocka_unit_test(rejected_records_write_one_line_an_hour),
        cmocka_unit_test(trouble_of_another_kind_is_said_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
