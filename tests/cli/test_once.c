#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/once.h"

/* Two sources, made by hand. */
static struct source sources[2] = {{.index = 0, .name = "weather"},
                                   {.index = 1, .name = "a-long-name"}};
static struct config config = {.sources = sources, .source_count = 2};

static struct result result_of(struct run *run, size_t index)
{
    *run = (struct run){.source = &sources[index], .response = {.status = 200}};
    run->timing.total_us = 12345;
    return (struct result){.run = run,
                           .total = {.records = 3, .inserted = 2, .updated = 1, .unchanged = 4}};
}

static char *print(const struct once_table *table, size_t *failed)
{
    char *data = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&data, &length);

    *failed = once_table_print(table, out);
    fclose(out);
    return data;
}

static void sources_stand_in_their_order_with_what_became_of_them(void **state)
{
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 1);
    size_t failed;
    char *text;

    (void)state;
    once_table_add(table, &result);
    result = result_of(&run, 0);
    run.failure = RUN_FAILED_TIMEOUT;
    run.error = strdup("no answer within 30s");
    run.response.status = 0;
    result.total = (struct tally){0};
    once_table_add(table, &result);
    assert_int_equal(once_table_length(table), 2);
    text = print(table, &failed);
    assert_int_equal(failed, 1);
    assert_string_equal(text, "source       outcome  status  records  inserted  updated  unchanged "
                              " ms\n"
                              "-----------  -------  ------  -------  --------  -------  --------- "
                              " --\n"
                              "weather      timeout                                                "
                              " 12\n"
                              "a-long-name  success     200        3         2        1          4 "
                              " 12\n"
                              "\n"
                              "weather: no answer within 30s\n");
    free(text);
    free(run.error);
    once_table_free(table);
}

static void deleted_rows_have_a_column_where_some_may_be(void **state)
{
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    result.total.deleted = 7;
    once_table_add(table, &result);
    sources[0].mapping.on_missing = MISSING_DELETE;
    text = print(table, &failed);
    sources[0].mapping.on_missing = MISSING_KEEP;
    assert_string_equal(
        text, "source   outcome  status  records  inserted  updated  unchanged  deleted  ms\n"
              "-------  -------  ------  -------  --------  -------  ---------  -------  --\n"
              "weather  success     200        3         2        1          4        7  12\n");
    free(text);
    once_table_free(table);
}

static void filtered_and_rejected_records_have_a_column_where_there_are_some(void **state)
{
    static const struct mapping child = {.where = "a > 1"};
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    result.total.rejected = 2;
    once_table_add(table, &result);
    sources[0].mapping.children = &child;
    sources[0].mapping.child_count = 1;
    text = print(table, &failed);
    sources[0].mapping = (struct mapping){0};
    assert_non_null(strstr(text, "unchanged  filtered  rejected  ms  child_rows\n"));
    assert_non_null(strstr(text, "        4         0         2  12           0\n"));
    free(text);
    once_table_free(table);
}

static void an_answer_that_did_not_change_is_told_from_one_without_records(void **state)
{
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    run.response.status = 304;
    run.not_modified = true;
    result.total = (struct tally){0};
    once_table_add(table, &result);
    text = print(table, &failed);
    assert_int_equal(failed, 0);
    assert_string_equal(text, "source   outcome       status  records  inserted  updated  "
                              "unchanged  ms\n"
                              "-------  ------------  ------  -------  --------  -------  "
                              "---------  --\n"
                              "weather  not modified     304        0         0        0          "
                              "0  12\n");
    free(text);
    once_table_free(table);
}

static void rejected_records_count_as_a_failure_and_say_why_and_where_they_are(void **state)
{
    struct once_table *table = once_table_create(&config);
    struct dead_letter letter = {.reason = "column \"a\": 1.5 is not an integer"};
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    result.rejected = result.total.rejected = 2;
    result.dead_letters = &letter;
    result.dead_letter_count = 1;
    once_table_add(table, &result);
    text = print(table, &failed);
    assert_int_equal(failed, 1);
    assert_non_null(strstr(text, "weather  partial"));
    assert_non_null(strstr(text,
                           "\nweather: 2 records rejected, the first because column \"a\": 1.5 "
                           "is not an integer; see gatherd failed list --source weather\n"));
    free(text);
    once_table_free(table);
}

static void a_row_that_the_table_refused_is_a_rejected_record_too(void **state)
{
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    result.rejected = result.total.rejected = 1;
    once_table_add(table, &result);
    text = print(table, &failed);
    assert_int_equal(failed, 1);
    assert_non_null(
        strstr(text, "\nweather: 1 record rejected; see gatherd failed list --source weather\n"));
    free(text);
    once_table_free(table);
}

static void a_source_that_did_not_run_has_no_line(void **state)
{
    struct once_table *table = once_table_create(&config);
    size_t failed;
    char *text = print(table, &failed);

    (void)state;
    assert_int_equal(failed, 0);
    assert_null(strstr(text, "weather"));
    free(text);
    once_table_free(table);
}

static void the_items_of_a_source_are_one_line(void **state)
{
    static const struct source_item item = {.key = "7"};
    struct once_table *table = once_table_create(&config);
    struct run run;
    struct result result = result_of(&run, 0);
    size_t failed;
    char *text;

    (void)state;
    result.total = (struct tally){0}; /* the round */
    run.response.status = 0;
    once_table_add(table, &result);
    for (int i = 0; i < 3; i++) {
        result = result_of(&run, 0);
        run.item = &item;
        if (i == 1) {
            run.failure = RUN_FAILED_STATUS;
            run.error = strdup("HTTP 404 Not Found");
            result.total = (struct tally){0};
        }
        once_table_add(table, &result);
        free(run.error);
    }
    assert_int_equal(once_table_length(table), 1);
    text = print(table, &failed);
    assert_int_equal(failed, 1);
    assert_non_null(strstr(text, "weather  status      200        6         4        2"));
    assert_non_null(strstr(text, "\nweather: 1 of 3 items failed; item 7: HTTP 404 Not Found\n"));
    free(text);
    once_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_stand_in_their_order_with_what_became_of_them),
        cmocka_unit_test(deleted_rows_have_a_column_where_some_may_be),
        cmocka_unit_test(filtered_and_rejected_records_have_a_column_where_there_are_some),
        cmocka_unit_test(an_answer_that_did_not_change_is_told_from_one_without_records),
        cmocka_unit_test(rejected_records_count_as_a_failure_and_say_why_and_where_they_are),
        cmocka_unit_test(a_row_that_the_table_refused_is_a_rejected_record_too),
        cmocka_unit_test(a_source_that_did_not_run_has_no_line),
        cmocka_unit_test(the_items_of_a_source_are_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
