/* What XML becomes, and what is refused. Expected documents are written as JSON. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/xml.h"

/* A text that was read, with all that it stands on. */
struct reading {
    char *text; /* of just its length: reading further is seen by AddressSanitizer */
    struct arena *arena;
    struct xml_document document;
    struct xml_error error;
    enum xml_status status;
};

static struct reading read_bytes(const char *text, size_t length, const struct xml_options *options)
{
    static const struct xml_options plain = {0};
    struct reading r = {.text = malloc(length + 1), .arena = arena_create(0)};

    memcpy(r.text, text, length);
    r.text[length] = '\0';
    r.status = xml_read(r.text, length, options == NULL ? &plain : options, r.arena, &r.document,
                        &r.error);
    return r;
}

static void forget(struct reading *r)
{
    arena_free(r->arena);
    free(r->text);
}

static void expect_with(const struct xml_options *options, const char *xml, const char *json)
{
    struct reading r = read_bytes(xml, strlen(xml), options);
    struct text written = {0};

    assert_string_equal(r.error.message, "");
    assert_int_equal(r.status, XML_OK);
    node_write_json(r.document.root, &written);
    assert_string_equal(text_string(&written), json);
    text_free(&written);
    forget(&r);
}

static void expect(const char *xml, const char *json)
{
    expect_with(NULL, xml, json);
}

static void expect_error(const char *xml, unsigned line, unsigned column, const char *message)
{
    struct reading r = read_bytes(xml, strlen(xml), NULL);

    assert_int_equal(r.status, XML_INVALID);
    assert_string_equal(r.error.message, message);
    assert_int_equal(r.error.line, line);
    assert_int_equal(r.error.column, column);
    assert_null(r.document.root);
    forget(&r);
}

/* --- Elements, attributes, text --- */

static void the_root_element_is_the_one_member_of_the_document(void **state)
{
    (void)state;
    expect("<a/>", "{\"a\":null}");
    expect("<?xml version=\"1.0\"?>\n<!-- x --><a>1</a><!-- y -->\n", "{\"a\":\"1\"}");
}

static void an_element_with_text_alone_is_a_string_and_without_anything_null(void **state)
{
    (void)state;
    expect("<r><a>x</a><b></b><c/><d> </d></r>",
           "{\"r\":{\"a\":\"x\",\"b\":null,\"c\":null,\"d\":null}}");
}

static void attributes_come_first_then_elements_then_the_text(void **state)
{
    (void)state;
    expect(
        "<r>t<e/><f x=\"1\" y='2'>u</f></r>",
        "{\"r\":{\"e\":null,\"f\":{\"@x\":\"1\",\"@y\":\"2\",\"#text\":\"u\"},\"#text\":\"t\"}}");
    expect("<r x=\"\"/>", "{\"r\":{\"@x\":\"\"}}");
}

static void repeated_elements_are_an_array_where_the_first_stands(void **state)
{
    (void)state;
    expect("<r><a>1</a><b/><a>2</a><b/><a/></r>",
           "{\"r\":{\"a\":[\"1\",\"2\",null],\"b\":[null,null]}}");
    expect("<r><a><a/><a/></a><a/></r>", "{\"r\":{\"a\":[{\"a\":[null,null]},null]}}");
}

static void text_around_elements_is_kept_in_one_piece(void **state)
{
    (void)state;
    expect("<p>Hello <b>big</b> world</p>", "{\"p\":{\"b\":\"big\",\"#text\":\"Hello  world\"}}");
}

static void white_space_around_text_is_layout(void **state)
{
    (void)state;
    expect("<r>\n  <a>\n    x  y\n  </a>\n</r>", "{\"r\":{\"a\":\"x  y\"}}");
    expect("<a>\xc2\xa0x\xc2\xa0</a>", "{\"a\":\"\xc2\xa0x\xc2\xa0\"}");
}

