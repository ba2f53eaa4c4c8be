#include "fetch/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"

/* Half of the connections may be in flight, the other half kept. */
#define IN_FLIGHT_PER_MULTI (ENGINE_MAX_CONNECTIONS / 2)

/* With 100 streams on one connection a request cost 2.5 times as much as with 10. */
#define MAX_STREAMS 10L

#define EVENTS_PER_TURN 128
#define NEVER           INT64_MAX

/* The epoll user data of the eventfd; a socket's is its generation and number. */
#define WAKE_TAG UINT64_MAX

/* A socket as the kernel and libcurl see it; indexed by file descriptor. */
struct watch {
    uint32_t generation; /* tells a socket from an earlier one with the same number */
    uint32_t registered; /* events the epoll knows; 0: it is not in the epoll */
    bool wanted;         /* libcurl wants to hear of it */
    bool ours;           /* opened by engine_open_socket(), so its closing is announced */
    unsigned multi;
};

struct lane {
    struct engine *engine;
    CURLM *multi;
    unsigned number;
    unsigned in_flight;
    int64_t due_us; /* libcurl's timer, monotonic; NEVER: none */
};

struct engine {
    int epoll_fd;
    int wake_fd;
    atomic_bool wake_written; /* a wake-up is on its way: no need for another */

    /* Below: the owning thread only. */
    struct watch *watches;
    size_t watch_count;
    unsigned lane_count;
    struct lane lanes[];
};

/* Sockets. */

static struct watch *watch_of(struct engine *engine, int fd)
{
    size_t need = (size_t)fd + 1;

    assert(fd >= 0);
    if (need > engine->watch_count) {
        size_t count = engine->watch_count * 2 > need ? engine->watch_count * 2 : need + 64;
        struct watch *watches = realloc(engine->watches, count * sizeof(*watches));

        if (watches == NULL)
            return NULL;
        memset(watches + engine->watch_count, 0, (count - engine->watch_count) * sizeof(*watches));
        engine->watches = watches;
        engine->watch_count = count;
    }
    return &engine->watches[fd];
}

static void unregister(struct engine *engine, int fd, struct watch *watch)
{
    if (watch->registered != 0)
        epoll_ctl(engine->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    watch->registered = 0;
    watch->generation++;
}

static int set_events(struct engine *engine, int fd, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int action = watch->registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (watch->registered == events)
        return 0;
    event.data.u64 = (uint64_t)watch->generation << 32 | (uint32_t)fd;
    if (epoll_ctl(engine->epoll_fd, action, fd, &event) == -1)
        return -1;
    watch->registered = events;
    return 0;
}

static uint32_t events_of(int what)
{
    return ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
}

/*
 * CURLMOPT_SOCKETFUNCTION. A failure is not given to libcurl, which would declare the whole multi
 * handle dead: the one transfer hears nothing and times out.
 */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
    struct lane *lane = userp;
    struct engine *engine = lane->engine;
    struct watch *watch = watch_of(engine, fd);

    (void)easy;
    (void)socketp;
    if (watch == NULL) {
        log_error("cannot watch a connection: out of memory", LOG_INT("fd", fd));
        return 0;
    }
    watch->multi = lane->number;
    watch->wanted = what != CURL_POLL_REMOVE;
    if (watch->wanted) {
        if (set_events(engine, fd, watch, events_of(what)) == -1)
            log_error("cannot watch a connection", LOG_STR("error", strerror(errno)));
    } else if (!watch->ours) {
        unregister(engine, fd, watch); /* libcurl's own: it may close it without a word */
    }
    return 0;
}

curl_socket_t engine_open_socket(struct engine *engine, const struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    struct watch *watch;

    if (fd == -1)
        return CURL_SOCKET_BAD;
    watch = watch_of(engine, fd);
    if (watch == NULL) {
        close(fd);
        errno = ENOMEM;
        return CURL_SOCKET_BAD;
    }
    watch->generation++;
    watch->registered = 0;
    watch->wanted = false;
    watch->ours = true;
    return fd;
}

