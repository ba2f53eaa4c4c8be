/*
 * run.h - one execution of one source: the only thing that travels between the stages.
 *
 * It is one request with its retries, or, with `pagination`, one such request a page (pages.h).
 * A source with for_each has a round, a run without a request that finds what items there are, and
 * a run for each item. What is said here of a source holds for the round and for each item.
 *
 * A source has exactly one struct run, made by the schedule and kept for the life of the source,
 * and exactly one stage owns it at a time: schedule, fetcher, queue, processor. Two polls of one
 * source cannot overlap by construction, and no field needs a lock: the hand-over between stages
 * orders them.
 */
#ifndef GATHERD_RUN_H
#define GATHERD_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"
#include "gatherd/items.h"
#include "gatherd/pages.h"
#include "gatherd/position.h"
#include "gatherd/run_state.h"
#include "gatherd/text.h"

/* Why a run failed: the column `failure` of _gatherd_runs. */
enum run_failure {
    RUN_OK = 0,
    RUN_FAILED_NETWORK,  /* resolving, connecting, or a connection that broke or sent no HTTP */
    RUN_FAILED_TIMEOUT,  /* connect_timeout or timeout passed */
    RUN_FAILED_TLS,      /* handshake or certificate */
    RUN_FAILED_STATUS,   /* an HTTP status that is not in success_status_codes */
    RUN_FAILED_LIMIT,    /* body or headers larger than allowed */
    RUN_FAILED_REDIRECT, /* too many, without a target, or to where we do not go */
    RUN_FAILED_DECODE,   /* the body is not what `format` says */
    RUN_FAILED_RECORDS,  /* `records` selects nothing, or no records */
    RUN_FAILED_STORE,    /* the table could not take them */
    RUN_FAILED_POSITION, /* the saved position does not go with the configuration */
    RUN_FAILED_AUTH,     /* a secret cannot be read, or no token is to be had */
    RUN_FAILED_ITEMS,    /* the items of for_each cannot be found */
    RUN_FAILED_PAGES,    /* the way to the next page is broken, refused or leads in a circle */
    RUN_FAILED_SHRINK,   /* it would have taken away more of the table than max_shrink allows */
    RUN_FAILED_REQUEST,  /* no request can be made: a value is missing or cannot stand in its place
                          */
};

/* "network", "timeout", ...; NULL for RUN_OK. */
const char *run_failure_name(enum run_failure failure);

/* Where the time of the last request went, in microseconds from its start; 0: did not happen. */
struct run_timing {
    int64_t dns_us;
    int64_t connect_us;
    int64_t tls_us;
    int64_t first_byte_us;
    int64_t total_us;
};

struct response {
    int status;           /* HTTP status; 0: none came */
    char *url;            /* owned; of the request that was answered, bare (bare_url.h); or NULL */
    char *content_type;   /* owned; NULL: no such header */
    struct text head;     /* owned: "Name: value\n" for each header of the final answer */
    char *body;           /* owned, with a NUL behind it; NULL: none */
    size_t body_bytes;    /* decoded */
    size_t body_capacity; /* fetcher only */
};

/*
 * What is run again without a request: a body that was kept, or a dead letter. Its rows are those
 * of the run that fetched it.
 */
struct replayed {
    int64_t run_id;
    int64_t fetched_ms;    /* Unix time: the _fetched_at of its rows */
    unsigned page;         /* of its run, from 1; 0: it had no pagination */
    size_t records_before; /* of its run, in the responses before */
    bool more;             /* a page of the same run follows */
    bool aside;            /* into another table: dead letters stay as they are */
    int64_t letter_id; /* the dead letter, which goes when all of it is stored; 0: a kept body */
    bool is_record;    /* the letter is one record */

    /* From store_commit(): why the first record was refused; "": none was. */
    char reason[300];
};

struct run {
    /* Set by the schedule when it hands the run out; the reference keeps `source` alive. */
    struct config *config; /* owned reference; kept between two attempts, NULL between two runs */
    const struct source *source;
    int64_t source_id;      /* the store's, in _gatherd_sources */
    struct run_state state; /* what the last committed run left; kept between two runs */
    bool silent;            /* it has nothing to ask for: it goes on without a request */
    bool again;             /* with incremental: its window is done, and the next may follow */

