/*
 * bench_fetch - what the fetcher costs beside the bare library.
 *
 *     bench_fetch [SECONDS]       (configure with -DGATHERD_BENCH=ON in the release preset)
 *
 * Starts nginx on this machine with an answer of 1 KB, and measures in turns, so that both see the
 * same machine:
 *   - polls a second and CPU a poll of the fetcher, its answers thrown away behind the queue, and
 * of a bare curl_multi_poll() loop;
 *   - CPU a poll of the fetcher with 1,000 requests that hang, beside none, and the same for the
 *     bare loop;
 *   - the same with a new connection each time, plain, TLS, and TLS to a server that resumes
 *     sessions. The bare loop has libcurl's defaults, with which each TLS connection parses the
 *     system's authorities again.
 * nginx shares the machine's processors, so the polls a second are a lower bound; CPU is that of
 * this process alone.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/fetcher.h"
#include "gatherd/log.h"

#define IN_FLIGHT 64
#define HANGING   1000
#define TURNS     3

struct measure {
    double polls_per_s;
    double cpu_us;
};

struct site {
    char folder[64];
    char ca_file[128];
    unsigned http;
    unsigned https;
    unsigned resuming;
    unsigned silent;
    pid_t nginx;
    int silent_fd;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The servers. */

static unsigned listen_somewhere(int *fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*fd, (struct sockaddr *)&name, sizeof(name)) == -1 || listen(*fd, 4096) == -1 ||
        getsockname(*fd, (struct sockaddr *)&name, &size) == -1)
        die("listen");
    return ntohs(name.sin_port);
}

static unsigned free_port(void)
{
    int fd;
    unsigned port = listen_somewhere(&fd);

    close(fd);
    return port;
}

static const char nginx_config[] =
    "daemon off; worker_processes 1; pid %1$s/pid; error_log /dev/null;\n"
    "events { worker_connections 8192; }\n"
    "http { access_log off; keepalive_requests 1000000000; root %1$s;\n"
    "  client_body_temp_path %1$s/a; proxy_temp_path %1$s/b; fastcgi_temp_path %1$s/c;\n"
    "  uwsgi_temp_path %1$s/d; scgi_temp_path %1$s/e;\n"
    "  server { listen 127.0.0.1:%2$u backlog=4096; }\n"
    "  ssl_certificate %1$s/cert.pem; ssl_certificate_key %1$s/key.pem;\n"
    "  server { listen 127.0.0.1:%3$u ssl backlog=4096; ssl_session_tickets off; }\n"
    "  server { listen 127.0.0.1:%4$u ssl backlog=4096; ssl_session_cache shared:all:1m; } }\n";

static void write_files(const struct site *site)
{
    char path[200];
    char command[600];
    FILE *out;

    snprintf(path, sizeof(path), "%s/item", site->folder);
    out = fopen(path, "w");
    if (out == NULL)
        die(path);
    for (int i = 0; i < 1024; i++)
        fputc('x', out);
    fclose(out);
    snprintf(path, sizeof(path), "%s/nginx.conf", site->folder);
    out = fopen(path, "w");
    if (out == NULL)
        die(path);
    fprintf(out, nginx_config, site->folder, site->http, site->https, site->resuming);
    fclose(out);
    /* The system's authorities and our own in one file: as large as what a real poll loads. */
    snprintf(command, sizeof(command),
             "cd %s && chmod 755 . && openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj "
             "/CN=bench -addext subjectAltName=IP:127.0.0.1 2>/dev/null && "
             "cat cert.pem /etc/ssl/certs/ca-certificates.crt > ca.pem",
             site->folder);
    if (system(command) != 0)
        die("openssl");
}

