/*
 * views.h - the views of the configuration, as they are in the database.
 */
#ifndef GATHERD_STORE_VIEWS_H
#define GATHERD_STORE_VIEWS_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/outcome.h"
#include "store/sqlite.h"

/*
 * Makes, changes and removes views until they are those of the configuration; a view that people
 * made is left alone. ERROR_UNAVAILABLE: something else has the name of one.
 */
int views_fit(sqlite3 *db, const struct config *config, const struct moment *moment,
              struct error *err);

#endif
