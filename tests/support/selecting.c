#include "selecting.h"

#include <string.h>

#include "test.h"

struct jsonpath_session selecting_session(const struct document *document)
{
    struct jsonpath_session session;

    jsonpath_begin(&session, document->arena, document->root, document->length, 1);
    return session;
}

struct jsonpath *selecting_compile(const char *text)
{
    struct error err = {0};
    size_t column = 0;
    struct jsonpath *path = jsonpath_compile(text, &column, &err);

    if (path == NULL)
        fail_msg("%s: %zu: %s", text, column, err.text);
    return path;
}

/* All ways to run a path agree. */
static void check_first(const struct jsonpath *path, const struct document *document,
                        const struct node_list *list)
{
    const struct node *first = list->count == 0 ? NULL : list->nodes[0];
    struct jsonpath_session session = selecting_session(document);
    const struct node *found;

    assert_int_equal(jsonpath_find(path, document->root, &session, &found), JSONPATH_OK);
    assert_ptr_equal(found, first);
    if (jsonpath_is_singular(path))
        assert_ptr_equal(jsonpath_first(path, document->root), first);
    else
        assert_null(jsonpath_first(path, document->root));
}

void selecting_assert(const struct document *document, const char *text, const char *expected)
{
    struct jsonpath_session session = selecting_session(document);
    struct jsonpath *path = selecting_compile(text);
    struct node_list list;
    struct text selected = {0};

    assert_int_equal(jsonpath_select(path, document->root, &session, &list), JSONPATH_OK);
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0)
            text_char(&selected, ' ');
        node_write_json(list.nodes[i], &selected);
    }
    if (strcmp(text_string(&selected), expected) != 0)
        fail_msg("%s selects %s, not %s", text, text_string(&selected), expected);
    check_first(path, document, &list);
    text_free(&selected);
    jsonpath_free(path);
}

void selecting_assert_all(const char *json, const struct selecting_example *examples, size_t count)
{
    struct document d = document_of(json);

    for (size_t i = 0; i < count; i++)
        selecting_assert(&d, examples[i].path, examples[i].selected);
    document_free(&d);
}

void selecting_assert_refused(const struct selecting_refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct selecting_refusal *expected = &refusals[i];
        struct error err = {0};
        size_t column = 0;
        struct jsonpath *path = jsonpath_compile(expected->path, &column, &err);

        if (path != NULL)
            fail_msg("%s was taken", expected->path);
        if (strcmp(err.text, expected->message) != 0 || column != expected->column)
            fail_msg("%s: %zu: %s", expected->path, column, err.text);
        assert_int_equal(err.code, ERROR_CONFIG);
    }
}