static void start_site(struct site *site)
{
    char config[200];

    strcpy(site->folder, "/tmp/gatherd-bench-XXXXXX");
    if (mkdtemp(site->folder) == NULL)
        die("mkdtemp");
    snprintf(site->ca_file, sizeof(site->ca_file), "%s/ca.pem", site->folder);
    site->http = free_port();
    site->https = free_port();
    site->resuming = free_port();
    site->silent = listen_somewhere(&site->silent_fd); /* accepted by the kernel, never answered */
    write_files(site);
    snprintf(config, sizeof(config), "%s/nginx.conf", site->folder);
    site->nginx = fork();
    if (site->nginx == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execlp("nginx", "nginx", "-c", config, (char *)NULL);
        die("nginx");
    }
    sleep(1);
}

static void stop_site(struct site *site)
{
    char command[200];

    kill(site->nginx, SIGTERM);
    waitpid(site->nginx, NULL, 0);
    close(site->silent_fd);
    snprintf(command, sizeof(command), "rm -r '%s'", site->folder);
    if (system(command) != 0)
        die("rm");
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The fetcher: a schedule in which everything is always due. */

struct feed {
    pthread_mutex_t mutex;
    struct run *free_runs[IN_FLIGHT + HANGING];
    size_t free_count;
    bool stopped;
};

static struct run *feed_take(void *context, unsigned lane, int64_t *wait_ms)
{
    struct feed *feed = context;
    struct run *run = NULL;

    (void)lane;
    *wait_ms = -1;
    pthread_mutex_lock(&feed->mutex);
    if (feed->free_count > 0 && !feed->stopped)
        run = feed->free_runs[--feed->free_count];
    pthread_mutex_unlock(&feed->mutex);
    return run;
}

static void feed_ended(void *context, struct run *run)
{
    (void)context;
    (void)run;
}

static int64_t feed_retry_delay(void *context, const struct run *run)
{
    (void)context;
    fprintf(stderr, "a poll failed: %s\n", run->error);
    exit(1);
}

static void feed_retry(void *context, struct run *run, int64_t delay_ms)
{
    (void)context;
    (void)run;
    (void)delay_ms;
}

static void feed_back(struct feed *feed, struct run *const *runs, size_t count)
{
    pthread_mutex_lock(&feed->mutex);
    for (size_t i = 0; i < count; i++)
        feed->free_runs[feed->free_count++] = runs[i];
    pthread_mutex_unlock(&feed->mutex);
}

static void feed_give_up(void *context, struct run *run)
{
    (void)context;
    (void)run;
}

static const struct status_range success[] = {{200, 299}};

static struct source make_source(const char *url, int64_t host_gap_ms)
{
    return (struct source){.name = "bench",
                           .url = url,
                           .host = url,
                           .timeout_ms = 3600000,
                           .connect_timeout_ms = 10000,
                           .max_body_bytes = 16 * 1024 * 1024,
                           .success = success,
                           .success_count = 1,
                           .host_gap_ms = host_gap_ms};
}

/* Gets answers until the time is over, and sends each run round again. */
static uint64_t drain(struct queue *queue, struct feed *feed, struct fetcher *fetcher,
                      int64_t until_ms)
{
    uint64_t polls = 0;

    while (clock_monotonic_ms() < until_ms) {
        struct queue_item items[64];
        struct run *runs[64];
        size_t count;

        if (queue_get_many(queue, items, 64, 0, &count, 1000) != QUEUE_OK)
            continue;
        for (size_t i = 0; i < count; i++) {
            runs[i] = items[i].data;
            if (runs[i]->failure != RUN_OK || runs[i]->response.body_bytes != 1024) {
                fprintf(stderr, "a poll failed: %s\n", runs[i]->error);
                exit(1);
            }
            run_clear_response(runs[i]);
            queue_task_done(queue);
        }
        feed_back(feed, runs, count);
        fetcher_wake(fetcher);
        polls += count;
    }
    return polls;
}

static void wait_in_flight(struct fetcher *fetcher, size_t count)
{
    while (fetcher_stats(fetcher).in_flight < count)
        usleep(1000);
}

static struct measure measure_fetcher(const struct site *site, const char *url, int64_t host_gap_ms,
                                      unsigned hanging, int seconds)
{
    struct feed feed = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct fetcher_options options = {
        .max_in_flight = IN_FLIGHT + HANGING, .user_agent = "bench", .ca_file = site->ca_file};
    struct fetcher_hooks hooks = {&feed,      feed_take,   feed_ended, feed_retry_delay,
                                  feed_retry, feed_give_up};
    struct queue *queue = queue_create(10000, 0);
    char silent[100];
    struct source hang;
    struct source source = make_source(url, host_gap_ms);
    struct run *runs = calloc(IN_FLIGHT + HANGING, sizeof(*runs));
    struct fetcher *fetcher;
    struct measure m;
    uint64_t polls;
    double cpu;

    snprintf(silent, sizeof(silent), "http://127.0.0.1:%u/", site->silent);
    hang = make_source(silent, host_gap_ms);
    for (unsigned i = 0; i < hanging; i++) {
        runs[IN_FLIGHT + i].source = &hang;
        feed_back(&feed, &(struct run *){&runs[IN_FLIGHT + i]}, 1);
    }
    fetcher = fetcher_start(&options, queue, &hooks, NULL);
    if (fetcher == NULL)
        die("fetcher_start");
    wait_in_flight(fetcher, hanging);
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        runs[i].source = &source;
        feed_back(&feed, &(struct run *){&runs[i]}, 1);
    }
    fetcher_wake(fetcher);
    drain(queue, &feed, fetcher, clock_monotonic_ms() + 300); /* warm */
    cpu = cpu_seconds();
    polls = drain(queue, &feed, fetcher, clock_monotonic_ms() + seconds * 1000);
    m.cpu_us = (cpu_seconds() - cpu) * 1e6 / (double)polls;
    m.polls_per_s = (double)polls / seconds;

    feed.stopped = true;
    fetcher_stop(fetcher, 0);
    fetcher_free(fetcher);
    queue_shutdown(queue, QUEUE_DRAIN, NULL, NULL);
    queue_free(queue);
    for (unsigned i = 0; i < IN_FLIGHT + HANGING; i++)
        run_clear_response(&runs[i]);
    free(runs);
    return m;
}

