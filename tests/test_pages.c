#include "test.h"

#include <string.h>

#include "gatherd/pages.h"

static const struct pagination cursor = {.type = PAGINATION_CURSOR};

static void a_run_begins_at_its_first_page(void **state)
{
    const struct pagination page = {.type = PAGINATION_PAGE, .base_page = 7};
    struct pages *pages = pages_create(&page);

    (void)state;
    assert_int_equal(pages->number, 1);
    assert_int_equal(pages->position, 7);
    assert_null(pages->text);
    assert_int_equal(pages->run_id, 0);
    pages_free(pages);
    pages = pages_create(&cursor);
    assert_int_equal(pages->position, 0);
    pages_free(pages);
    pages_free(NULL);
}

static void what_follows_becomes_the_request_at_hand(void **state)
{
    struct pages *pages = pages_create(&cursor);

    (void)state;
    assert_int_equal(pages_follow(pages, (struct slice){"abcd", 3}, 5), 0);
    assert_true(pages->more);
    assert_null(pages->text);
    pages_advance(pages);
    assert_string_equal(pages->text, "abc");
    assert_int_equal(pages->position, 5);
    assert_int_equal(pages->number, 2);
    assert_false(pages->more);
    pages_free(pages);
}

static void a_decision_made_again_replaces_the_first(void **state)
{
    struct pages *pages = pages_create(&cursor);

    (void)state;
    assert_int_equal(pages_follow(pages, slice_of("a"), 1), 0);
    assert_int_equal(pages_follow(pages, slice_of("b"), 2), 0);
    assert_string_equal(pages->next_text, "b");
    pages_end(pages);
    assert_false(pages->more);
    assert_null(pages->next_text);
    pages_free(pages);
}

static void a_number_alone_has_no_text(void **state)
{
    struct pages *pages = pages_create(&cursor);

    (void)state;
    assert_int_equal(pages_follow(pages, (struct slice){NULL, 0}, 3), 0);
    pages_advance(pages);
    assert_null(pages->text);
    assert_int_equal(pages->position, 3);
    pages_free(pages);
}

/* How many pages a walk makes that goes `tail` pages and then round and round in `circle`. */
static unsigned pages_until_repeat(unsigned tail, unsigned circle)
{
    struct pages *pages = pages_create(&cursor);
    unsigned number = 1;

    for (;; number++) {
        unsigned at = number <= tail ? number : tail + (number - tail - 1) % circle + 1;

        pages->exchange = (struct hash128){at, 1};
        if (pages_repeat(pages, pages->exchange) || number > 10000)
            break;
        assert_int_equal(pages_follow(pages, slice_of("x"), 0), 0);
        pages_advance(pages);
    }
    pages_free(pages);
    return number;
}

static void every_circle_is_found_before_it_has_been_walked_for_long(void **state)
{
    (void)state;
    for (unsigned tail = 0; tail < 40; tail++) {
        for (unsigned circle = 1; circle < 40; circle++) {
            unsigned pages = pages_until_repeat(tail, circle);

            assert_true(pages > circle);
            assert_true(pages <= 2 * (tail > circle ? tail : circle) + circle + 2);
        }
    }
    assert_int_equal(pages_until_repeat(0, 1), 2);
    assert_int_equal(pages_until_repeat(5, 1), 7); /* the same page twice is seen at once */
}

static void a_walk_without_a_circle_repeats_nothing(void **state)
{
    (void)state;
    assert_true(pages_until_repeat(20000, 1) > 10000);
}

static void tallies_add_up(void **state)
{
    struct tally sum = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const struct tally more = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};

    (void)state;
    tally_add(&sum, &more);
    assert_int_equal(sum.bytes, 11);
    assert_int_equal(sum.records, 22);
    assert_int_equal(sum.inserted, 33);
    assert_int_equal(sum.updated, 44);
    assert_int_equal(sum.unchanged, 55);
    assert_int_equal(sum.filtered, 66);
    assert_int_equal(sum.deleted, 77);
    assert_int_equal(sum.marked, 88);
    assert_int_equal(sum.rejected, 99);
    assert_int_equal(sum.child_rows, 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_begins_at_its_first_page),
        cmocka_unit_test(what_follows_becomes_the_request_at_hand),
        cmocka_unit_test(a_decision_made_again_replaces_the_first),
        cmocka_unit_test(a_number_alone_has_no_text),
        cmocka_unit_test(every_circle_is_found_before_it_has_been_walked_for_long),
        cmocka_unit_test(a_walk_without_a_circle_repeats_nothing),
        cmocka_unit_test(tallies_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
