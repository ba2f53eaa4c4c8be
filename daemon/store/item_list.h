/*
 * item_list.h - the items of a source with for_each, read from the database.
 *
 * On a connection of its own that can only read, so that a slow statement keeps no commit waiting.
 */
#ifndef GATHERD_STORE_ITEM_LIST_H
#define GATHERD_STORE_ITEM_LIST_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/items.h"
#include "store/sqlite.h"

/*
 * The items of source->for_each, which is sql or source, with one reference; not sealed. NULL with
 * why, in words for people. `alive` is called now and then while it takes time; NULL: nobody asks.
 */
struct items *item_list_read(sqlite3 *db, const struct source *source, void (*alive)(void *),
                             void *context, struct error *err);

#endif
