#include "cli/here.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int register_sources(struct store *store, const struct config *config, struct error *err)
{
    struct source_state *states = calloc(config->source_count + 1, sizeof(*states));
    int rc = -1;

    if (states == NULL)
        error_set(err, ERROR_NOMEM, "out of memory");
    else
        rc = store_register(store, config, states, err);
    source_states_free(states, states == NULL ? 0 : config->source_count);
    return rc;
}

struct store *here_open(const struct config *config, struct error *err)
{
    const struct store_options options = {.synchronous = config->synchronous};
    struct store *store;

    if (access(config->database, F_OK) == -1 && errno == ENOENT) {
        error_set(err, ERROR_UNAVAILABLE, "%s is not there yet: nothing has been polled",
                  config->database);
        return NULL;
    }
    store = store_open(config->database, &options, err);
    if (store == NULL || register_sources(store, config, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

static void say(void *context, const char *text)
{
    (void)context;
    fputs(text, stdout);
    fflush(stdout);
}

static void complain(void *context, const char *text)
{
    (void)context;
    fputs(text, stderr);
}

static bool is_over(void *context, int64_t wait_ms)
{
    const struct timespec timeout = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
    sigset_t waited;

    (void)context;
    sigemptyset(&waited);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    return sigtimedwait(&waited, NULL, &timeout) != -1;
}

struct replaying here_replaying(void)
{
    return (struct replaying){
        .say = say,
        .complain = complain,
        .is_over = is_over,
        .terminal = isatty(STDERR_FILENO) != 0,
    };
}
