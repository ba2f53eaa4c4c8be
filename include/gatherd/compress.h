/*
 * compress.h - bytes made small and whole again, by zstd, with dictionaries for small ones.
 *
 * A frame carries its size and a checksum, so one that was damaged is known as such. A dictionary
 * never changes and is counted; any thread may compress with it, and take and drop references.
 */
#ifndef GATHERD_COMPRESS_H
#define GATHERD_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/text.h"

struct dictionary; /* opaque */

/*
 * What `dictionary_train()` made, or was made of it earlier, under the number that its keeper gives
 * it; it has one reference. NULL: out of memory, or ERROR_FAILED: the bytes are no dictionary.
 */
struct dictionary *dictionary_create(int64_t id, const void *bytes, size_t length,
                                     struct error *err);
struct dictionary *dictionary_ref(struct dictionary *dictionary);
void dictionary_unref(struct dictionary *dictionary); /* NULL is allowed; the last one frees */
int64_t dictionary_id(const struct dictionary *dictionary);

/*
 * Makes a dictionary of at most `most` bytes from samples that stand one behind the other.
 * `*length` is its size; 0: the samples have too little in common, or are too few. -1: out of
 * memory. Takes some 100 ms for each MiB of samples.
 */
int dictionary_train(const char *samples, const size_t *sizes, unsigned count, void *bytes,
                     size_t most, size_t *length, struct error *err);

/*
 * Compresses two pieces as one. `dictionary` may be NULL. `*out` is owned by the caller, who frees
 * it. 0, or -1: out of memory.
 */
int compress_pieces(const struct dictionary *dictionary, struct slice first, struct slice second,
                    char **out, size_t *length, struct error *err);

/*
 * Makes a frame whole again: `expected` bytes, with a NUL behind them, owned by the caller. -1:
 * ERROR_NOMEM, or ERROR_FAILED with what is wrong with the frame: it is damaged, of another size,
 * or of another dictionary.
 */
int decompress(const struct dictionary *dictionary, struct slice frame, size_t expected, char **out,
               struct error *err);

#endif
