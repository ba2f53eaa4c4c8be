#include "gatherd/run_state.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/position.h"

/* Copies a slice to `place` and moves it behind; an empty one is NULL. */
static char *put(char **place, struct slice text)
{
    char *copy = *place;

    if (text.length == 0)
        return NULL;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    *place += text.length + 1;
    return copy;
}

struct validators *validators_create(struct slice etag, struct slice last_modified)
{
    struct validators *validators =
        calloc(1, sizeof(*validators) + etag.length + 1 + last_modified.length + 1);
    char *place;

    if (validators == NULL)
        return NULL;
    place = validators->bytes;
    validators->etag = put(&place, etag);
    validators->last_modified = put(&place, last_modified);
    return validators;
}

void validators_free(struct validators *validators)
{
    free(validators);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_body(const struct validators *a, const struct validators *b)
{
    if (!a->has_body_hash || !b->has_body_hash)
        return a->has_body_hash == b->has_body_hash;
    return hash128_same(a->body_hash, b->body_hash);
}

bool validators_same(const struct validators *a, const struct validators *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->fingerprint == b->fingerprint && a->request == b->request && same_body(a, b) &&
           same_text(a->etag, b->etag) && same_text(a->last_modified, b->last_modified);
}

void run_state_clear(struct run_state *state)
{
    validators_free(state->validators);
    position_free(state->position);
    *state = (struct run_state){0};
}
