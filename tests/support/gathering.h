/*
 * gathering.h - a configuration in YAML and answers by hand, through processing and the store into
 * a database: what the two make of each other.
 */
#ifndef GATHERD_TEST_GATHERING_H
#define GATHERD_TEST_GATHERING_H

#include "gatherd/arena.h"
#include "gatherd/computer.h"
#include "gatherd/config.h"
#include "gatherd/row.h"
#include "store_rig.h"

struct gathering {
    struct rig *rig;
    struct config *config;
    struct arena *arena;
    struct computer *computer;
    struct run run;       /* of the first source */
    struct result result; /* of the last answer */
};

/* `source`: YAML of its keys but name (t) and url, as in "primary_key: id\n". */
struct gathering *gathering_create(const char *source);
void gathering_free(struct gathering *g); /* NULL is allowed */

/* From now on the source has these keys, as after a reload. */
void gathering_configure(struct gathering *g, const char *source);

/* A run with this body as its answer; it must be a success. */
void gathering_take(struct gathering *g, const char *body);

/* The same, whatever becomes of it: the transaction's status. The body lives until the next one. */
enum store_status gathering_try(struct gathering *g, const char *body, struct error *err);

/* The two halves of it: an answer is processed, and what has become of it is committed. */
void gathering_answer(struct gathering *g, const char *body);
enum store_status gathering_commit(struct gathering *g, struct error *err);

/* A page of a run, of a source with pagination, that others follow. */
void gathering_take_page(struct gathering *g, const char *body);

/* The page at hand fails, and its run with it. */
void gathering_fail_page(struct gathering *g);

#endif
