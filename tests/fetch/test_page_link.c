#include "test.h"

#include <stdlib.h>

#include "fetch/page_link.h"

static const char *const allowed[] = {"other.example", "third.example:8443"};
static const struct pagination pagination = {
    .type = PAGINATION_LINK_HEADER, .allowed_hosts = allowed, .allowed_host_count = 2};

static void expect(const char *host, const char *from, const char *link, const char *expected)
{
    struct source source = {.host = host, .pagination = &pagination};
    struct fault fault = {0};
    char *url = page_link_resolve(&source, from, link, &fault);

    if (url == NULL) {
        assert_int_equal(fault.kind, RUN_FAILED_PAGES);
        assert_false(fault.retryable);
        assert_string_equal(fault.text, expected);
        return;
    }
    assert_string_equal(url, expected);
    free(url);
}

#define AT_API(link, expected) \
    expect("api.example:443", "https://api.example/v1/items?page=1&key=k", link, expected)

static void relative_links_start_from_the_page_before(void **state)
{
    (void)state;
    AT_API("?page=2", "https://api.example/v1/items?page=2");
    AT_API("more?page=2", "https://api.example/v1/more?page=2");
    AT_API("/v2/items", "https://api.example/v2/items");
    AT_API("//api.example/x", "https://api.example/x");
    AT_API("../up", "https://api.example/up");
    AT_API("#top", "https://api.example/v1/items?page=1&key=k");
}

static void absolute_links_to_the_sources_host_are_followed(void **state)
{
    (void)state;
    AT_API("https://api.example/v1/items?page=2", "https://api.example/v1/items?page=2");
    AT_API("https://API.example:443/x", "https://API.example:443/x");
}

static void what_is_not_allowed_in_a_url_is_escaped(void **state)
{
    (void)state;
    AT_API("/a b?q=\xc3\xa9", "https://api.example/a%20b?q=%c3%a9");
}

static void other_hosts_are_refused_by_name_and_without_their_query(void **state)
{
    (void)state;
    AT_API("https://evil.example/?secret=1",
           "the link to the next page leads to evil.example, which is not the source's host; if "
           "that may be sent the source's headers, add it to allowed_hosts");
    AT_API("https://api.example.evil/",
           "the link to the next page leads to api.example.evil, which is not the source's host; "
           "if that may be sent the source's headers, add it to allowed_hosts");
}

static void another_port_is_another_host(void **state)
{
    (void)state;
    AT_API("https://api.example:8443/",
           "the link to the next page leads to api.example, which is not the source's host; if "
           "that may be sent the source's headers, add it to allowed_hosts");
}

static void allowed_hosts_are_followed_at_their_port(void **state)
{
    (void)state;
    AT_API("https://other.example/p", "https://other.example/p");
    AT_API("https://OTHER.example/p", "https://OTHER.example/p");
    AT_API("https://third.example:8443/p", "https://third.example:8443/p");
    AT_API("https://third.example/p",
           "the link to the next page leads to third.example, which is not the source's host; if "
           "that may be sent the source's headers, add it to allowed_hosts");
}

static void from_https_to_http_is_refused(void **state)
{
    (void)state;
    AT_API("http://api.example/p",
           "the link to the next page leads from https to http, which is refused");
    AT_API("http://other.example/p",
           "the link to the next page leads from https to http, which is refused");
}

static void from_http_to_https_of_the_same_name_is_followed(void **state)
{
    (void)state;
    expect("api.example:80", "http://api.example/", "https://api.example/p",
           "https://api.example/p");
    expect("api.example:8080", "http://api.example:8080/", "https://api.example/p",
           "the link to the next page leads to api.example, which is not the source's host; if "
           "that may be sent the source's headers, add it to allowed_hosts");
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    AT_API("file:///etc/passwd",
           "the link to the next page leads to neither http nor https, which is refused");
    AT_API("ftp://api.example/x",
           "the link to the next page leads to neither http nor https, which is refused");
    AT_API("javascript:alert(1)", "the link to the next page is no URL");
}

static void a_user_name_in_a_link_is_refused(void **state)
{
    (void)state;
    AT_API("https://u:p@api.example/x",
           "the link to the next page has a user name, which is refused");
}

static void the_sources_own_user_name_goes_along_to_the_same_origin_only(void **state)
{
    (void)state;
    expect("api.example:443", "https://u:p@api.example/1", "/2", "https://u:p@api.example/2");
    expect("api.example:443", "https://u:p@api.example/1", "https://other.example/2",
           "https://other.example/2");
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    AT_API("https://", "the link to the next page is no URL");
    AT_API("https://a b/", "the link to the next page is no URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_links_start_from_the_page_before),
        cmocka_unit_test(absolute_links_to_the_sources_host_are_followed),
        cmocka_unit_test(what_is_not_allowed_in_a_url_is_escaped),
        cmocka_unit_test(other_hosts_are_refused_by_name_and_without_their_query),
        cmocka_unit_test(another_port_is_another_host),
        cmocka_unit_test(allowed_hosts_are_followed_at_their_port),
        cmocka_unit_test(from_https_to_http_is_refused),
        cmocka_unit_test(from_http_to_https_of_the_same_name_is_followed),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(a_user_name_in_a_link_is_refused),
        cmocka_unit_test(the_sources_own_user_name_goes_along_to_the_same_origin_only),
        cmocka_unit_test(what_is_no_url_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
