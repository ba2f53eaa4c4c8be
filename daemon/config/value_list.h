/*
 * value_list.h - what the readers of list-like values share.
 *
 * An alias brings one item to many sources: it is read once, and its array serves them all.
 */
#ifndef CONFIG_VALUE_LIST_H
#define CONFIG_VALUE_LIST_H

#include "config/load.h"

/* True when the item was read for this key before: then it is done, and `*good` says how. */
bool reuse_list(const struct key *key, const struct item *item, void *target, bool *good);

/* Whether it was read before and has a mistake. */
bool is_bad_list(const struct item *item);

/* Stores the array and remembers it with the item. Returns `good`. */
bool finish_list(const struct key *key, struct item *item, void *target, const void *array,
                 size_t count, bool good);

/* Elements of a list, entries of a mapping, 1 for a scalar. */
size_t count_entries(const struct item *item);

/* Element `i` of a list that is long enough; of a scalar, which is a list of one, itself. */
struct item *list_element(struct item *list, size_t i);

/* False when the item is no mapping; else its duplicates and merges are done. */
bool require_mapping(struct load *load, const struct where *where, const struct key *key,
                     struct item *item);

/* A copy in lower case (ASCII), in the arena of the items; NULL: out of memory. */
char *lower_copy(struct load *load, const char *text, size_t length);

#endif
