/*
 * token_file.h - the file of refresh tokens that servers have given in exchange for others.
 *
 * Some servers take each refresh token once and answer with the next. The one that counts then is
 * not in the configuration any more, and if it is lost somebody has to log in anew. So it is on the
 * disk before anything is done with what came with it. A file of its own, mode 0600, and not the
 * database: people hand copies of that around. A line is a JSON object; the newest is the last.
 */
#ifndef GATHERD_FETCH_TOKEN_FILE_H
#define GATHERD_FETCH_TOKEN_FILE_H

#include <stdbool.h>

#include "gatherd/error.h"
#include "gatherd/hash.h"
#include "gatherd/sha256.h"
#include "gatherd/text.h"

/* Whose token it is. */
struct token_file_key {
    struct hash128 settings;           /* auth->id */
    char configured[SHA256_TEXT_SIZE]; /* SHA-256 of the configured token that began the chain */
};

void token_file_key_set(struct token_file_key *key, struct hash128 settings,
                        const char *configured);

/*
 * Appends the token that was saved last for the key to `out`. `*found` is false when there is none:
 * also when the configured token has changed since. 0, or -1 when the file cannot be read, is open
 * to others, or holds something else.
 */
int token_file_find(const char *path, const struct token_file_key *key, struct text *out,
                    bool *found, struct error *err);

/* Saves it, in the place of others of the same settings; on the disk when it returns 0. */
int token_file_save(const char *path, const struct token_file_key *key, const char *token,
                    struct error *err);

#endif
