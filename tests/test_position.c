#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/position.h"

#define NOON 1767268800000 /* 2026-01-01T12:00:00Z */

static const struct incremental plain = {0};

static struct position *make(const char *cursor)
{
    struct position *position = position_create(cursor);

    assert_non_null(position);
    return position;
}

static void begin(struct position *position, const struct incremental *rule)
{
    struct source source = {.incremental = rule, .interval_ms = 60000};
    struct error err = {0};

    if (position_begin(position, &source, NOON, &err) == -1)
        fail_msg("%s", err.text);
}

static void assert_text(const char *text, const char *expected)
{
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
}

static struct hash128 hash_of(const char *text)
{
    return hash128_bytes(text, strlen(text));
}

/* A page with these values, whose records are the values themselves. */
static void page(struct position *position, const struct incremental *rule,
                 const char *const *values)
{
    assert_int_equal(position_start_page(position), 0);
    for (; *values != NULL; values++) {
        struct hash128 hash = hash_of(*values);

        assert_true(position_compares(position, rule, slice_of(*values)));
        assert_int_equal(position_note(position, rule, slice_of(*values), &hash), 0);
    }
}

/* A run of one page; the cursor it saves. */
static bool run(struct position *position, const struct incremental *rule,
                const char *const *values, const char *expected)
{
    bool more;

    begin(position, rule);
    page(position, rule, values);
    assert_int_equal(position_settle(position, rule), 0);
    more = position_has_more(position);
    position_page_committed(position, true);
    position_end(position);
    assert_text(position->saved.cursor, expected);
    return more;
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING     ((const char *const[]){NULL})

static void the_greatest_value_is_kept_whatever_the_order(void **state)
{
    struct position *position = make(NULL);

    (void)state;
    assert_false(run(position, &plain, VALUES("9", "10", "2"), "10"));
    assert_false(run(position, &plain, VALUES("7"), "10"));
    assert_false(run(position, &plain, NOTHING, "10"));
    assert_false(run(position, &plain, VALUES("11"), "11"));
    position_free(position);
}

static void the_first_run_asks_for_all_or_from_the_initial_value(void **state)
{
    static const struct incremental rule = {.initial_value = "2026-01-01",
                                            .lookback = {3600000, true}};
    struct position *position = make(NULL);

    (void)state;
    begin(position, &plain);
    assert_text(position->from, NULL);
    assert_text(position->to, NULL);
    position_end(position);
    begin(position, &rule);
    assert_text(position->from, "2026-01-01"); /* nothing seen is nothing to look back at */
    assert_text(position->to, "2026-01-01T12:00:00Z");
    position_free(position);
}

static void lookback_asks_again_for_what_came_late(void **state)
{
    static const struct incremental times = {.lookback = {3600000, true}};
    static const struct incremental numbers = {.lookback = {5, false}};
    struct position *position = make("2026-01-01T11:30:00Z");

    (void)state;
    begin(position, &times);
    assert_text(position->from, "2026-01-01T10:30:00Z");
    position_free(position);
    position = make("100");
    begin(position, &numbers);
    assert_text(position->from, "95");
    position_free(position);
}

static void a_run_keeps_its_window_until_it_ends(void **state)
{
    struct position *position = make("2026-01-01T11:30:00Z");
    struct source source = {.incremental = &plain, .interval_ms = 60000};
    struct error err = {0};

    (void)state;
    begin(position, &plain);
    assert_int_equal(position_begin(position, &source, NOON + 3600000, &err), 0);
    assert_text(position->to, "2026-01-01T12:00:00Z");
    position_end(position);
    assert_text(position->to, NULL);
    assert_int_equal(position_begin(position, &source, NOON + 3600000, &err), 0);
    assert_text(position->to, "2026-01-01T13:00:00Z");
    position_free(position);
}

static void a_run_that_fails_moves_nothing(void **state)
{
    struct position *position = make("5");

    (void)state;
    begin(position, &plain);
    page(position, &plain, VALUES("9"));
    position_page_committed(position, false);
    page(position, &plain, VALUES("12"));
    position_end(position);
    assert_text(position->saved.cursor, "5");
    begin(position, &plain);
    page(position, &plain, VALUES("6"));
    assert_int_equal(position_settle(position, &plain), 0);
    assert_text(position->to_save.cursor, "6");
    position_free(position);
}

static void a_page_that_is_looked_at_again_counts_once(void **state)
{
    struct position *position = make(NULL);

    (void)state;
    begin(position, &plain);
    page(position, &plain, VALUES("9"));
    position_page_committed(position, false);
    page(position, &plain, VALUES("100"));
    page(position, &plain, VALUES("10"));
    assert_int_equal(position_settle(position, &plain), 0);
    assert_text(position->to_save.cursor, "10");
    position_free(position);
}

static void a_time_to_come_moves_nothing_beyond_the_request(void **state)
{
    static const struct incremental seconds = {.rule = {CURSOR_TIMESTAMP, TIME_UNIT_S}};
    struct position *position = make(NULL);

    (void)state;
    run(position, &plain,
        VALUES("2026-01-01T11:00:00Z", "2099-01-01T00:00:00Z", "2026-01-01T12:00:00.001Z"),
        "2026-01-01T11:00:00Z");
    position_free(position);
    position = make("1767268000");
    run(position, &seconds, VALUES("1767268801", "1767268800"), "1767268800");
    position_free(position);
}

static void records_of_the_cursors_own_value_are_known_again(void **state)
{
    struct position *position = make(NULL);

    (void)state;
    begin(position, &plain);
    assert_int_equal(position_start_page(position), 0);
    for (int i = 0; i < 100; i++) {
        struct hash128 hash = {(uint64_t)i, 0};

        assert_int_equal(position_note(position, &plain, slice_of("7"), &hash), 0);
    }
    assert_int_equal(position_note(position, &plain, slice_of("3"), &(struct hash128){500, 0}), 0);
    assert_int_equal(position_settle(position, &plain), 0);
    position_page_committed(position, true);
    position_end(position);
    assert_int_equal(position->saved.ties.count, 100);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(position_is_tie(position, &plain, slice_of("7"), (struct hash128){i, 0}));
    assert_true(position_is_tie(position, &plain, slice_of("7.0"), (struct hash128){1, 0}));
    assert_false(position_is_tie(position, &plain, slice_of("7"), (struct hash128){500, 0}));
    assert_false(position_is_tie(position, &plain, slice_of("8"), (struct hash128){1, 0}));
    position_free(position);
}

static void ties_add_up_while_the_cursor_stays(void **state)
{
    struct position *position = make(NULL);
    struct hash128 a = {1, 1};
    struct hash128 b = {2, 2};

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(position, &plain);
        position_start_page(position);
        position_note(position, &plain, slice_of("7"), i == 0 ? &a : &b);
        assert_int_equal(position_settle(position, &plain), 0);
        position_page_committed(position, true);
        position_end(position);
    }
    assert_true(position_is_tie(position, &plain, slice_of("7"), a));
    assert_true(position_is_tie(position, &plain, slice_of("7"), b));
    position_free(position);
}

