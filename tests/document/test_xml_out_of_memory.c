/*
 * XML and Prometheus' text when memory is out: the first allocation fails, then the second, and so
 * on until the text can be read. Allocations of libxml2 fail in turns of their own.
 */
#include "test.h"

#include <libxml/xmlmemory.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "gatherd/prometheus.h"
#include "gatherd/xml.h"

/* libxml2's own allocations, of which so many succeed. */
static size_t library_left = SIZE_MAX;

/* libxml2 2.9.14 forgets a buffer when there is no memory for what the buffer goes into. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xmlBufCreateSize\n";
}

static bool library_may(void)
{
    if (library_left == 0)
        return false;
    library_left -= library_left != SIZE_MAX;
    return true;
}

/* What the linker's --wrap has put allocation.c before. */
void *__real_malloc(size_t size);
void *__real_realloc(void *pointer, size_t size);

static void *library_malloc(size_t size)
{
    return library_may() ? __real_malloc(size) : NULL;
}

static void *library_realloc(void *pointer, size_t size)
{
    return library_may() ? __real_realloc(pointer, size) : NULL;
}

static char *library_strdup(const char *string)
{
    char *copy = library_malloc(strlen(string) + 1);

    return copy == NULL ? NULL : strcpy(copy, string);
}

static char *make_document(void)
{
    struct text xml = {0};

    text_add(&xml, "<rss xmlns:m='urn:m'><channel>");
    for (int i = 0; i < 200; i++)
        text_format(&xml, "<item m:a='&lt;%d'><m:n%d>a&amp;b</m:n%d><category>c</category></item>",
                    i, i, i);
    text_add(&xml, "</channel></rss>");
    return text_take(&xml);
}

static enum xml_status read_document(const char *xml, struct xml_error *error)
{
    static const struct xml_namespace namespaces[] = {{"q", "urn:m"}};
    struct jsonpath *path = jsonpath_compile("$.category[*]", &(size_t){0}, NULL);
    const struct xml_path paths[] = {{NULL, NULL, true}, {path, &paths[0], false}};
    const struct xml_options options = {.namespaces = namespaces,
                                        .namespace_count = 1,
                                        .paths = paths,
                                        .path_count = 2,
                                        .feed = true};
    struct arena *arena = arena_create(0);
    enum xml_status status = XML_NOMEM;
    struct xml_document document;

    *error = (struct xml_error){.message = "out of memory"};
    if (arena != NULL && path != NULL)
        status = xml_read(xml, strlen(xml), &options, arena, &document, error);
    arena_free(arena);
    jsonpath_free(path);
    return status;
}

static void xml_without_memory_says_so(void **state)
{
    char *xml = make_document();
    struct xml_error error;
    enum xml_status status;
    size_t allowed = 0;

    (void)state;
    do {
        allocation_fail_after(allowed++, false);
        status = read_document(xml, &error);
        allocation_stop_failing();
        assert_string_equal(error.message, status == XML_OK ? "" : "out of memory");
        assert_int_not_equal(status, XML_INVALID);
    } while (status != XML_OK);
    assert_true(allowed > 20);
    free(xml);
}

static void xml_says_so_when_libxml2_has_no_memory(void **state)
{
    char *xml = make_document();
    struct xml_error error;
    enum xml_status status;
    size_t allowed = 0;

    (void)state;
    do {
        library_left = allowed++;
        status = read_document(xml, &error);
        library_left = SIZE_MAX;
        assert_string_equal(error.message, status == XML_OK ? "" : "out of memory");
        assert_int_not_equal(status, XML_INVALID);
    } while (status != XML_OK);
    assert_true(allowed > 10);
    free(xml);
}

static void prometheus_without_memory_says_so(void **state)
{
    struct text text = {0};
    enum prometheus_status status;
    size_t allowed = 0;

    (void)state;
    for (int i = 0; i < 300; i++)
        text_format(&text, "# TYPE m%d gauge\nm%d{a=\"\\n\",b=\"1\"} +%d 1\n", i, i, i);
    text_add(&text, "m{");
    for (int i = 0; i < 40; i++)
        text_format(&text, "l%d=\"\",", i);
    text_add(&text, "} 1\n");
    do {
        struct prometheus_error error = {.message = "out of memory"};
        const struct node *root;
        struct arena *arena;

        allocation_fail_after(allowed++, false);
        arena = arena_create(0);
        status = arena == NULL
                     ? PROMETHEUS_NOMEM
                     : prometheus_read(text.data, text.length, false, arena, &root, &error);
        arena_free(arena);
        allocation_stop_failing();
        assert_string_equal(error.message, status == PROMETHEUS_OK ? "" : "out of memory");
    } while (status != PROMETHEUS_OK);
    assert_true(allowed > 5);
    text_free(&text);
}

static int start(void **state)
{
    (void)state;
    xmlMemSetup(free, library_malloc, library_realloc, library_strdup);
    xml_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xml_without_memory_says_so),
        cmocka_unit_test(xml_says_so_when_libxml2_has_no_memory),
        cmocka_unit_test(prometheus_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
