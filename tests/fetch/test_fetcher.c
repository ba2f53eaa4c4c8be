#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "fetch_rig.h"
#include "gatherd/clock.h"
#include "http_server.h"

struct site {
    struct http_server *server;
    unsigned other_port; /* of a second server, another origin */
    atomic_uint hits;
    atomic_uint inside; /* handlers at work */
    atomic_uint peak;
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void hang(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0) /* until the client or the end of the test closes it */
        ;
}

static void echo_headers(int fd, const struct http_request *request)
{
    char agent[200] = "none";
    char key[200] = "none";
    char body[16 * 1024];

    http_header(request, "User-Agent", agent, sizeof(agent));
    http_header(request, "X-Api-Key", key, sizeof(key));
    snprintf(body, sizeof(body), "%.8000s agent=%s key=%s", request->target, agent, key);
    http_reply(fd, 200, "Content-Type: text/plain\r\n", body);
}

static void redirect_to(int fd, unsigned port, const char *path)
{
    char location[200];

    snprintf(location, sizeof(location), "Location: http://127.0.0.1:%u%s\r\n", port, path);
    http_reply(fd, 302, location, "moved");
}

static void stray(int fd)
{
    http_reply(fd, 200, "", "mine");
    http_reply(fd, 200, "", "smuggled");
}

static void count_peak(struct site *site)
{
    unsigned now = atomic_fetch_add(&site->inside, 1) + 1;
    unsigned peak = atomic_load(&site->peak);

    while (now > peak && !atomic_compare_exchange_weak(&site->peak, &peak, now))
        ;
    pause_ms(20);
    atomic_fetch_sub(&site->inside, 1);
}

static bool handle(int fd, const struct http_request *request, void *context)
{
    struct site *site = context;
    unsigned hit = atomic_fetch_add(&site->hits, 1);
    const char *target = request->target;

    if (strncmp(target, "/echo", 5) == 0)
        echo_headers(fd, request);
    else if (strcmp(target, "/hang") == 0)
        hang(fd);
    else if (strcmp(target, "/slow") == 0 && (pause_ms(300), true))
        http_reply(fd, 200, "", "slow");
    else if (strcmp(target, "/here") == 0)
        http_reply(fd, 301, "Location: /echo-here\r\n", "moved");
    else if (strcmp(target, "/away") == 0)
        redirect_to(fd, site->other_port, "/echo");
    else if (strcmp(target, "/away-and-back") == 0)
        redirect_to(fd, site->other_port, "/back");
    else if (strcmp(target, "/back") == 0)
        redirect_to(fd, site->other_port, "/echo");
    else if (strcmp(target, "/round") == 0 && (pause_ms(50), true))
        http_reply(fd, 302, "Location: /round\r\n", "");
    else if (strcmp(target, "/busy") == 0)
        http_reply(fd, 503, "Retry-After: 7\r\nContent-Type: text/why\r\n", "busy");
    else if (strcmp(target, "/third") == 0)
        http_reply(fd, hit % 3 == 2 ? 200 : 500, "", "hello");
    else if (strcmp(target, "/stray") == 0)
        stray(fd);
    else if (strcmp(target, "/peak") == 0 && (count_peak(site), true))
        http_reply(fd, 200, "", "ok");
    else
        http_reply(fd, 200, "Content-Type: application/json\r\n", "[1,2,3]");
    return true;
}

static struct site *site_start(void)
{
    struct site *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    site->server = http_server_start("127.0.0.1", handle, site);
    return site;
}

static void site_end(struct site *site)
{
    http_server_stop(site->server);
    free(site);
}

static struct source *source_of(struct rig *rig, const struct site *site, const char *path)
{
    char url[500];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(site->server), path);
    return rig_source(rig, url);
}

static struct run *fetch(struct rig *rig, const struct source *source)
{
    struct run *run = rig_add(rig, source);

    assert_ptr_equal(rig_get(rig), run);
    return run;
}

