#include "test.h"

#include <string.h>

#include "fetch/route.h"

static void names_match_with_all_below_them(void **state)
{
    (void)state;
    assert_true(route_matches("example.org", "example.org"));
    assert_true(route_matches("Example.ORG", "api.example.org"));
    assert_true(route_matches(".example.org", "api.example.org"));
    assert_true(route_matches("example.org.", "example.org"));
    assert_false(route_matches("example.org", "notexample.org"));
    assert_false(route_matches("api.example.org", "example.org"));
    assert_false(route_matches("example.org", "127.0.0.1"));
    assert_true(route_matches("*", "anything"));
    assert_true(route_matches("*", "::1"));
}

static void addresses_match_by_value_and_range(void **state)
{
    (void)state;
    assert_true(route_matches("10.1.2.3", "10.1.2.3"));
    assert_false(route_matches("10.1.2.3", "10.1.2.4"));
    assert_true(route_matches("10.0.0.0/8", "10.255.0.1"));
    assert_false(route_matches("10.0.0.0/8", "11.0.0.1"));
    assert_true(route_matches("192.168.4.0/22", "192.168.7.255"));
    assert_false(route_matches("192.168.4.0/22", "192.168.8.0"));
    assert_true(route_matches("0.0.0.0/0", "8.8.8.8"));
    assert_true(route_matches("2001:db8::/33", "2001:db8:1::1"));
    assert_false(route_matches("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(route_matches("::1", "0:0::1"));
    assert_false(route_matches("0.0.0.0/0", "::1"));
    assert_false(route_matches("10.0.0.0/8", "ten.example"));
    assert_false(route_matches("1.2.3", "1.2.3.4"));
}

static void what_can_be_told_of_a_host_without_resolving_it(void **state)
{
    static const char *const private[] = {
        "http://127.0.0.1/",   "https://10.1.2.3:8443/x", "http://[::1]:80/",
        "http://localhost:9/", "http://a.localhost/",     "http://LOCALHOST./",
        "http://0x7f.1/",      "http://2130706433/",      "http://169.254.169.254/latest",
        "not a url",
    };
    static const char *const public[] = {"http://8.8.8.8/", "https://example.org/127.0.0.1",
                                         "http://notlocalhost/", "http://[2a00::1]/"};
    char host[ROUTE_HOST_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
        assert_true(route_host_is_private(private[i], host));
    for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
        assert_false(route_host_is_private(public[i], host));
    assert_string_equal(host, "2a00::1");
}

static void a_socket_is_for_the_own_origin_and_a_proxy_for_all(void **state)
{
    static const struct proxy proxy = {.url = "http://proxy:3128"};
    static const char *const without[] = {"internal.example", "10.0.0.0/8"};
    struct source by_socket = {.unix_socket = "/run/x.sock"};
    struct source by_proxy = {.proxy = &proxy, .no_proxy = without, .no_proxy_count = 2};
    struct source direct = {0};

    (void)state;
    assert_string_equal(route_choose(&by_socket, "http://h/", true).unix_socket, "/run/x.sock");
    assert_null(route_choose(&by_socket, "http://h/", false).unix_socket);
    assert_ptr_equal(route_choose(&by_proxy, "http://h/", true).proxy, &proxy);
    assert_ptr_equal(route_choose(&by_proxy, "http://h/", false).proxy, &proxy);
    assert_null(route_choose(&by_proxy, "http://x.internal.example:81/p?q=1", true).proxy);
    assert_null(route_choose(&by_proxy, "https://10.9.9.9/", false).proxy);
    assert_null(route_choose(&direct, "http://h/", true).proxy);
    assert_null(route_choose(&direct, "http://h/", true).unix_socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_with_all_below_them),
        cmocka_unit_test(addresses_match_by_value_and_range),
        cmocka_unit_test(what_can_be_told_of_a_host_without_resolving_it),
        cmocka_unit_test(a_socket_is_for_the_own_origin_and_a_proxy_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
