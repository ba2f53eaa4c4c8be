/*
 * draft.h - one HTTP request as values, before libcurl is told about it.
 *
 * The parts that make a request (the source's own words, the page a run has come to, validators,
 * authorization) each put theirs in, and the later one wins. Everything is kept in an arena; memory
 * that runs out is noted and asked for once, at the end.
 */
#ifndef GATHERD_FETCH_DRAFT_H
#define GATHERD_FETCH_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/text.h"

struct draft_list {
    struct name_value *items;
    size_t count;
    size_t capacity;
};

struct draft {
    struct arena *arena; /* borrowed; holds all that follows */
    const char *url;     /* without the params; may have a query of its own */
    struct draft_list params;
    struct draft_list headers;
    bool failed; /* out of memory */
};

/* An empty request to that URL; names and values given later are copied. */
void draft_start(struct draft *draft, struct arena *arena, const char *url);

void draft_add_param(struct draft *draft, const char *name, const char *value);
void draft_add_header(struct draft *draft, const char *name, const char *value);

/* In the place of those that have this name (of headers whatever their case). */
void draft_set_param(struct draft *draft, const char *name, const char *value);
void draft_set_header(struct draft *draft, const char *name, const char *value);

/* Appends the URL with the params behind it, percent-encoded (RFC 3986), without a fragment. */
void draft_write_url(const struct draft *draft, struct text *out);

#endif
