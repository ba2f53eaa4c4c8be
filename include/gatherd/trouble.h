/*
 * trouble.h - what the log says of sources in trouble or held up: a line when it begins or changes
 * its kind, then one an hour, and a line when it is over. However often a failing source is polled,
 * it does not fill the log.
 */
#ifndef GATHERD_TROUBLE_H
#define GATHERD_TROUBLE_H

#include <stdint.h>

#include "gatherd/row.h"

enum trouble_line {
    TROUBLE_NO_LINE,
    TROUBLE_WELL_AGAIN,
    TROUBLE_REJECTING, /* the run is a success, but for some of its records */
    TROUBLE_FAILING,
};

/*
 * Which line the result of a run deserves at `now_ms` (monotonic, above 0); what has been said is
 * noted in the run.
 */
enum trouble_line trouble_next(const struct result *result, int64_t now_ms);

/* The same, and writes the line. */
void trouble_log(const struct result *result, int64_t now_ms);

/* What is to say of the runs of items: one line for all of a source. */
struct item_news {
    enum trouble_line line;
    size_t failing; /* items whose last run failed */
};

/* The run of an item is over, and this is to be said. */
void trouble_log_item(const struct result *result, const struct item_news *news);

/* A source begins to wait, and who shares `name` with it: say "rate_limit", "host" or "source". */
void trouble_log_hold(const struct source *source, const char *what, const char *name,
                      int64_t until_ms);

/* The line of a rate limit or host has become long. */
void trouble_log_line(const char *what, const char *name, uint64_t waiting, int64_t until_ms);

#endif