static void assert_body(const struct run *run, const char *body)
{
    assert_int_equal(run->failure, RUN_OK);
    assert_null(run->error);
    assert_string_equal(run->response.body, body);
    assert_int_equal(run->response.body_bytes, strlen(body));
}

static void a_run_comes_back_with_its_answer(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    int64_t before_ms = clock_wall_ms();
    struct run *run = fetch(rig, source_of(rig, site, "/"));

    (void)state;
    assert_body(run, "[1,2,3]");
    assert_int_equal(run->response.status, 200);
    assert_string_equal(run->response.content_type, "application/json");
    assert_int_equal(run->requests, 1);
    assert_int_equal(run->retry_after_ms, -1);
    assert_true(run->started_at_ms >= before_ms && run->started_at_ms <= clock_wall_ms());
    assert_true(run->received_mono_us > 0);
    assert_true(run->timing.connect_us > 0 && run->timing.tls_us == 0);
    assert_true(run->timing.total_us >= run->timing.first_byte_us);
    assert_int_equal(rig_counts(rig).ended, 1);
    assert_int_equal(fetcher_stats(rig_fetcher(rig)).requests, 1);
    assert_int_equal(fetcher_stats(rig_fetcher(rig)).bytes, 7);
    rig_end(rig);
    site_end(site);
}

static void params_headers_and_the_user_agent_are_sent(void **state)
{
    const struct name_value params[] = {{"q", "a b"}};
    const struct name_value headers[] = {{"X-Api-Key", "k1"}};
    const struct name_value agent[] = {{"user-agent", "mine/1"}};
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    struct source *source = source_of(rig, site, "/echo?x=1");

    (void)state;
    source->params = params;
    source->param_count = 1;
    source->headers = headers;
    source->header_count = 1;
    assert_body(fetch(rig, source), "/echo?x=1&q=a%20b agent=gatherd/test key=k1");
    source = source_of(rig, site, "/echo");
    source->headers = agent;
    source->header_count = 1;
    assert_body(fetch(rig, source), "/echo agent=mine/1 key=none");
    assert_body(fetch(rig, source_of(rig, site, "/echo")), "/echo agent=gatherd/test key=none");
    rig_end(rig);
    site_end(site);
}

static void a_proxy_in_the_environment_is_not_used(void **state)
{
    struct rig *rig;
    struct site *site = site_start();

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    rig = rig_start(&(struct rig_options){0});
    assert_body(fetch(rig, source_of(rig, site, "/")), "[1,2,3]");
    rig_end(rig);
    site_end(site);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static unsigned connections_of_ten_polls(int64_t host_gap_ms)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    unsigned connections;

    for (int i = 0; i < 10; i++) {
        struct source *source = source_of(rig, site, "/");

        source->host_gap_ms = host_gap_ms;
        assert_body(fetch(rig, source), "[1,2,3]");
    }
    connections = http_server_connections(site->server);
    rig_end(rig);
    site_end(site);
    return connections;
}

static void a_host_that_is_polled_often_keeps_its_connection(void **state)
{
    (void)state;
    assert_int_equal(connections_of_ten_polls(60000), 1);
}

static void a_host_that_is_polled_rarely_does_not(void **state)
{
    (void)state;
    assert_int_equal(connections_of_ten_polls(60001), 10);
}

static void kept_connections_are_bounded(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.max_in_flight = 16});
    struct site *site = calloc(1, sizeof(*site));

    (void)state;
    assert_non_null(site);
    site->server = http_server_start("0.0.0.0", handle, site);
    for (int i = 0; i < 700; i++) { /* 700 hosts: each is this machine */
        char url[100];

        snprintf(url, sizeof(url), "http://127.0.%d.%d:%u/", i / 250, i % 250 + 1,
                 http_server_port(site->server));
        rig_add(rig, rig_source(rig, url));
    }
    for (int i = 0; i < 700; i++)
        assert_body(rig_get(rig), "[1,2,3]");
    for (int i = 0; i < 1000 && http_server_open(site->server) > 601; i++)
        pause_ms(5);
    assert_in_range(http_server_open(site->server), 500, 601);
    rig_end(rig);
    site_end(site);
}

