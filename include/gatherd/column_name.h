/*
 * column_name.h - from members of records to names of columns.
 *
 * A name stays the API's own: letters, digits, `_` and everything beyond ASCII are kept, any other
 * run of characters becomes one `_`, a leading digit gets one before it. SQLite ignores the case of
 * ASCII letters in names, so names are compared here the same way.
 */
#ifndef GATHERD_COLUMN_NAME_H
#define GATHERD_COLUMN_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/text.h"

/*
 * A column's name is cut here: every connection holds the schema in memory, and what a remote side
 * may put there has a limit. Room is left for a suffix.
 */
#define NAME_MAX_BYTES 255
#define NAME_SIZE      (NAME_MAX_BYTES + 24)

/* The column name for a member, before collisions are looked at. Returns its length. */
size_t name_from_member(struct slice member, char name[NAME_SIZE]);

bool name_same(const char *a, const char *b); /* ASCII case ignored */

/* Bytes of the well-formed UTF-8 character at `p`, 0: none. */
size_t utf8_length(const unsigned char *p, size_t left);
bool utf8_valid(const char *data, size_t length);

#endif