static void white_space_is_kept_where_xml_space_says_so(void **state)
{
    (void)state;
    expect("<a xml:space=\"preserve\"> x\n</a>", "{\"a\":\" x\\n\"}");
    expect("<r xml:space=\"preserve\"><a> </a><b xml:space=\"default\"> y </b></r>",
           "{\"r\":{\"a\":\" \",\"b\":\"y\"}}");
}

static void cdata_is_text_with_all_of_its_white_space(void **state)
{
    (void)state;
    expect("<a>\n <![CDATA[ <b>&amp;</b> ]]>\n</a>", "{\"a\":\" <b>&amp;</b> \"}");
    expect("<a>x <![CDATA[y]]> z </a>", "{\"a\":\"x y z\"}");
    expect("<a><![CDATA[]]></a>", "{\"a\":null}");
    expect("<a><![CDATA[a]]]]><![CDATA[>b]]></a>", "{\"a\":\"a]]>b\"}");
}

static void comments_and_instructions_leave_no_trace(void **state)
{
    (void)state;
    expect("<a>x<!-- no -->y<?php no ?>z</a>", "{\"a\":\"xyz\"}");
}

static void references_are_replaced(void **state)
{
    (void)state;
    expect("<a b=\"&lt;&amp;&quot;&apos;&gt;&#233;&#x20AC;&amp;#38;\">"
           "&lt;&amp;&quot;&apos;&gt;&#233;&#x20AC;&amp;#38;</a>",
           "{\"a\":{\"@b\":\"<&\\\"'>\xc3\xa9\xe2\x82\xac&#38;\","
           "\"#text\":\"<&\\\"'>\xc3\xa9\xe2\x82\xac&#38;\"}}");
}

static void line_ends_become_line_feeds_as_xml_has_it(void **state)
{
    (void)state;
    expect("<a b=\"x\r\ny\">x\r\ny\rz</a>", "{\"a\":{\"@b\":\"x y\",\"#text\":\"x\\ny\\nz\"}}");
}

static void xsi_nil_is_null(void **state)
{
    (void)state;
    expect("<r xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><a i:nil=\"true\"/>"
           "<b i:nil=\"1\" i:type=\"t\"/><c i:nil=\"false\"/><d i:nil=\"true\" x=\"1\"/></r>",
           "{\"r\":{\"a\":null,\"b\":null,\"c\":{\"@i:nil\":\"false\"},"
           "\"d\":{\"@i:nil\":\"true\",\"@x\":\"1\"}}}");
}

/* --- Names --- */

static void undeclared_namespaces_keep_the_prefixes_of_the_document(void **state)
{
    (void)state;
    expect("<p:a xmlns:p=\"u\" xmlns=\"v\" p:x=\"1\"><b/><p:b/></p:a>",
           "{\"p:a\":{\"@p:x\":\"1\",\"b\":null,\"p:b\":null}}");
}

static void a_prefix_that_nobody_declared_is_kept(void **state)
{
    (void)state;
    expect("<a><media:b x:y=\"1\"/></a>", "{\"a\":{\"media:b\":{\"@x:y\":\"1\"}}}");
}

static void declared_namespaces_have_the_operators_prefix(void **state)
{
    static const struct xml_namespace namespaces[] = {{"m", "urn:m"}, {"n", "urn:n"}};
    const struct xml_options options = {.namespaces = namespaces, .namespace_count = 2};

    (void)state;
    expect_with(&options,
                "<a xmlns=\"urn:m\" xmlns:z=\"urn:n\" z:x=\"1\" y=\"2\"><z:b/><c xmlns=\"\"/></a>",
                "{\"m:a\":{\"@n:x\":\"1\",\"@y\":\"2\",\"n:b\":null,\"c\":null}}");
}

static void a_foreign_name_is_never_taken_for_a_declared_one(void **state)
{
    static const struct xml_namespace namespaces[] = {{"m", "urn:m"}};
    const struct xml_options options = {.namespaces = namespaces, .namespace_count = 1};

    (void)state;
    expect_with(&options, "<r xmlns:m=\"urn:other\"><m:a/><b xmlns:q=\"urn:m\"><q:a/></b></r>",
                "{\"r\":{\"{urn:other}a\":null,\"b\":{\"m:a\":null}}}");
}