static void steps_walk_through_empty_windows_up_to_now(void **state)
{
    static const struct incremental daily = {.initial_value = "2025-12-30T06:00:00Z",
                                             .step = {86400000, true}};
    struct position *position = make(NULL);

    (void)state;
    begin(position, &daily);
    assert_text(position->from, "2025-12-30T06:00:00Z");
    assert_text(position->to, "2025-12-31T06:00:00Z");
    assert_true(run(position, &daily, NOTHING, "2025-12-31T06:00:00Z"));
    assert_true(run(position, &daily, VALUES("2025-12-31T09:00:00Z"), "2026-01-01T06:00:00Z"));
    begin(position, &daily);
    assert_text(position->to, "2026-01-01T12:00:00Z"); /* now: what is to come is not done */
    assert_false(run(position, &daily, NOTHING, "2026-01-01T06:00:00Z"));
    assert_false(run(position, &daily, VALUES("2026-01-01T07:00:00Z"), "2026-01-01T07:00:00Z"));
    position_free(position);
}

static void the_end_is_the_last_that_is_asked_for(void **state)
{
    static const struct incremental rule = {
        .initial_value = "10", .end = "25", .step = {10, false}};
    struct position *position = make(NULL);

    (void)state;
    assert_true(run(position, &rule, VALUES("12"), "20"));
    begin(position, &rule);
    assert_text(position->from, "20");
    assert_text(position->to, "25");
    assert_false(position->nothing);
    assert_false(run(position, &rule, NOTHING, "25"));
    begin(position, &rule);
    assert_true(position->nothing);
    position_free(position);
}

static void a_backfill_walks_its_own_range_beside_the_cursor(void **state)
{
    static const struct incremental daily = {
        .initial_value = "2020-01-01", .step = {86400000, true}, .lookback = {3600000, true}};
    struct position *position = make("2026-01-01T10:00:00Z");
    struct error err = {0};

    (void)state;
    assert_int_equal(
        position_start_backfill(position, &daily, "2025-03-01", "2025-03-02T12:00:00Z", &err), 0);
    begin(position, &daily);
    assert_true(position->walking);
    assert_text(position->from, "2025-03-01");
    assert_text(position->to, "2025-03-02");
    assert_true(run(position, &daily, VALUES("2025-03-01T01:00:00Z"), "2026-01-01T10:00:00Z"));
    begin(position, &daily);
    assert_text(position->from, "2025-03-02");
    assert_text(position->to, "2025-03-02T12:00:00Z");
    assert_false(run(position, &daily, NOTHING, "2026-01-01T10:00:00Z"));
    assert_null(position->backfill);
    begin(position, &daily);
    assert_false(position->walking);
    assert_text(position->from, "2026-01-01T09:00:00Z");
    position_free(position);
}

