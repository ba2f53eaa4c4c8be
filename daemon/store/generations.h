/*
 * generations.h - _gatherd_generations: which mapping of a source was in force from when.
 *
 * A generation begins when a source is configured with other keys that make its rows (records,
 * fields, table ...) than before. Dead letters name the one that refused them.
 */
#ifndef GATHERD_STORE_GENERATIONS_H
#define GATHERD_STORE_GENERATIONS_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/sqlite.h"

struct generations {
    sqlite3_stmt *latest;
    sqlite3_stmt *add;
};

int generations_open(struct generations *generations, sqlite3 *db, struct error *err);
void generations_close(struct generations *generations);

/* The source is configured so from now on. */
int generations_register(struct generations *generations, const struct source *source,
                         const char *now, struct error *err);

#endif
