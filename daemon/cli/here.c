#include "cli/here.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "gatherd/log.h"
#include "gatherd/store.h"

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

/* NULL: nothing has been polled yet, or why it cannot be opened. */
static struct store *open_store(const struct config *config, struct error *err)
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

static struct replaying on_our_streams(void)
{
    return (struct replaying){
        .say = say,
        .complain = complain,
        .is_over = is_over,
        .terminal = isatty(STDERR_FILENO) != 0,
    };
}

/* NULL: `*status` is the exit status, and why has been said. */
static struct store *begin(const struct config *config, int *status)
{
    struct error err = {0};
    struct store *store;

    log_set_level(LOG_LEVEL_WARNING);
    store = open_store(config, &err);
    if (store == NULL)
        *status = command_failed(&err);
    return store;
}

int here_replay(struct config *config, struct replay_wish *wish)
{
    const struct replaying replaying = on_our_streams();
    int status;
    struct store *store = begin(config, &status);

    if (store == NULL)
        return status;
    status = replaying_run(&replaying, store, config, wish);
    store_close(store);
    return status;
}

int here_drop(const struct config *config, const struct letter_choice *choice)
{
    const struct replaying replaying = on_our_streams();
    int status;
    struct store *store = begin(config, &status);

    if (store == NULL)
        return status;
    status = replaying_drop(&replaying, store, choice);
    store_close(store);
    return status;
}