static void stray_bytes_on_a_kept_connection_are_not_the_next_answer(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();

    (void)state;
    assert_body(fetch(rig, source_of(rig, site, "/stray")), "mine");
    pause_ms(100);
    assert_body(fetch(rig, source_of(rig, site, "/")), "[1,2,3]");
    rig_end(rig);
    site_end(site);
}

static struct run *fetch_with_key(struct rig *rig, const struct site *site, const char *path)
{
    static const struct name_value headers[] = {{"X-Api-Key", "k1"}};
    struct source *source = source_of(rig, site, path);

    source->headers = headers;
    source->header_count = 1;
    return fetch(rig, source);
}

static void a_redirect_takes_the_headers_along_only_within_the_origin(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *home = site_start();
    struct site *other = site_start();
    struct run *run;

    (void)state;
    home->other_port = http_server_port(other->server);
    other->other_port = http_server_port(home->server);
    run = fetch_with_key(rig, home, "/here");
    assert_body(run, "/echo-here agent=gatherd/test key=k1");
    assert_int_equal(run->requests, 2);
    assert_string_equal(run->response.content_type, "text/plain");
    run = fetch_with_key(rig, home, "/away");
    assert_body(run, "/echo agent=gatherd/test key=none");
    run = fetch_with_key(rig, home, "/away-and-back"); /* once away, nothing is told any more */
    assert_body(run, "/echo agent=gatherd/test key=none");
    assert_int_equal(run->requests, 3);
    rig_end(rig);
    site_end(home);
    site_end(other);
}

static void redirects_are_counted_and_may_be_forbidden(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    struct source *source = source_of(rig, site, "/round");
    struct run *run;

    (void)state;
    source->max_redirects = 3;
    run = fetch(rig, source);
    assert_int_equal(run->failure, RUN_FAILED_REDIRECT);
    assert_string_equal(run->error, "more redirects than max_redirects (3)");
    assert_int_equal(run->requests, 4);
    assert_false(run->retryable);
    source = source_of(rig, site, "/here");
    source->max_redirects = 0;
    run = fetch(rig, source);
    assert_int_equal(run->failure, RUN_FAILED_REDIRECT);
    assert_int_equal(run->requests, 1);
    rig_end(rig);
    site_end(site);
}

static void a_status_that_is_called_success_is_not_followed(void **state)
{
    static const struct status_range any[] = {{200, 399}};
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    struct source *source = source_of(rig, site, "/here");
    struct run *run;

    (void)state;
    source->success = any;
    run = fetch(rig, source);
    assert_body(run, "moved");
    assert_int_equal(run->response.status, 301);
    rig_end(rig);
    site_end(site);
}

static void the_timeout_covers_all_redirects_together(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    struct source *source = source_of(rig, site, "/round");
    int64_t start_ms = clock_monotonic_ms();
    struct run *run;

    (void)state;
    source->timeout_ms = 400;
    source->max_redirects = 1000;
    run = fetch(rig, source);
    assert_int_equal(run->failure, RUN_FAILED_TIMEOUT);
    assert_true(run->retryable);
    assert_true(run->requests > 1);
    assert_true(clock_monotonic_ms() - start_ms < 10000);
    rig_end(rig);
    site_end(site);
}

static void an_error_status_keeps_its_body_and_what_the_server_asks_for(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    struct run *run = fetch(rig, source_of(rig, site, "/busy"));

    (void)state;
    assert_int_equal(run->failure, RUN_FAILED_STATUS);
    assert_string_equal(run->error, "HTTP 503 Service Unavailable");
    assert_string_equal(run->response.body, "busy");
    assert_string_equal(run->response.content_type, "text/why");
    assert_int_equal(run->response.status, 503);
    assert_int_equal(run->retry_after_ms, 7000);
    assert_true(run->retryable);
    assert_int_equal(rig_counts(rig).retry_after_ms, 7000);
    rig_end(rig);
    site_end(site);
}

