/*
 * Redirects between public and private addresses, on real ones: the program moves into a network of
 * its own, where this machine is 8.8.8.8 and 10.0.0.1. Skipped where the system does not allow
 * that.
 */
#include "test.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch_rig.h"
#include "http_server.h"

#define PUBLIC_ADDRESS  "8.8.8.8"
#define PRIVATE_ADDRESS "10.0.0.1"

static bool bring_up(const char *interface, const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {0};
    struct sockaddr_in *name = (struct sockaddr_in *)&request.ifr_addr;
    bool done;

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    name->sin_family = AF_INET;
    inet_pton(AF_INET, address, &name->sin_addr);
    done = ioctl(fd, SIOCSIFADDR, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

static bool enter_own_network(void)
{
    if (unshare(CLONE_NEWNET) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
        return false;
    return bring_up("lo", "127.0.0.1") && bring_up("lo:1", PUBLIC_ADDRESS) &&
           bring_up("lo:2", PRIVATE_ADDRESS);
}

/* "/to/ADDRESS:PORT/path" redirects to http://ADDRESS:PORT/path. */
static bool handle(int fd, const struct http_request *request, void *context)
{
    const char *path = strstr(request->target, "/to/"); /* a proxy is asked for a whole URL */

    (void)context;
    if (path != NULL) {
        char location[300];

        snprintf(location, sizeof(location), "Location: http://%.200s\r\n", path + 4);
        http_reply(fd, 302, location, "");
    } else {
        http_reply(fd, 200, "", "inside");
    }
    return true;
}

struct world {
    struct rig *rig;
    struct http_server *open;
    struct http_server *closed;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->open = http_server_start(PUBLIC_ADDRESS, handle, NULL);
    world->closed = http_server_start(PRIVATE_ADDRESS, handle, NULL);
    world->rig = rig_start(&(struct rig_options){0});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    rig_end(world->rig);
    http_server_stop(world->open);
    http_server_stop(world->closed);
    free(world);
    return 0;
}

static void assert_refused(struct world *world, const struct run *run)
{
    char text[200];

    (void)world;
    snprintf(text, sizeof(text),
             "redirect from a public address to %s, which is not public, refused", PRIVATE_ADDRESS);
    assert_int_equal(run->failure, RUN_FAILED_REDIRECT);
    assert_string_equal(run->error, text);
    assert_false(run->retryable);
}

static void a_redirect_from_public_to_private_is_refused_before_it_connects(void **state)
{
    struct world *world = *state;
    char url[200];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_refused(world, rig_fetch(world->rig, url));
    assert_int_equal(http_server_connections(world->closed), 0);
}

static void a_kept_connection_to_a_private_address_is_not_used_for_it_either(void **state)
{
    struct world *world = *state;
    char url[200];

    snprintf(url, sizeof(url), "http://%s:%u/", PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_int_equal(rig_fetch(world->rig, url)->failure, RUN_OK); /* configured: it may */
    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_refused(world, rig_fetch(world->rig, url));
    assert_int_equal(http_server_requests(world->closed), 1);
}

static void a_private_address_behind_two_public_ones_is_refused(void **state)
{
    struct world *world = *state;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PUBLIC_ADDRESS, http_server_port(world->open),
             PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_refused(world, rig_fetch(world->rig, url));
}

static void loopback_by_any_spelling_is_refused(void **state)
{
    static const char *const forms[] = {"127.0.0.1", "127.1",   "2130706433",        "0x7f000001",
                                        "[::1]",     "0.0.0.0", "[::ffff:127.0.0.1]"};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char url[300];

        snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
                 http_server_port(world->open), forms[i], http_server_port(world->open));
        assert_int_equal(rig_fetch(world->rig, url)->failure, RUN_FAILED_REDIRECT);
    }
}

static void a_redirect_between_public_addresses_is_followed(void **state)
{
    struct world *world = *state;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PUBLIC_ADDRESS, http_server_port(world->open));
    assert_string_equal(rig_fetch(world->rig, url)->response.body, "inside");
}

static void a_source_that_is_private_itself_may_be_sent_anywhere(void **state)
{
    struct world *world = *state;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/to/%s:%u/", PRIVATE_ADDRESS,
             http_server_port(world->closed), PUBLIC_ADDRESS, http_server_port(world->open),
             PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_string_equal(rig_fetch(world->rig, url)->response.body, "inside");
}

static struct run *fetch_with(struct world *world, const char *url, enum private_networks networks)
{
    struct source *source = rig_source(world->rig, url);
    struct run *run;

    source->private_networks = networks;
    run = rig_add(world->rig, source);
    assert_ptr_equal(rig_get(world->rig), run);
    return run;
}

static void a_redirect_from_public_to_private_is_followed_where_that_is_allowed(void **state)
{
    struct world *world = *state;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PRIVATE_ADDRESS, http_server_port(world->closed));
    assert_string_equal(fetch_with(world, url, PRIVATE_ALLOWED)->response.body, "inside");
}

