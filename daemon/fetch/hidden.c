#include "fetch/hidden.h"

#include <string.h>

#include "gatherd/secret.h"

void hidden_add(struct hidden *hidden, const char *secret)
{
    size_t length = strlen(secret);
    struct text encoded = {0};

    if (length < HIDDEN_LEAST_BYTES)
        return;
    text_append(&hidden->secrets, secret, length + 1);
    text_url_encoded(&encoded, secret, length);
    if (!text_failed(&encoded) && strcmp(text_string(&encoded), secret) != 0)
        text_append(&hidden->secrets, text_string(&encoded), encoded.length + 1);
    secret_wipe(&encoded);
    text_free(&encoded);
}

void hidden_clear(struct hidden *hidden)
{
    secret_wipe(&hidden->secrets);
    text_free(&hidden->secrets);
}

/* The secret behind `secret`, NULL to begin with; NULL: no more. */
static const char *next(const struct hidden *hidden, const char *secret)
{
    const char *end = text_string(&hidden->secrets) + hidden->secrets.length;

    secret = secret == NULL ? text_string(&hidden->secrets) : secret + strlen(secret) + 1;
    return secret < end ? secret : NULL;
}

size_t hidden_at(const struct hidden *hidden, const char *p, size_t left)
{
    size_t longest = 0;

    for (const char *s = next(hidden, NULL); s != NULL; s = next(hidden, s)) {
        size_t length = strlen(s);

        if (length <= left && length > longest && memcmp(p, s, length) == 0)
            longest = length;
    }
    return longest;
}

void hidden_overwrite(const struct hidden *hidden, char *data, size_t length)
{
    for (const char *s = next(hidden, NULL); s != NULL; s = next(hidden, s)) {
        size_t bytes = strlen(s);
        char *found = data;

        while ((found = memmem(found, length - (size_t)(found - data), s, bytes)) != NULL) {
            memset(found, '*', bytes);
            found += bytes;
        }
    }
}
