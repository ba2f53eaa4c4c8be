/*
 * backoff.h - how patience grows: with the interval of a source that fails, with the attempts of a
 * run that is retried, and with what the server asks for.
 */
#ifndef GATHERD_SCHEDULE_BACKOFF_H
#define GATHERD_SCHEDULE_BACKOFF_H

#include <stdint.h>

#include "gatherd/run.h"
#include "schedule/random.h"

/* The interval, doubled for each failed run in a row up to max_interval, never below itself. */
int64_t backoff_interval(const struct source *source, unsigned failures);

/* The answer of schedule_retry_delay(). */
int64_t backoff_retry_delay(const struct run *run, struct random *random);

/* How long the next run has to wait because the server says so; 0: it does not. */
int64_t backoff_postponed(const struct run *run);

#endif
