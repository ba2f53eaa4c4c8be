/* Prometheus' text format to records, line by line and error by error. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/prometheus.h"

struct reading {
    char *text;
    struct arena *arena;
    const struct node *root;
    struct prometheus_error error;
    enum prometheus_status status;
};

static struct reading read_bytes(const char *text, size_t length, bool open_metrics)
{
    struct reading r = {.text = malloc(length + 1), .arena = arena_create(0)};

    memcpy(r.text, text, length);
    r.text[length] = '\0';
    r.status = prometheus_read(r.text, length, open_metrics, r.arena, &r.root, &r.error);
    return r;
}

static void forget(struct reading *r)
{
    arena_free(r->arena);
    free(r->text);
}

static void expect_in(bool open_metrics, const char *text, const char *json)
{
    struct reading r = read_bytes(text, strlen(text), open_metrics);
    struct text written = {0};

    assert_string_equal(r.error.message, "");
    assert_int_equal(r.status, PROMETHEUS_OK);
    node_write_json(r.root, &written);
    assert_string_equal(text_string(&written), json);
    text_free(&written);
    forget(&r);
}

static void expect(const char *text, const char *json)
{
    expect_in(false, text, json);
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *message)
{
    struct reading r = read_bytes(text, strlen(text), false);

    assert_int_equal(r.status, PROMETHEUS_INVALID);
    assert_string_equal(r.error.message, message);
    assert_int_equal(r.error.line, line);
    assert_int_equal(r.error.column, column);
    forget(&r);
}

/* The value that `written` becomes, as JSON. */
static void expect_number(const char *written, const char *json)
{
    struct text text = {0};
    struct text expected = {0};

    text_format(&text, "m %s\n", written);
    text_format(&expected,
                "[{\"name\":\"m\",\"labels\":{},\"value\":%s,\"type\":\"untyped\",\"time\":null}]",
                json);
    expect(text_string(&text), text_string(&expected));
    text_free(&text);
    text_free(&expected);
}

static void each_sample_is_a_record(void **state)
{
    (void)state;
    expect("# HELP up Whether.\n# TYPE up gauge\nup{job=\"a\",instance=\"b:1\"} 1\nup 0 \n",
           "[{\"name\":\"up\",\"labels\":{\"instance\":\"b:1\",\"job\":\"a\"},\"value\":1,"
           "\"type\":\"gauge\",\"time\":null},"
           "{\"name\":\"up\",\"labels\":{},\"value\":0,\"type\":\"gauge\",\"time\":null}]");
}

static void a_text_without_samples_has_no_records(void **state)
{
    (void)state;
    expect("", "[]");
    expect("\n \n# just a comment\n#\n\r\n", "[]");
    expect("\xef\xbb\xbf# TYPE a counter\n", "[]");
}

static void white_space_is_free(void **state)
{
    (void)state;
    expect(" m\t{ a = \"1\" , b=\"2\", }\t 3\t4 \r\n",
           "[{\"name\":\"m\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"value\":3,\"type\":\"untyped\","
           "\"time\":\"1970-01-01T00:00:00.004Z\"}]");
}

static void labels_are_sorted_so_that_they_are_a_stable_key(void **state)
{
    (void)state;
    expect("m{b=\"1\",a=\"2\",ab=\"3\"} 1\n",
           "[{\"name\":\"m\",\"labels\":{\"a\":\"2\",\"ab\":\"3\",\"b\":\"1\"},\"value\":1,"
           "\"type\":\"untyped\",\"time\":null}]");
}

static void escapes_in_labels_are_replaced(void **state)
{
    (void)state;
    expect("m{a=\"x\\\\y\\\"z\\n\\t}\"} 1\n",
           "[{\"name\":\"m\",\"labels\":{\"a\":\"x\\\\y\\\"z\\n\\\\t}\"},\"value\":1,"
           "\"type\":\"untyped\",\"time\":null}]");
}