    /* With for_each: which item, kept between two runs. NULL: a source's own run, or its round. */
    const struct source_item *item; /* in ... */
    struct items *items;            /* ... this list; owned reference, NULL where `item` is */

    struct replayed *replayed; /* borrowed; NULL: the run asks for what is there now */

    /* This execution, from the schedule ... */
    int64_t scheduled_at_ms;          /* Unix time of its slot */
    int64_t previous_scheduled_at_ms; /* of the slot of the last successful run; before the first,
                                         of the slot before this one */
    unsigned attempt;                 /* requests tried before this one for this page */

    /* The source has pagination and a request was made; owned, NULL between two runs. */
    struct pages *pages;

    /* ... from the fetcher ... */
    unsigned requests;     /* sent, redirects and retries included */
    int64_t started_at_ms; /* Unix time of the first request; 0: none yet */
    struct run_timing timing;
    struct response response;
    enum run_failure failure;
    bool retryable;
    bool ignored;      /* `responses` says that the answer is a success without rows */
    bool conditional;  /* the request said which answer we have, so that 304 may be said of it */
    bool not_modified; /* the answer is the one we have: a 304, or with skip_unchanged its body */
    char *error;       /* owned text for people, no secrets; NULL when RUN_OK */
    struct validators *learned; /* owned: of this answer; they take effect with its commit */
    int64_t retry_after_ms;     /* what the server asked for, from the answer on; -1: nothing */
    int64_t quota_wait_ms;      /* until the server grants more requests, by `quota`; -1: goes on */
    int64_t fresh_ms;           /* with respect_cache: how long the answer holds; 0: not a moment */
    int64_t received_mono_us;   /* when the fetcher was through, for the time in the queue */
    struct found_items *found;  /* owned: what a round has found, from the processor; or NULL */

    /* ... and from schedule_plan(), before the commit. */
    int64_t next_due_ms;    /* Unix time */
    int64_t refused_due_ms; /* the same, should the table not take the run */
    unsigned failures;      /* failed runs in a row, this one included; 0 after a success */
    unsigned skipped;       /* slots this run made us miss */
    int64_t logged_at_ms;   /* trouble.h only: monotonic time of the last line; 0: it is well */
    bool logged_failing;    /* ... whether that line was about failing, or about rejected records */
};

/* Saved state of one source, as the last committed run left it. */
struct source_state {
    int64_t id;              /* of its row in _gatherd_sources */
    int64_t next_due_ms;     /* Unix time; -1: it never ran */
    int64_t added_ms;        /* Unix time of its first configuration; 0: not known */
    int64_t success_slot_ms; /* Unix time, of the slot of the last successful run; 0: none */
    unsigned failures;       /* failed runs in a row */
    struct run_state state;  /* owned */
};

/* Frees an array of them and what they own. NULL is allowed. */
void source_states_free(struct source_state *states, size_t count);

/* What a round finds: the items there are, and the saved state of each. */
struct found_items {
    struct items *items;         /* owned reference */
    struct source_state *states; /* owned; one for each */
};

void found_items_free(struct found_items *found); /* NULL is allowed */

/* The key of the run's item; "": it is no item's. */
const char *run_item_key(const struct run *run);

/* The run's item as a log may show it: its key, cut; NULL: it is no item's. */
#define RUN_ITEM_SIZE 96
const char *run_item(const struct run *run, char text[RUN_ITEM_SIZE]);

/* Whether the run makes no request, but finds the items of its source. */
bool run_is_round(const struct run *run);

/*
 * Finds a header whatever the case of its name: the first after `*place`, which begins at 0 and is
 * moved on. The value is without blanks at its ends, and borrowed from the response. False: there
 * is none, or no more.
 */
bool response_header(const struct response *response, const char *name, size_t *place,
                     struct slice *value);

/* Frees what the answer owns and forgets it: ready for the next request. */
void run_clear_response(struct run *run);

/* The page of the request at hand, from 1; 0: its source has no pagination. */
unsigned run_page(const struct run *run);

/* The row of an unfinished run in _gatherd_runs, or 0: nothing of it is in the database. */
int64_t run_unfinished_id(const struct run *run);

/* Marks the run as failed with a text for people; the first reason is kept. */
void run_fail(struct run *run, enum run_failure failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
