/* XML and Prometheus' text through decoding and extraction: formats, character sets, rows. */
#include "test.h"

#include <string.h>

#include "gatherd/xml.h"
#include "processing.h"

static int setup(void **state)
{
    xml_start();
    *state = processing_create();
    return 0;
}

static int teardown(void **state)
{
    processing_free(*state);
    return 0;
}

static void expect_rows(struct processing *p, const char *content_type, const char *body,
                        const char *rows)
{
    processing_run(p, content_type, body);
    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_string_equal(processing_rows(p), rows);
}

static void expect_failure(struct processing *p, const char *content_type, const char *body,
                           const char *error)
{
    processing_run(p, content_type, body);
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_string_equal(p->run.error, error);
    assert_int_equal(p->result.rows.row_count, 0);
}

static void xml_is_known_by_type_by_name_and_by_looking(void **state)
{
    static const char *const types[] = {"application/xml",
                                        "text/xml; charset=utf-8",
                                        "application/rss+xml",
                                        "Application/Atom+XML",
                                        "text/plain",
                                        "text/html; charset=utf-8",
                                        "application/octet-stream",
                                        NULL};
    struct processing *p = *state;

    processing_records(p, "$.r.i");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        expect_rows(p, types[i], "\n<?xml version=\"1.0\"?><r><i><a>1</a></i></r>", "a\n'1'\n");
    p->source.url = "http://x/list.xml?a=b";
    expect_rows(p, "text/plain", "<r><i><a>1</a></i></r>", "a\n'1'\n");
}

#define PAGE                                                                                      \
    "the body is an HTML page, not XML; check url and headers: it may be a login, an error page " \
    "or a web site"

static void a_page_is_no_xml_unless_the_operator_says_so(void **state)
{
    struct processing *p = *state;

    expect_failure(p, "application/xml", "\n<!DOCTYPE html><html><p></html>", PAGE);
    assert_string_equal(processing_letters(p), "body@2:1 " PAGE "\n");
    expect_failure(p, "application/xhtml+xml", "<html/>", PAGE);
    expect_failure(
        p, "text/xml", "<h1>502<br></h1>",
        "the body is not XML: line 1, column 17: Opening and ending tag mismatch: br line "
        "1 and h1");
    p->source.format = FORMAT_XML;
    expect_failure(p, "text/html", "<html><br></html>", PAGE);
    expect_rows(p, "text/html", "<html><p>x</p></html>", "html\n'{\"p\":\"x\"}'\n");
}

static void damage_is_a_failure_with_its_place(void **state)
{
    struct processing *p = *state;

    expect_failure(p, "text/xml", "<r>\n <i></r>",
                   "the body is not XML: line 2, column 9: Opening and ending tag mismatch: i line "
                   "2 and r");
    assert_int_equal(p->result.dead_letters->line, 2);
    assert_int_equal(p->result.dead_letters->column, 9);
    expect_failure(p, "text/xml", " \n", "the body is empty, where XML was expected");
    expect_failure(p, "text/xml", "{\"a\":1}",
                   "the body is not XML: line 1, column 1: there is no XML: it would begin with "
                   "\"<\"");
}

static void the_encoding_is_that_of_the_declaration(void **state)
{
    struct processing *p = *state;

    expect_rows(p, "text/xml",
                "<?xml version='1.0' encoding='windows-1252'?><r><a>\x80\xe9</a></r>",
                "r\n'{\"a\":\"\xe2\x82\xac\xc3\xa9\"}'\n");
    expect_rows(p, "text/xml; charset=iso-8859-1", "<r><a>\xe9</a></r>",
                "r\n'{\"a\":\"\xc3\xa9\"}'\n");
    /* Who says UTF-8 is believed as long as it is. */
    expect_rows(p, "text/xml; charset=utf-8",
                "<?xml version='1.0' encoding='iso-8859-1'?><r><a>\xc3\xa9</a></r>",
                "r\n'{\"a\":\"\xc3\xa9\"}'\n");
    expect_rows(p, "text/xml; charset=utf-8",
                "<?xml version='1.0' encoding='iso-8859-1'?><r><a>\xe9</a></r>",
                "r\n'{\"a\":\"\xc3\xa9\"}'\n");
    expect_rows(p, "text/xml; charset=iso-8859-1",
                "<?xml version='1.0' encoding='utf-8'?><r><a>\xc3\xa9</a></r>",
                "r\n'{\"a\":\"\xc3\xa9\"}'\n");
}

