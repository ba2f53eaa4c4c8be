/*
 * here.h - work on the database by a command itself, when no daemon has it.
 */
#ifndef GATHERD_CLI_HERE_H
#define GATHERD_CLI_HERE_H

#include "cli/replaying.h"
#include "gatherd/config.h"

/*
 * As replaying_run() and replaying_drop(), with the database of the configuration, whose sources
 * are registered. Says things on our own streams, and stops for SIGINT and SIGTERM, which main()
 * blocked.
 */
int here_replay(struct config *config, struct replay_wish *wish);
int here_drop(const struct config *config, const struct letter_choice *choice);

#endif
