/*
 * TLS against the shared server's listeners, and HTTP/2 against nginx. Skipped where they are not
 * on the machine.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faulty.h"
#include "fetch_rig.h"
#include "server.h"

static struct run *fetch_from(struct rig *rig, const struct faulty *faulty, const char *kind,
                              int64_t timeout_ms)
{
    char url[200];
    struct source *source;
    struct run *run;

    snprintf(url, sizeof(url), "https://127.0.0.1:%u/ok", faulty_tls_port(faulty, kind));
    source = rig_source(rig, url);
    source->timeout_ms = timeout_ms;
    run = rig_add(rig, source);
    assert_ptr_equal(rig_get(rig), run);
    return run;
}

static struct rig *trusting_rig(const struct faulty *faulty)
{
    static char ca[500];

    return rig_start(
        &(struct rig_options){.ca_file = faulty_file(faulty, "ca.pem", ca, sizeof(ca))});
}

static void a_certificate_of_a_trusted_authority_is_accepted(void **state)
{
    struct faulty *faulty = *state;
    struct rig *rig = trusting_rig(faulty);
    struct run *run = fetch_from(rig, faulty, "good", 20000);

    assert_int_equal(run->failure, RUN_OK);
    assert_non_null(run->response.body);
    assert_true(run->timing.tls_us >= run->timing.connect_us);
    rig_end(rig);
}

static void an_authority_that_is_not_trusted_is_a_failure_of_tls(void **state)
{
    struct faulty *faulty = *state;
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct run *run = fetch_from(rig, faulty, "good", 20000);

    assert_int_equal(run->failure, RUN_FAILED_TLS);
    assert_false(run->retryable);
    assert_non_null(strstr(run->error, "certificate"));
    rig_end(rig);
}

static void bad_certificates_are_not_tried_again(void **state)
{
    static const char *const kinds[] = {"selfsigned", "wronghost", "expired"};
    struct faulty *faulty = *state;
    struct rig *rig = trusting_rig(faulty);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct run *run = fetch_from(rig, faulty, kinds[i], 20000);

        assert_int_equal(run->failure, RUN_FAILED_TLS);
        assert_false(run->retryable);
        assert_null(run->response.body);
    }
    rig_end(rig);
}

static void a_broken_handshake_is_a_failure_of_tls_that_may_pass(void **state)
{
    static const char *const kinds[] = {"plain", "cut"};
    struct faulty *faulty = *state;
    struct rig *rig = trusting_rig(faulty);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct run *run = fetch_from(rig, faulty, kinds[i], 20000);

        assert_int_equal(run->failure, RUN_FAILED_TLS);
        assert_true(run->retryable);
    }
    rig_end(rig);
}

static void a_handshake_that_is_never_answered_times_out(void **state)
{
    struct faulty *faulty = *state;
    struct rig *rig = trusting_rig(faulty);
    struct run *run = fetch_from(rig, faulty, "silent", 1000);

    assert_int_equal(run->failure, RUN_FAILED_TIMEOUT);
    assert_true(run->retryable);
    rig_end(rig);
}

#define MANY 8 /* more hosts than libcurl keeps TLS sessions in one easy handle */

struct web {
    char folder[40];
    struct server *nginx;
    unsigned http2_port;
    unsigned ports[MANY]; /* HTTP/1.1; the answer is "r" when the TLS session was resumed */
};

static void web_end(struct web *web)
{
    char command[100];

    server_stop(web->nginx);
    snprintf(command, sizeof(command), "rm -r '%s'", web->folder);
    assert_int_equal(system(command), 0);
}

static const char nginx_config[] =
    "daemon off; master_process off; worker_processes 1; pid %s/pid; error_log stderr;\n"
    "events { worker_connections 256; }\n"
    "http { access_log off; client_body_temp_path %s/a; proxy_temp_path %s/b;\n"
    "  fastcgi_temp_path %s/c; uwsgi_temp_path %s/d; scgi_temp_path %s/e;\n"
    "  ssl_session_cache shared:all:1m; ssl_certificate %s; ssl_certificate_key %s;\n"
    "  server { listen 127.0.0.1:%u ssl http2; location / { return 200 $server_protocol; } }\n"
    "  server {\n";

