#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/run.h"

static void every_failure_has_a_name_of_its_own_and_success_has_none(void **state)
{
    (void)state;
    assert_null(run_failure_name(RUN_OK));
    for (int a = RUN_FAILED_NETWORK; a <= RUN_FAILED_REQUEST; a++) {
        assert_non_null(run_failure_name((enum run_failure)a));
        for (int b = RUN_FAILED_NETWORK; b < a; b++)
            assert_string_not_equal(run_failure_name((enum run_failure)a),
                                    run_failure_name((enum run_failure)b));
    }
    assert_string_equal(run_failure_name(RUN_FAILED_NETWORK), "network");
    assert_string_equal(run_failure_name(RUN_FAILED_STORE), "store");
}

static void the_first_reason_of_a_failure_is_kept(void **state)
{
    struct run run = {0};

    (void)state;
    run_fail(&run, RUN_FAILED_TIMEOUT, "no answer within %d s", 30);
    run_fail(&run, RUN_FAILED_DECODE, "not JSON");
    assert_int_equal(run.failure, RUN_FAILED_TIMEOUT);
    assert_string_equal(run.error, "no answer within 30 s");
    run_clear_response(&run);
}

static void clearing_forgets_the_answer_and_keeps_the_run(void **state)
{
    struct run run = {
        .source_id = 7,
        .attempt = 1,
        .requests = 2,
        .started_at_ms = 3,
        .scheduled_at_ms = 4,
        .logged_at_ms = 5,
        .timing = {.total_us = 6},
        .retryable = true,
        .retry_after_ms = 8,
        .received_mono_us = 9,
        .response = {.status = 503, .body_bytes = 2, .body_capacity = 16},
    };

    (void)state;
    run.response.body = strdup("no");
    run.response.content_type = strdup("text/plain");
    run_fail(&run, RUN_FAILED_STATUS, "status 503");
    run_clear_response(&run);
    assert_int_equal(run.failure, RUN_OK);
    assert_null(run.error);
    assert_null(run.response.body);
    assert_null(run.response.content_type);
    assert_int_equal(run.response.status, 0);
    assert_int_equal(run.response.body_bytes, 0);
    assert_int_equal(run.response.body_capacity, 0);
    assert_false(run.retryable);
    assert_int_equal(run.retry_after_ms, -1);
    assert_int_equal(run.timing.total_us, 0);
    assert_int_equal(run.received_mono_us, 0);
    assert_int_equal(run.source_id, 7);
    assert_int_equal(run.attempt, 1);
    assert_int_equal(run.requests, 2);
    assert_int_equal(run.started_at_ms, 3);
    assert_int_equal(run.scheduled_at_ms, 4);
    assert_int_equal(run.logged_at_ms, 5);
}

static void after_clearing_a_new_failure_counts_again(void **state)
{
    struct run run = {0};

    (void)state;
    run_fail(&run, RUN_FAILED_NETWORK, "first");
    run_clear_response(&run);
    run_fail(&run, RUN_FAILED_TLS, "second");
    assert_int_equal(run.failure, RUN_FAILED_TLS);
    assert_string_equal(run.error, "second");
    run_clear_response(&run);
}

static void a_header_is_found_whatever_its_case_and_however_often_it_stands(void **state)
{
    struct response response = {0};
    struct slice value;
    size_t place = 0;

    (void)state;
    text_add(&response.head, "Link: <a>\nX-Link: no\nETag: \"1\"\nlink: <b>\nEmpty: \n");
    assert_true(response_header(&response, "LINK", &place, &value));
    assert_true(slice_equals(value, "<a>"));
    assert_true(response_header(&response, "LINK", &place, &value));
    assert_true(slice_equals(value, "<b>"));
    assert_false(response_header(&response, "LINK", &place, &value));
    place = 0;
    assert_true(response_header(&response, "empty", &place, &value));
    assert_int_equal(value.length, 0);
    place = 0;
    assert_false(response_header(&response, "lin", &place, &value));
    text_free(&response.head);
}

static void a_round_is_the_run_of_a_source_with_items_and_none_of_its_own(void **state)
{
    static const struct source_item item = {.key = "7"};
    struct for_each for_each = {0};
    struct source source = {.for_each = &for_each};
    struct run run = {.source = &source};

    (void)state;
    assert_true(run_is_round(&run));
    run.item = &item;
    assert_false(run_is_round(&run));
    source.for_each = NULL;
    run.item = NULL;
    assert_false(run_is_round(&run));
}

static void a_long_item_is_cut_for_people(void **state)
{
    char key[200];
    char text[RUN_ITEM_SIZE];
    struct source_item item = {.key = key};
    struct run run = {.item = &item};

    (void)state;
    memset(key, 'x', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_int_equal(strlen(run_item(&run, text)), RUN_ITEM_SIZE - 1);
    assert_string_equal(text + RUN_ITEM_SIZE - 5, "x...");
    assert_int_equal(strlen(run_item_key(&run)), 199);
    run.item = NULL;
    assert_null(run_item(&run, text));
    assert_string_equal(run_item_key(&run), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_a_name_of_its_own_and_success_has_none),
        cmocka_unit_test(the_first_reason_of_a_failure_is_kept),
        cmocka_unit_test(a_header_is_found_whatever_its_case_and_however_often_it_stands),
        cmocka_unit_test(clearing_forgets_the_answer_and_keeps_the_run),
        cmocka_unit_test(after_clearing_a_new_failure_counts_again),
        cmocka_unit_test(a_round_is_the_run_of_a_source_with_items_and_none_of_its_own),
        cmocka_unit_test(a_long_item_is_cut_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
