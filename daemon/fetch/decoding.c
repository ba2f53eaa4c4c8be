/*
 * A layer for each coding, the last one applied first (RFC 9110, 8.4). What a layer gives goes to
 * the next one, from the last one to the sink, a block at a time.
 */
#include "fetch/decoding.h"

#include <brotli/decode.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#define MOST_LAYERS 5u /* as many as libcurl undoes */
#define BLOCK_BYTES (16u * 1024)

/* Of zstd, 8 MiB: what a server may count on (RFC 9659). */
#define MOST_WINDOW_LOG 23

enum coding {
    CODING_GZIP,
    CODING_DEFLATE, /* with the head of zlib, or as some send it without (RFC 9110, 8.4.1.2) */
    CODING_BROTLI,
    CODING_ZSTD,
    CODING_UNKNOWN,
};

static const struct {
    const char *name;
    enum coding coding;
} known[] = {
    {"gzip", CODING_GZIP}, {"x-gzip", CODING_GZIP}, {"deflate", CODING_DEFLATE},
    {"br", CODING_BROTLI}, {"zstd", CODING_ZSTD},
};

struct layer {
    enum coding coding;
    bool begun;    /* a byte has come */
    bool ended;    /* and what came is whole */
    bool at_start; /* of a frame of zstd */
    z_stream z;    /* once begun, as the two below, by its coding */
    BrotliDecoderState *brotli;
    ZSTD_DStream *zstd;
};

struct decoding {
    decoding_sink sink;
    void *userdata; /* borrowed */
    struct layer layers[MOST_LAYERS];
    size_t count; /* in the order of the header: the last one is undone first */
    char reason[160];
};

struct decoding *decoding_create(decoding_sink sink, void *userdata)
{
    struct decoding *decoding = calloc(1, sizeof(*decoding));

    if (decoding == NULL)
        return NULL;
    decoding->sink = sink;
    decoding->userdata = userdata;
    return decoding;
}

void decoding_free(struct decoding *decoding)
{
    if (decoding == NULL)
        return;
    for (size_t i = 0; i < decoding->count; i++) {
        struct layer *layer = &decoding->layers[i];

        if (layer->begun && layer->coding <= CODING_DEFLATE)
            inflateEnd(&layer->z);
        if (layer->brotli != NULL)
            BrotliDecoderDestroyInstance(layer->brotli);
        ZSTD_freeDStream(layer->zstd);
    }
    free(decoding);
}

static enum decoding_status broken(struct decoding *decoding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum decoding_status broken(struct decoding *decoding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(decoding->reason, sizeof(decoding->reason), format, args);
    va_end(args);
    return DECODING_BROKEN;
}

const char *decoding_reason(const struct decoding *decoding)
{
    return decoding->reason;
}

/* --- Which codings --- */

static bool is_named(struct slice name, const char *coding)
{
    return strlen(coding) == name.length && strncasecmp(name.data, coding, name.length) == 0;
}

static enum coding coding_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_named(name, known[i].name))
            return known[i].coding;
    }
    return CODING_UNKNOWN;
}

static enum decoding_status add_one(struct decoding *decoding, struct slice name)
{
    if (name.length == 0 || is_named(name, "identity") || is_named(name, "none"))
        return DECODING_OK;
    if (decoding->count == MOST_LAYERS)
        return broken(decoding, "it has more than %u codings", MOST_LAYERS);
    decoding->layers[decoding->count++].coding = coding_of(name);
    return DECODING_OK;
}

enum decoding_status decoding_add(struct decoding *decoding, struct slice codings)
{
    static const char between[] = ", \t";
    enum decoding_status status = DECODING_OK;

    for (size_t at = 0; at < codings.length && status == DECODING_OK;) {
        size_t start = at;

        while (at < codings.length && strchr(between, codings.data[at]) == NULL)
            at++;
        status = add_one(decoding, (struct slice){codings.data + start, at - start});
        at++;
    }
    return status;
}

bool decoding_is_needed(const struct decoding *decoding)
{
    return decoding->count > 0;
}

/* --- One layer. Each step takes from `in` and fills `out`; whether it is at its end. --- */

struct piece {
    const unsigned char *in;
    size_t left;
    unsigned char *out;
    size_t room;
};

/* A head of zlib names the method 8; a deflate block that begins so would be a strange one. */
static bool has_zlib_head(unsigned char first)
{
    return (first & 0x0f) == 8;
}

static enum decoding_status begin(struct decoding *decoding, struct layer *layer,
                                  unsigned char first)
{
    int window = MAX_WBITS + 16;

    switch (layer->coding) {
    case CODING_DEFLATE:
        window = has_zlib_head(first) ? MAX_WBITS : -MAX_WBITS;
        /* fall through */
    case CODING_GZIP:
        if (inflateInit2(&layer->z, window) != Z_OK)
            return DECODING_NOMEM;
        break;
    case CODING_BROTLI:
        layer->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        if (layer->brotli == NULL)
            return DECODING_NOMEM;
        break;
    case CODING_ZSTD:
        layer->zstd = ZSTD_createDStream();
        if (layer->zstd == NULL)
            return DECODING_NOMEM;
        layer->at_start = true;
        ZSTD_DCtx_setParameter(layer->zstd, ZSTD_d_windowLogMax, MOST_WINDOW_LOG);
        break;
    case CODING_UNKNOWN:
        return broken(decoding, "its Content-Encoding is not known here; known are %s",
                      DECODING_ACCEPTED);
    }
    layer->begun = true;
    return DECODING_OK;
}