static void values_are_numbers_as_json_writes_them(void **state)
{
    (void)state;
    expect_number("1", "1");
    expect_number("-1.50", "-1.50");
    expect_number("1e+06", "1e+06");
    expect_number("1.7976931348623157E308", "1.7976931348623157E308");
    expect_number("1e400", "1e400");
    expect_number("+5", "5");
    expect_number("007", "7");
    expect_number("-00.5", "-0.5");
    expect_number(".5", "0.5");
    expect_number("5.", "5");
    expect_number("-.5e-3", "-0.5e-3");
    expect_number("12345678901234567890123456789", "12345678901234567890123456789");
}

static void what_is_no_number_in_json_is_a_string(void **state)
{
    (void)state;
    expect_number("NaN", "\"NaN\"");
    expect_number("nan", "\"NaN\"");
    expect_number("+Inf", "\"+Inf\"");
    expect_number("Inf", "\"+Inf\"");
    expect_number("-inf", "\"-Inf\"");
    expect_number("+Infinity", "\"+Inf\"");
}

static void only_what_a_double_may_not_hold_is_an_integer(void **state)
{
    struct reading r = read_bytes("m 999999999999999\nm 1000000000000000\nm 1.0\n", 43, false);

    (void)state;
    assert_int_equal(r.status, PROMETHEUS_OK);
    assert_false(node_member(node_element(r.root, 0), slice_of("value"))->integer);
    assert_true(node_member(node_element(r.root, 1), slice_of("value"))->integer);
    assert_false(node_member(node_element(r.root, 2), slice_of("value"))->integer);
    forget(&r);
}

static void time_stamps_are_milliseconds(void **state)
{
    (void)state;
    expect("m 1 1700000000123\nm 1 -1\n",
           "[{\"name\":\"m\",\"labels\":{},\"value\":1,\"type\":\"untyped\","
           "\"time\":\"2023-11-14T22:13:20.123Z\"},"
           "{\"name\":\"m\",\"labels\":{},\"value\":1,\"type\":\"untyped\","
           "\"time\":\"1969-12-31T23:59:59.999Z\"}]");
}

static const char *type_of(const char *types, const char *sample, char *found, size_t size)
{
    struct text text = {0};
    struct reading r;
    const struct node *type;

    text_format(&text, "%s%s 1\n", types, sample);
    r = read_bytes(text.data, text.length, false);
    assert_int_equal(r.status, PROMETHEUS_OK);
    type = node_member(node_element(r.root, 0), slice_of("type"));
    snprintf(found, size, "%.*s", (int)type->length, type->text);
    forget(&r);
    text_free(&text);
    return found;
}

static void the_type_is_that_of_the_family(void **state)
{
    static const char types[] = "# TYPE h histogram\n#  TYPE\ts summary\n# TYPE c_total counter\n"
                                "# TYPE h_count gauge\n# TYPE u untyped\n";
    char found[32];

    (void)state;
    assert_string_equal(type_of(types, "h_bucket{le=\"1\"}", found, 32), "histogram");
    assert_string_equal(type_of(types, "h_sum", found, 32), "histogram");
    assert_string_equal(type_of(types, "h_count", found, 32), "gauge");
    assert_string_equal(type_of(types, "s{quantile=\"0.5\"}", found, 32), "summary");
    assert_string_equal(type_of(types, "s_count", found, 32), "summary");
    assert_string_equal(type_of(types, "c_total", found, 32), "counter");
    assert_string_equal(type_of(types, "c", found, 32), "untyped");
    assert_string_equal(type_of(types, "x_bucket", found, 32), "untyped");
    assert_string_equal(type_of("# TYPE h gauge\n# TYPE h counter\n", "h", found, 32), "counter");
}

