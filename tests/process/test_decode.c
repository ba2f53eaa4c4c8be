#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "processing.h"

static int setup(void **state)
{
    *state = processing_create();
    return 0;
}

static int teardown(void **state)
{
    processing_free(*state);
    return 0;
}

static void expect_one_row(struct processing *p, const char *content_type, const char *body)
{
    processing_run(p, content_type, body);
    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_int_equal(p->result.rows.row_count, 1);
}

static void expect_failure(struct processing *p, const char *error, const char *letters)
{
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_string_equal(p->run.error, error);
    assert_string_equal(processing_letters(p), letters);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.records, 0);
}

static void any_type_but_html_is_taken_as_json(void **state)
{
    static const char *const types[] = {
        NULL,
        "",
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=us-ascii",
        "text/json",
        "application/geo+json",
        "application/vnd.api+json; version=1",
        "text/plain",
        "text/javascript",
        "application/octet-stream",
        ";;=; charset",
        "application/json; charset ",
        "application/json; charset=",
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        expect_one_row(*state, types[i], "{\n\"a\":1}");
}

static void ndjson_is_known_by_its_media_types(void **state)
{
    static const char *const types[] = {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "APPLICATION/X-NDJSON ; charset=utf-8",
    };
    struct processing *p = *state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        processing_run(p, types[i], "{\"a\":1}\n{\"a\":2}\n");
        assert_int_equal(p->run.failure, RUN_OK);
        assert_int_equal(p->result.rows.row_count, 2);
    }
}

static void a_declared_format_wins_over_the_content_type(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_NDJSON;
    processing_run(p, "text/plain", "[1]\n[2]\n");
    assert_int_equal(p->result.rows.row_count, 2);
    p->source.format = FORMAT_JSON;
    expect_one_row(p, "text/html; charset=iso-8859-1", "{\"a\":1}");
    expect_one_row(p, "application/x-ndjson", "{\n\"a\":1}");
}

static void a_byte_order_mark_is_no_part_of_the_text(void **state)
{
    struct processing *p = *state;

    expect_one_row(p, NULL, "\xef\xbb\xbf{\"a\":1}");
    processing_run(p, NULL, "\xef\xbb\xbf <html>");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
}

static void broken_json_fails_the_run_with_its_position_and_keeps_the_body(void **state)
{
    struct processing *p = *state;
    const struct dead_letter *letter;

    processing_run(p, "application/json", "{\"a\":1,\n \"b\":}");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letter_count, 1);
    letter = p->result.dead_letters;
    assert_null(letter->record);
    assert_int_equal(letter->line, 2);
    assert_int_equal(letter->column, 6);
    assert_ptr_equal(letter->reason, p->run.error);
    assert_non_null(strstr(letter->reason, "the body is not JSON: line 2, column 6: "));
}

static void nothing_of_a_half_good_body_becomes_a_row(void **state)
{
    struct processing *p = *state;

    processing_run(p, NULL, "[{\"a\":1},{\"a\":2},");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_int_equal(p->result.rows.row_count, 0);
    processing_run(p, "application/x-ndjson", "{\"a\":1}\n{\"a\":\n");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letters->line, 2);
}

static void expect_documents(struct processing *p, const char *content_type, const char *body)
{
    processing_run(p, content_type, body);
    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_string_equal(processing_rows(p), "a\n1\n2\n");
}