static void utf_16_is_read_with_and_without_a_mark(void **state)
{
    static const char text[] = "<r><a>x</a></r>";
    char body[2 + 2 * sizeof(text)] = "\xff\xfe";
    struct processing *p = *state;

    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        body[2 + 2 * i] = text[i];
        body[3 + 2 * i] = '\0';
    }
    processing_run_bytes(p, "text/xml", body, 2 * sizeof(text));
    assert_string_equal(processing_rows(p), "r\n'{\"a\":\"x\"}'\n");
    processing_run_bytes(p, "text/xml", body + 2, 2 * sizeof(text) - 2);
    assert_string_equal(processing_rows(p), "r\n'{\"a\":\"x\"}'\n");
}

static void a_wrong_encoding_is_a_failure_that_says_what_to_do(void **state)
{
    struct processing *p = *state;

    expect_failure(p, "text/xml", "<r>\n<a>\xe9</a></r>",
                   "the body is not XML: line 2, column 4: a byte that is not UTF-8 (byte 7 of the "
                   "body); set encoding to what it is in, as in encoding: windows-1252");
    expect_failure(p, "text/xml", "<?xml version='1.0' encoding='klingon'?><r/>",
                   "the XML declaration says that the body is in klingon, which is not known here; "
                   "set encoding to what it is in, as in encoding: utf-8");
    p->source.encoding = "windows-1252";
    expect_rows(p, "text/xml", "<?xml version='1.0' encoding='klingon'?><r>\x80</r>",
                "r\n'\xe2\x82\xac'\n");
}

static void one_record_is_selected_as_many_are(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.rss.channel.item[*]");
    expect_rows(p, "text/xml", "<rss><channel><item><a>1</a></item></channel></rss>", "a\n'1'\n");
    expect_rows(p, "text/xml",
                "<rss><channel><item><a>1</a></item><item><a>2</a></item></channel></rss>",
                "a\n'1'\n'2'\n");
    expect_rows(p, "text/xml", "<rss><channel/></rss>", "\n");
    assert_int_equal(p->result.records, 0);
    processing_run(p, "text/xml", "<rss><channel><title>t</title></channel></rss>");
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
}

static void records_may_be_the_children_of_an_element(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.d.rates");
    p->source.mapping.key_as = "code";
    expect_rows(p, "text/xml", "<d><rates><USD><r>1</r></USD><EUR><r>2</r></EUR></rates></d>",
                "code,r\n'USD','1'\n'EUR','2'\n");
    p->source.mapping.key_as = NULL;
}

static void declared_types_take_the_text_of_an_element(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.r.i");
    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(p, "t", "$.t", FIELD_TEXT, TIME_UNIT_NONE);
    processing_field(p, "j", "$.t", FIELD_JSON, TIME_UNIT_NONE);
    processing_field(p, "u", "$.t", FIELD_UNDECLARED, TIME_UNIT_NONE);
    expect_rows(
        p, "text/xml",
        "<r><i><n unit='m'>7</n><t lang='e'>x</t></i><i><n>8</n><t>y</t></i><i><n/></i></r>",
        "n,t,j,u\n"
        "7,'x','{\"@lang\":\"e\",\"#text\":\"x\"}','{\"@lang\":\"e\",\"#text\":\"x\"}'\n"
        "8,'y','\"y\"','y'\n\n");
}

