#include "test.h"

#include "schedule/slot.h"

static const struct slot_grid grid = {.interval_ms = 60, .offset_ms = 7};

static void the_offset_is_the_hash_modulo_the_interval(void **state)
{
    (void)state;
    assert_int_equal(slot_grid(12345, 1000).offset_ms, 345);
    assert_int_equal(slot_grid(UINT64_MAX, 10).offset_ms, UINT64_MAX % 10);
}

static void slots_are_found_on_both_sides_of_a_moment(void **state)
{
    (void)state;
    assert_int_equal(slot_at_or_after(grid, 7), 7);
    assert_int_equal(slot_at_or_after(grid, 8), 67);
    assert_int_equal(slot_at_or_after(grid, 67), 67);
    assert_int_equal(slot_at_or_before(grid, 66), 7);
    assert_int_equal(slot_at_or_before(grid, 67), 67);
}

static void slots_before_1970_lie_on_the_same_grid(void **state)
{
    (void)state;
    assert_int_equal(slot_at_or_before(grid, 6), -53);
    assert_int_equal(slot_at_or_before(grid, -53), -53);
    assert_int_equal(slot_at_or_before(grid, -54), -113);
    assert_int_equal(slot_at_or_after(grid, -52), 7);
}

static void slots_are_counted_without_the_first_and_with_the_last(void **state)
{
    (void)state;
    assert_int_equal(slot_count(grid, 7, 7), 0);
    assert_int_equal(slot_count(grid, 7, 66), 0);
    assert_int_equal(slot_count(grid, 7, 67), 1);
    assert_int_equal(slot_count(grid, 6, 67), 2);
    assert_int_equal(slot_count(grid, -60, 200), 5); /* -53, 7, 67, 127, 187 */
    assert_int_equal(slot_count(grid, 200, 7), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offset_is_the_hash_modulo_the_interval),
        cmocka_unit_test(slots_are_found_on_both_sides_of_a_moment),
        cmocka_unit_test(slots_before_1970_lie_on_the_same_grid),
        cmocka_unit_test(slots_are_counted_without_the_first_and_with_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
