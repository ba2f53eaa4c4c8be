/*
 * missing.h - the end of a complete walk: what it did not bring is removed or marked.
 *
 * A walk that would take away more than max_shrink of the table is refused: APIs that answer with
 * an empty or a short list on a bad day must not empty the table.
 */
#ifndef GATHERD_STORE_MISSING_H
#define GATHERD_STORE_MISSING_H

#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "store/outcome.h"
#include "store/schema.h"
#include "store/sqlite.h"

struct missing {
    sqlite3 *db;
    struct schema *schema;
    const struct result *result;
    struct outcome *outcome;
    const char *time; /* of the walk's last response */
};

/*
 * Whether rows of the table are among the missing, told by numbers alone: more are there than the
 * response brought. 1, 0 or -1. For walks of one response.
 */
int missing_any(const struct missing *missing, struct error *err);

/* Removes or marks the rows whose keys the run has not seen. -1 with ERROR_FAILED: not allowed. */
int missing_settle(const struct missing *missing, struct error *err);

/* 0 unless `old` rows must not become `new` ones: then ERROR_FAILED. */
int missing_check_shrink(const struct mapping *mapping, struct outcome *outcome, int64_t old,
                         int64_t new, struct error *err);

#endif