static void private_addresses_can_be_refused_to_the_url_itself(void **state)
{
    struct world *world = *state;
    struct run *run;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/", PRIVATE_ADDRESS, http_server_port(world->closed));
    run = fetch_with(world, url, PRIVATE_REFUSED);
    assert_int_equal(run->failure, RUN_FAILED_NETWORK);
    assert_string_equal(run->error,
                        PRIVATE_ADDRESS " is not public, and allow_private_networks is false");
    assert_false(run->retryable);
    assert_int_equal(http_server_connections(world->closed), 0);

    /* Nor over a connection that another source has left. */
    assert_int_equal(rig_fetch(world->rig, url)->failure, RUN_OK);
    assert_int_equal(fetch_with(world, url, PRIVATE_REFUSED)->failure, RUN_FAILED_NETWORK);
    assert_int_equal(http_server_connections(world->closed), 1);

    snprintf(url, sizeof(url), "http://%s:%u/", PUBLIC_ADDRESS, http_server_port(world->open));
    assert_string_equal(fetch_with(world, url, PRIVATE_REFUSED)->response.body, "inside");
}

static void private_addresses_can_be_refused_to_every_redirect(void **state)
{
    struct world *world = *state;
    struct run *run;
    char url[300];

    snprintf(url, sizeof(url), "http://%s:%u/to/%s:%u/", PUBLIC_ADDRESS,
             http_server_port(world->open), PRIVATE_ADDRESS, http_server_port(world->closed));
    run = fetch_with(world, url, PRIVATE_REFUSED);
    assert_int_equal(run->failure, RUN_FAILED_REDIRECT);
    assert_string_equal(run->error,
                        "redirect to " PRIVATE_ADDRESS
                        " refused: it is not public, and allow_private_networks is false");
}

/* What the URL says is judged; what a name leads to is the proxy's affair. */
static void through_a_proxy_the_address_of_the_proxy_itself_does_not_count(void **state)
{
    struct world *world = *state;
    struct source *source;
    struct proxy proxy;
    struct run *run;
    char way[100];
    char url[300];

    snprintf(way, sizeof(way), "http://%s:%u", PRIVATE_ADDRESS, http_server_port(world->closed));
    proxy = (struct proxy){.url = way};
    source = rig_source(world->rig, "http://api.example/");
    source->proxy = &proxy;
    run = rig_add(world->rig, source);
    assert_ptr_equal(rig_get(world->rig), run);
    assert_int_equal(run->failure, RUN_OK);

    snprintf(url, sizeof(url), "http://api.example/to/%s:1/", PRIVATE_ADDRESS);
    source = rig_source(world->rig, url);
    source->proxy = &proxy;
    run = rig_add(world->rig, source);
    assert_ptr_equal(rig_get(world->rig), run);
    assert_refused(world, run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_redirect_from_public_to_private_is_followed_where_that_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(private_addresses_can_be_refused_to_the_url_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(private_addresses_can_be_refused_to_every_redirect, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            through_a_proxy_the_address_of_the_proxy_itself_does_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_redirect_from_public_to_private_is_refused_before_it_connects, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_kept_connection_to_a_private_address_is_not_used_for_it_either, setup, teardown),
        cmocka_unit_test_setup_teardown(a_private_address_behind_two_public_ones_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(loopback_by_any_spelling_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_redirect_between_public_addresses_is_followed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_source_that_is_private_itself_may_be_sent_anywhere, setup,
                                        teardown),
    };

    if (!enter_own_network()) {
        puts("skipped: no network of our own can be made here");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
