/*
 * regexp.h - the regular expressions of match() and search(): I-Regexp (RFC 9485), run by PCRE2.
 *
 * What is not I-Regexp is refused by a reader of our own, which writes the pattern for PCRE2 anew,
 * so that nothing PCRE2 has beyond the RFC can be reached. As in the RFC's own mappings (5.4) an
 * unescaped ^ or $ is the beginning or end of the text.
 *
 * PCRE2 goes back and forth, so a text made for it could keep it busy for years. Every item of a
 * pattern therefore counts the steps it takes and the characters it passes; what a match may take
 * is given to it.
 */
#ifndef GATHERD_DOCUMENT_REGEXP_H
#define GATHERD_DOCUMENT_REGEXP_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/error.h"
#include "gatherd/text.h"

struct regexp; /* opaque, immutable: any number of threads may use it at once */

enum regexp_extent {
    REGEXP_WHOLE, /* matches a text as a whole */
    REGEXP_PART,  /* matches any part of it */
};

/*
 * NULL: `text` is no I-Regexp, or out of memory (ERROR_NOMEM). err->text says what is wrong,
 * without a position, and `*offset` is the byte of `text` it is about.
 */
struct regexp *regexp_compile(struct slice text, enum regexp_extent extent, size_t *offset,
                              struct error *err);

void regexp_free(struct regexp *regexp); /* NULL is allowed */

/* Writes an I-Regexp as a pattern of PCRE2. -1 as regexp_compile(). */
int regexp_translate(struct slice text, struct text *pattern, size_t *offset, struct error *err);

/* What one thread needs to run them: lies in its arena, and nothing has to be freed. */
struct regexp_runner; /* opaque */

struct regexp_runner *regexp_runner_create(struct arena *arena); /* NULL: out of memory */

enum regexp_result {
    REGEXP_NO_MATCH,
    REGEXP_MATCH,
    REGEXP_NOMEM,
    REGEXP_TOO_LONG, /* more steps than there are left, or more memory than a match may have */
};

/* Takes what it needs from `*steps`. `subject` that is not UTF-8 matches nothing. */
enum regexp_result regexp_run(struct regexp_runner *runner, const struct regexp *regexp,
                              struct slice subject, uint64_t *steps);

/* The same with an expression that came with the data; one that is no I-Regexp matches nothing. */
enum regexp_result regexp_run_text(struct regexp_runner *runner, struct slice text,
                                   enum regexp_extent extent, struct slice subject,
                                   uint64_t *steps);

#endif
