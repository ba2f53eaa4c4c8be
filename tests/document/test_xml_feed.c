/* The entries of feeds, in the form that all of them have. */
#include "test.h"

#include <string.h>

#include "gatherd/xml.h"

#define ATOM "<feed xmlns='http://www.w3.org/2005/Atom'>"

/* `entries` NULL: it is no feed. */
static void expect(const char *xml, const char *entries)
{
    const struct xml_options options = {.feed = true};
    struct arena *arena = arena_create(0);
    struct xml_document document;
    struct xml_error error;
    struct text written = {0};

    assert_int_equal(xml_read(xml, strlen(xml), &options, arena, &document, &error), XML_OK);
    if (entries == NULL) {
        assert_null(document.entries);
    } else {
        assert_non_null(document.entries);
        node_write_json(document.entries, &written);
        assert_string_equal(text_string(&written), entries);
    }
    text_free(&written);
    arena_free(arena);
}

static void expect_item(const char *item, const char *entry)
{
    struct text xml = {0};
    struct text entries = {0};

    text_format(&xml, "<rss version='2.0'><channel><title>t</title><item>%s</item></channel></rss>",
                item);
    text_format(&entries, "[%s]", entry);
    expect(text_string(&xml), text_string(&entries));
    text_free(&xml);
    text_free(&entries);
}

static void expect_entry(const char *content, const char *entry)
{
    struct text xml = {0};
    struct text entries = {0};

    text_format(&xml, ATOM "<entry>%s</entry></feed>", content);
    text_format(&entries, "[%s]", entry);
    expect(text_string(&xml), text_string(&entries));
    text_free(&xml);
    text_free(&entries);
}

static void rss_items_begin_with_what_every_entry_has(void **state)
{
    (void)state;
    expect_item("<title>T</title><link>http://x/1</link><pubDate>2026-01-02T03:04:05Z</pubDate>"
                "<guid isPermaLink='false'>g1</guid><description>D</description>",
                "{\"id\":\"g1\",\"title\":\"T\",\"link\":\"http://x/1\","
                "\"published\":\"2026-01-02T03:04:05.000Z\",\"updated\":null,"
                "\"pubDate\":\"2026-01-02T03:04:05Z\",\"guid\":\"g1\",\"description\":\"D\"}");
}

static void without_a_guid_the_link_is_the_id_and_the_other_way_round(void **state)
{
    (void)state;
    expect_item("<link>http://x/1</link>",
                "{\"id\":\"http://x/1\",\"title\":null,\"link\":\"http://x/1\",\"published\":null,"
                "\"updated\":null}");
    expect_item("<guid>http://x/2</guid>",
                "{\"id\":\"http://x/2\",\"title\":null,\"link\":\"http://x/2\",\"published\":null,"
                "\"updated\":null,\"guid\":\"http://x/2\"}");
    expect_item("<guid isPermaLink='false'>2</guid>",
                "{\"id\":\"2\",\"title\":null,\"link\":null,\"published\":null,"
                "\"updated\":null,\"guid\":\"2\"}");
    expect_item("", "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,"
                    "\"updated\":null}");
}

static void a_time_that_is_none_stays_as_it_came(void **state)
{
    (void)state;
    expect_item("<pubDate>yesterday</pubDate>",
                "{\"id\":null,\"title\":null,\"link\":null,\"published\":\"yesterday\","
                "\"updated\":null,\"pubDate\":\"yesterday\"}");
}

static void rfc_822_times_are_understood(void **state)
{
    (void)state;
    expect_item("<pubDate>Wed, 02 Nov 2011 17:25:27 +0100</pubDate>",
                "{\"id\":null,\"title\":null,\"link\":null,"
                "\"published\":\"2011-11-02T16:25:27.000Z\",\"updated\":null,"
                "\"pubDate\":\"Wed, 02 Nov 2011 17:25:27 +0100\"}");
}

static void categories_are_always_an_array_and_an_author_a_name(void **state)
{
    static const char begin[] = "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,"
                                "\"updated\":null,";
    struct text json = {0};

    (void)state;
    text_format(&json, "%s\"category\":[\"a\"],\"author\":\"j@x\"}", begin);
    expect_item("<category domain='d'>a</category><author>j@x</author>", text_string(&json));
    text_clear(&json);
    text_format(&json, "%s\"category\":[\"a\",\"b\"],\"author\":[\"J\",\"K\"]}", begin);
    expect_entry("<category term='a'/><category term='b' label='B'/><author><name>J</name>"
                 "<uri>u</uri></author><author><name>K</name></author>",
                 text_string(&json));
    text_free(&json);
}