static void write_config(const struct faulty *faulty, const struct web *web, const char *file)
{
    const char *folder = web->folder;
    char pem[500];
    char key[500];
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    fprintf(out, nginx_config, folder, folder, folder, folder, folder, folder,
            faulty_file(faulty, "good.pem", pem, sizeof(pem)),
            faulty_file(faulty, "good.key", key, sizeof(key)), web->http2_port);
    for (size_t i = 0; i < MANY; i++)
        fprintf(out, "    listen 127.0.0.1:%u ssl;\n", web->ports[i]);
    fputs("    location / { return 200 $ssl_session_reused; } } }\n", out);
    fclose(out);
}

/* Skips the test where there is no nginx. */
static void web_start(struct web *web, const struct faulty *faulty)
{
    char file[100];
    const char *argv[] = {"nginx", "-c", file, NULL};

    strcpy(web->folder, "/tmp/gatherd-test-XXXXXX");
    assert_non_null(mkdtemp(web->folder));
    snprintf(file, sizeof(file), "%s/nginx.conf", web->folder);
    web->http2_port = server_free_port();
    for (size_t i = 0; i < MANY; i++)
        web->ports[i] = server_free_port();
    write_config(faulty, web, file);
    web->nginx = server_start(argv);
    if (web->nginx != NULL && server_wait_port(web->http2_port))
        return;
    web_end(web);
    skip();
}

static void http_2_is_used_where_it_is_offered(void **state)
{
    struct faulty *faulty = *state;
    struct web web;
    struct rig *rig;
    char url[100];

    web_start(&web, faulty);
    rig = trusting_rig(faulty);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", web.http2_port);
    for (int i = 0; i < 20; i++) {
        struct run *run = rig_fetch(rig, url);

        assert_int_equal(run->failure, RUN_OK);
        assert_string_equal(run->response.body, "HTTP/2.0");
        assert_int_equal(run->timing.tls_us == 0, i > 0); /* the connection is kept */
    }
    for (int i = 0; i < 50; i++)
        rig_add(rig, rig_source(rig, url));
    for (int i = 0; i < 50; i++)
        assert_int_equal(rig_get(rig)->failure, RUN_OK);
    rig_end(rig);
    web_end(&web);
}

static void a_new_connection_resumes_the_tls_session_of_its_host(void **state)
{
    struct faulty *faulty = *state;
    struct web web;
    struct rig *rig;

    web_start(&web, faulty);
    rig = trusting_rig(faulty);
    for (int i = 0; i < 3 * MANY; i++) {
        char url[100];
        char host[40];
        struct source *source;
        struct run *run;

        snprintf(host, sizeof(host), "127.0.0.1:%u", web.ports[i % MANY]);
        snprintf(url, sizeof(url), "https://%s/", host);
        source = rig_source(rig, url);
        source->host = host;
        source->host_gap_ms = 3600000; /* so that none is kept */
        run = rig_add(rig, source);
        rig_get(rig);
        assert_int_equal(run->failure, RUN_OK);
        assert_true(run->timing.tls_us > 0);
        assert_string_equal(run->response.body, i < MANY ? "." : "r");
    }
    rig_end(rig);
    web_end(&web);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_a_trusted_authority_is_accepted),
        cmocka_unit_test(an_authority_that_is_not_trusted_is_a_failure_of_tls),
        cmocka_unit_test(bad_certificates_are_not_tried_again),
        cmocka_unit_test(a_broken_handshake_is_a_failure_of_tls_that_may_pass),
        cmocka_unit_test(a_handshake_that_is_never_answered_times_out),
        cmocka_unit_test(http_2_is_used_where_it_is_offered),
        cmocka_unit_test(a_new_connection_resumes_the_tls_session_of_its_host),
    };

    return faulty_run_tests(tests, sizeof(tests) / sizeof(tests[0]), true);
}
