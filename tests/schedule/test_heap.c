#include "test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "schedule/heap.h"
#include "schedule/random.h"

struct thing {
    struct heap_item item;
    int64_t key;
    bool in;
};

static struct thing *thing_of(struct heap_item *item)
{
    return (struct thing *)((char *)item - offsetof(struct thing, item));
}

static void push(struct heap *heap, struct thing *thing, int64_t key)
{
    thing->key = key;
    thing->in = true;
    heap_push(heap, &thing->item, key);
}

static struct thing *pop(struct heap *heap)
{
    int64_t key;
    struct thing *thing = thing_of(heap_first(heap, &key));

    assert_int_equal(key, thing->key);
    heap_remove(heap, &thing->item);
    thing->in = false;
    return thing;
}

static void an_empty_heap_has_no_first(void **state)
{
    struct heap heap = {0};
    int64_t key;

    (void)state;
    assert_null(heap_first(&heap, &key));
    assert_int_equal(heap_count_until(&heap, INT64_MAX), 0);
    heap_free(&heap);
}

static void items_leave_in_the_order_of_their_keys(void **state)
{
    enum { COUNT = 1000 };
    struct heap heap = {0};
    struct thing *things = calloc(COUNT, sizeof(*things));
    struct random random = {1};
    int64_t last = INT64_MIN;

    (void)state;
    assert_non_null(things);
    assert_int_equal(heap_reserve(&heap, COUNT), 0);
    for (int i = 0; i < COUNT; i++)
        push(&heap, &things[i], random_upto(&random, 300) - 100);
    for (int i = 0; i < COUNT; i++) {
        struct thing *thing = pop(&heap);

        assert_true(thing->key >= last);
        last = thing->key;
    }
    assert_int_equal(heap.length, 0);
    heap_free(&heap);
    free(things);
}

static int64_t smallest_of(const struct thing *things, size_t count)
{
    int64_t smallest = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        if (things[i].in && things[i].key < smallest)
            smallest = things[i].key;
    }
    return smallest;
}

static void removing_from_any_place_keeps_the_order(void **state)
{
    enum { COUNT = 60 };
    struct heap heap = {0};
    struct thing things[COUNT] = {0};
    struct random random = {2};

    (void)state;
    assert_int_equal(heap_reserve(&heap, COUNT), 0);
    for (int step = 0; step < 20000; step++) {
        struct thing *thing = &things[random_next(&random) % COUNT];
        int64_t key;

        if (thing->in) {
            heap_remove(&heap, &thing->item);
            thing->in = false;
        } else {
            push(&heap, thing, random_upto(&random, 50));
        }
        if (heap_first(&heap, &key) == NULL)
            key = INT64_MAX;
        assert_int_equal(key, smallest_of(things, COUNT));
    }
    heap_free(&heap);
}

static void items_up_to_a_key_are_counted(void **state)
{
    enum { COUNT = 100 };
    struct heap heap = {0};
    struct thing things[COUNT] = {0};

    (void)state;
    assert_int_equal(heap_reserve(&heap, COUNT), 0);
    for (int i = 0; i < COUNT; i++)
        push(&heap, &things[i], i * 37 % COUNT);
    for (int key = -1; key <= COUNT; key++)
        assert_int_equal(heap_count_until(&heap, key), key < COUNT ? key + 1 : COUNT);
    heap_free(&heap);
}

/* 4 comparisons a level (3 among the children, 1 with them), and log4(100,000) is 8.3. */
static void a_poll_of_100000_costs_at_most_40_comparisons(void **state)
{
    enum { COUNT = 100000, POLLS = 300000 };
    struct heap heap = {0};
    struct thing *things = calloc(COUNT, sizeof(*things));
    struct random random = {3};

    (void)state;
    assert_non_null(things);
    assert_int_equal(heap_reserve(&heap, COUNT), 0);
    for (int i = 0; i < COUNT; i++)
        push(&heap, &things[i], random_upto(&random, 60000));
    for (int i = 0; i < POLLS; i++) {
        uint64_t before = heap.comparisons;
        struct thing *thing = pop(&heap);

        push(&heap, thing, thing->key + 60000);
        assert_true(heap.comparisons - before <= 2 * 40);
    }
    heap.comparisons = 0;
    for (int i = 0; i < POLLS; i++) {
        struct thing *thing = pop(&heap);

        push(&heap, thing, thing->key + 60000);
    }
    assert_true(heap.comparisons / POLLS <= 40);
    heap_free(&heap);
    free(things);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_no_first),
        cmocka_unit_test(items_leave_in_the_order_of_their_keys),
        cmocka_unit_test(removing_from_any_place_keeps_the_order),
        cmocka_unit_test(items_up_to_a_key_are_counted),
        cmocka_unit_test(a_poll_of_100000_costs_at_most_40_comparisons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
