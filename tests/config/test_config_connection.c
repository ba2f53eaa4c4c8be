/* tls, proxies, Unix sockets, versions: how a server is reached. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/config.h"
#include "gatherd/secret.h"

static struct config *parse_in(const char *yaml, const char *folder, struct text *warnings)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", folder, &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    assert_int_equal(report.errors, 0);
    if (warnings != NULL)
        text_add(warnings, text_string(&report.text));
    else
        assert_string_equal(text_string(&report.text), "");
    config_report_free(&report);
    return config;
}

static struct config *parse(const char *yaml)
{
    return parse_in(yaml, "", NULL);
}

#define SOURCE "sources:\n- name: a\n  url: https://example.org/\n"

static void nothing_is_said_of_the_way_by_default(void **state)
{
    struct config *config = parse(SOURCE);
    const struct source *s = &config->sources[0];

    (void)state;
    assert_null(s->tls);
    assert_null(s->proxy);
    assert_null(s->proxy_password);
    assert_null(s->unix_socket);
    assert_int_equal(s->no_proxy_count, 0);
    assert_int_equal(s->http_version, HTTP_VERSION_AUTO);
    assert_int_equal(s->private_networks, PRIVATE_BY_ORIGIN);
    config_unref(config);
}

static void versions_are_numbers_or_text(void **state)
{
    struct config *config =
        parse("sources:\n"
              "- {name: a, url: 'https://e.org/', http_version: 1.1, tls: {min_version: 1.3}}\n"
              "- {name: b, url: 'https://e.org/', http_version: '2', tls: {min_version: '1.2'}}\n"
              "- {name: c, url: 'https://e.org/', http_version: 2, tls: {}}\n"
              "- {name: d, url: 'https://e.org/', http_version: auto}\n");

    (void)state;
    assert_int_equal(config->sources[0].http_version, HTTP_VERSION_1_1);
    assert_int_equal(config->sources[0].tls->min_version, TLS_1_3);
    assert_int_equal(config->sources[1].http_version, HTTP_VERSION_2);
    assert_int_equal(config->sources[1].tls->min_version, TLS_1_2);
    assert_int_equal(config->sources[2].http_version, HTTP_VERSION_2);
    assert_false(config->sources[2].tls->insecure_skip_verify);
    assert_int_equal(config->sources[3].http_version, HTTP_VERSION_AUTO);
    config_unref(config);
}

static void private_networks_have_three_states(void **state)
{
    struct config *config =
        parse("sources:\n"
              "- {name: a, url: 'https://e.org/', allow_private_networks: true}\n"
              "- {name: b, url: 'https://e.org/', allow_private_networks: false}\n"
              "- {name: c, url: 'https://e.org/'}\n");

    (void)state;
    assert_int_equal(config->sources[0].private_networks, PRIVATE_ALLOWED);
    assert_int_equal(config->sources[1].private_networks, PRIVATE_REFUSED);
    assert_int_equal(config->sources[2].private_networks, PRIVATE_BY_ORIGIN);
    config_unref(config);
}

static void the_url_of_a_proxy_is_taken_apart(void **state)
{
    struct config *config =
        parse("sources:\n"
              "- {name: a, url: 'https://e.org/', proxy_url: 'HTTP://Proxy.Example:3128/'}\n"
              "- {name: b, url: 'https://e.org/', proxy_url: 'https://us%3Aer:p%40ss:w@h:1'}\n"
              "- {name: c, url: 'https://e.org/', proxy_url: 'socks5h://u@[::1]:1080',"
              " proxy_password: hunter2, no_proxy: [a.example, 10.0.0.0/8, '::1']}\n"
              "- {name: d, url: 'https://e.org/', proxy_url: 'http://h:80'}\n");

    (void)state;
    assert_string_equal(config->sources[0].proxy->url, "http://proxy.example:3128");
    assert_null(config->sources[0].proxy->user);
    assert_string_equal(config->sources[1].proxy->url, "https://h:1");
    assert_string_equal(config->sources[1].proxy->user, "us:er");
    assert_string_equal(config->sources[1].proxy->password, "p@ss:w");
    assert_string_equal(config->sources[2].proxy->url, "socks5h://[::1]:1080");
    assert_string_equal(config->sources[2].proxy->user, "u");
    assert_null(config->sources[2].proxy->password);
    assert_string_equal(config->sources[2].proxy_password->text, "hunter2");
    assert_int_equal(config->sources[2].no_proxy_count, 3);
    assert_string_equal(config->sources[3].proxy->url, "http://h:80");
    config_unref(config);
}

static void a_socket_is_a_host_of_its_own(void **state)
{
    struct config *config = parse_in("sources:\n"
                                     "- {name: a, url: 'http://h/', unix_socket: /run/x.sock}\n"
                                     "- {name: b, url: 'http://other/', unix_socket: /run/x.sock}\n"
                                     "- {name: c, url: 'http://h/', unix_socket: x.sock}\n",
                                     "/etc/gatherd", NULL);

    (void)state;
    assert_string_equal(config->sources[0].host, "unix:/run/x.sock");
    assert_string_equal(config->sources[1].host, "unix:/run/x.sock");
    assert_string_equal(config->sources[2].unix_socket, "/etc/gatherd/x.sock");
    assert_string_equal(config->sources[2].host, "unix:/etc/gatherd/x.sock");
    config_unref(config);
}

static void the_way_of_a_source_goes_before_that_of_defaults(void **state)
{
    struct config *config = parse(
        "defaults: {proxy_url: 'http://user@proxy:3128', proxy_password: hunter2, no_proxy: [x]}\n"
        "sources:\n"
        "- {name: a, url: 'https://e.org/'}\n"
        "- {name: b, url: 'https://e.org/', unix_socket: /run/x.sock}\n"
        "- {name: c, url: 'https://e.org/', proxy_url: 'http://plain:1'}\n");

    (void)state;
    assert_string_equal(config->sources[0].proxy_password->text, "hunter2");
    assert_null(config->sources[1].proxy);
    assert_null(config->sources[1].proxy_password);
    assert_null(config->sources[2].proxy_password);
    config_unref(config);
    config = parse("defaults: {unix_socket: /run/x.sock}\nsources:\n"
                   "- {name: a, url: 'https://e.org/', proxy_url: 'http://plain:1'}\n");
    assert_null(config->sources[0].unix_socket);
    assert_string_equal(config->sources[0].host, "e.org:443");
    config_unref(config);
}

static void a_reload_sees_each_change_of_the_way(void **state)
{
    static const char *const ways[] = {
        "",
        "  tls: {}\n",
        "  tls: {min_version: 1.3}\n",
        "  tls: {server_name: x}\n",
        "  http_version: 2\n",
        "  proxy_url: http://h:1\n",
        "  proxy_url: http://u@h:1\n",
        "  proxy_url: http://u:p@h:1\n",
        "  proxy_url: http://u@h:1\n  proxy_password: p\n",
        "  proxy_url: http://h:1\n  no_proxy: x\n",
        "  unix_socket: /x\n",
        "  allow_private_networks: true\n",
        "  allow_private_networks: false\n",
    };
    uint64_t prints[sizeof(ways) / sizeof(ways[0])];

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct text yaml = {0};
        struct config *config;

        text_format(&yaml, "%s%s", SOURCE, ways[i]);
        config = parse(text_string(&yaml));
        prints[i] = config->sources[0].fingerprint;
        for (size_t n = 0; n < i; n++)
            assert_int_not_equal(prints[i], prints[n]);
        config_unref(config);
        text_free(&yaml);
    }
}

static void a_warning_refuses_nothing_and_has_its_place(void **state)
{
    struct text warnings = {0};
    struct config *config = parse_in(SOURCE "  tls: {insecure_skip_verify: true}\n", "", &warnings);

    (void)state;
    assert_true(config->sources[0].tls->insecure_skip_verify);
    assert_string_equal(
        text_string(&warnings),
        "test.yaml:4:31: warning: sources[0].tls.insecure_skip_verify: whoever stands "
        "between here and the server can read and change everything; name the "
        "server's authority in ca_file instead\n");
    config_unref(config);
    text_free(&warnings);
}

static void mistakes_and_warnings_stand_in_the_order_of_the_file(void **state)
{
    static const char yaml[] = SOURCE "  tls: {insecure_skip_verify: true}\n  intervall: 5s\n";
    struct config_report report = {0};

    (void)state;
    assert_null(config_parse(yaml, strlen(yaml), "t", "", &report));
    assert_int_equal(report.errors, 1);
    assert_int_equal(report.warnings, 1);
    assert_non_null(strstr(text_string(&report.text), "t:4:31: warning: "));
    assert_true(strstr(text_string(&report.text), "warning") <
                strstr(text_string(&report.text), "error"));
    config_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_the_way_by_default),
        cmocka_unit_test(versions_are_numbers_or_text),
        cmocka_unit_test(private_networks_have_three_states),
        cmocka_unit_test(the_url_of_a_proxy_is_taken_apart),
        cmocka_unit_test(a_socket_is_a_host_of_its_own),
        cmocka_unit_test(the_way_of_a_source_goes_before_that_of_defaults),
        cmocka_unit_test(a_reload_sees_each_change_of_the_way),
        cmocka_unit_test(a_warning_refuses_nothing_and_has_its_place),
        cmocka_unit_test(mistakes_and_warnings_stand_in_the_order_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
