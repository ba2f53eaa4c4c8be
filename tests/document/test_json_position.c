#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"

static void assert_position(const char *body, size_t offset, unsigned line, unsigned column)
{
    unsigned at_line;
    unsigned at_column;

    json_position(body, offset, &at_line, &at_column);
    assert_int_equal(at_line, line);
    assert_int_equal(at_column, column);
}

static void a_position_counts_lines_and_characters(void **state)
{
    (void)state;
    assert_position("", 0, 1, 1);
    assert_position("abc", 2, 1, 3);
    assert_position("a\nbc", 1, 1, 2);
    assert_position("a\nbc", 2, 2, 1);
    assert_position("a\r\nbc", 4, 2, 2);
    assert_position("\n\n\n", 3, 4, 1);
    assert_position("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x", 9, 1, 4);
    assert_position("\xef\xbb\xbf{x", 4, 1, 2);
    assert_position("\xef\xbb\xbf", 0, 1, 1);
}

/* The position that the search finds is that of a search from the start. */
static void assert_located(struct json_locator *at, size_t offset)
{
    unsigned line;
    unsigned column;

    assert_true(json_locate(at, offset, &line, &column));
    assert_position(at->body, offset, line, column);
}

static void a_search_finds_its_positions_in_any_order(void **state)
{
    static const char body[] = "\xef\xbb\xbf{\"\xc3\xa9\": 1}\n\n[\xe2\x82\xac, 2]\r\nx";
    size_t length = strlen(body);

    (void)state;
    for (size_t from = 0; from <= length; from++) {
        for (size_t to = 0; to <= length; to++) {
            struct json_locator at = {.body = body};

            assert_located(&at, from);
            assert_located(&at, to);
            assert_located(&at, from);
        }
    }
}

/* Two lines of `width` bytes. */
static char *two_lines(size_t width)
{
    char *body = malloc(2 * width + 1);

    assert_non_null(body);
    memset(body, 'x', 2 * width);
    body[width - 1] = '\n';
    body[2 * width] = '\0';
    return body;
}

static void a_search_against_the_order_of_the_body_costs_a_walk_or_two(void **state)
{
    size_t width = 100000;
    char *body = two_lines(width);
    struct json_locator at = {.body = body};
    unsigned line;
    unsigned column;

    (void)state;
    for (size_t offset = 2 * width - 2; offset > 0; offset -= 2) {
        assert_true(json_locate(&at, offset, &line, &column));
        assert_int_equal(line, offset < width ? 1 : 2);
        assert_int_equal(column, offset % width + 1);
    }
    assert_true(at.walked <= 4 * 2 * width);
    free(body);
}

static void a_search_that_leaps_to_and_fro_is_given_up(void **state)
{
    size_t width = 500000;
    char *body = two_lines(width);
    struct json_locator at = {.body = body};
    unsigned line = 7;
    unsigned column = 7;
    size_t found = 0;

    (void)state;
    while (found < 1000 && json_locate(&at, found % 2 == 0 ? 2 * width : 10, &line, &column))
        found++;
    assert_in_range(found, 10, 40);
    assert_int_equal(line, 0);
    assert_int_equal(column, 0);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_counts_lines_and_characters),
        cmocka_unit_test(a_search_finds_its_positions_in_any_order),
        cmocka_unit_test(a_search_against_the_order_of_the_body_costs_a_walk_or_two),
        cmocka_unit_test(a_search_that_leaps_to_and_fro_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