static void many_families_are_found_again(void **state)
{
    struct text text = {0};
    struct reading r;

    (void)state;
    for (int i = 0; i < 3000; i++)
        text_format(&text, "# TYPE m%d %s\n", i, i % 2 == 0 ? "counter" : "gauge");
    for (int i = 0; i < 3000; i++)
        text_format(&text, "m%d{a=\"%d\"} %d\n", i, i, i);
    r = read_bytes(text.data, text.length, false);
    assert_int_equal(r.status, PROMETHEUS_OK);
    assert_int_equal(r.root->length, 3000);
    for (int i = 0; i < 3000; i++)
        assert_true(slice_equals(node_slice(node_member(node_element(r.root, i), slice_of("type"))),
                                 i % 2 == 0 ? "counter" : "gauge"));
    forget(&r);
    text_free(&text);
}

static void open_metrics_has_seconds_exemplars_and_an_end(void **state)
{
    static const char json[] =
        "[{\"name\":\"c_total\",\"labels\":{},\"value\":1,\"type\":\"counter\","
        "\"time\":\"2023-11-14T22:13:20.123Z\"},{\"name\":\"c_created\",\"labels\":{},"
        "\"value\":2.5,\"type\":\"counter\",\"time\":null}]";
    static const char text[] = "# TYPE c counter\n# UNIT c seconds\n"
                               "c_total 1 1700000000.123 # {trace_id=\"a}\"} 0.5 1700000000.1\n"
                               "c_created 2.5 # {} 1\n# EOF";

    (void)state;
    expect(text, json);
    expect_in(true, text, json);
    expect_in(true, "# EOF\n", "[]");
}

static void quoted_names_are_read(void **state)
{
    (void)state;
    expect("# TYPE \"my.metric\" gauge\n{\"my.metric\",\"a.b\"=\"1\"} 2\n",
           "[{\"name\":\"my.metric\",\"labels\":{\"a.b\":\"1\"},\"value\":2,\"type\":\"gauge\","
           "\"time\":null}]");
}

static void a_bad_line_is_explained_and_spoils_the_text(void **state)
{
    (void)state;
    expect_error("a 1\n1a 2\n", 2, 1, "expected the name of a metric");
    expect_error("a\n", 1, 2, "expected labels or a value behind the name of the metric");
    expect_error("a-b 1\n", 1, 2, "expected labels or a value behind the name of the metric");
    expect_error("a \n", 1, 3, "expected a value, a number");
    expect_error("a x\n", 1, 3, "expected a value, a number");
    expect_error("a 1e\n", 1, 3, "expected a value, a number");
    expect_error("a .\n", 1, 3, "expected a value, a number");
    expect_error("a 0x10\n", 1, 3, "expected a value, a number");
    expect_error("a 1,5\n", 1, 3, "expected a value, a number");
    expect_error("a 1 x\n", 1, 5, "expected a time stamp in milliseconds, or the end of the line");
    expect_error("a 1 999999999999999999\n", 1, 5,
                 "expected a time stamp in milliseconds, or the end of the line");
    expect_error("a 1 2 3\n", 1, 7, "expected the end of the line");
    expect_error("a 1 # {}\n", 1, 5, "expected the end of the line");
    expect_error("a{\n", 1, 3, "expected the name of a label, or }");
    expect_error("a{1=\"x\"} 1\n", 1, 3, "expected the name of a label, or }");
    expect_error("a{b} 1\n", 1, 4, "expected = behind the name of a label");
    expect_error("a{b=x} 1\n", 1, 5, "expected the value of a label in quotes");
    expect_error("a{b=\"x} 1\nc{d=\"e\"} 1\n", 1, 5, "a text in quotes without an end on its line");
    expect_error("a{b=\"x\\", 1, 5, "a text in quotes without an end on its line");
    expect_error("a{b=\"x\" c=\"y\"} 1\n", 1, 9, "expected , or } behind a label");
    expect_error("a{b=\"\xc3\xa9\",b=\"y\"} 1\n", 1, 1, "a label that stands twice: b");
    expect_error("{a=\"b\"} 1\n", 1, 1, "a sample without a name");
    expect_error("# TYPE a number\n", 1, 10,
                 "expected a type: counter, gauge, histogram, summary or untyped");
    expect_error("# TYPE a\n", 1, 9,
                 "expected a type: counter, gauge, histogram, summary or untyped");
    expect_error("# TYPE a gauge x\n", 1, 16, "expected the end of the line");
    expect_error("# TYPE \n", 1, 8, "expected the name of a metric");
    expect_error("# EOF\na 1\n# EOF\n", 2, 1, "a line behind # EOF");
}

