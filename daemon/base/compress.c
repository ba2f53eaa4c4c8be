#include "gatherd/compress.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Level 6 takes two to three times as long and saves a tenth at most. */
#define LEVEL 3

struct dictionary {
    atomic_size_t references;
    int64_t id;
    ZSTD_CDict *to;   /* owned */
    ZSTD_DDict *from; /* owned */
};

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "compression: out of memory");
    return -1;
}

/* --- Dictionaries. --- */

struct dictionary *dictionary_create(int64_t id, const void *bytes, size_t length,
                                     struct error *err)
{
    struct dictionary *dictionary = calloc(1, sizeof(*dictionary));

    if (dictionary == NULL || ZDICT_getDictID(bytes, length) == 0) {
        error_set(err, dictionary == NULL ? ERROR_NOMEM : ERROR_FAILED,
                  dictionary == NULL ? "compression: out of memory" : "it is no dictionary");
        free(dictionary);
        return NULL;
    }
    atomic_init(&dictionary->references, 1);
    dictionary->id = id;
    dictionary->to = ZSTD_createCDict(bytes, length, LEVEL);
    dictionary->from = ZSTD_createDDict(bytes, length);
    if (dictionary->to != NULL && dictionary->from != NULL)
        return dictionary;
    /* The identity is only the head of it: what is behind may be damaged. */
    error_set(err, ERROR_FAILED, "it cannot be loaded: damaged, or out of memory");
    dictionary_unref(dictionary);
    return NULL;
}

struct dictionary *dictionary_ref(struct dictionary *dictionary)
{
    atomic_fetch_add_explicit(&dictionary->references, 1, memory_order_relaxed);
    return dictionary;
}

void dictionary_unref(struct dictionary *dictionary)
{
    if (dictionary == NULL ||
        atomic_fetch_sub_explicit(&dictionary->references, 1, memory_order_acq_rel) != 1)
        return;
    ZSTD_freeCDict(dictionary->to);
    ZSTD_freeDDict(dictionary->from);
    free(dictionary);
}

int64_t dictionary_id(const struct dictionary *dictionary)
{
    return dictionary->id;
}

int dictionary_train(const char *samples, const size_t *sizes, unsigned count, void *bytes,
                     size_t most, size_t *length, struct error *err)
{
    size_t made = ZDICT_trainFromBuffer(bytes, most, samples, sizes, count);

    *length = 0;
    if (!ZDICT_isError(made))
        *length = made;
    else if (ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation)
        return no_memory(err);
    return 0;
}

/* --- There. --- */

static int set_up(ZSTD_CCtx *context, const struct dictionary *dictionary, size_t total)
{
    return ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL)) ||
           ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
           ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, total)) ||
           (dictionary != NULL && ZSTD_isError(ZSTD_CCtx_refCDict(context, dictionary->to)));
}

/* The output has room for the worst case, so each call takes all that it is given. */
static bool feed(ZSTD_CCtx *context, struct slice piece, ZSTD_outBuffer *out, bool last)
{
    ZSTD_inBuffer in = {piece.data, piece.length, 0};
    size_t left;

    do {
        left = ZSTD_compressStream2(context, out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    } while (!ZSTD_isError(left) && (last ? left > 0 : in.pos < in.size));
    return !ZSTD_isError(left);
}

int compress_pieces(const struct dictionary *dictionary, struct slice first, struct slice second,
                    char **out, size_t *length, struct error *err)
{
    size_t total = first.length + second.length;
    ZSTD_outBuffer buffer = {.size = ZSTD_compressBound(total)};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    char *shrunk;

    buffer.dst = malloc(buffer.size);
    if (context == NULL || buffer.dst == NULL || set_up(context, dictionary, total) ||
        !feed(context, first, &buffer, false) || !feed(context, second, &buffer, true)) {
        ZSTD_freeCCtx(context);
        free(buffer.dst);
        return no_memory(err);
    }
    ZSTD_freeCCtx(context);
    shrunk = realloc(buffer.dst, buffer.pos);
    *out = shrunk != NULL ? shrunk : buffer.dst;
    *length = buffer.pos;
    return 0;
}

/* --- And back. --- */

static int refuse(size_t code, char *bytes, struct error *err)
{
    free(bytes);
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return no_memory(err);
    error_set(err, ERROR_FAILED, "damaged: %s", ZSTD_getErrorName(code));
    return -1;
}

static int check_size(struct slice frame, size_t expected, struct error *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.length);

    if (size == expected)
        return 0;
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        error_set(err, ERROR_FAILED, "damaged: it does not begin as compressed data does");
    else
        error_set(err, ERROR_FAILED, "damaged: it holds %llu bytes, and %zu were written", size,
                  expected);
    return -1;
}

int decompress(const struct dictionary *dictionary, struct slice frame, size_t expected, char **out,
               struct error *err)
{
    ZSTD_DCtx *context;
    char *bytes;
    size_t got;

    if (check_size(frame, expected, err) == -1)
        return -1;
    bytes = malloc(expected + 1);
    context = ZSTD_createDCtx();
    if (bytes == NULL || context == NULL) {
        free(bytes);
        ZSTD_freeDCtx(context);
        return no_memory(err);
    }
    got = dictionary == NULL
              ? ZSTD_decompressDCtx(context, bytes, expected, frame.data, frame.length)
              : ZSTD_decompress_usingDDict(context, bytes, expected, frame.data, frame.length,
                                           dictionary->from);
    ZSTD_freeDCtx(context);
    if (ZSTD_isError(got))
        return refuse(got, bytes, err);
    assert(got == expected); /* the frame's head said so, and zstd holds it to that */
    bytes[expected] = '\0';
    *out = bytes;
    return 0;
}
