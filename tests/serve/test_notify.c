#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gatherd/notify.h"

struct listener {
    int fd;
    char path[64];
};

static void listen_at(struct listener *listener, const struct sockaddr_un *address,
                      socklen_t length)
{
    listener->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(listener->fd >= 0);
    assert_int_equal(bind(listener->fd, (const struct sockaddr *)address, length), 0);
}

static int setup(void **state)
{
    static struct listener listener;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(listener.path, sizeof(listener.path), "/tmp/gatherd-notify-%ld", (long)getpid());
    unlink(listener.path);
    strcpy(address.sun_path, listener.path);
    listen_at(&listener, &address, sizeof(address));
    setenv("NOTIFY_SOCKET", listener.path, 1);
    *state = &listener;
    return 0;
}

static int teardown(void **state)
{
    struct listener *listener = *state;

    close(listener->fd);
    unlink(listener->path);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static void assert_received(int fd, const char *wanted)
{
    char message[600];
    ssize_t length = recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT);

    assert_true(length >= 0);
    message[length] = '\0';
    assert_string_equal(message, wanted);
}

static void a_state_arrives_as_one_datagram(void **state)
{
    struct listener *listener = *state;

    assert_int_equal(notify_send("READY=1\nSTATUS=polling %d sources", 3), 0);
    assert_received(listener->fd, "READY=1\nSTATUS=polling 3 sources");
}

static void an_address_behind_an_at_sign_is_in_the_abstract_namespace(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct listener abstract;
    char name[64];

    (void)state;
    snprintf(name, sizeof(name), "@gatherd-test-%ld", (long)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    listen_at(&abstract, &address,
              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
    setenv("NOTIFY_SOCKET", name, 1);
    assert_int_equal(notify_send("WATCHDOG=1"), 0);
    assert_received(abstract.fd, "WATCHDOG=1");
    close(abstract.fd);
}

static void without_the_variable_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(notify_send("READY=1"), 0);
}

static void an_address_that_is_no_path_is_refused(void **state)
{
    (void)state;
    setenv("NOTIFY_SOCKET", "relative/path", 1);
    assert_int_equal(notify_send("READY=1"), -1);
    assert_int_equal(errno, EINVAL);
}

static void a_socket_that_is_gone_is_reported(void **state)
{
    (void)state;
    setenv("NOTIFY_SOCKET", "/tmp/gatherd-no-such-socket", 1);
    assert_int_equal(notify_send("READY=1"), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_message_too_long_is_refused_whole(void **state)
{
    char status[1000];

    (void)state;
    memset(status, 'x', sizeof(status));
    status[sizeof(status) - 1] = '\0';
    assert_int_equal(notify_send("STATUS=%s", status), -1);
    assert_int_equal(errno, EMSGSIZE);
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
    (void)state;
    assert_int_equal(notify_watchdog_interval_ms(), 0);
    setenv("WATCHDOG_USEC", "60000000", 1);
    assert_int_equal(notify_watchdog_interval_ms(), 30000);
}

static void a_watchdog_meant_for_another_process_is_ignored(void **state)
{
    char pid[32];

    (void)state;
    setenv("WATCHDOG_USEC", "60000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_interval_ms(), 0);
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_interval_ms(), 30000);
}

static void a_watchdog_time_that_is_no_number_is_ignored(void **state)
{
    static const char *const values[] = {"", "soon", "10x", "-5", "0", "99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        setenv("WATCHDOG_USEC", values[i], 1);
        assert_int_equal(notify_watchdog_interval_ms(), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_arrives_as_one_datagram),
        TEST(an_address_behind_an_at_sign_is_in_the_abstract_namespace),
        TEST(without_the_variable_nothing_happens),
        TEST(an_address_that_is_no_path_is_refused),
        TEST(a_socket_that_is_gone_is_reported),
        TEST(a_message_too_long_is_refused_whole),
        TEST(the_watchdog_is_fed_twice_in_its_time),
        TEST(a_watchdog_meant_for_another_process_is_ignored),
        TEST(a_watchdog_time_that_is_no_number_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
