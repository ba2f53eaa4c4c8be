/*
 * backoff.h - how patience grows: with the interval of a source that fails, with the attempts of a
 * run that is retried, with what the server asks for, and with how long it says its answer holds.
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

/* How long after its slot a run that succeeded needs no other; 0: nobody says so. */
int64_t backoff_fresh(const struct run *run);

/* What a server asks for, within reason: 0 to SCHEDULE_POSTPONE_CAP_MS. */
int64_t backoff_capped(int64_t wait_ms);

/* How long the next run has to wait because the server says so; 0: it does not. */
int64_t backoff_postponed(const struct run *run);

#endif
