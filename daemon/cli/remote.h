/*
 * remote.h - commands that the daemon has to carry out while it runs, from both ends: what it
 * answers, and how a command asks.
 */
#ifndef GATHERD_CLI_REMOTE_H
#define GATHERD_CLI_REMOTE_H

#include "gatherd/control.h"
#include "gatherd/steer.h"

/* control_answer_fn of the daemon; `context` is its struct steer. */
int remote_answer(void *context, struct control_call *call, size_t count, const char *const *words);

/*
 * Has the daemon of this database answer, if one runs. True: `*status` is the exit status, and all
 * is said. False: no daemon has the database.
 */
bool remote_ask(const char *database, size_t count, const char *const *words, int *status);

#endif
