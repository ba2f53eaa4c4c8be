#include "test.h"

#include <stdalign.h>
#include <string.h>

#include "gatherd/arena.h"
#include "huge_allocations.h"

#define KIB 1024u
#define MIB (1024u * 1024u)

static int setup(void **state)
{
    *state = arena_create(MIB);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void allocations_are_aligned_for_any_type_and_do_not_overlap(void **state)
{
    char *pointers[200];

    for (size_t i = 0; i < 200; i++) {
        pointers[i] = arena_alloc(*state, i * 7);
        assert_non_null(pointers[i]);
        assert_int_equal((uintptr_t)pointers[i] % alignof(max_align_t), 0);
        memset(pointers[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal((unsigned char)pointers[i][k], i);
    }
}

static void an_allocation_larger_than_any_block_gets_one_of_its_own(void **state)
{
    char *small = arena_alloc(*state, 10);
    char *large = arena_alloc(*state, 10 * MIB);
    char *next = arena_alloc(*state, 10);

    assert_non_null(small);
    assert_non_null(large);
    assert_non_null(next);
    memset(large, 1, 10 * MIB);
    memset(small, 2, 10);
    memset(next, 3, 10);
    assert_int_equal(large[10 * MIB - 1], 1);
}

static void impossible_sizes_give_null_and_leave_the_arena_working(void **state)
{
    assert_null(arena_alloc(*state, SIZE_MAX));
    assert_null(arena_alloc(*state, SIZE_MAX - 15));
    assert_null(arena_alloc(*state, SIZE_MAX - 64));
    assert_null(arena_alloc(*state, SIZE_MAX / 2 + 1));
    assert_null(arena_copy(*state, "", SIZE_MAX));
    assert_non_null(arena_alloc(*state, 100));
    assert_null(arena_alloc(*state, SIZE_MAX / 2 + 1));
    assert_non_null(arena_alloc(*state, 100));
}

static void nothing_of_size_0_is_not_null(void **state)
{
    assert_non_null(arena_alloc(*state, 0));
    assert_non_null(arena_alloc(*state, 64 * KIB)); /* fills a block */
    assert_non_null(arena_alloc(*state, 0));
}

static void the_newest_allocation_grows_in_place(void **state)
{
    char *p = arena_alloc(*state, 100);

    memset(p, 'a', 100);
    assert_ptr_equal(arena_grow(*state, p, 100, 110), p);
    assert_ptr_equal(arena_grow(*state, p, 110, 5000), p);
    assert_int_equal(p[99], 'a');
    memset(p, 'b', 5000);
    assert_true((char *)arena_alloc(*state, 1) >= p + 5000);
}

static void an_older_allocation_is_copied_when_it_grows(void **state)
{
    char *p = arena_alloc(*state, 100);
    char *after = arena_alloc(*state, 100);
    char *grown;

    memset(p, 'a', 100);
    memset(after, 'z', 100);
    grown = arena_grow(*state, p, 100, 300);
    assert_true(grown != p);
    memset(grown + 100, 'b', 200);
    assert_int_equal(grown[0], 'a');
    assert_int_equal(grown[99], 'a');
    assert_int_equal(after[0], 'z');
    assert_int_equal(p[99], 'a'); /* the old one stands */
}

static void growth_beyond_the_block_moves_to_a_new_one(void **state)
{
    size_t size = 16;
    char *p = arena_alloc(*state, size);

    memset(p, 'a', size);
    while (size < 4 * MIB) {
        p = arena_grow(*state, p, size, size * 2);
        assert_non_null(p);
        assert_int_equal(p[0], 'a');
        assert_int_equal(p[size - 1], 'a');
        memset(p, 'a', size * 2);
        size *= 2;
    }
}

static void growth_from_nothing_is_an_allocation(void **state)
{
    char *p = arena_grow(*state, NULL, 0, 50);

    assert_non_null(p);
    memset(p, 1, 50);
}

static void growth_to_an_impossible_size_leaves_the_old_one(void **state)
{
    char *p = arena_alloc(*state, 4);

    memcpy(p, "old", 4);
    assert_null(arena_grow(*state, p, 4, SIZE_MAX));
    assert_null(arena_grow(*state, p, 4, SIZE_MAX - 16));
    assert_null(arena_grow(*state, p, 4, SIZE_MAX / 2 + 1));
    assert_string_equal(p, "old");
}

static void copies_end_with_a_nul(void **state)
{
    char *copy = arena_copy(*state, "slice of more", 5);
    char *empty = arena_copy(*state, NULL, 0);

    assert_string_equal(copy, "slice");
    assert_string_equal(empty, "");
}

static void used_counts_what_was_handed_out(void **state)
{
    assert_int_equal(arena_used(*state), 0);
    arena_alloc(*state, 1000);
    assert_in_range(arena_used(*state), 1000, 1015);
    arena_alloc(*state, 3 * MIB); /* in a new block */
    assert_in_range(arena_used(*state), 3 * MIB + 1000, 3 * MIB + 1031);
    arena_reset(*state);
    assert_int_equal(arena_used(*state), 0);
}

static void reset_keeps_a_block_within_the_limit(void **state)
{
    char *first = arena_alloc(*state, 64 * KIB);

    arena_reset(*state);
    assert_ptr_equal(arena_alloc(*state, 64 * KIB), first);
}

static void reset_keeps_the_largest_block_within_the_limit(void **state)
{
    char *largest_allowed;

    arena_alloc(*state, 64 * KIB);
    largest_allowed = arena_alloc(*state, MIB);
    arena_alloc(*state, 5 * MIB); /* one huge response does not cost the block before it */
    arena_reset(*state);
    assert_ptr_equal(arena_alloc(*state, MIB), largest_allowed);
    assert_int_equal(arena_used(*state), MIB);
}

static void reset_of_an_unused_arena_is_allowed(void **state)
{
    arena_reset(*state);
    arena_reset(*state);
    assert_non_null(arena_alloc(*state, 1));
}

static void an_arena_that_keeps_nothing_works(void **state)
{
    struct arena *arena = arena_create(0);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_non_null(arena_alloc(arena, 100));
        assert_non_null(arena_alloc(arena, MIB));
        arena_reset(arena);
    }
    arena_free(arena);
    arena_free(NULL);
}

#define ARENA_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(allocations_are_aligned_for_any_type_and_do_not_overlap),
        ARENA_TEST(an_allocation_larger_than_any_block_gets_one_of_its_own),
        ARENA_TEST(impossible_sizes_give_null_and_leave_the_arena_working),
        ARENA_TEST(nothing_of_size_0_is_not_null),
        ARENA_TEST(the_newest_allocation_grows_in_place),
        ARENA_TEST(an_older_allocation_is_copied_when_it_grows),
        ARENA_TEST(growth_beyond_the_block_moves_to_a_new_one),
        ARENA_TEST(growth_from_nothing_is_an_allocation),
        ARENA_TEST(growth_to_an_impossible_size_leaves_the_old_one),
        ARENA_TEST(copies_end_with_a_nul),
        ARENA_TEST(used_counts_what_was_handed_out),
        ARENA_TEST(reset_keeps_a_block_within_the_limit),
        ARENA_TEST(reset_keeps_the_largest_block_within_the_limit),
        ARENA_TEST(reset_of_an_unused_arena_is_allowed),
        cmocka_unit_test(an_arena_that_keeps_nothing_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
