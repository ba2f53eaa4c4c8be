/* Which elements are arrays, by what the paths of a source say of them. */
#include "test.h"

#include <string.h>

#include "gatherd/xml.h"

#define MOST_PATHS 4

static struct jsonpath *compile(const char *text)
{
    size_t column;

    return text == NULL ? NULL : jsonpath_compile(text, &column, NULL);
}

/* Paths on the records or the document, ended by NULL; `array` NULL: none. */
static void expect_options(const char *records, const char *const *paths, const char *array,
                           bool from_record, const char *xml, const char *json)
{
    struct xml_path list[1 + MOST_PATHS] = {{compile(records), NULL, true}};
    struct xml_options options = {
        .paths = list, .path_count = 1, .arrays = &array, .array_count = array != NULL};
    struct arena *arena = arena_create(0);
    struct xml_document document;
    struct xml_error error;
    struct text written = {0};

    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        list[options.path_count++] =
            (struct xml_path){compile(paths[i]), from_record ? list : NULL, false};
    assert_int_equal(xml_read(xml, strlen(xml), &options, arena, &document, &error), XML_OK);
    node_write_json(document.root, &written);
    assert_string_equal(text_string(&written), json);
    text_free(&written);
    arena_free(arena);
    for (size_t i = 0; i < options.path_count; i++)
        jsonpath_free((struct jsonpath *)(uintptr_t)list[i].path);
}

static void expect_records(const char *records, const char *xml, const char *json)
{
    expect_options(records, NULL, NULL, true, xml, json);
}

static void expect_field(const char *records, const char *path, const char *xml, const char *json)
{
    const char *paths[] = {path, NULL};

    expect_options(records, paths, NULL, true, xml, json);
}

static void a_single_record_is_a_list_of_one(void **state)
{
    static const char xml[] = "<rss><channel><title>t</title><item>1</item></channel></rss>";
    static const char json[] = "{\"rss\":{\"channel\":{\"title\":\"t\",\"item\":[\"1\"]}}}";

    (void)state;
    expect_records("$.rss.channel.item[*]", xml, json);
    expect_records("$.rss.channel.item", xml, json);
    expect_records("$['rss']['channel']['item'][0]", xml, json);
    expect_records("$.rss.channel.item[1:]", xml, json);
    expect_records("$.rss.channel['item','entry'][*]", xml, json);
    expect_records("$.rss.channel", xml,
                   "{\"rss\":{\"channel\":[{\"title\":\"t\",\"item\":\"1\"}]}}");
}

static void lists_within_lists_are_told_apart_from_their_container(void **state)
{
    (void)state;
    expect_records("$.E.Cube.Cube[*].Cube[*]",
                   "<E><Cube><Cube t='1'><Cube r='2'/></Cube></Cube></E>",
                   "{\"E\":{\"Cube\":{\"Cube\":[{\"@t\":\"1\",\"Cube\":[{\"@r\":\"2\"}]}]}}}");
}

static void a_filter_chooses_from_a_list(void **state)
{
    (void)state;
    expect_records("$.r.item[?@.a]", "<r><item><a/></item></r>",
                   "{\"r\":{\"item\":[{\"a\":null}]}}");
    expect_records("$.r.item[?@.a].b[*]", "<r><item><b>1</b></item></r>",
                   "{\"r\":{\"item\":[{\"b\":[\"1\"]}]}}");
    expect_records("$.r.item[?@.a].b", "<r><item><b>1</b></item></r>",
                   "{\"r\":{\"item\":[{\"b\":[\"1\"]}]}}");
}

static void what_a_filter_looks_at_may_be_a_list_or_have_text(void **state)
{
    static const char xml[] = "<r><l>x</l><item><a>1</a><b>2</b></item></r>";

    (void)state;
    expect_records("$.r.item[?@.a[0] == '1']", xml,
                   "{\"r\":{\"l\":\"x\",\"item\":[{\"a\":[\"1\"],\"b\":\"2\"}]}}");
    expect_records("$.r.item[?@.c || !(count(@.b[*]) > 1 && @.a == '1')]", xml,
                   "{\"r\":{\"l\":\"x\",\"item\":[{\"a\":\"1\",\"b\":[\"2\"]}]}}");
    expect_records("$.r.item[?@.a['#text'] == $.r.l[0]]", xml,
                   "{\"r\":{\"l\":[\"x\"],\"item\":[{\"a\":{\"#text\":\"1\"},\"b\":\"2\"}]}}");
    expect_field("$.r.item", "$.a[?@ == $.b[0]]", xml,
                 "{\"r\":{\"l\":\"x\",\"item\":[{\"a\":[\"1\"],\"b\":[\"2\"]}]}}");
}

static void descendants_are_lists_wherever_they_are(void **state)
{
    (void)state;
    expect_records("$..item", "<r><a><item>1</item></a><item>2</item></r>",
                   "{\"r\":{\"a\":{\"item\":[\"1\"]},\"item\":[\"2\"]}}");
    expect_records("$..item[?@.b]", "<r><a><item><b/></item></a></r>",
                   "{\"r\":{\"a\":{\"item\":[{\"b\":null}]}}}");
    expect_records("$.r..item[*].c[0]", "<r><a><item><c>1</c></item></a></r>",
                   "{\"r\":{\"a\":{\"item\":[{\"c\":[\"1\"]}]}}}");
}