static void several_documents_may_follow_each_other(void **state)
{
    struct processing *p = *state;

    expect_documents(p, "application/json-seq", "\x1e{\"a\":1}\n\x1e{\n\"a\":2}\n");
    expect_documents(p, "application/geo+json-seq", "\x1e{\"a\":1}\n\x1e{\n\"a\":2}\n");
    expect_documents(p, NULL, "\x1e{\"a\":1}\n\x1e{\"a\":2}\n");
    expect_documents(p, "application/x-ndjson", "{\"a\":1}{\"a\":2}");
    expect_documents(p, "application/x-ndjson", "{\n\"a\":1\n}\n{\n\"a\":2\n}\n");
    expect_documents(p, "application/json", "{\"a\":1}\n{\"a\":2}\n");
    expect_documents(p, "application/json", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n");
    expect_documents(p, "application/json", "\xef\xbb\xbf {\n\"a\":1}\n{\"a\":2}\n");
}

static void a_second_document_is_an_error_where_one_is_declared(void **state)
{
    struct processing *p = *state;

    p->source.format = FORMAT_JSON;
    processing_run(p, "application/json", "{\"a\":1}\n{\"a\":2}\n");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    p->source.format = FORMAT_AUTO;
    processing_run(p, "application/json", "[1][2]");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    processing_run(p, "application/json", "{\"a\":1}{\"a\":2}");
    assert_string_equal(p->run.error, "the body is not JSON: line 1, column 8: a second document; "
                                      "one document a line is the format ndjson");
}

static void an_error_among_several_documents_is_where_reading_came_to(void **state)
{
    struct processing *p = *state;

    processing_run(p, "application/x-ndjson", "{\"a\":1}\n{\"a\":\n{\"a\":2}\n");
    assert_string_equal(p->run.error, "the body is not JSON: line 2, column 6: the line ends "
                                      "inside an object; each document must be on one line");
    processing_run(p, "application/x-ndjson", "{\n\"a\":1\n}\n{\n\"a\":x\n}\n");
    assert_string_equal(p->run.error, "the body is not JSON: line 5, column 5: 'x' is not a JSON "
                                      "value; text stands in double quotes");
    processing_run(p, "application/json-seq", "\x1e{\"a\":1}\n\x1e{\"a\"");
    assert_string_equal(p->run.error, "the body is not JSON: line 2, column 6: the body ends "
                                      "inside an object");
}

static void expect_cell(struct processing *p, const char *content_type, const char *body,
                        size_t length, const char *rows)
{
    processing_run_bytes(p, content_type, body, length);
    assert_string_equal(p->run.error == NULL ? "" : p->run.error, "");
    assert_string_equal(processing_rows(p), rows);
}

/* gzip of [{"a":1}] */
static const char packed[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\xae\x56\x4a\x54\xb2\x32\xac\x8d\x05"
    "\x00\x7d\x73\xcb\xf2\x09\x00\x00\x00";

static void a_packed_body_is_unpacked_first(void **state)
{
    struct processing *p = *state;

    expect_cell(p, "application/gzip", packed, sizeof(packed) - 1, "a\n1\n");
    p->source.format = FORMAT_NDJSON;
    processing_run_bytes(p, "text/plain; charset=latin1", packed, sizeof(packed) - 1);
    assert_int_equal(p->result.rows.row_count, 1);
}

static void a_packed_body_that_is_cut_off_fails_and_is_kept_as_it_came(void **state)
{
    struct processing *p = *state;

    processing_run_bytes(p, "application/json", packed, sizeof(packed) - 2);
    expect_failure(p, "the body is a gzip file that is cut off",
                   "body@0:0 the body is a gzip file that is cut off\n");
    assert_ptr_equal(p->result.body, p->run.response.body);
}

static void a_body_that_is_too_large_unpacked_fails_the_run(void **state)
{
    struct processing *p = *state;

    p->source.max_body_bytes = 8;
    processing_run_bytes(p, "application/json", packed, sizeof(packed) - 1);
    assert_int_equal(p->run.failure, RUN_FAILED_LIMIT);
    assert_string_equal(p->run.error, "the body is above max_body_size (8B) unpacked; raise it");
}

#define PAGE_REASON                                                                           \
    "the body is an HTML page, not JSON; check url and headers: it may be a login, an error " \
    "page or a web site"

static void an_html_page_is_named_as_such(void **state)
{
    struct processing *p = *state;

    processing_run(p, "text/html; charset=iso-8859-1", "\n <!DOCTYPE html><p>Hello");
    expect_failure(p, PAGE_REASON, "body@2:2 " PAGE_REASON "\n");
    processing_run(p, "application/json", "<html></html>");
    expect_failure(p, PAGE_REASON, "body@1:1 " PAGE_REASON "\n");
    p->source.format = FORMAT_NDJSON;
    processing_run(p, NULL, "<html></html>");
    expect_failure(p, PAGE_REASON, "body@1:1 " PAGE_REASON "\n");
}

#define TYPE_REASON                                                                            \
    "the body is an HTML page, not JSON, by its Content-Type (text/html); if it is JSON, set " \
    "format: json"

static void json_labelled_as_html_is_refused_with_the_way_out(void **state)
{
    processing_run(*state, "text/html", "{\"a\":1}");
    expect_failure(*state, TYPE_REASON, "body@1:1 " TYPE_REASON "\n");
}

#define XML_REASON "the body is XML, not JSON; check url and headers (Accept), or set format: xml"

static void xml_is_named_as_such(void **state)
{
    processing_run(*state, "application/json", "<?xml version=\"1.0\"?><a/>");
    expect_failure(*state, XML_REASON, "body@1:1 " XML_REASON "\n");
}

static void a_declared_character_set_is_converted(void **state)
{
    static const char *const types[] = {
        "application/json; charset=ISO-8859-1",
        "application/json;CHARSET = \"latin1\"",
        "application/json; a=b; charset=windows-1252; c=d",
        "application/x-ndjson; charset=ISO_8859-1",
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        expect_cell(*state, types[i], "{\"a\":\"caf\xe9\"}", 12, "a\n'caf\xc3\xa9'\n");
    expect_cell(*state, "application/json; charset=shift_jis", "{\"a\":\"\x8e\x52\"}", 10,
                "a\n'\xe5\xb1\xb1'\n");
}

static void utf8_that_is_declared_as_latin_is_utf8(void **state)
{
    expect_cell(*state, "application/json; charset=ISO-8859-1", "{\"a\":\"caf\xc3\xa9\"}", 13,
                "a\n'caf\xc3\xa9'\n");
    expect_cell(*state, "application/json; charset=windows-1252", "[\"\xe9\x80\x93\"]", 7,
                "value\n'\xc3\xa9\xe2\x82\xac\xe2\x80\x9c'\n");
}

static void utf16_is_known_by_its_mark_by_its_zeros_and_by_its_name(void **state)
{
    static const char wide[] = "\xff\xfe{\0\"\0a\0\"\0:\0\"\0\xe9\0\"\0}\0";
    static const char big[] = "\0[\0\"\0\xe9\0\"\0]";
    static const char widest[] = "\0\0\xfe\xff\0\0\0[\0\0\0001\0\0\0]";

    expect_cell(*state, NULL, wide, sizeof(wide) - 1, "a\n'\xc3\xa9'\n");
    expect_cell(*state, NULL, wide + 2, sizeof(wide) - 3, "a\n'\xc3\xa9'\n");
    expect_cell(*state, NULL, big, sizeof(big) - 1, "value\n'\xc3\xa9'\n");
    expect_cell(*state, "text/json; charset=utf-16be", big, sizeof(big) - 1, "value\n'\xc3\xa9'\n");
    expect_cell(*state, NULL, widest, sizeof(widest) - 1, "value\n1\n");
}

static void encoding_wins_over_the_mark_and_the_content_type(void **state)
{
    struct processing *p = *state;

    p->source.encoding = "windows-1251";
    expect_cell(p, "application/json; charset=ISO-8859-1", "{\"a\":\"\xc3\xa9\"}", 10,
                "a\n'\xd0\x93\xc2\xa9'\n");
}

#define BYTES_REASON                                                                       \
    "byte 9 of the body (line 2) is 0x81, which CP1252 does not have there; set encoding " \
    "to what it is in"

static void a_byte_that_the_character_set_lacks_is_named(void **state)
{
    processing_run_bytes(*state, "text/json; charset=cp1252", "{\n\"a\":\"\xe9 \x81\"}", 12);
    expect_failure(*state, BYTES_REASON, "body@2:0 " BYTES_REASON "\n");
}

#define CUT_REASON                                                                        \
    "the body ends inside a character of UTF-16LE (line 1); it was cut off, or encoding " \
    "should say what it is in"

static void a_body_that_ends_inside_a_character_is_cut(void **state)
{
    processing_run_bytes(*state, NULL, "\xff\xfe{\0}\0 ", 7);
    expect_failure(*state, CUT_REASON, "body@1:0 " CUT_REASON "\n");
}

#define UTF8_REASON                                                                             \
    "the body is not JSON: line 1, column 9: byte 0xe9 is not UTF-8, which JSON must be (byte " \
    "8 of the body); set encoding to what it is in, as in encoding: windows-1252"

static void bytes_that_are_not_utf8_name_the_key_encoding(void **state)
{
    processing_run_bytes(*state, "application/json", "{\"a\":\"ab\xe9\"}", 11);
    expect_failure(*state, UTF8_REASON, "body@1:9 " UTF8_REASON "\n");
}

static void a_text_that_is_too_large_as_utf8_fails_the_run(void **state)
{
    struct processing *p = *state;

    p->source.max_body_bytes = 12;
    processing_run_bytes(p, "text/json; charset=latin1", "{\"a\":\"\xe9\xe9\xe9\"}", 11);
    assert_int_equal(p->run.failure, RUN_FAILED_LIMIT);
    assert_string_equal(p->run.error, "the body is above max_body_size (12B) as UTF-8; raise it");
}

static void a_character_set_cannot_hide_anything_in_the_error(void **state)
{
    struct processing *p = *state;

    processing_run(p, "application/json; charset=\x1b[2J\xff", "{\"a\":1}");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_non_null(strstr(p->run.error, "the character set \\x1b[2J\\xff by its Content-Type"));
}

#define EMPTY_REASON "the body is empty, where JSON was expected"

static void an_empty_body_is_not_json(void **state)
{
    processing_run(*state, "application/json", "");
    expect_failure(*state, EMPTY_REASON, "body@0:0 " EMPTY_REASON "\n");
    processing_run(*state, "text/html; charset=iso-8859-1", "");
    expect_failure(*state, EMPTY_REASON, "body@0:0 " EMPTY_REASON "\n");
    processing_run(*state, "application/json", " \r\n\t");
    expect_failure(*state, EMPTY_REASON, "body@0:0 " EMPTY_REASON "\n");
}

static void no_body_at_all_fails_without_a_dead_letter(void **state)
{
    struct processing *p = *state;

    p->run.response.status = 200;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    expect_failure(p, EMPTY_REASON, "");
}

static void a_204_is_success_with_no_rows(void **state)
{
    struct processing *p = *state;

    p->run.response.status = 204;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letter_count, 0);
}

static void an_answer_that_is_to_be_ignored_is_success_with_no_rows(void **state)
{
    struct processing *p = *state;

    processing_run_bytes(p, NULL, "[{\"a\": 1}]", 10);
    p->run.ignored = true;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.rows.row_count, 0);
    assert_int_equal(p->result.dead_letter_count, 0);
}

static void nul_bytes_in_a_body_are_not_json(void **state)
{
    struct processing *p = *state;

    processing_run_bytes(p, NULL, "\0\0", 2);
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    assert_int_equal(p->result.dead_letter_count, 1);
    processing_run_bytes(p, NULL, "{}\0", 3);
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
}

static void the_body_of_a_failed_fetch_is_kept_with_its_reason(void **state)
{
    struct processing *p = *state;

    run_fail(&p->run, RUN_FAILED_STATUS, "status 500");
    p->run.response.status = 500;
    p->run.response.body = strdup("{\"a\":1}");
    p->run.response.body_bytes = 7;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_FAILED_STATUS);
    assert_string_equal(processing_letters(p), "body@0:0 status 500\n");
    assert_int_equal(p->result.rows.row_count, 0);
}

