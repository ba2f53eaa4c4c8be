/*
 * masks.h - what of a configuration is not to be shown.
 *
 * While a configuration is read for its dump, this notes each value that the operator gave and
 * whether a variable brought some of it, and each text that holds what a variable brought. All of
 * it lives until the end of the load.
 */
#ifndef CONFIG_MASKS_H
#define CONFIG_MASKS_H

#include "config/load.h"

#define MASK "***"

struct masks; /* opaque */

struct masks *masks_create(struct load *load); /* NULL: out of memory, reported */
void masks_free(struct masks *masks);          /* NULL is allowed */

/* --- While the files are read. --- */

/* The value of a variable, and a text with variables filled in beside the same with *** for them.
 */
void masks_variable(struct load *load, const char *value);
void masks_text(struct load *load, const struct text *text, const struct text *masked);

/* A key was given for the struct at `target`. */
void masks_note(struct load *load, const void *target, const struct key *key, bool tainted);

/* --- Afterwards. --- */

enum given_how {
    GIVEN_NOT, /* the value is a default, or follows from others */
    GIVEN_PLAIN,
    GIVEN_TAINTED,
};

/* How the value of a key came into the struct at `target`, for a source by its defaults too. */
enum given_how masks_given(const struct load *load, const void *target, const struct key *key);

/* What masks_text() noted beside the text; NULL: nothing. */
const char *masks_shown(const struct load *load, const char *string);

/*
 * Writes the text with *** for what may not be shown: what variables brought, user and password of
 * a URL, and the values of its parameters whose name speaks of a secret. `tainted`: some of it must
 * be hidden, so if no part is known to be, the whole is.
 */
void masks_write(const struct load *load, struct text *out, const char *string, bool tainted);

/* Whether a header or parameter of this name holds a secret: Authorization, X-Api-Key, ... */
bool is_secret_name(const char *name, size_t length);

#endif