static void a_failed_attempt_goes_back_to_the_schedule_until_one_succeeds(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.attempts = 3});
    struct site *site = site_start();
    struct run *run = fetch(rig, source_of(rig, site, "/third"));
    struct rig_counts counts = rig_counts(rig);

    (void)state;
    assert_body(run, "hello");
    assert_int_equal(run->requests, 3);
    assert_int_equal(run->attempt, 2);
    assert_int_equal(counts.taken, 3);
    assert_int_equal(counts.retried, 2);
    assert_int_equal(counts.ended, 1);
    assert_int_equal(fetcher_stats(rig_fetcher(rig)).retries, 2);
    assert_int_equal(queue_stats(rig_queue(rig)).reserved, 0);
    rig_end(rig);
    site_end(site);
}

static void a_request_that_cannot_be_sent_is_a_failed_run_too(void **state)
{
    static const struct name_value headers[] = {{"X", "a\nb"}};
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct source *source = rig_source(rig, "http://127.0.0.1:1/");
    struct run *run;

    (void)state;
    source->headers = headers;
    source->header_count = 1;
    run = fetch(rig, source);
    assert_int_equal(run->failure, RUN_FAILED_REQUEST);
    assert_int_equal(run->requests, 0);
    assert_int_equal(rig_counts(rig).ended, 1);
    assert_int_equal(fetcher_stats(rig_fetcher(rig)).in_flight, 0);
    rig_end(rig);
}

static void an_error_names_no_query_and_no_user(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct run *run = rig_fetch(rig, "http://me:hunter2@127.0.0.1:1/x?key=hunter3");

    (void)state;
    assert_int_equal(run->failure, RUN_FAILED_NETWORK);
    assert_true(run->retryable);
    assert_non_null(strstr(run->error, "127.0.0.1"));
    assert_null(strstr(run->error, "hunter"));
    run = rig_fetch(rig, "http://me:hunter2@bad host/x?key=hunter3");
    assert_int_equal(run->failure, RUN_FAILED_NETWORK);
    assert_null(strstr(run->error, "hunter"));
    rig_end(rig);
}

static void a_name_that_does_not_resolve_fails_within_the_timeout(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct source *source = rig_source(rig, "http://no-such-host.invalid/");
    int64_t start_ms = clock_monotonic_ms();
    struct run *run;

    (void)state;
    source->timeout_ms = 1000;
    run = fetch(rig, source);
    assert_true(run->failure == RUN_FAILED_NETWORK || run->failure == RUN_FAILED_TIMEOUT);
    assert_true(run->retryable);
    assert_true(clock_monotonic_ms() - start_ms < 8000); /* a mute resolver takes 10 s and more */
    rig_end(rig);
}

static void a_full_queue_stops_new_requests_until_there_is_room(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.queue_items = 2});
    struct site *site = site_start();

    (void)state;
    for (int i = 0; i < 6; i++)
        rig_add(rig, source_of(rig, site, "/"));
    for (int i = 0; i < 1000 && queue_stats(rig_queue(rig)).length < 2; i++)
        pause_ms(5);
    pause_ms(50);
    assert_int_equal(queue_stats(rig_queue(rig)).length, 2);
    assert_int_equal(rig_counts(rig).taken, 2);
    for (int i = 0; i < 6; i++)
        assert_body(rig_get(rig), "[1,2,3]");
    rig_end(rig);
    site_end(site);
}

