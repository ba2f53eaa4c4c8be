/* Paths when the arena has no memory: allocation 1 fails, then 2, and so on until all succeed. */
#include "test.h"

#include <string.h>

#include "gatherd/json.h"
#include "gatherd/jsonpath.h"
#include "scarce_arena.h"

typedef enum jsonpath_status runner(const struct jsonpath *path, const struct node *root,
                                    struct jsonpath_session *session);

static enum jsonpath_status run_select(const struct jsonpath *path, const struct node *root,
                                       struct jsonpath_session *session)
{
    struct node_list list;

    return jsonpath_select(path, root, session, &list);
}

static enum jsonpath_status run_find(const struct jsonpath *path, const struct node *root,
                                     struct jsonpath_session *session)
{
    const struct node *found;

    return jsonpath_find(path, root, session, &found);
}

static enum jsonpath_status run_reach(const struct jsonpath *path, const struct node *root,
                                      struct jsonpath_session *session)
{
    struct jsonpath_reach reach;

    return jsonpath_reach(path, root, session, &reach);
}

/* How many allocations it takes. */
static size_t allocations_to_run(runner *run, const char *text, const struct node *root)
{
    struct jsonpath *path = jsonpath_compile(text, &(size_t){0}, NULL);
    enum jsonpath_status status = JSONPATH_NOMEM;
    size_t allowed = 0;

    assert_non_null(path);
    for (; status == JSONPATH_NOMEM; allowed++) {
        struct arena *arena = arena_create(0);
        struct jsonpath_session session;

        jsonpath_begin(&session, arena, root, 1000, 1);
        scarce_arena_fail_after(allowed);
        status = run(path, root, &session);
        scarce_arena_stop_failing();
        arena_free(arena);
        assert_true(allowed < 100);
    }
    assert_int_equal(status, JSONPATH_OK);
    jsonpath_free(path);
    return allowed - 1;
}

static const char body[] =
    "{\"list\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[1],[2],[3],[4],[5],[6],[7],[8],[9]],"
    "\"texts\":[\"a\",\"b\",\"a\"],\"regexps\":[\"[a]\",\"(b|a)*\",\"(\",\"c{2}\"]}";

static const struct node *read_body(struct arena *arena)
{
    const struct node *root;

    assert_int_equal(json_read(body, strlen(body), arena, &root, NULL), JSON_OK);
    return root;
}

static void selecting_without_memory_says_so(void **state)
{
    static const struct {
        const char *path;
        size_t least; /* allocations */
    } examples[] = {
        {"$", 1},
        {"$.list[*]", 2},
        {"$.list[0,0]", 1},
        {"$.list[::-1][0]", 3},
        {"$.none", 0},
        {"$..*", 2},
        {"$.list[?@[0] > 3]", 1},
        {"$.texts[?match(@, 'a')]", 5},
        {"$.texts[?search('ab', @)]", 8},
        {"$.regexps[?match('a', @)]", 10},
    };
    struct arena *arena = arena_create(0);
    const struct node *root = read_body(arena);

    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        assert_in_range(allocations_to_run(run_select, examples[i].path, root), examples[i].least,
                        50);
    arena_free(arena);
}

static void finding_the_first_and_the_way_need_memory_only_for_what_they_run(void **state)
{
    struct arena *arena = arena_create(0);
    const struct node *root = read_body(arena);

    (void)state;
    assert_int_equal(allocations_to_run(run_find, "$..*..*", root), 0);
    assert_int_equal(allocations_to_run(run_find, "$.list[?count(@..*) > 5]", root), 0);
    assert_int_equal(allocations_to_run(run_reach, "$.list[?@[0] == 77].x", root), 0);
    assert_true(allocations_to_run(run_find, "$.list[::-1]", root) > 0);
    assert_true(allocations_to_run(run_reach, "$.texts[?match(@, 'c')].x", root) > 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selecting_without_memory_says_so),
        cmocka_unit_test(finding_the_first_and_the_way_need_memory_only_for_what_they_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
