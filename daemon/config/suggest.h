/*
 * suggest.h - "did you mean": the nearest of some words to what was written.
 */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *word; /* the nearest so far, borrowed; NULL: none is near enough */
    unsigned distance;
};

/* Considers `word` for what was `written`. Case does not count. */
void suggest_offer(struct suggestion *best, const char *word, const char *written, size_t length);

#endif