static void no_more_than_max_in_flight_are_started(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.max_in_flight = 3});
    struct site *site = site_start();

    (void)state;
    for (int i = 0; i < 20; i++)
        rig_add(rig, source_of(rig, site, "/peak"));
    for (int i = 0; i < 20; i++)
        assert_body(rig_get(rig), "ok");
    assert_in_range(atomic_load(&site->peak), 1, 3);
    rig_end(rig);
    site_end(site);
}

static void a_thousand_runs_come_back_once_each(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.max_in_flight = 32});
    struct site *site = site_start();
    struct source *source = source_of(rig, site, "/");

    (void)state;
    for (int i = 0; i < 1000; i++)
        rig_add(rig, source);
    for (int i = 0; i < 1000; i++) {
        struct run *run = rig_get(rig);

        assert_body(run, "[1,2,3]");
        run_clear_response(run); /* a second time it would come without a body */
    }
    assert_int_equal(rig_counts(rig).ended, 1000);
    assert_int_equal(queue_stats(rig_queue(rig)).length, 0);
    assert_int_equal(queue_stats(rig_queue(rig)).reserved, 0);
    assert_true(http_server_connections(site->server) <= 40); /* kept and used again */
    rig_end(rig);
    site_end(site);
}

static void requests_that_hang_hold_no_other_up(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){.max_in_flight = 700});
    struct site *site = site_start();
    int64_t start_ms;

    (void)state;
    for (int i = 0; i < 400; i++) /* more than one multi handle takes */
        rig_add(rig, source_of(rig, site, "/hang"));
    assert_true(rig_wait_in_flight(rig, 400));
    start_ms = clock_monotonic_ms();
    for (int i = 0; i < 20; i++)
        assert_body(fetch(rig, source_of(rig, site, "/")), "[1,2,3]");
    assert_true(clock_monotonic_ms() - start_ms < 10000);
    rig_end(rig);
    site_end(site);
}

static void after_a_stop_requests_in_flight_end_and_none_begins(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();

    (void)state;
    rig_add(rig, source_of(rig, site, "/slow"));
    assert_true(rig_wait_in_flight(rig, 1));
    fetcher_stop(rig_fetcher(rig), 20000);
    rig_add(rig, source_of(rig, site, "/"));
    assert_body(rig_get(rig), "slow");
    assert_int_equal(rig_counts(rig).taken, 1);
    assert_int_equal(rig_counts(rig).given_up, 0);
    rig_end(rig);
    site_end(site);
}

static void what_is_in_flight_when_the_grace_ends_is_given_up(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    for (int i = 0; i < 3; i++)
        rig_add(rig, source_of(rig, site, "/hang"));
    assert_true(rig_wait_in_flight(rig, 3));
    fetcher_stop(rig_fetcher(rig), 1000000);
    fetcher_stop(rig_fetcher(rig), 100); /* shorter: it counts */
    fetcher_stop(rig_fetcher(rig), 1000000);
    assert_true(rig_wait_in_flight(rig, 0));
    assert_true(clock_monotonic_ms() - start_ms < 15000);
    for (int i = 0; i < 1000 && rig_counts(rig).given_up < 3; i++)
        pause_ms(5);
    assert_int_equal(rig_counts(rig).given_up, 3);
    assert_int_equal(rig_counts(rig).ended, 0);
    assert_int_equal(queue_stats(rig_queue(rig)).reserved, 0);
    rig_end(rig);
    site_end(site);
}

static void discard(void *context, void *data)
{
    (void)context;
    (void)data;
}

static void a_queue_shut_down_at_once_makes_the_run_go_back_unrecorded(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();

    (void)state;
    rig_add(rig, source_of(rig, site, "/slow"));
    assert_true(rig_wait_in_flight(rig, 1));
    queue_shutdown(rig_queue(rig), QUEUE_IMMEDIATE, discard, NULL);
    assert_true(rig_wait_in_flight(rig, 0));
    for (int i = 0; i < 1000 && rig_counts(rig).given_up < 1; i++)
        pause_ms(5);
    assert_int_equal(rig_counts(rig).given_up, 1);
    rig_end(rig);
    site_end(site);
}

