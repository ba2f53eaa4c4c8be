/*
 * names.h - from members of records to names of columns.
 *
 * A name stays the API's own: letters, digits, `_` and everything beyond ASCII are kept, any other
 * run of characters becomes one `_`, a leading digit gets one before it. SQLite ignores the case of
 * ASCII letters in names, so names are compared and hashed here the same way.
 */
#ifndef GATHERD_STORE_NAMES_H
#define GATHERD_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/text.h"

/*
 * A column's name is cut here: every connection holds the schema in memory, and what a remote side
 * may put there has a limit. Room is left for a suffix.
 */
#define NAME_MAX_BYTES 255
#define NAME_SIZE      (NAME_MAX_BYTES + 24)

/* Columns that gatherd adds to each table; members of these names get a suffix. */
#define COLUMN_RUN_ID     "_run_id"
#define COLUMN_FETCHED_AT "_fetched_at"

/* The column name for a member, before collisions are looked at. Returns its length. */
size_t name_from_member(struct slice member, char name[NAME_SIZE]);

/* Bytes of the well-formed UTF-8 character at `p`, 0: none. */
size_t utf8_length(const unsigned char *p, size_t left);
bool utf8_valid(const char *data, size_t length);

bool name_same(const char *a, const char *b); /* ASCII case ignored */
uint64_t name_hash(const char *name);

/* Appends an identifier in double quotes. */
void name_quote(struct text *sql, const char *name);

#endif