int engine_close_socket(void *clientp, curl_socket_t fd)
{
    struct engine *engine = clientp;

    if (fd >= 0 && (size_t)fd < engine->watch_count) {
        struct watch *watch = &engine->watches[fd];

        watch->registered = 0; /* close(2) takes it out of the epoll */
        watch->wanted = false;
        watch->ours = false;
        watch->generation++;
    }
    return close(fd);
}

/* Timers. */

/* CURLMOPT_TIMERFUNCTION. */
static int on_timer(CURLM *multi, long timeout_ms, void *userp)
{
    struct lane *lane = userp;

    (void)multi;
    lane->due_us = timeout_ms < 0 ? NEVER : clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    return 0;
}

static void act(struct lane *lane, curl_socket_t fd, int events)
{
    int running;
    CURLMcode code = curl_multi_socket_action(lane->multi, fd, events, &running);

    if (code != CURLM_OK)
        log_error("libcurl cannot go on with its transfers",
                  LOG_STR("error", curl_multi_strerror(code)));
}

static void run_timers(struct engine *engine)
{
    int64_t now_us = clock_monotonic_us();

    for (unsigned i = 0; i < engine->lane_count; i++) {
        struct lane *lane = &engine->lanes[i];

        if (lane->due_us > now_us)
            continue;
        lane->due_us = NEVER; /* libcurl sets the next one from within */
        act(lane, CURL_SOCKET_TIMEOUT, 0);
    }
}

static int64_t shorten_to_timers(const struct engine *engine, int64_t timeout_ms)
{
    int64_t now_us = clock_monotonic_us();

    for (unsigned i = 0; i < engine->lane_count; i++) {
        int64_t due_us = engine->lanes[i].due_us;
        int64_t wait_ms;

        if (due_us == NEVER)
            continue;
        wait_ms = due_us <= now_us ? 0 : (due_us - now_us + 999) / 1000;
        if (wait_ms < timeout_ms)
            timeout_ms = wait_ms;
    }
    return timeout_ms;
}

/* The loop. */

static struct watch *watch_of_event(struct engine *engine, const struct epoll_event *event)
{
    struct watch *watch;

    if (event->data.u64 == WAKE_TAG)
        return NULL;
    watch = &engine->watches[(uint32_t)event->data.u64];
    /* Otherwise of a socket that was closed earlier in this turn. */
    return watch->generation == (uint32_t)(event->data.u64 >> 32) ? watch : NULL;
}

/*
 * A kept connection that nobody uses has something to read: its server closed it, or sends what
 * nobody asked for. libcurl 7.88 would use the latter again and take the stray bytes for the answer
 * to the next request. Shut down, it counts as dead.
 */
static void on_idle_event(struct engine *engine, const struct epoll_event *event)
{
    struct watch *watch = watch_of_event(engine, event);
    int fd = (int)(uint32_t)event->data.u64;

    if (watch == NULL || watch->wanted)
        return;
    unregister(engine, fd, watch);
    shutdown(fd, SHUT_RDWR);
}

static void on_event(struct engine *engine, const struct epoll_event *event)
{
    struct watch *watch = watch_of_event(engine, event);
    int what = 0;

    if (watch == NULL || !watch->wanted)
        return;
    /* Errors are libcurl's to find: its read or write knows the reason. */
    if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_OUT;
    act(&engine->lanes[watch->multi], (int)(uint32_t)event->data.u64, what);
}

/* The flag is cleared before the work that the wake-up announces is looked at, so none is lost. */
static void take_wake(struct engine *engine)
{
    uint64_t count;

    if (read(engine->wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN && errno != EINTR)
        log_error("cannot read a wake-up", LOG_STR("error", strerror(errno)));
    atomic_store(&engine->wake_written, false);
}

void engine_wake(struct engine *engine)
{
    uint64_t one = 1;
    ssize_t written;

    if (atomic_exchange(&engine->wake_written, true))
        return;
    do
        written = write(engine->wake_fd, &one, sizeof(one));
    while (written == -1 && errno == EINTR);
}

/*
 * libcurl begins a request that was added when its timer is run, which comes last: a connection
 * that has gone bad is then known to be. Afterwards the caller looks for what is done before it
 * waits again, since an answer may have come at once.
 */
bool engine_turn(struct engine *engine, int64_t timeout_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    bool woken = false;
    int count;

    assert(timeout_ms >= 0);
    timeout_ms = shorten_to_timers(engine, timeout_ms);
    count = epoll_wait(engine->epoll_fd, events, EVENTS_PER_TURN, (int)timeout_ms);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == WAKE_TAG) {
            take_wake(engine);
            woken = true;
        } else {
            on_idle_event(engine, &events[i]);
        }
    }
    for (int i = 0; i < count; i++)
        on_event(engine, &events[i]);
    run_timers(engine);
    return woken;
}

