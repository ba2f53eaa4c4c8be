/* One compiled path in many threads at once; ThreadSanitizer says whether they share anything. */
#include "test.h"

#include <pthread.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/jsonpath.h"
#include "selecting.h"

#define THREADS 4
#define TIMES   200

static const char body[] = "{\"min\":2,\"pattern\":\"[ac].*\",\"list\":[{\"n\":1,\"t\":\"abc\"},"
                           "{\"n\":2,\"t\":\"bcd\"},{\"n\":3,\"t\":\"cde\"},{\"n\":4}]}";

static const char text[] = "$..[?@.n >= $.min && (match(@.t, '.*[de]') || !@.t) && "
                           "(search(@.t, $.pattern) || length(@.t) == $.none)].n";

static void *run(void *argument)
{
    const struct jsonpath *path = argument;
    struct arena *arena = arena_create(1024);
    size_t right = 0;

    for (int i = 0; i < TIMES; i++) {
        struct jsonpath_session session;
        struct node_list list = {0};
        const struct node *root;

        arena_reset(arena);
        if (json_read(body, strlen(body), arena, &root, NULL) != JSON_OK)
            break;
        jsonpath_begin(&session, arena, root, strlen(body), 1);
        right += jsonpath_select(path, root, &session, &list) == JSONPATH_OK && list.count == 3;
    }
    arena_free(arena);
    return right == TIMES ? argument : NULL;
}

static void threads_share_a_path(void **state)
{
    struct jsonpath *path = selecting_compile(text);
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, path), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, path);
    }
    jsonpath_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