static void names_beyond_ascii_and_many_of_them_are_found_again(void **state)
{
    struct text xml = {0};
    struct reading r;
    const struct node *root;

    (void)state;
    text_add(&xml, "<\xc3\xa9>");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2000; i++)
            text_format(&xml, "<n%d/>", i);
    }
    text_add(&xml, "</\xc3\xa9>");
    r = read_bytes(xml.data, xml.length, NULL);
    assert_int_equal(r.status, XML_OK);
    root = node_member(r.document.root, slice_of("\xc3\xa9"));
    assert_int_equal(root->length, 2000);
    assert_int_equal(node_member(root, slice_of("n1999"))->length, 2);
    forget(&r);
    text_free(&xml);
}

/* --- Before the document --- */

static void a_byte_order_mark_and_blank_lines_are_passed_over(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf\r\n\n <?xml version=\"1.0\"?><a/>", "{\"a\":null}");
    expect_error("\n\n<?xml version=\"1.0\"?>\n<a>\n<b></a>", 5, 8,
                 "Opening and ending tag mismatch: b line 5 and a");
}

static void the_text_is_utf8_whatever_the_document_says(void **state)
{
    (void)state;
    expect("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xc3\xa9</a>",
           "{\"a\":\"\xc3\xa9\"}");
    expect("<?xml version=\"1.0\" encoding=\"utf-16\"?><a>\xc3\xa9</a>", "{\"a\":\"\xc3\xa9\"}");
    expect_error("<a>\n\xe9</a>", 2, 1, "a byte that is not UTF-8");
}

