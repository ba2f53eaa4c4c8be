/*
 * here.h - work on the database by a command itself, when no daemon has it.
 */
#ifndef GATHERD_CLI_HERE_H
#define GATHERD_CLI_HERE_H

#include "cli/replaying.h"
#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/store.h"

/*
 * Takes and opens the database of a configuration, whose sources it registers. NULL: nothing has
 * been polled yet, or why it cannot be opened.
 */
struct store *here_open(const struct config *config, struct error *err);

/* Says things on our own streams, and stops for SIGINT and SIGTERM, which main() blocked. */
struct replaying here_replaying(void);

#endif