/*
 * Whether more follows behind an end: members of gzip (RFC 1952, 2.2), which may have zeros behind
 * them, and frames of zstd (RFC 8878, 3.1). Behind the others is nothing that could be meant.
 */
static bool goes_on(struct layer *layer, struct piece *piece)
{
    if (layer->coding == CODING_GZIP) {
        while (piece->left > 0 && *piece->in == 0) {
            piece->in++;
            piece->left--;
        }
        return piece->left > 0 && inflateReset(&layer->z) == Z_OK;
    }
    return piece->left > 0 && layer->coding == CODING_ZSTD;
}

static enum decoding_status step_zlib(struct decoding *decoding, struct layer *layer,
                                      struct piece *piece)
{
    unsigned given = piece->left > UINT32_MAX ? UINT32_MAX : (unsigned)piece->left;
    z_stream *z = &layer->z;
    int rc;

    z->next_in = piece->in;
    z->avail_in = given;
    z->next_out = piece->out;
    z->avail_out = (unsigned)piece->room;
    rc = inflate(z, Z_NO_FLUSH);
    piece->in = z->next_in;
    piece->left -= given - z->avail_in;
    piece->room = z->avail_out;
    layer->ended = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR)
        return DECODING_NOMEM;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return broken(decoding, "%s", z->msg == NULL ? "it is damaged" : z->msg);
    return DECODING_OK;
}

static enum decoding_status step_brotli(struct decoding *decoding, struct layer *layer,
                                        struct piece *piece)
{
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(layer->brotli, &piece->left, &piece->in,
                                                           &piece->room, &piece->out, NULL);

    layer->ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
    if (rc == BROTLI_DECODER_RESULT_ERROR)
        return broken(decoding, "%s",
                      BrotliDecoderErrorString(BrotliDecoderGetErrorCode(layer->brotli)));
    return DECODING_OK;
}

/* The first byte of a frame or skippable frame (RFC 8878, 3.1); libzstd knows older formats, too.
 */
static bool begins_frame(unsigned char first)
{
    return first == 0x28 || (first & 0xf0) == 0x50;
}

static enum decoding_status step_zstd(struct decoding *decoding, struct layer *layer,
                                      struct piece *piece)
{
    ZSTD_inBuffer in = {piece->in, piece->left, 0};
    ZSTD_outBuffer out = {piece->out, piece->room, 0};
    size_t rc;

    if (layer->at_start && piece->left > 0 && !begins_frame(*piece->in))
        return broken(decoding, "no frame of zstd begins so");
    rc = ZSTD_decompressStream(layer->zstd, &out, &in);
    if (ZSTD_isError(rc))
        return broken(decoding, "%s", ZSTD_getErrorName(rc));
    piece->in += in.pos;
    piece->left -= in.pos;
    piece->room -= out.pos;
    layer->ended = rc == 0;
    layer->at_start = layer->ended || (layer->at_start && in.pos == 0);
    return DECODING_OK;
}

static enum decoding_status step(struct decoding *decoding, struct layer *layer,
                                 struct piece *piece)
{
    switch (layer->coding) {
    case CODING_GZIP:
    case CODING_DEFLATE:
        return step_zlib(decoding, layer, piece);
    case CODING_BROTLI:
        return step_brotli(decoding, layer, piece);
    case CODING_ZSTD:
        return step_zstd(decoding, layer, piece);
    case CODING_UNKNOWN:
        break;
    }
    return DECODING_BROKEN;
}

/* --- All of them --- */

/* `count` layers are still to be undone. */
static enum decoding_status feed(struct decoding *decoding, size_t count, const char *data,
                                 size_t length)
{
    struct layer *layer = count == 0 ? NULL : &decoding->layers[count - 1];
    struct piece piece = {.in = (const unsigned char *)data, .left = length};
    enum decoding_status status = DECODING_OK;
    unsigned char block[BLOCK_BYTES];

    if (length == 0)
        return DECODING_OK;
    if (layer == NULL)
        return decoding->sink(data, length, decoding->userdata) ? DECODING_OK : DECODING_STOPPED;
    if (!layer->begun)
        status = begin(decoding, layer, *piece.in);
    while (status == DECODING_OK) {
        if (layer->ended && !goes_on(layer, &piece))
            break;
        piece.out = block;
        piece.room = sizeof(block);
        status = step(decoding, layer, &piece);
        if (status == DECODING_OK)
            status = feed(decoding, count - 1, (const char *)block, sizeof(block) - piece.room);
        if (!layer->ended && piece.left == 0 && piece.room > 0)
            break;
    }
    return status;
}

enum decoding_status decoding_feed(struct decoding *decoding, const char *data, size_t length)
{
    return feed(decoding, decoding->count, data, length);
}

enum decoding_status decoding_finish(struct decoding *decoding)
{
    for (size_t i = decoding->count; i > 0; i--) {
        const struct layer *layer = &decoding->layers[i - 1];

        if (layer->begun && !layer->ended)
            return broken(decoding, "it is cut off");
    }
    return DECODING_OK;
}
