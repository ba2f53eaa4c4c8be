/*
 * draft.h - one HTTP request as values, before libcurl is told about it.
 *
 * The parts that make a request (the source's own words, the page a run has come to, validators,
 * authorization) each put theirs in, and the later one wins; draft_finish() comes last. Everything
 * is kept in an arena; memory that runs out is noted and asked for once, at the end.
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

/* What the request carries. */
enum draft_body {
    DRAFT_NO_BODY,
    DRAFT_TEXT,
    DRAFT_JSON, /* body holds a JSON document */
    DRAFT_FORM, /* form holds the fields; draft_finish() writes the body */
};

struct draft {
    struct arena *arena; /* borrowed; holds all that follows */
    const char *url;     /* without the params; may have a query of its own */
    struct draft_list params;
    struct draft_list headers;
    const char *method; /* "GET" unless it was set */
    enum draft_body carries;
    struct slice body;
    struct draft_list form;
    const char *username; /* for a digest, which libcurl makes; NULL: none */
    const char *password;
    const char *problem; /* why it cannot be made, in words without values; NULL: it can */
    bool failed;         /* out of memory */
};

/* An empty request to that URL; names and values given later are copied. */
void draft_start(struct draft *draft, struct arena *arena, const char *url);

void draft_add_param(struct draft *draft, const char *name, const char *value);
void draft_add_header(struct draft *draft, const char *name, const char *value);

/*
 * In the place of those that have this name (of headers whatever their case; of params those in the
 * URL's own query, too).
 */
void draft_set_param(struct draft *draft, const char *name, const char *value);
void draft_set_header(struct draft *draft, const char *name, const char *value);

void draft_drop_header(struct draft *draft, const char *name);

/* The value of a header, whatever the case of its name; NULL: none so far. */
const char *draft_header(const struct draft *draft, const char *name);

/* `method` is borrowed for the life of the draft. */
void draft_set_method(struct draft *draft, const char *method);

/* DRAFT_TEXT or DRAFT_JSON. */
void draft_set_body(struct draft *draft, enum draft_body carries, const char *text);

/* The request carries a form, so far with no fields. */
void draft_set_form(struct draft *draft);
void draft_add_field(struct draft *draft, const char *name, const char *value);
void draft_drop_field(struct draft *draft, const char *name);

/*
 * Sets one value in what the request carries, in the place of those that have this name: a field of
 * a form, or a member of a JSON object, where dots lead into objects within ("variables.after")
 * that are made if need be. `is_number`: JSON gets it without quotes. False: it carries text, or
 * JSON that is no object.
 */
bool draft_set_body_param(struct draft *draft, const char *name, const char *value, bool is_number);

/* The request carries nothing any more and is a GET: what 303 and its like ask for. */
void draft_make_get(struct draft *draft);

/* Writes a form's body, and says what the body is where no header does. */
void draft_finish(struct draft *draft);

/* The request cannot be made; the first reason is kept. */
void draft_refuse(struct draft *draft, const char *problem);

/* Answers a challenge for a digest (RFC 7616). */
void draft_set_digest(struct draft *draft, const char *username, const char *password);

/* Appends the URL with the params behind it, percent-encoded (RFC 3986), without a fragment. */
void draft_write_url(const struct draft *draft, struct text *out);

#endif