static void atom_entries_have_their_alternate_link_and_the_others_beside_it(void **state)
{
    (void)state;
    expect_entry("<id>i</id><title type='html'>T</title><link href='http://x/1'/>"
                 "<published>2026-01-02T03:04:05+01:00</published><updated>2026-01-03</updated>",
                 "{\"id\":\"i\",\"title\":\"T\",\"link\":\"http://x/1\","
                 "\"published\":\"2026-01-02T02:04:05.000Z\","
                 "\"updated\":\"2026-01-03T00:00:00.000Z\"}");
    expect_entry("<link rel='edit' href='e'/><link rel='alternate' href='a'/>",
                 "{\"id\":\"a\",\"title\":null,\"link\":\"a\",\"published\":null,\"updated\":null,"
                 "\"links\":[{\"@rel\":\"edit\",\"@href\":\"e\"},"
                 "{\"@rel\":\"alternate\",\"@href\":\"a\"}]}");
    expect_entry("<link rel='edit' href='e'/>",
                 "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,\"updated\":null,"
                 "\"links\":[{\"@rel\":\"edit\",\"@href\":\"e\"}]}");
}

static void text_is_text_unless_attributes_say_more_than_how_to_show_it(void **state)
{
    (void)state;
    expect_entry("<summary type='html' xml:lang='en'>S</summary><content src='http://x/'/>"
                 "<rights lang='en'>R</rights>",
                 "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,\"updated\":null,"
                 "\"summary\":\"S\",\"content\":{\"@src\":\"http://x/\"},"
                 "\"rights\":{\"@lang\":\"en\",\"#text\":\"R\"}}");
}

static void elements_of_other_namespaces_are_as_in_the_document(void **state)
{
    (void)state;
    expect_item("<m:title xmlns:m='urn:m' type='x'>M</m:title><m:link xmlns:m='urn:m'>L</m:link>",
                "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,\"updated\":null,"
                "\"m:title\":{\"@type\":\"x\",\"#text\":\"M\"},\"m:link\":\"L\"}");
}

static void an_element_that_stands_once_in_the_feed_is_found_once(void **state)
{
    (void)state;
    expect_item("<once>1</once>", "{\"id\":null,\"title\":null,\"link\":null,\"published\":null,"
                                  "\"updated\":null,\"once\":\"1\"}");
}

static void rss_1_has_its_items_beside_the_channel(void **state)
{
    (void)state;
    expect("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
           "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
           "<channel><title>c</title></channel>"
           "<item rdf:about='http://x/1'><title>T</title><link>http://x/1</link>"
           "<dc:date>2026-01-02T03:04:05Z</dc:date></item></rdf:RDF>",
           "[{\"id\":\"http://x/1\",\"title\":\"T\",\"link\":\"http://x/1\","
           "\"published\":\"2026-01-02T03:04:05.000Z\",\"updated\":null,"
           "\"@rdf:about\":\"http://x/1\",\"dc:date\":\"2026-01-02T03:04:05Z\"}]");
}

static void a_feed_may_be_empty_or_have_prefixes(void **state)
{
    (void)state;
    expect("<rss><channel><title>t</title></channel></rss>", "[]");
    expect(ATOM "</feed>", "[]");
    expect(
        "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:id>1</a:id><a:title>T</a:title>"
        "</a:entry></a:feed>",
        "[{\"id\":\"1\",\"title\":\"T\",\"link\":null,\"published\":null,\"updated\":null}]");
}

static void other_documents_are_no_feeds(void **state)
{
    (void)state;
    expect("<rss/>", NULL);
    expect("<r><channel><item/></channel></r>", NULL);
    expect("<feed xmlns='urn:other'><entry/></feed>", NULL);
    expect("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>", NULL);
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
        cmocka_unit_test(rss_items_begin_with_what_every_entry_has),
        cmocka_unit_test(without_a_guid_the_link_is_the_id_and_the_other_way_round),
        cmocka_unit_test(a_time_that_is_none_stays_as_it_came),
        cmocka_unit_test(rfc_822_times_are_understood),
        cmocka_unit_test(categories_are_always_an_array_and_an_author_a_name),
        cmocka_unit_test(atom_entries_have_their_alternate_link_and_the_others_beside_it),
        cmocka_unit_test(text_is_text_unless_attributes_say_more_than_how_to_show_it),
        cmocka_unit_test(elements_of_other_namespaces_are_as_in_the_document),
        cmocka_unit_test(an_element_that_stands_once_in_the_feed_is_found_once),
        cmocka_unit_test(rss_1_has_its_items_beside_the_channel),
        cmocka_unit_test(a_feed_may_be_empty_or_have_prefixes),
        cmocka_unit_test(other_documents_are_no_feeds),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
