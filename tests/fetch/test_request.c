#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/request.h"

static struct source a_source(const char *url)
{
    return (struct source){.url = url, .timeout_ms = 1000, .connect_timeout_ms = 500};
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    struct name_value items[] = {{"X-A", "1\r\nX-B: 2"}};
    struct draft draft = {.method = "GET", .headers = {items, 1, 1}};
    struct source source = a_source("http://h/");
    struct request request = {.url = "http://h/", .draft = &draft, .timeout_ms = 1000};
    struct request_lists lists = {0};
    struct tls_files *files = tls_files_create();
    struct fault fault = {0};
    CURL *easy = curl_easy_init();

    (void)state;
    assert_int_equal(request_set(easy, &source, &request, files, &lists, &fault), -1);
    assert_null(lists.headers);
    assert_int_equal(fault.kind, RUN_FAILED_REQUEST);
    assert_false(fault.retryable);
    assert_string_equal(fault.text, "header \"X-A\" holds a line break and cannot be sent");
    request_forget(easy, &lists);
    tls_files_free(files);
    curl_easy_cleanup(easy);
}

static void headers_are_those_that_are_given_or_none(void **state)
{
    struct name_value items[] = {{"X-Api-Key", "secret"}, {"X-Empty", ""}};
    struct draft draft = {.method = "GET", .headers = {items, 2, 2}};
    struct source source = a_source("http://h/");
    struct request request = {.url = "http://h/", .draft = &draft, .timeout_ms = 1000};
    struct request_lists lists = {0};
    struct tls_files *files = tls_files_create();
    struct fault fault = {0};
    CURL *easy = curl_easy_init();

    (void)state;
    assert_int_equal(request_set(easy, &source, &request, files, &lists, &fault), 0);
    assert_string_equal(lists.headers->data, "X-Api-Key: secret");
    assert_string_equal(lists.headers->next->data, "X-Empty;");
    assert_null(lists.headers->next->next);

    request.draft = NULL;
    assert_int_equal(request_set(easy, &source, &request, files, &lists, &fault), 0);
    assert_null(lists.headers);
    request_forget(easy, &lists);
    tls_files_free(files);
    curl_easy_cleanup(easy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_with_a_line_break_is_refused),
        cmocka_unit_test(headers_are_those_that_are_given_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
