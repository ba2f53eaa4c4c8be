/*
 * pages.h - where a run of many requests stands: one request a page, each after the commit of the
 * one before.
 *
 * A source with `pagination` gets a struct pages with its first request; the run owns it, and who
 * owns the run may touch it. The processor says which request follows, the schedule moves on to it
 * after the commit, the fetcher asks, the store counts. Nothing of a page but its counts outlives
 * its commit, so a run of any number of pages needs the memory of one.
 */
#ifndef GATHERD_PAGES_H
#define GATHERD_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/hash.h"
#include "gatherd/text.h"

/* The longest link or cursor. What a server sends back to us grows no further than this. */
#define PAGES_MAX_TEXT_BYTES (64u * 1024)

/* What some responses came to. */
struct tally {
    size_t bytes; /* of bodies */
    size_t records;
    size_t inserted;
    size_t updated;
    size_t unchanged;
    size_t filtered; /* left out by `where` */
    size_t deleted;
    size_t marked;
    size_t rejected;
    size_t child_rows; /* inserted, updated or removed in the tables of children */
};

void tally_add(struct tally *tally, const struct tally *more);

struct pages {
    /* The request at hand, set by the schedule. */
    unsigned number;  /* from 1 */
    char *text;       /* owned: the link as the server wrote it, or the cursor; NULL: none yet */
    int64_t position; /* page number, or offset */

    /* From the fetcher. */
    int64_t now_ms;         /* Unix time of the first page's request: {now} of all pages */
    char *url;              /* owned: that was asked last; what a relative link starts from */
    struct hash128 request; /* of all that was asked for */

    /* From the processor, about the response at hand. */
    bool more;       /* a page follows, and these are its text and position: */
    char *next_text; /* owned */
    int64_t next_position;
    struct hash128 exchange; /* of request and response: the same twice is a loop */

    /* From the schedule: exchanges before this one that a new one is held against. */
    struct hash128 last; /* the one before */
    struct hash128 mark; /* the one whose number was the last power of two */

    /* From the store, after a commit. */
    int64_t run_id;     /* of the run's row; 0: nothing of it is in the database */
    struct tally tally; /* of the pages committed */
    unsigned requests;  /* sent for them */
    int64_t fetched_ms; /* Unix time, of the last one: no two pages of a run have the same */
    bool gaps;          /* some of their records are not known: the walk cannot tell what is gone */
};

/* For the first request of a source with pagination. NULL: out of memory. */
struct pages *pages_create(const struct pagination *pagination);
void pages_free(struct pages *pages); /* NULL is allowed */

/* Notes what follows the response at hand, or that nothing does. 0, or -1: out of memory. */
int pages_follow(struct pages *pages, struct slice text, int64_t position);
void pages_end(struct pages *pages);

/* The request that follows becomes the one at hand. */
void pages_advance(struct pages *pages);

/* Whether this exchange has been before: the one before, or some way back in a longer circle. */
bool pages_repeat(const struct pages *pages, struct hash128 exchange);

#endif