static void the_root_is_never_a_list(void **state)
{
    (void)state;
    expect_records("$.r", "<r><a>1</a></r>", "{\"r\":{\"a\":\"1\"}}");
    expect_records("$.r[*]", "<r><a>1</a></r>", "{\"r\":{\"a\":\"1\"}}");
    expect_records("$.r.*.b[*]", "<r><a><b>1</b></a></r>", "{\"r\":{\"a\":{\"b\":[\"1\"]}}}");
    expect_options(NULL, NULL, "r", true, "<r><r/></r>", "{\"r\":{\"r\":[null]}}");
}

static void an_element_that_has_nothing_is_a_list_without_records(void **state)
{
    (void)state;
    expect_records("$.r.item", "<r/>", "{\"r\":{\"item\":[]}}");
    expect_records("$.r.item[*]", "<r n='0'/>", "{\"r\":{\"@n\":\"0\",\"item\":[]}}");
    expect_records("$.r.items.item[*]", "<r><items/></r>", "{\"r\":{\"items\":{\"item\":[]}}}");
}

static void an_element_with_other_things_does_not_pass_for_an_empty_list(void **state)
{
    (void)state;
    expect_records("$.r.item", "<r><itm/></r>", "{\"r\":{\"itm\":null}}");
    expect_records("$.r.item", "<r>none</r>", "{\"r\":\"none\"}");
    expect_options("$.r.item", NULL, "item", true, "<r><n>0</n></r>",
                   "{\"r\":{\"n\":\"0\",\"item\":[]}}");
}

static void named_elements_are_always_arrays(void **state)
{
    (void)state;
    expect_options(NULL, NULL, "c", true, "<r><c>1</c><d><c/></d></r>",
                   "{\"r\":{\"c\":[\"1\"],\"d\":{\"c\":[null]}}}");
}

static void fields_say_which_elements_of_a_record_are_lists(void **state)
{
    (void)state;
    expect_field("$.r.i", "$.c[*]", "<r><i><c>1</c></i><c>2</c></r>",
                 "{\"r\":{\"i\":[{\"c\":[\"1\"]}],\"c\":\"2\"}}");
    expect_field("$.r.i", "$.c[0].d[*]", "<r><i><c><d/></c></i></r>",
                 "{\"r\":{\"i\":[{\"c\":[{\"d\":[null]}]}]}}");
    expect_field(NULL, "$.r.c[*]", "<r><c>1</c></r>", "{\"r\":{\"c\":[\"1\"]}}");
    expect_field("$.r.i", "$.c", "<r><i><c>1</c></i></r>", "{\"r\":{\"i\":[{\"c\":\"1\"}]}}");
}

static void an_element_whose_text_is_asked_for_has_one(void **state)
{
    (void)state;
    expect_field("$.r.i", "$.g['#text']", "<r><i><g>1</g></i><i><g x='2'>3</g></i><i><g/></i></r>",
                 "{\"r\":{\"i\":[{\"g\":{\"#text\":\"1\"}},{\"g\":{\"@x\":\"2\",\"#text\":\"3\"}},"
                 "{\"g\":null}]}}");
}

static void paths_on_the_document_count_from_the_root(void **state)
{
    const char *paths[] = {"$.r.link[0]['@href']", NULL};

    (void)state;
    expect_options("$.r.i", paths, NULL, false, "<r><link href='x'/><i><link href='y'/></i></r>",
                   "{\"r\":{\"link\":[{\"@href\":\"x\"}],\"i\":[{\"link\":{\"@href\":\"y\"}}]}}");
}

/* As a source with children gives them: records, children of a record, children of these. */
static void children_are_lists_within_their_record(void **state)
{
    struct jsonpath *records = compile("$.r.i");
    struct jsonpath *child = compile("$.l");
    struct jsonpath *grandchild = compile("$.m.n[*]");
    const struct xml_path list[] = {
        {records, NULL, true}, {child, &list[0], true}, {grandchild, &list[1], true}};
    const struct xml_options options = {.paths = list, .path_count = 3};
    static const char xml[] = "<r><l/><i><l><m><n/></m></l></i></r>";
    struct arena *arena = arena_create(0);
    struct xml_document document;
    struct text written = {0};

    (void)state;
    assert_int_equal(xml_read(xml, sizeof(xml) - 1, &options, arena, &document, NULL), XML_OK);
    node_write_json(document.root, &written);
    assert_string_equal(text_string(&written),
                        "{\"r\":{\"l\":null,\"i\":[{\"l\":[{\"m\":{\"n\":[null]}}]}]}}");
    text_free(&written);
    arena_free(arena);
    jsonpath_free(records);
    jsonpath_free(child);
    jsonpath_free(grandchild);
}

static int start(void **state)
{
    (void)state;
    xml_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_record_is_a_list_of_one),
        cmocka_unit_test(lists_within_lists_are_told_apart_from_their_container),
        cmocka_unit_test(a_filter_chooses_from_a_list),
        cmocka_unit_test(what_a_filter_looks_at_may_be_a_list_or_have_text),
        cmocka_unit_test(descendants_are_lists_wherever_they_are),
        cmocka_unit_test(the_root_is_never_a_list),
        cmocka_unit_test(an_element_that_has_nothing_is_a_list_without_records),
        cmocka_unit_test(an_element_with_other_things_does_not_pass_for_an_empty_list),
        cmocka_unit_test(named_elements_are_always_arrays),
        cmocka_unit_test(fields_say_which_elements_of_a_record_are_lists),
        cmocka_unit_test(an_element_whose_text_is_asked_for_has_one),
        cmocka_unit_test(children_are_lists_within_their_record),
        cmocka_unit_test(paths_on_the_document_count_from_the_root),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
