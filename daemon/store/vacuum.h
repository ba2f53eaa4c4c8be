/*
 * vacuum.h - free pages of the database, given back to the file system little by little.
 */
#ifndef GATHERD_STORE_VACUUM_H
#define GATHERD_STORE_VACUUM_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "store/sqlite.h"

struct vacuum {
    int64_t due_ms; /* monotonic */
    bool working;   /* until a tenth of the pages is free */
    int64_t pages;  /* of the next step; 0: not yet known */
};

/* One step, if more than a quarter of the database is free; `*more`: another one is due at once. */
int vacuum_step(struct vacuum *vacuum, sqlite3 *db, bool *more, struct error *err);

#endif