/* The bare library: as many easy handles, the answer copied and thrown away. */

struct bare {
    CURL *easy;
    char *body;
    size_t length;
};

static size_t bare_write(char *data, size_t size, size_t count, void *userdata)
{
    struct bare *bare = userdata;
    size_t length = size * count;
    char *body = realloc(bare->body, bare->length + length + 1);

    if (body == NULL)
        return 0;
    bare->body = body;
    memcpy(body + bare->length, data, length);
    bare->length += length;
    return length;
}

static void bare_begin(CURLM *multi, struct bare *bare, const char *url, const char *ca_file,
                       bool forbid_reuse)
{
    bare->easy = curl_easy_init();
    curl_easy_setopt(bare->easy, CURLOPT_URL, url);
    curl_easy_setopt(bare->easy, CURLOPT_WRITEFUNCTION, bare_write);
    curl_easy_setopt(bare->easy, CURLOPT_WRITEDATA, bare);
    curl_easy_setopt(bare->easy, CURLOPT_PRIVATE, bare);
    curl_easy_setopt(bare->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(bare->easy, CURLOPT_FORBID_REUSE, (long)forbid_reuse);
    curl_easy_setopt(bare->easy, CURLOPT_CAINFO, ca_file);
    curl_multi_add_handle(multi, bare->easy);
}

static uint64_t bare_collect(CURLM *multi)
{
    uint64_t polls = 0;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        struct bare *bare;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &bare);
        if (message->data.result != CURLE_OK || bare->length != 1024) {
            fprintf(stderr, "a bare poll failed: %s\n", curl_easy_strerror(message->data.result));
            exit(1);
        }
        free(bare->body);
        bare->body = NULL;
        bare->length = 0;
        curl_multi_remove_handle(multi, easy);
        curl_multi_add_handle(multi, easy);
        polls++;
    }
    return polls;
}

