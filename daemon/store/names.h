/*
 * names.h - names of columns and tables in SQL; where they come from: column_name.h.
 */
#ifndef GATHERD_STORE_NAMES_H
#define GATHERD_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/column_name.h"
#include "gatherd/text.h"

/* Columns that gatherd adds to tables: the first two to each. Members of these names get a suffix.
 */
#define COLUMN_RUN_ID        "_run_id"
#define COLUMN_FETCHED_AT    "_fetched_at"
#define COLUMN_MISSING_SINCE "_missing_since"
#define COLUMN_VALID_FROM    "_valid_from"
#define COLUMN_VALID_TO      "_valid_to"
#define COLUMN_CHANGED       "_changed"

bool name_is_own(const char *name); /* one of these */

uint64_t name_hash(const char *name); /* ASCII case ignored */

/* Appends an identifier in double quotes. */
void name_quote(struct text *sql, const char *name);

#endif
