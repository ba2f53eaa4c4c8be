#include "test.h"

#include <string.h>

#include "fetch/failure.h"

static void assert_clean(const char *words, const char *expected)
{
    struct text out = {0};

    failure_add_clean(&out, words);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void words_of_libcurl_stay_as_they_are(void **state)
{
    (void)state;
    assert_clean("Could not resolve host: api.example", "Could not resolve host: api.example");
    assert_clean("SSL: no alternative\n", "SSL: no alternative");
    assert_clean("", "");
}

static void queries_and_user_names_are_left_out(void **state)
{
    (void)state;
    assert_clean("bad URL http://u:p@h/a?key=secret here", "bad URL http://h/a here");
    assert_clean("host: user:pass@h", "host: h");
    assert_clean("/path?token=1", "/path");
    assert_clean("https://h/a?x@y=1", "https://h/a");
}

static void bytes_that_are_not_printable_become_dots(void **state)
{
    (void)state;
    assert_clean("a\x1b[2J\x07 b\xff", "a.[2J. b.");
    assert_clean("one\r\ntwo", "one two");
}

static void the_first_fault_is_kept(void **state)
{
    struct fault fault = {0};

    (void)state;
    fault_set(&fault, RUN_FAILED_LIMIT, false, "first %d", 1);
    fault_set(&fault, RUN_FAILED_NETWORK, true, "second");
    assert_int_equal(fault.kind, RUN_FAILED_LIMIT);
    assert_false(fault.retryable);
    assert_string_equal(fault.text, "first 1");
}

static void every_code_of_libcurl_has_a_kind(void **state)
{
    (void)state;
    for (int code = 1; code < CURL_LAST; code++) {
        bool retryable;

        assert_int_not_equal(failure_of_curl((CURLcode)code, "", &retryable), RUN_OK);
    }
}

static void certificates_and_limits_are_not_retried_but_the_network_is(void **state)
{
    bool retryable;

    (void)state;
    assert_int_equal(failure_of_curl(CURLE_PEER_FAILED_VERIFICATION, "", &retryable),
                     RUN_FAILED_TLS);
    assert_false(retryable);
    assert_int_equal(failure_of_curl(CURLE_SSL_CONNECT_ERROR, "", &retryable), RUN_FAILED_TLS);
    assert_true(retryable);
    assert_int_equal(failure_of_curl(CURLE_OPERATION_TIMEDOUT, "", &retryable), RUN_FAILED_TIMEOUT);
    assert_true(retryable);
    assert_int_equal(failure_of_curl(CURLE_COULDNT_RESOLVE_HOST, "", &retryable),
                     RUN_FAILED_NETWORK);
    assert_true(retryable);
    assert_int_equal(failure_of_curl(CURLE_OUT_OF_MEMORY, "", &retryable), RUN_FAILED_NETWORK);
    assert_true(retryable);
}

/* Some codes stand for what passes and for what does not: libcurl's words tell. */
static void alerts_of_tls_are_tls_and_do_not_pass(void **state)
{
    static const struct {
        CURLcode code;
        const char *words;
        const char *hint;
    } cases[] = {
        {CURLE_SSL_CONNECT_ERROR, "error:0A00042E:SSL routines::tlsv1 alert protocol version",
         "; the server speaks no version of TLS from tls.min_version on"},
        {CURLE_SSL_CONNECT_ERROR, "error:0A000102:SSL routines::unsupported protocol",
         "; the server speaks no version of TLS from tls.min_version on"},
        {CURLE_RECV_ERROR, "OpenSSL SSL_read: tlsv13 alert certificate required, errno 0",
         "; the server wants a client certificate: name it in tls: {cert_file: ..., key_file: "
         "...}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text out = {0};
        bool retryable = true;

        assert_int_equal(failure_of_curl(cases[i].code, cases[i].words, &retryable),
                         RUN_FAILED_TLS);
        assert_false(retryable);
        failure_describe(&out, cases[i].code, cases[i].words);
        assert_non_null(strstr(text_string(&out), cases[i].hint));
        text_free(&out);
    }
}

static void statuses_that_may_pass_are_retryable(void **state)
{
    (void)state;
    assert_true(failure_status_is_retryable(408));
    assert_true(failure_status_is_retryable(429));
    assert_true(failure_status_is_retryable(500));
    assert_true(failure_status_is_retryable(599));
    assert_false(failure_status_is_retryable(404));
    assert_false(failure_status_is_retryable(600));
    assert_false(failure_status_is_retryable(304));
}

static void known_statuses_have_a_phrase(void **state)
{
    (void)state;
    assert_string_equal(failure_reason_phrase(503), "Service Unavailable");
    assert_null(failure_reason_phrase(599));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_libcurl_stay_as_they_are),
        cmocka_unit_test(queries_and_user_names_are_left_out),
        cmocka_unit_test(bytes_that_are_not_printable_become_dots),
        cmocka_unit_test(the_first_fault_is_kept),
        cmocka_unit_test(every_code_of_libcurl_has_a_kind),
        cmocka_unit_test(certificates_and_limits_are_not_retried_but_the_network_is),
        cmocka_unit_test(alerts_of_tls_are_tls_and_do_not_pass),
        cmocka_unit_test(statuses_that_may_pass_are_retryable),
        cmocka_unit_test(known_statuses_have_a_phrase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
