/*
 * template.h - text with placeholders for values that are known only when a request is made.
 *
 * {NAME} and {NAME:FORMAT} stand for a value; NAME is letters, digits and _, and may have a member
 * behind a dot, as in {item.id}. {{ stands for the character {. A brace before anything else is
 * itself, so that JSON and most query languages need no escapes; } outside of a placeholder always
 * is. Of a name that nobody knows, followed by a colon, only what looks like a format (a letter or
 * % comes next) makes a placeholder: {id: 5} and {first:10} are text.
 *
 * A template is kept as its text: it is checked when the configuration is loaded and read again, in
 * one pass, when it is rendered. Thousands of values without a placeholder so cost what text costs.
 *
 * Formats of times: unix (seconds), unix_ms, rfc3339 (in UTC, whole seconds; the default), date
 * (2026-01-31), or a pattern of strftime(3), which has a % in it. What is cut off is not rounded,
 * so that the end of one window is the beginning of the next.
 *
 * Pure functions; any thread.
 */
#ifndef GATHERD_TEMPLATE_H
#define GATHERD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/text.h"

enum template_name {
    TEMPLATE_SCHEDULED_AT,
    TEMPLATE_PREVIOUS_SCHEDULED_AT,
    TEMPLATE_NOW,
    TEMPLATE_CURSOR,
    TEMPLATE_CURSOR_END,
    TEMPLATE_ITEM, /* {item.NAME}, or {item} */
    TEMPLATE_UNKNOWN,
};

/* "scheduled_at", "item", ...; not for TEMPLATE_UNKNOWN. */
const char *template_name_text(enum template_name name);

/* "unix", ...: the formats of times that have a name; NULL ends the list. */
extern const char *const template_formats[];

/* One placeholder; the slices are borrowed from the text. */
struct placeholder {
    enum template_name name;
    size_t offset;       /* of its brace in the text, in bytes */
    struct slice whole;  /* with its braces; one that is not closed goes to the end of the text */
    struct slice word;   /* the name as it is written, "item" of {item.id} */
    struct slice member; /* "id"; data is NULL where there is no dot */
    struct slice format; /* data is NULL where there is no colon */
    bool closed;
};

/* Finds the next placeholder at or after `*place`, which begins at 0 and is moved behind it. */
bool template_next(struct slice text, size_t *place, struct placeholder *found);

/*
 * 0, or -1 with what is wrong with a placeholder, in words that go behind it: `is not closed; ...`.
 * Which values there are in the place where it stands is for the caller to say.
 */
int template_check(const struct placeholder *placeholder, struct error *err);

/* Whether its text depends on where the time is told: a date, or a pattern. */
bool template_is_local(const struct placeholder *placeholder);

/*
 * Whether text that goes on behind `text` could be part of a placeholder that begins in it. What is
 * put together from a template and from words of others asks this at each seam.
 */
bool template_is_open(struct slice text);

/* Appends text of others to a template, so that rendering gives it back as it is. */
void template_add_literal(struct text *template, const char *data, size_t length);

/* What a value is put into; it can never become structure there. */
enum template_escape {
    TEMPLATE_PLAIN,  /* as it is, but without a NUL */
    TEMPLATE_HEADER, /* as it is, but without control characters */
    TEMPLATE_URL,    /* percent-encoded, but for letters, digits and -._~ (RFC 3986, 2.3); the text
                        is a URL, and no value makes a part of its path . or .. */
    TEMPLATE_QUERY,  /* percent-encoded in the same way; the text is a query or a form */
    TEMPLATE_JSON,   /* inside of a JSON string: quotes, backslashes and controls escaped */
};

struct template_value {
    bool is_time;
    int64_t at_ms;     /* is_time: Unix time ... */
    int64_t offset_ms; /* ... and what local time there is ahead of UTC: for date and patterns */
    struct slice text; /* otherwise */
};

/* Fills `value` for a placeholder; text is borrowed until the next call. False: there is none. */
typedef bool template_find_fn(const void *context, const struct placeholder *placeholder,
                              struct template_value *value);

/*
 * Appends the text with its values. Only they are escaped: what is written is what is meant. -1,
 * with an error that does not show the value, when one is missing or cannot stand there. Memory
 * that runs out is noted in `out`.
 */
int template_render(struct slice text, enum template_escape escape, template_find_fn *find,
                    const void *context, struct text *out, struct error *err);

/* The text is what rendering makes of it: it holds no brace at all. */
bool template_is_constant(const char *text);

#endif
