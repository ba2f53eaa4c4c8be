/*
 * debug_log.h - what the log says at level debug (`gatherd run --verbose`): each run, each attempt
 * that is made again, and what a reload changes. No line holds a URL, a header or a body.
 */
#ifndef GATHERD_DEBUG_LOG_H
#define GATHERD_DEBUG_LOG_H

#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/row.h"

/* One run that is committed, in the words and counts of _gatherd_runs. */
void debug_log_run(const struct result *result);

/* One page that is committed and that another one follows. */
void debug_log_page(const struct result *result);

/* A request failed and is made again after `delay_ms`; the run still holds the reason. */
void debug_log_retry(const struct run *run, int64_t delay_ms);

/* Each source that came, went or changed, and each limit and number of threads that did. */
void debug_log_reload(const struct config *old, const struct config *new);

#endif