CURL *engine_next_done(struct engine *engine, CURLcode *code)
{
    for (unsigned i = 0; i < engine->lane_count; i++) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(engine->lanes[i].multi, &left)) != NULL) {
            if (message->msg == CURLMSG_DONE) {
                *code = message->data.result;
                return message->easy_handle;
            }
        }
    }
    return NULL;
}

/* The lane that the affinity names, unless it is full: then the emptiest. */
static struct lane *choose_lane(struct engine *engine, uint64_t affinity)
{
    struct lane *best = &engine->lanes[affinity % engine->lane_count];

    if (best->in_flight < IN_FLIGHT_PER_MULTI)
        return best;
    for (unsigned i = 0; i < engine->lane_count; i++) {
        if (engine->lanes[i].in_flight < best->in_flight)
            best = &engine->lanes[i];
    }
    return best;
}

int engine_add(struct engine *engine, CURL *easy, uint64_t affinity, CURLMcode *code)
{
    struct lane *lane = choose_lane(engine, affinity);

    *code = curl_multi_add_handle(lane->multi, easy);
    if (*code != CURLM_OK)
        return -1;
    lane->in_flight++;
    return (int)lane->number;
}

void engine_remove(struct engine *engine, CURL *easy, int number)
{
    struct lane *lane = &engine->lanes[number];

    assert(lane->in_flight > 0);
    lane->in_flight--;
    curl_multi_remove_handle(lane->multi, easy);
}

/* Making and freeing. */

static int start_lane(struct engine *engine, unsigned number)
{
    struct lane *lane = &engine->lanes[number];

    *lane = (struct lane){.engine = engine, .number = number, .due_us = NEVER};
    lane->multi = curl_multi_init();
    if (lane->multi == NULL)
        return -1;
    /* Those in flight count too: past it, an answered connection closes the oldest idle one. */
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)ENGINE_MAX_CONNECTIONS);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, MAX_STREAMS);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    return 0;
}

static int open_descriptors(struct engine *engine)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_TAG};

    engine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->epoll_fd == -1 || engine->wake_fd == -1)
        return -1;
    return epoll_ctl(engine->epoll_fd, EPOLL_CTL_ADD, engine->wake_fd, &event);
}

struct engine *engine_create(unsigned max_in_flight, struct error *err)
{
    unsigned lanes = (max_in_flight + IN_FLIGHT_PER_MULTI - 1) / IN_FLIGHT_PER_MULTI;
    struct engine *engine = calloc(1, sizeof(*engine) + lanes * sizeof(engine->lanes[0]));

    assert(max_in_flight > 0);
    if (engine == NULL) {
        error_set(err, ERROR_NOMEM, "fetcher: out of memory");
        return NULL;
    }
    engine->epoll_fd = -1;
    engine->wake_fd = -1;
    atomic_init(&engine->wake_written, false);
    if (open_descriptors(engine) == -1) {
        error_set(err, ERROR_UNAVAILABLE, "fetcher: cannot open an epoll and an eventfd: %s",
                  strerror(errno));
        goto fail;
    }
    for (; engine->lane_count < lanes; engine->lane_count++) {
        if (start_lane(engine, engine->lane_count) == -1) {
            error_set(err, ERROR_NOMEM, "fetcher: out of memory for libcurl");
            goto fail;
        }
    }
    return engine;

fail:
    engine_free(engine);
    return NULL;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (unsigned i = 0; i < engine->lane_count; i++) {
        assert(engine->lanes[i].in_flight == 0);
        curl_multi_cleanup(engine->lanes[i].multi);
    }
    if (engine->wake_fd != -1)
        close(engine->wake_fd);
    if (engine->epoll_fd != -1)
        close(engine->epoll_fd);
    free(engine->watches);
    free(engine);
}