static void the_declared_encoding_is_found(void **state)
{
    static const struct {
        const char *xml;
        const char *encoding;
    } cases[] = {
        {"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a/>", "windows-1252"},
        {"\n<?xml version='1.0' encoding = 'x'  standalone='no' ?>", "x"},
        {"\xef\xbb\xbf<?xml encoding=\"utf-8\"?>", "utf-8"},
        {"<?xml version=\"1.0\"?><a encoding=\"no\"/>", ""},
        {"<?xml-stylesheet encoding=\"no\"?>", ""},
        {"<?xml encoding=\"no", ""},
        {"<?xml encoding=no?>", ""},
        {"<?xml encoding?>", ""},
        {"<a/>", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice found = xml_declared_encoding(cases[i].xml, strlen(cases[i].xml));

        assert_int_equal(found.length, strlen(cases[i].encoding));
        assert_true(slice_equals(found, cases[i].encoding));
    }
}

static void xml_and_pages_are_told_apart_by_looking(void **state)
{
    static const char *const xml[] = {"<?xml version=\"1.0\"?><rss/>",
                                      "\xef\xbb\xbf\n<ab>",
                                      "<?xml version='1.0'?><table/>",
                                      "<!-- x --><feed xmlns=''>",
                                      "<_a/>",
                                      "<!DOCTYPE rss PUBLIC \"-//N//DTD\" \"x\"><rss/>",
                                      "<\xc3\xa9/>",
                                      "<headline/>"};
    static const char *const other[] = {
        "",
        "<",
        "{\"a\":1}",
        "a < b",
        "< a",
        "<1>",
        "<!DOCTYPE html><html>",
        "<HTML>",
        "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\"><html/>",
        "<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\">",
        "<h1>502 Bad Gateway</h1>",
        "<!-- page --> <body>",
        "<?xml",
        "<!-- "};

    (void)state;
    for (size_t i = 0; i < sizeof(xml) / sizeof(xml[0]); i++)
        assert_true(xml_looks_like(xml[i], strlen(xml[i])));
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        assert_false(xml_looks_like(other[i], strlen(other[i])));
}

/* --- Damage --- */

static void what_is_not_well_formed_is_refused_with_its_place(void **state)
{
    (void)state;
    expect_error("", 1, 1, "the body is empty");
    expect_error(" \n ", 2, 2, "the body is empty");
    expect_error("{}", 1, 1, "there is no XML: it would begin with \"<\"");
    expect_error("<a>\n<b>x</b>", 2, 9, "Premature end of data in tag a line 1");
    expect_error("<a><b></c></a>", 1, 11, "Opening and ending tag mismatch: b line 1 and c");
    expect_error("<a/><b/>", 1, 5, "Extra content at the end of the document");
    expect_error("<a x=\"1\" x=\"2\"/>", 1, 15, "Attribute x redefined");
    expect_error("<a x=1/>", 1, 6, "AttValue: \" or ' expected");
    expect_error("<a>a & b</a>", 1, 7, "xmlParseEntityRef: no name");
}

static void a_nul_is_refused(void **state)
{
    struct reading r = read_bytes("<a>\n\0</a>", 9, NULL);

    (void)state;
    assert_int_equal(r.status, XML_INVALID);
    assert_string_equal(r.error.message, "a NUL byte; XML has none");
    assert_int_equal(r.error.line, 2);
    forget(&r);
}

static void errors_may_go_untold(void **state)
{
    const struct xml_options options = {0};
    struct xml_document document;
    struct arena *arena = arena_create(0);

    (void)state;
    assert_int_equal(xml_read("<a>", 3, &options, arena, &document, NULL), XML_INVALID);
    arena_free(arena);
}

/* --- Hostile documents --- */

static void entities_are_refused_before_anything_is_expanded(void **state)
{
    (void)state;
    expect_error("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", 1, 28,
                 "the document defines the entity \"x\"; only XML's own entities are read");
    expect_error("<!DOCTYPE l [\n<!ENTITY a \"aaaaaaaaaa\">\n<!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>",
                 2, 24, "the document defines the entity \"a\"; only XML's own entities are read");
    expect_error("<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1/x\"> %p;]><a/>", 1, 54,
                 "the document defines the entity \"p\"; only XML's own entities are read");
    expect_error("<!DOCTYPE a [%p;]><a/>", 1, 17,
                 "the document refers to the entity \"p\"; only XML's own entities are read");
    expect_error("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", 1, 52,
                 "the document defines the entity \"x\"; only XML's own entities are read");
    expect_error("<!DOCTYPE a [<!NOTATION n SYSTEM \"n\"><!ENTITY x SYSTEM \"y\" NDATA n>]><a/>", 1,
                 67, "the document defines the entity \"x\"; only XML's own entities are read");
    expect_error("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a>&x;</a>", 1, 47,
                 "the document refers to the entity \"x\"; only XML's own entities are read");
    expect_error("<a b=\"&nbsp;\"/>", 1, 13,
                 "the document refers to the entity \"nbsp\"; only XML's own entities are read");
}

static void attributes_from_a_doctype_are_refused(void **state)
{
    (void)state;
    expect_error("<!DOCTYPE a [<!ATTLIST a b CDATA \"x\">]><a/>", 1, 37,
                 "the DOCTYPE defines attributes; only a DOCTYPE without such definitions is read");
    expect_error("<!DOCTYPE a [<!ATTLIST a b (x|y) \"x\">]><a/>", 1, 37,
                 "the DOCTYPE defines attributes; only a DOCTYPE without such definitions is read");
}

static void a_doctype_that_defines_nothing_of_these_is_passed_over(void **state)
{
    (void)state;
    expect("<!DOCTYPE rss PUBLIC \"-//Netscape Communications//DTD RSS 0.91//EN\" "
           "\"http://127.0.0.1:1/rss-0.91.dtd\"><rss/>",
           "{\"rss\":null}");
    expect("<!DOCTYPE a [<!ELEMENT a (b|c)*> <!-- x --> <?p?>]><a>1</a>", "{\"a\":\"1\"}");
}

/* `count` times `piece`, with the number where the piece has %d, between two ends. */
static void expect_repeated(const char *before, const char *piece, int count, const char *after,
                            enum xml_status status, const char *message)
{
    struct text xml = {0};
    struct reading r;

    text_add(&xml, before);
    for (int i = 0; i < count; i++) {
        const char *number = strstr(piece, "%d");

        text_append(&xml, piece, number == NULL ? strlen(piece) : (size_t)(number - piece));
        if (number != NULL) {
            text_format(&xml, "%d", i);
            text_add(&xml, number + 2);
        }
    }
    text_add(&xml, after);
    r = read_bytes(xml.data, xml.length, NULL);
    assert_string_equal(r.error.message, message);
    assert_int_equal(r.status, status);
    forget(&r);
    text_free(&xml);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    expect_repeated("", "<a>", 251, "", XML_INVALID, "nested deeper than 250 levels");
    expect_repeated("", "<a>", 100000, "", XML_INVALID, "nested deeper than 250 levels");
    expect_repeated("<a>", "<b></b>", 100000, "</a>", XML_OK, "");
}

static void attributes_of_one_element_have_a_limit(void **state)
{
    (void)state;
    expect_repeated("<a", " x%d=\"\"", 1000, "/>", XML_OK, "");
    expect_repeated("<a", " x%d=\"\"", 1001, "/>", XML_INVALID,
                    "an element with more than 1000 attributes");
    expect_repeated("<a", " x%d='>'", 1000000, "/>", XML_INVALID,
                    "an element with more than 1000 attributes");
}

/* Where the counting could be led to look elsewhere. */
static void many_attributes_do_not_hide_behind_anything(void **state)
{
    static const char *const before[] = {"<!-- <x ' --><a",
                                         "<?p <x ' ?><a",
                                         "<!DOCTYPE a SYSTEM \"<!-- \"><a",
                                         "<!DOCTYPE a [<!-- ' --><?p \" ?>]><a",
                                         "<r><![CDATA[ <x ' <!-- ]]><a",
                                         "<!DOCTYPE a [<!ELEMENT a ANY>] ><a",
                                         "<r x='>' y=\"'>\"><a"};

    (void)state;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        expect_repeated(before[i], " x%d=''", 1001, "/>", XML_INVALID,
                        "an element with more than 1000 attributes");
}

static void namespaces_in_force_have_a_limit(void **state)
{
    (void)state;
    expect_repeated("<a", " xmlns:x%d='u'", 1000, "/>", XML_OK, "");
    expect_repeated("<a", " xmlns:x%d='u'", 1000, "><b xmlns:y='u'/></a>", XML_INVALID,
                    "more than 1000 namespaces declared at once");
    expect_repeated("<a>", "<b xmlns:x%d='u'/>", 5000, "</a>", XML_OK, "");
}

static void different_names_have_a_limit(void **state)
{
    (void)state;
    expect_repeated("<a>", "<b%d/>", 65536, "</a>", XML_INVALID,
                    "more than 65536 different names of elements and attributes");
    expect_repeated("<a>", "<b%d/>", 65535, "</a>", XML_OK, "");
}

static void long_text_is_no_problem_and_what_libxml2_bounds_is_an_error(void **state)
{
    size_t length = 16 * 1024 * 1024;
    char *text = malloc(length + 20);
    struct reading r;

    (void)state;
    memset(text, 'x', length + 20);
    memcpy(text, "<a>", 3);
    memcpy(text + length, "</a>", 4);
    r = read_bytes(text, length + 4, NULL);
    assert_int_equal(r.status, XML_OK);
    assert_int_equal(node_member(r.document.root, slice_of("a"))->length, length - 3);
    forget(&r);
    memcpy(text, "<a b=\"", 6);
    memcpy(text + length, "\"/>", 3);
    r = read_bytes(text, length + 3, NULL);
    assert_int_equal(r.status, XML_INVALID);
    assert_string_equal(r.error.message, "AttValue length too long");
    forget(&r);
    free(text);
}

/* --- Places --- */

static void elements_know_where_they_begin(void **state)
{
    static const char xml[] = "\n<r>\n <i a=\"1\"\n b=\"&#10;\">x</i>\n <i/>&amp;\n</r>";
    struct reading r = read_bytes(xml, sizeof(xml) - 1, NULL);
    const struct node *items =
        node_member(node_member(r.document.root, slice_of("r")), slice_of("i"));

    (void)state;
    assert_int_equal(node_element(items, 0)->raw - r.text, 6);
    assert_int_equal(node_element(items, 1)->raw - r.text, 33);
    assert_int_equal(node_element(items, 0)->raw_length, 0);
    assert_true(
        slice_equals(node_source(node_element(items, 0)), "<i a=\"1\"\n b=\"&#10;\">x</i>"));
    assert_true(slice_equals(node_source(items), "<i a=\"1\"\n b=\"&#10;\">x</i>\n <i/>"));
    forget(&r);
}

static void text_is_borrowed_where_it_stands_in_one_piece(void **state)
{
    struct reading r = read_bytes("<a b=\"cd\">efg</a>", 17, NULL);
    const struct node *a = node_member(r.document.root, slice_of("a"));

    (void)state;
    assert_ptr_equal(node_member(a, slice_of("@b"))->text, r.text + 6);
    assert_ptr_equal(node_member(a, slice_of("#text"))->text, r.text + 10);
    forget(&r);
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
        cmocka_unit_test(the_root_element_is_the_one_member_of_the_document),
        cmocka_unit_test(an_element_with_text_alone_is_a_string_and_without_anything_null),
        cmocka_unit_test(attributes_come_first_then_elements_then_the_text),
        cmocka_unit_test(repeated_elements_are_an_array_where_the_first_stands),
        cmocka_unit_test(text_around_elements_is_kept_in_one_piece),
        cmocka_unit_test(white_space_around_text_is_layout),
        cmocka_unit_test(white_space_is_kept_where_xml_space_says_so),
        cmocka_unit_test(cdata_is_text_with_all_of_its_white_space),
        cmocka_unit_test(comments_and_instructions_leave_no_trace),
        cmocka_unit_test(references_are_replaced),
        cmocka_unit_test(line_ends_become_line_feeds_as_xml_has_it),
        cmocka_unit_test(xsi_nil_is_null),
        cmocka_unit_test(undeclared_namespaces_keep_the_prefixes_of_the_document),
        cmocka_unit_test(a_prefix_that_nobody_declared_is_kept),
        cmocka_unit_test(declared_namespaces_have_the_operators_prefix),
        cmocka_unit_test(a_foreign_name_is_never_taken_for_a_declared_one),
        cmocka_unit_test(names_beyond_ascii_and_many_of_them_are_found_again),
        cmocka_unit_test(a_byte_order_mark_and_blank_lines_are_passed_over),
        cmocka_unit_test(the_text_is_utf8_whatever_the_document_says),
        cmocka_unit_test(the_declared_encoding_is_found),
        cmocka_unit_test(xml_and_pages_are_told_apart_by_looking),
        cmocka_unit_test(what_is_not_well_formed_is_refused_with_its_place),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(errors_may_go_untold),
        cmocka_unit_test(entities_are_refused_before_anything_is_expanded),
        cmocka_unit_test(attributes_from_a_doctype_are_refused),
        cmocka_unit_test(a_doctype_that_defines_nothing_of_these_is_passed_over),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(attributes_of_one_element_have_a_limit),
        cmocka_unit_test(many_attributes_do_not_hide_behind_anything),
        cmocka_unit_test(namespaces_in_force_have_a_limit),
        cmocka_unit_test(different_names_have_a_limit),
        cmocka_unit_test(long_text_is_no_problem_and_what_libxml2_bounds_is_an_error),
        cmocka_unit_test(elements_know_where_they_begin),
        cmocka_unit_test(text_is_borrowed_where_it_stands_in_one_piece),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