static void rejected_records_know_their_line(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.r.i");
    processing_field(p, "n", "$.n", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_run(p, "text/xml", "<r>\n<i><n>1</n></i>\n  <i><n>x</n></i>\n</r>");
    assert_int_equal(p->result.rows.row_count, 1);
    assert_string_equal(processing_letters(p), "1@3:3 column \"n\": \"x\" is not an integer\n");
}

static void a_feed_needs_no_records(void **state)
{
    struct processing *p = *state;

    expect_rows(p, "application/rss+xml",
                "<rss><channel><item><guid>1</guid><title>T</title></item></channel></rss>",
                "id,title,link,published,updated,guid\n'1','T','1',null,null,'1'\n");
    processing_field(p, "g", "$.guid", FIELD_TEXT, TIME_UNIT_NONE);
    processing_field(p, "c", "$.cat[*]", FIELD_UNDECLARED, TIME_UNIT_NONE);
    expect_rows(p, "application/rss+xml",
                "<rss><channel><item><guid isPermaLink='false'>1</guid><cat>x</cat></item>"
                "</channel></rss>",
                "g,c\n'1','[\"x\"]'\n");
}

static void with_records_a_feed_is_a_document_like_any_other(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.rss.channel.item");
    expect_rows(p, "text/xml", "<rss><channel><item><guid a='b'>1</guid></item></channel></rss>",
                "guid\n'{\"@a\":\"b\",\"#text\":\"1\"}'\n");
}

static void metrics_are_known_by_type_by_name_and_by_looking(void **state)
{
    static const char *const types[] = {"text/plain; version=0.0.4; charset=utf-8",
                                        "text/plain;version=0.0.4", "text/plain", NULL,
                                        "text/plain; version=1.0.0; escaping=allow-utf-8"};
    struct processing *p = *state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        expect_rows(p, types[i], "# TYPE a gauge\na{b=\"c\"} 1\n",
                    "name,labels,value,type,time\n'a','{\"b\":\"c\"}',~1,'gauge'\n");
    expect_rows(p, "application/openmetrics-text; version=1.0.0", "a 1 2.5\n# EOF\n",
                "name,labels,value,type,time\n"
                "'a','{}',~1,'untyped','1970-01-01T00:00:02.500Z'\n");
    p->source.format = FORMAT_PROMETHEUS;
    expect_rows(p, "text/html", "a 1\n", "name,labels,value,type,time\n'a','{}',~1,'untyped'\n");
}

static void bad_metrics_are_a_failure(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_PROMETHEUS;
    expect_failure(p, "text/plain", "a 1\nb\n",
                   "the body is not Prometheus' text format: line 2, column 2: expected labels or "
                   "a value behind the name of the metric");
    expect_failure(p, "text/html", "\n<html>",
                   "the body is an HTML page or XML, not metrics in Prometheus' text format; check "
                   "url and headers (Accept)");
    expect_failure(
        p, "text/plain", "[1]",
        "the body is JSON, not metrics in Prometheus' text format; check url and headers "
        "(Accept)");
    expect_failure(
        p, "application/openmetrics-text", "a 1\n",
        "the body is not Prometheus' text format: line 2, column 1: there is no # EOF at "
        "the end: the text was cut off");
}

static void a_label_can_be_a_column(void **state)
{
    struct processing *p = *state;

    processing_field(p, "mode", "$.labels.mode", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "value", "$.value", FIELD_REAL, TIME_UNIT_NONE);
    expect_rows(p, NULL, "c{cpu=\"0\",mode=\"idle\"} 1.5\nc{mode=\"user\"} 12345678901234567\n",
                "mode,value\n'idle',~1.5\n'user',~12345678901234568\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(xml_is_known_by_type_by_name_and_by_looking, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_page_is_no_xml_unless_the_operator_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(damage_is_a_failure_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(the_encoding_is_that_of_the_declaration, setup, teardown),
        cmocka_unit_test_setup_teardown(utf_16_is_read_with_and_without_a_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_encoding_is_a_failure_that_says_what_to_do, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_record_is_selected_as_many_are, setup, teardown),
        cmocka_unit_test_setup_teardown(records_may_be_the_children_of_an_element, setup, teardown),
        cmocka_unit_test_setup_teardown(declared_types_take_the_text_of_an_element, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rejected_records_know_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_feed_needs_no_records, setup, teardown),
        cmocka_unit_test_setup_teardown(with_records_a_feed_is_a_document_like_any_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(metrics_are_known_by_type_by_name_and_by_looking, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bad_metrics_are_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_label_can_be_a_column, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