static void an_idle_fetcher_still_has_a_heartbeat(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    int64_t first_ms = fetcher_stats(rig_fetcher(rig)).heartbeat_ms;
    int i;

    (void)state;
    for (i = 0; i < 400 && fetcher_stats(rig_fetcher(rig)).heartbeat_ms == first_ms; i++)
        pause_ms(20);
    assert_true(i < 400);
    rig_end(rig);
}

/* The signals that a thread blocks; false when it has another name. */
static bool read_status(const char *task, const char *comm, unsigned long long *blocked)
{
    char path[300];
    char line[200];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char name[100];

        if (sscanf(line, "Name: %99s", name) == 1)
            found = strcmp(name, comm) == 0;
        sscanf(line, "SigBlk: %llx", blocked);
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static void its_thread_has_a_name_and_takes_no_signals(void **state)
{
    struct rig *rig = rig_start(&(struct rig_options){0});
    struct site *site = site_start();
    unsigned long long blocked = 0;
    struct dirent *entry;
    bool found = false;
    DIR *tasks;

    (void)state;
    fetch(rig, source_of(rig, site, "/")); /* by now it has given itself the name */
    tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (!found && (entry = readdir(tasks)) != NULL)
        found = entry->d_name[0] != '.' && read_status(entry->d_name, "fetcher-3", &blocked);
    closedir(tasks);
    assert_true(found);
    assert_true((blocked & 1ULL << (SIGTERM - 1)) != 0);
    assert_true((blocked & 1ULL << (SIGHUP - 1)) != 0);
    assert_true((blocked & 1ULL << (SIGPIPE - 1)) != 0);
    rig_end(rig);
    site_end(site);
}

int main(void)
{
    struct rlimit files;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_comes_back_with_its_answer),
        cmocka_unit_test(params_headers_and_the_user_agent_are_sent),
        cmocka_unit_test(a_proxy_in_the_environment_is_not_used),
        cmocka_unit_test(a_host_that_is_polled_often_keeps_its_connection),
        cmocka_unit_test(a_host_that_is_polled_rarely_does_not),
        cmocka_unit_test(kept_connections_are_bounded),
        cmocka_unit_test(stray_bytes_on_a_kept_connection_are_not_the_next_answer),
        cmocka_unit_test(a_redirect_takes_the_headers_along_only_within_the_origin),
        cmocka_unit_test(redirects_are_counted_and_may_be_forbidden),
        cmocka_unit_test(a_status_that_is_called_success_is_not_followed),
        cmocka_unit_test(the_timeout_covers_all_redirects_together),
        cmocka_unit_test(an_error_status_keeps_its_body_and_what_the_server_asks_for),
        cmocka_unit_test(a_failed_attempt_goes_back_to_the_schedule_until_one_succeeds),
        cmocka_unit_test(a_request_that_cannot_be_sent_is_a_failed_run_too),
        cmocka_unit_test(an_error_names_no_query_and_no_user),
        cmocka_unit_test(a_name_that_does_not_resolve_fails_within_the_timeout),
        cmocka_unit_test(a_full_queue_stops_new_requests_until_there_is_room),
        cmocka_unit_test(no_more_than_max_in_flight_are_started),
        cmocka_unit_test(a_thousand_runs_come_back_once_each),
        cmocka_unit_test(requests_that_hang_hold_no_other_up),
        cmocka_unit_test(after_a_stop_requests_in_flight_end_and_none_begins),
        cmocka_unit_test(what_is_in_flight_when_the_grace_ends_is_given_up),
        cmocka_unit_test(a_queue_shut_down_at_once_makes_the_run_go_back_unrecorded),
        cmocka_unit_test(an_idle_fetcher_still_has_a_heartbeat),
        cmocka_unit_test(its_thread_has_a_name_and_takes_no_signals),
    };

    /* Both ends of each connection are here. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