static uint64_t bare_loop(CURLM *multi, int64_t until_ms)
{
    uint64_t polls = 0;
    int running;

    while (clock_monotonic_ms() < until_ms) {
        curl_multi_perform(multi, &running);
        polls += bare_collect(multi);
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    return polls;
}

static struct measure measure_bare(const struct site *site, const char *url, bool forbid_reuse,
                                   unsigned hanging, int seconds)
{
    struct bare *all = calloc(IN_FLIGHT + HANGING, sizeof(*all));
    CURLM *multi = curl_multi_init();
    char silent[100];
    struct measure m;
    uint64_t polls;
    double cpu;

    snprintf(silent, sizeof(silent), "http://127.0.0.1:%u/", site->silent);
    for (unsigned i = 0; i < IN_FLIGHT + hanging; i++)
        bare_begin(multi, &all[i], i < IN_FLIGHT ? url : silent, site->ca_file, forbid_reuse);
    bare_loop(multi, clock_monotonic_ms() + (hanging > 0 ? 2000 : 300)); /* warm */
    cpu = cpu_seconds();
    polls = bare_loop(multi, clock_monotonic_ms() + seconds * 1000);
    m.cpu_us = (cpu_seconds() - cpu) * 1e6 / (double)polls;
    m.polls_per_s = (double)polls / seconds;
    for (unsigned i = 0; i < IN_FLIGHT + hanging; i++) {
        curl_multi_remove_handle(multi, all[i].easy);
        curl_easy_cleanup(all[i].easy);
        free(all[i].body);
    }
    curl_multi_cleanup(multi);
    free(all);
    return m;
}

static struct measure best(struct measure a, struct measure b)
{
    return (struct measure){a.polls_per_s > b.polls_per_s ? a.polls_per_s : b.polls_per_s,
                            a.cpu_us < b.cpu_us ? a.cpu_us : b.cpu_us};
}

struct duel {
    const char *title;
    const char *url;
    bool new_connections;
    unsigned hanging;
};

static struct measure fight(const struct site *site, const struct duel *duel, int seconds)
{
    struct measure fetcher = {0, 1e9};
    struct measure bare = {0, 1e9};

    for (int i = 0; i < TURNS; i++) {
        bare = best(bare,
                    measure_bare(site, duel->url, duel->new_connections, duel->hanging, seconds));
        fetcher =
            best(fetcher, measure_fetcher(site, duel->url, duel->new_connections ? 3600000 : 1000,
                                          duel->hanging, seconds));
    }
    printf("%-28s fetcher %7.0f polls/s %8.1f us CPU   bare %7.0f polls/s %8.1f us CPU   "
           "polls/s x %.2f, CPU x %.2f\n",
           duel->title, fetcher.polls_per_s, fetcher.cpu_us, bare.polls_per_s, bare.cpu_us,
           fetcher.polls_per_s / bare.polls_per_s, fetcher.cpu_us / bare.cpu_us);
    fflush(stdout);
    return fetcher;
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : 2;
    struct rlimit files = {16384, 16384};
    struct site site = {0};
    char http[100];
    char https[100];
    char resuming[100];
    struct measure none;
    struct measure many;

    log_set_level(LOG_LEVEL_WARNING);
    setrlimit(RLIMIT_NOFILE, &files);
    fetcher_global_start(NULL);
    start_site(&site);
    snprintf(http, sizeof(http), "http://127.0.0.1:%u/item", site.http);
    snprintf(https, sizeof(https), "https://127.0.0.1:%u/item", site.https);
    snprintf(resuming, sizeof(resuming), "https://127.0.0.1:%u/item", site.resuming);
    none = fight(&site, &(struct duel){"kept connections", http, false, 0}, seconds);
    many = fight(&site, &(struct duel){"the same, 1,000 hanging", http, false, HANGING}, seconds);
    printf("%-28s CPU x %.2f\n", "1,000 hanging cost the fetcher", many.cpu_us / none.cpu_us);
    fight(&site, &(struct duel){"new connections", http, true, 0}, seconds);
    fight(&site, &(struct duel){"new TLS connections", https, true, 0}, seconds);
    fight(&site, &(struct duel){"new TLS, sessions resumed", resuming, true, 0}, seconds);
    stop_site(&site);
    fetcher_global_stop();
    return 0;
}
