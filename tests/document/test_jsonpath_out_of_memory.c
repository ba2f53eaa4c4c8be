/* Compiling a path when memory is out: allocation 1 fails, then 2, and so on until it compiles. */
#include "test.h"

#include <string.h>

#include "allocation.h"
#include "gatherd/jsonpath.h"

static void assert_compiles_with_enough(const char *text)
{
    struct jsonpath *path = NULL;
    bool failed = true;

    for (size_t allowed = 0; path == NULL; allowed++) {
        struct error err = {0};
        size_t column = 0;

        allocation_fail_after(allowed, false);
        path = jsonpath_compile(text, &column, &err);
        failed = allocation_stop_failing();
        if (path == NULL) {
            assert_true(failed);
            assert_int_equal(err.code, ERROR_NOMEM);
            assert_in_range(column, 1, strlen(text) + 1);
        }
        assert_true(allowed < 200);
    }
    assert_false(failed);
    jsonpath_free(path);
}

static void a_path_that_lacks_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_compiles_with_enough("$");
    assert_compiles_with_enough("$.a['b'][0]");
    assert_compiles_with_enough("$..a[1:2, *, 'c', -1]..*");
    assert_compiles_with_enough("$[?@.a == 'x' && !(@['b'] < 1.5 || $.c >= null) || @..d]");
    assert_compiles_with_enough("$[?count(@.*[?length(@.x) == 2]) > length(value($..y))]");
    assert_compiles_with_enough("$[?match(@.a, 'x[a-z]*') && search(@.b, @.c) && !match('', '')]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_lacks_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
