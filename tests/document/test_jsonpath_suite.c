/*
 * The public compliance suite of RFC 9535 (github.com/jsonpath-standard/
 * jsonpath-compliance-test-suite): GATHERD_JSONPATH_SUITE names its cts.json. Skipped without it.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "gatherd/jsonpath.h"

static const struct node *member(const struct node *object, const char *name)
{
    return node_member(object, slice_of(name));
}

static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    char *body;
    long size;

    if (file == NULL)
        fail_msg("%s cannot be opened", name);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    body = malloc((size_t)size + 1);
    assert_int_equal(fread(body, 1, (size_t)size, file), size);
    body[size] = '\0';
    fclose(file);
    *length = (size_t)size;
    return body;
}

/* Whether the nodes are the elements of `expected`, in this order. */
static bool are_elements(const struct node_list *list, const struct node *expected)
{
    const struct node *element = node_first(expected);

    if (list->count != expected->length)
        return false;
    for (size_t i = 0; i < list->count; i++, element = node_next(element)) {
        if (!document_same(list->nodes[i], element))
            return false;
    }
    return true;
}

static bool is_expected(const struct node_list *list, const struct node *test)
{
    const struct node *results = member(test, "results");

    if (results == NULL)
        return are_elements(list, member(test, "result"));
    for (const struct node *n = node_first(results); n < node_end(results); n = node_next(n)) {
        if (are_elements(list, n))
            return true;
    }
    return false;
}

static bool selects_what_is_expected(const struct jsonpath *path, const struct node *test)
{
    const struct node *document = member(test, "document");
    struct arena *arena = arena_create(0);
    struct jsonpath_session session;
    struct node_list list;
    bool ok;

    jsonpath_begin(&session, arena, document, document->raw_length, 1);
    ok =
        jsonpath_select(path, document, &session, &list) == JSONPATH_OK && is_expected(&list, test);
    arena_free(arena);
    return ok;
}

/* A path here ends at its first NUL, as a configuration's value does; none of them is valid. */
static bool passes(const struct node *test)
{
    const struct node *selector = member(test, "selector");
    char *text = strndup(selector->text, selector->length);
    struct error err = {0};
    size_t column = 0;
    struct jsonpath *path = jsonpath_compile(text, &column, &err);
    bool invalid = member(test, "invalid_selector") != NULL;
    bool ok;

    if (path == NULL)
        ok = invalid && column >= 1 && err.code == ERROR_CONFIG;
    else
        ok = !invalid && selects_what_is_expected(path, test);
    jsonpath_free(path);
    free(text);
    return ok;
}

static void every_test_of_the_public_suite_passes(void **state)
{
    const char *name = getenv("GATHERD_JSONPATH_SUITE");
    size_t length;
    char *body;
    struct document suite;
    const struct node *tests;
    unsigned passed = 0;

    (void)state;
    if (name == NULL || name[0] == '\0') {
        print_message("skipped: GATHERD_JSONPATH_SUITE does not name a cts.json\n");
        skip();
    }
    body = read_file(name, &length);
    suite = document_read(json_read, body, length);
    assert_int_equal(suite.status, JSON_OK);
    tests = member(suite.root, "tests");
    assert_non_null(tests);
    for (const struct node *test = node_first(tests); test < node_end(tests);
         test = node_next(test)) {
        const struct node *title = member(test, "name");

        if (passes(test))
            passed++;
        else
            print_message("fails: %.*s\n", (int)title->length, title->text);
    }
    print_message("%u of %u tests of the suite pass\n", passed, tests->length);
    assert_int_equal(passed, tests->length);
    document_free(&suite);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_test_of_the_public_suite_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
