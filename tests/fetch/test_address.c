#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "fetch/address.h"

static void assert_public(const char *const *addresses, bool expected)
{
    for (; *addresses != NULL; addresses++) {
        if (address_text_is_public(*addresses) != expected)
            fail_msg("%s is %s public", *addresses, expected ? "" : "not");
    }
}

static void addresses_of_the_internet_are_public(void **state)
{
    static const char *const addresses[] = {
        "1.1.1.1",         "8.8.8.8",
        "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",
        "126.255.255.255", "128.0.0.0",
        "169.253.1.1",     "169.255.0.0",
        "172.15.255.255",  "172.32.0.0",
        "192.0.1.1",       "192.167.255.255",
        "192.169.0.0",     "198.17.255.255",
        "198.20.0.0",      "223.255.255.255",
        "2606:4700::1111", "2a00:1450:4001::1",
        "2001:4860::1",    NULL,
    };

    (void)state;
    assert_public(addresses, true);
}

static void private_loopback_and_link_local_addresses_are_not(void **state)
{
    static const char *const addresses[] = {
        "127.0.0.1",   "127.255.255.255", "0.0.0.0",      "0.1.2.3",     "10.0.0.1",
        "10.255.0.1",  "172.16.0.1",      "172.31.255.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1",  "100.127.255.255", "::1",          "::",          "fc00::1",
        "fd12:3456::", "fe80::1",         "fe80::1%eth0", "fec0::1",     NULL,
    };

    (void)state;
    assert_public(addresses, false);
}

static void reserved_documentation_and_multicast_addresses_are_not(void **state)
{
    static const char *const addresses[] = {
        "192.0.0.8", "192.0.2.1", "198.18.0.1",   "198.19.255.255",  "198.51.100.7", "203.0.113.9",
        "224.0.0.1", "239.1.1.1", "240.0.0.1",    "255.255.255.255", "2001:db8::1",  "2001::1",
        "ff02::1",   "100::1",    "64:ff9b:1::1", "3fff::1",         NULL,
    };

    (void)state;
    assert_public(addresses, false);
}

static void an_address_that_wraps_ipv4_is_what_it_wraps(void **state)
{
    static const char *const closed[] = {
        "::ffff:127.0.0.1",  "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1",
        "64:ff9b::10.0.0.1", "2002:7f00:1::1",  "2002:c0a8:101::1", NULL,
    };
    static const char *const open[] = {
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        NULL,
    };

    (void)state;
    assert_public(closed, false);
    assert_public(open, true);
}

static void what_is_no_address_is_not_public(void **state)
{
    static const char *const addresses[] = {
        "",      "example.org",
        "8.8.8", "8.8.8.8.8",
        "1:2",   "000000000000000000000000000000000000000000000000000000000000008.8.8.8",
        NULL,
    };
    struct sockaddr_un path = {.sun_family = AF_UNIX};

    (void)state;
    assert_public(addresses, false);
    assert_false(address_is_public((struct sockaddr *)&path));
}

static void a_socket_address_is_judged_like_its_text(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    (void)state;
    v4.sin_addr.s_addr = htonl(0x08080808);
    assert_true(address_is_public((struct sockaddr *)&v4));
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_false(address_is_public((struct sockaddr *)&v4));
    assert_int_equal(inet_pton(AF_INET6, "2606:4700::1111", &v6.sin6_addr), 1);
    assert_true(address_is_public((struct sockaddr *)&v6));
    v6.sin6_addr = in6addr_loopback;
    assert_false(address_is_public((struct sockaddr *)&v6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_internet_are_public),
        cmocka_unit_test(private_loopback_and_link_local_addresses_are_not),
        cmocka_unit_test(reserved_documentation_and_multicast_addresses_are_not),
        cmocka_unit_test(an_address_that_wraps_ipv4_is_what_it_wraps),
        cmocka_unit_test(what_is_no_address_is_not_public),
        cmocka_unit_test(a_socket_address_is_judged_like_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
