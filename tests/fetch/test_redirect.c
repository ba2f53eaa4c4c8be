#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/redirect.h"

static void assert_leads(const char *from, const char *location, const char *url, bool same_origin)
{
    struct redirect redirect;
    struct fault fault = {0};

    assert_int_equal(redirect_resolve(from, location, &redirect, &fault), 0);
    assert_string_equal(redirect.url, url);
    assert_int_equal(redirect.same_origin, same_origin);
    free(redirect.url);
}

static void assert_refused(const char *from, const char *location, const char *text)
{
    struct redirect redirect;
    struct fault fault = {0};

    assert_int_equal(redirect_resolve(from, location, &redirect, &fault), -1);
    assert_null(redirect.url);
    assert_int_equal(fault.kind, RUN_FAILED_REDIRECT);
    assert_false(fault.retryable);
    assert_string_equal(fault.text, text);
}

static void a_relative_location_is_resolved(void **state)
{
    (void)state;
    assert_leads("http://h/a/b?x=1", "c", "http://h/a/c", true);
    assert_leads("http://h/a/b?x=1", "/c?y=2", "http://h/c?y=2", true);
    assert_leads("http://h/a/b?x=1", "../c", "http://h/c", true);
    assert_leads("http://h/a/b?x=1", "?y=2", "http://h/a/b?y=2", true);
    assert_leads("https://h/a", "//g/c", "https://g/c", false);
    assert_leads("http://h/a", "/a b", "http://h/a%20b", true);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    assert_leads("http://h/", "http://H:80/x", "http://H:80/x", true);
    assert_leads("https://h:443/", "https://h/x", "https://h/x", true);
    assert_leads("http://h/", "http://h:8080/x", "http://h:8080/x", false);
    assert_leads("http://h/", "https://h/x", "https://h/x", false);
    assert_leads("http://h/", "http://h.example/x", "http://h.example/x", false);
}

static void https_never_leads_to_http(void **state)
{
    (void)state;
    assert_refused("https://h/", "http://h/x", "redirect from https to http refused");
}

static void only_http_and_https_are_followed(void **state)
{
    (void)state;
    assert_refused("http://h/", "file:///etc/passwd", "redirect to a file address refused");
    assert_refused("http://h/", "gopher://127.0.0.1:1/x", "redirect to a gopher address refused");
    assert_refused("http://h/", "ftp://h/x", "redirect to a ftp address refused");
}

static void a_target_with_a_user_name_is_refused_and_not_repeated(void **state)
{
    (void)state;
    assert_refused("http://h/", "http://user:hunter2@h/x",
                   "redirect to an address with a user name refused");
    assert_refused("http://h/", "//user@h/x", "redirect to an address with a user name refused");
}

static void a_missing_or_broken_location_is_refused(void **state)
{
    (void)state;
    assert_refused("http://h/", NULL, "redirect without a Location");
    assert_refused("http://h/", "", "redirect without a Location");
    assert_refused("http://h/", "http://[::1/x", "the Location of the redirect is no URL");
    assert_refused("http://h/", "http://h:99999/", "the Location of the redirect is no URL");
}

static void the_user_name_of_the_source_goes_along_to_the_same_origin_only(void **state)
{
    (void)state;
    assert_leads("http://u:p@h/a", "/b", "http://u:p@h/b", true);
    assert_leads("http://u:p@h/a", "http://h/b", "http://u:p@h/b", true);
    assert_leads("http://u:p@h/a", "http://g/b", "http://g/b", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relative_location_is_resolved),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(https_never_leads_to_http),
        cmocka_unit_test(only_http_and_https_are_followed),
        cmocka_unit_test(a_target_with_a_user_name_is_refused_and_not_repeated),
        cmocka_unit_test(a_missing_or_broken_location_is_refused),
        cmocka_unit_test(the_user_name_of_the_source_goes_along_to_the_same_origin_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
