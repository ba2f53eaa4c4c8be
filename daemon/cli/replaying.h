/*
 * replaying.h - a replay from its first step to its last, and what is said of it: the same where
 * the daemon does it for a command and where the command does it itself.
 */
#ifndef GATHERD_CLI_REPLAYING_H
#define GATHERD_CLI_REPLAYING_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/replay.h"
#include "gatherd/store.h"

/* Where it is said. */
struct replaying {
    void *context;
    void (*say)(void *context, const char *text);      /* on standard output */
    void (*complain)(void *context, const char *text); /* on standard error */
    bool (*is_over)(void *context, int64_t wait_ms);   /* whether to stop; waits for that */
    bool terminal; /* standard error is one: how far it is shows there, in one line */
    bool polite;   /* live answers are committed meanwhile: they get as much time */
};

/* Carries the wish out, whose `failed` is set here. Returns the exit status. */
int replaying_run(const struct replaying *replaying, struct store *store, struct config *config,
                  struct replay_wish *wish);

/* Removes dead letters and says how many. Returns the exit status. */
int replaying_drop(const struct replaying *replaying, struct store *store,
                   const struct letter_choice *choice);

#endif
