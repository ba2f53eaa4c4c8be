/*
 * Any bytes as the body of an answer with a Content-Encoding, whole and byte by byte: both ways
 * give the same, and it ends. (`decode` is what comes after it: the payload by its format.)
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/decoding.h"

#define MOST_BYTES (1u << 20)

static const char *const codings[] = {"gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate"};

struct sink {
    size_t bytes;
    uint64_t sum;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(const char *data, size_t length, void *userdata)
{
    struct sink *sink = userdata;

    for (size_t i = 0; i < length && sink->bytes < MOST_BYTES; i++, sink->bytes++)
        sink->sum = sink->sum * 31 + (unsigned char)data[i];
    return sink->bytes < MOST_BYTES;
}

static enum decoding_status decode(const char *coding, const uint8_t *data, size_t size,
                                   size_t piece, struct sink *sink)
{
    struct decoding *decoding = decoding_create(take, sink);
    enum decoding_status status;

    if (decoding == NULL)
        abort();
    status = decoding_add(decoding, slice_of(coding));
    for (size_t at = 0; at < size && status == DECODING_OK; at += piece) {
        size_t length = size - at < piece ? size - at : piece;

        status = decoding_feed(decoding, (const char *)data + at, length);
    }
    if (status == DECODING_OK)
        status = decoding_finish(decoding);
    if (status == DECODING_BROKEN && decoding_reason(decoding)[0] == '\0')
        abort();
    decoding_free(decoding);
    return status;
}

/* libzstd looks more closely at a frame that it has whole. */
static bool is_as_strict_in_pieces(const char *coding)
{
    return strstr(coding, "zstd") == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink whole = {0};
    struct sink pieces = {0};
    const char *coding;
    enum decoding_status status;
    enum decoding_status in_pieces;

    if (size < 1)
        return 0;
    coding = codings[data[0] % (sizeof(codings) / sizeof(codings[0]))];
    status = decode(coding, data + 1, size - 1, size, &whole);
    in_pieces = decode(coding, data + 1, size - 1, 1, &pieces);
    if (status != in_pieces && (status == DECODING_OK || is_as_strict_in_pieces(coding)))
        abort();
    if (status == DECODING_OK && (whole.bytes != pieces.bytes || whole.sum != pieces.sum))
        abort();
    return 0;
}