static void what_is_new_comes_between_the_steps_of_a_backfill(void **state)
{
    static const struct incremental daily = {.initial_value = "2020-01-01",
                                             .step = {86400000, true}};
    const struct source source = {.incremental = &daily, .interval_ms = 60000};
    static const bool walking[] = {true, true, false, true, false, true};
    struct position *position = make("2026-01-01T10:00:00Z");
    struct error err = {0};

    (void)state;
    assert_int_equal(position_start_backfill(position, &daily, "2020-01-01", "2025-01-01", &err),
                     0);
    for (size_t i = 0; i < sizeof(walking) / sizeof(walking[0]); i++) {
        int64_t now_ms = NOON + (int64_t)i * 30000;

        assert_int_equal(position_begin(position, &source, now_ms, &err), 0);
        assert_int_equal(position->walking, walking[i]);
        assert_int_equal(position_start_page(position), 0);
        assert_int_equal(position_settle(position, &daily), 0);
        assert_true(position_has_more(position));
        position_page_committed(position, true);
        position_end(position);
    }
    position_stop_backfill(position);
    assert_int_equal(position_begin(position, &source, NOON, &err), 0);
    assert_false(position->walking);
    position_free(position);
}

static void a_step_of_a_backfill_that_fails_is_made_again(void **state)
{
    static const struct incremental rule = {.rule = {.type = CURSOR_NUMBER}};
    struct position *position = make("500");
    struct error err = {0};

    (void)state;
    assert_int_equal(position_start_backfill(position, &rule, "1", "100", &err), 0);
    begin(position, &rule);
    page(position, &rule, VALUES("60"));
    position_end(position);
    begin(position, &rule);
    assert_text(position->from, "1");
    assert_text(position->to, "100");
    assert_non_null(position->backfill);
    position_free(position);
}

static void a_range_that_is_none_is_refused(void **state)
{
    static const struct incremental number = {.rule = {.type = CURSOR_NUMBER}};
    static const struct {
        const char *from;
        const char *to;
        const char *text;
    } cases[] = {
        {"a", "2", "\"a\" is no position"},
        {"1", "b", "\"b\" is no position"},
        {"2", "1", "\"2\" is not before \"1\""},
        {"1", "1.0", "is not before"},
    };
    struct position *position = make(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};

        assert_int_equal(
            position_start_backfill(position, &number, cases[i].from, cases[i].to, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s", err.text);
        assert_null(position->backfill);
    }
    position_free(position);
}

static void assert_refused(const char *cursor, const struct incremental *rule, const char *text)
{
    struct position *position = make(cursor);
    struct source source = {.incremental = rule, .interval_ms = 60000};
    struct error err = {0};

    assert_int_equal(position_begin(position, &source, NOON, &err), -1);
    assert_int_equal(err.code, ERROR_CONFIG);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
    assert_false(position->begun);
    position_free(position);
}

static void a_saved_cursor_that_does_not_fit_is_refused(void **state)
{
    static const struct incremental number = {.rule = {.type = CURSOR_NUMBER}};
    static const struct incremental ends = {.end = "2026-01-01"};
    static const struct incremental hour_back = {.lookback = {3600000, true}};
    static const struct incremental hour_on = {.step = {3600000, true}};

    (void)state;
    assert_refused("2026-01-01", &number, "the saved position \"2026-01-01\" is not of the type");
    assert_refused("17", &ends, "do not compare");
    assert_refused("17", &hour_back, "incremental.lookback does not fit the position \"17\"");
    assert_refused("17", &hour_on, "incremental.step does not fit");
}

static void values_of_another_kind_are_told_apart(void **state)
{
    struct position *position = make("17");

    (void)state;
    begin(position, &plain);
    assert_true(position_compares(position, &plain, slice_of("18")));
    assert_false(position_compares(position, &plain, slice_of("2026-01-01")));
    assert_false(position_compares(position, &plain, slice_of("")));
    position_free(position);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greatest_value_is_kept_whatever_the_order),
        cmocka_unit_test(the_first_run_asks_for_all_or_from_the_initial_value),
        cmocka_unit_test(lookback_asks_again_for_what_came_late),
        cmocka_unit_test(a_run_keeps_its_window_until_it_ends),
        cmocka_unit_test(a_run_that_fails_moves_nothing),
        cmocka_unit_test(a_page_that_is_looked_at_again_counts_once),
        cmocka_unit_test(a_time_to_come_moves_nothing_beyond_the_request),
        cmocka_unit_test(records_of_the_cursors_own_value_are_known_again),
        cmocka_unit_test(ties_add_up_while_the_cursor_stays),
        cmocka_unit_test(steps_walk_through_empty_windows_up_to_now),
        cmocka_unit_test(the_end_is_the_last_that_is_asked_for),
        cmocka_unit_test(a_backfill_walks_its_own_range_beside_the_cursor),
        cmocka_unit_test(what_is_new_comes_between_the_steps_of_a_backfill),
        cmocka_unit_test(a_step_of_a_backfill_that_fails_is_made_again),
        cmocka_unit_test(a_range_that_is_none_is_refused),
        cmocka_unit_test(a_saved_cursor_that_does_not_fit_is_refused),
        cmocka_unit_test(values_of_another_kind_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
