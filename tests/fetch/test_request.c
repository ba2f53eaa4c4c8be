#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/request.h"

static struct source a_source(const char *url)
{
    return (struct source){.url = url, .timeout_ms = 1000, .connect_timeout_ms = 500};
}

static void assert_url(const struct source *source, const char *expected)
{
    struct text out = {0};

    request_add_url(&out, source);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void a_url_without_params_stays_as_it_is(void **state)
{
    struct source source = a_source("https://example.org/a%20b?x=1&y=[2]");

    (void)state;
    assert_url(&source, "https://example.org/a%20b?x=1&y=[2]");
}

static void params_follow_a_question_mark_or_what_is_there_already(void **state)
{
    const struct name_value params[] = {{"a", "1"}, {"b", "2"}};
    static const char *const cases[][2] = {
        {"http://h", "http://h?a=1&b=2"},
        {"http://h/", "http://h/?a=1&b=2"},
        {"http://h/p?", "http://h/p?a=1&b=2"},
        {"http://h/p?q=0", "http://h/p?q=0&a=1&b=2"},
        {"http://h/p?q=0&", "http://h/p?q=0&a=1&b=2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source source = a_source(cases[i][0]);

        source.params = params;
        source.param_count = 2;
        assert_url(&source, cases[i][1]);
    }
}

static void params_come_before_a_fragment_which_is_not_sent(void **state)
{
    const struct name_value params[] = {{"a", "1"}};
    struct source source = a_source("http://h/p?q=0#top?no");

    (void)state;
    source.params = params;
    source.param_count = 1;
    assert_url(&source, "http://h/p?q=0&a=1");
}

static void names_and_values_of_params_are_percent_encoded(void **state)
{
    const struct name_value params[] = {{"filter[a]", "x y&z=1+2/3?#%"}, {"\xc3\xa9", "-._~aZ09"}};
    struct source source = a_source("http://h/");

    (void)state;
    source.params = params;
    source.param_count = 2;
    assert_url(&source, "http://h/?filter%5Ba%5D=x%20y%26z%3D1%2B2%2F3%3F%23%25&%C3%A9=-._~aZ09");
}

static void an_empty_value_keeps_its_name(void **state)
{
    const struct name_value params[] = {{"flag", ""}};
    struct source source = a_source("http://h/");

    (void)state;
    source.params = params;
    source.param_count = 1;
    assert_url(&source, "http://h/?flag=");
}

static void blanks_and_bytes_beyond_ascii_behind_the_host_are_encoded(void **state)
{
    struct source source = a_source("http://b\xc3\xbc"
                                    "cher.example/a b\xc3\xa9?q=\t1");

    (void)state;
    assert_url(&source, "http://b\xc3\xbc"
                        "cher.example/a%20b%C3%A9?q=%091");
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    const struct name_value headers[] = {{"X-A", "1\r\nX-B: 2"}};
    struct source source = a_source("http://h/");
    struct request request = {.url = "http://h/", .own_origin = true, .timeout_ms = 1000};
    struct curl_slist *list = NULL;
    struct fault fault = {0};
    CURL *easy = curl_easy_init();

    (void)state;
    source.headers = headers;
    source.header_count = 1;
    assert_int_equal(request_set(easy, &source, &request, &list, &fault), -1);
    assert_null(list);
    assert_int_equal(fault.kind, RUN_FAILED_NETWORK);
    assert_false(fault.retryable);
    assert_string_equal(fault.text, "header \"X-A\" holds a line break and cannot be sent");
    curl_easy_cleanup(easy);
}

static void headers_go_to_the_own_origin_only(void **state)
{
    const struct name_value headers[] = {{"X-Api-Key", "secret"}, {"X-Empty", ""}};
    struct source source = a_source("http://h/");
    struct request request = {.url = "http://h/", .own_origin = true, .timeout_ms = 1000};
    struct curl_slist *list = NULL;
    struct fault fault = {0};
    CURL *easy = curl_easy_init();

    (void)state;
    source.headers = headers;
    source.header_count = 2;
    assert_int_equal(request_set(easy, &source, &request, &list, &fault), 0);
    assert_string_equal(list->data, "X-Api-Key: secret");
    assert_string_equal(list->next->data, "X-Empty;");
    assert_null(list->next->next);

    request.own_origin = false;
    assert_int_equal(request_set(easy, &source, &request, &list, &fault), 0);
    assert_null(list);
    curl_easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_without_params_stays_as_it_is),
        cmocka_unit_test(params_follow_a_question_mark_or_what_is_there_already),
        cmocka_unit_test(params_come_before_a_fragment_which_is_not_sent),
        cmocka_unit_test(names_and_values_of_params_are_percent_encoded),
        cmocka_unit_test(an_empty_value_keeps_its_name),
        cmocka_unit_test(blanks_and_bytes_beyond_ascii_behind_the_host_are_encoded),
        cmocka_unit_test(a_header_with_a_line_break_is_refused),
        cmocka_unit_test(headers_go_to_the_own_origin_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