static void a_failed_fetch_without_a_body_leaves_only_its_record(void **state)
{
    struct processing *p = *state;

    run_fail(&p->run, RUN_FAILED_NETWORK, "connection refused");
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_int_equal(p->run.failure, RUN_FAILED_NETWORK);
    assert_int_equal(p->result.dead_letter_count, 0);
    assert_ptr_equal(p->result.run, &p->run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(any_type_but_html_is_taken_as_json),
        TEST(ndjson_is_known_by_its_media_types),
        TEST(a_declared_format_wins_over_the_content_type),
        TEST(a_byte_order_mark_is_no_part_of_the_text),
        TEST(broken_json_fails_the_run_with_its_position_and_keeps_the_body),
        TEST(nothing_of_a_half_good_body_becomes_a_row),
        TEST(several_documents_may_follow_each_other),
        TEST(a_second_document_is_an_error_where_one_is_declared),
        TEST(an_error_among_several_documents_is_where_reading_came_to),
        TEST(a_packed_body_is_unpacked_first),
        TEST(a_packed_body_that_is_cut_off_fails_and_is_kept_as_it_came),
        TEST(a_body_that_is_too_large_unpacked_fails_the_run),
        TEST(an_html_page_is_named_as_such),
        TEST(json_labelled_as_html_is_refused_with_the_way_out),
        TEST(xml_is_named_as_such),
        TEST(a_declared_character_set_is_converted),
        TEST(utf8_that_is_declared_as_latin_is_utf8),
        TEST(utf16_is_known_by_its_mark_by_its_zeros_and_by_its_name),
        TEST(encoding_wins_over_the_mark_and_the_content_type),
        TEST(a_byte_that_the_character_set_lacks_is_named),
        TEST(a_body_that_ends_inside_a_character_is_cut),
        TEST(bytes_that_are_not_utf8_name_the_key_encoding),
        TEST(a_text_that_is_too_large_as_utf8_fails_the_run),
        TEST(a_character_set_cannot_hide_anything_in_the_error),
        TEST(an_empty_body_is_not_json),
        TEST(no_body_at_all_fails_without_a_dead_letter),
        TEST(a_204_is_success_with_no_rows),
        TEST(an_answer_that_is_to_be_ignored_is_success_with_no_rows),
        TEST(nul_bytes_in_a_body_are_not_json),
        TEST(the_body_of_a_failed_fetch_is_kept_with_its_reason),
        TEST(a_failed_fetch_without_a_body_leaves_only_its_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