static void a_text_that_was_cut_off_is_refused(void **state)
{
    struct reading r = read_bytes("a 1\n", 4, true);

    (void)state;
    assert_string_equal(r.error.message, "there is no # EOF at the end: the text was cut off");
    forget(&r);
    expect_error("a 1\na 12", 2, 5, "the last line has no line break: the text was cut off");
    expect_error("a 1\na", 2, 2, "expected labels or a value behind the name of the metric");
    expect_error("a 1\n# HELP a", 2, 9, "the last line has no line break: the text was cut off");
    expect_error("# TYPE a gauge", 1, 15, "the last line has no line break: the text was cut off");
}

static void other_bytes_are_refused(void **state)
{
    struct reading r = read_bytes("a 1\n\0\n", 6, false);

    (void)state;
    assert_string_equal(r.error.message, "a NUL byte");
    assert_int_equal(r.error.line, 2);
    forget(&r);
    expect_error("a 1\nb{c=\"\xe9\"} 1\n", 2, 6, "a byte that is not UTF-8");
}

static void errors_may_go_untold(void **state)
{
    struct arena *arena = arena_create(0);
    const struct node *root;

    (void)state;
    assert_int_equal(prometheus_read("a", 1, false, arena, &root, NULL), PROMETHEUS_INVALID);
    arena_free(arena);
}

static void such_texts_are_known_by_looking(void **state)
{
    static const char *const yes[] = {"# HELP a b\n", "\n# TYPE a gauge\n", "# UNIT a b",
                                      ("\xef\xbb\xbf"
                                       "a{b=\"c\"} 1\n"),
                                      "a:b_1{ x=\"\"} 2"};
    static const char *const no[] = {"",     "# comment\n", "a 1\n",      "{\"a\":1}", "a{}",
                                     "a{b}", "<a/>",        "a,b\n1,2\n", "#HELP a",   "null"};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(prometheus_looks_like(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(prometheus_looks_like(no[i], strlen(no[i])));
}

static void records_know_where_their_lines_begin(void **state)
{
    struct reading r = read_bytes("# x\n a 1\nb 2\n", 13, false);

    (void)state;
    assert_int_equal(node_element(r.root, 0)->raw - r.text, 5);
    assert_int_equal(node_element(r.root, 1)->raw - r.text, 9);
    assert_true(slice_equals(node_source(node_element(r.root, 1)), "b 2"));
    forget(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_is_a_record),
        cmocka_unit_test(a_text_without_samples_has_no_records),
        cmocka_unit_test(white_space_is_free),
        cmocka_unit_test(labels_are_sorted_so_that_they_are_a_stable_key),
        cmocka_unit_test(escapes_in_labels_are_replaced),
        cmocka_unit_test(values_are_numbers_as_json_writes_them),
        cmocka_unit_test(what_is_no_number_in_json_is_a_string),
        cmocka_unit_test(only_what_a_double_may_not_hold_is_an_integer),
        cmocka_unit_test(time_stamps_are_milliseconds),
        cmocka_unit_test(the_type_is_that_of_the_family),
        cmocka_unit_test(many_families_are_found_again),
        cmocka_unit_test(open_metrics_has_seconds_exemplars_and_an_end),
        cmocka_unit_test(quoted_names_are_read),
        cmocka_unit_test(a_bad_line_is_explained_and_spoils_the_text),
        cmocka_unit_test(a_text_that_was_cut_off_is_refused),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(errors_may_go_untold),
        cmocka_unit_test(such_texts_are_known_by_looking),
        cmocka_unit_test(records_know_where_their_lines_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
