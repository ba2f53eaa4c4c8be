#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "schedule/map.h"

enum { COUNT = 500 };

struct named {
    struct map_node node;
    char name[32];
};

static struct named *insert_all(struct map *map)
{
    struct named *things = calloc(COUNT, sizeof(*things));

    assert_non_null(things);
    for (int i = 0; i < COUNT; i++) {
        snprintf(things[i].name, sizeof(things[i].name), "name %d", i);
        assert_int_equal(map_reserve(map, map->count + 1), 0);
        map_insert(map, &things[i].node, things[i].name);
    }
    return things;
}

static void what_was_inserted_is_found_by_name(void **state)
{
    struct map map = {0};
    struct named *things;

    (void)state;
    assert_null(map_find(&map, "name 0"));
    things = insert_all(&map);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(map_find(&map, things[i].name), &things[i].node);
    assert_null(map_find(&map, "name"));
    map_free(&map);
    free(things);
}

static void what_was_removed_is_not_found_and_the_others_are(void **state)
{
    struct map map = {0};
    struct named *things = insert_all(&map);

    (void)state;
    for (int i = 0; i < COUNT; i += 2)
        map_remove(&map, &things[i].node);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(map_find(&map, things[i].name), i % 2 == 0 ? NULL : &things[i].node);
    assert_int_equal(map.count, COUNT / 2);
    map_free(&map);
    free(things);
}

static void walking_meets_each_once_and_allows_to_remove_what_is_behind(void **state)
{
    struct map map = {0};
    struct named *things = insert_all(&map);
    struct map_node *next;
    int met = 0;

    (void)state;
    for (struct map_node *node = map_next(&map, NULL); node != NULL; node = next) {
        next = map_next(&map, node);
        map_remove(&map, node);
        met++;
    }
    assert_int_equal(met, COUNT);
    assert_int_equal(map.count, 0);
    assert_null(map_next(&map, NULL));
    map_free(&map);
    free(things);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_inserted_is_found_by_name),
        cmocka_unit_test(what_was_removed_is_not_found_and_the_others_are),
        cmocka_unit_test(walking_meets_each_once_and_allows_to_remove_what_is_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
