#include "gatherd/unpack.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "document/unpack_output.h"

#define FIRST_BYTES 4096u

/* What one byte can become at most (zlib's technical details, "Maximum Compression Factor"). */
#define MOST_PER_BYTE 1032u

enum unpack_status unpack_fail(struct unpacked *unpacked, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(unpacked->reason, sizeof(unpacked->reason), format, args);
    va_end(args);
    return UNPACK_BROKEN;
}

/* --- What comes out. --- */

int unpack_output_start(struct unpack_output *out, size_t expected)
{
    size_t capacity = expected < FIRST_BYTES ? FIRST_BYTES : expected;

    out->capacity = capacity < out->most + 1 ? capacity : out->most + 1;
    out->length = 0;
    out->data = arena_alloc(out->arena, out->capacity + 1);
    return out->data == NULL ? -1 : 0;
}

enum unpack_status unpack_output_grow(struct unpack_output *out)
{
    size_t capacity = out->capacity + out->capacity / 2;
    char *data;

    if (out->length < out->capacity)
        return UNPACK_OK;
    if (out->length > out->most)
        return UNPACK_TOO_LARGE;
    if (capacity > out->most + 1)
        capacity = out->most + 1;
    data = arena_grow(out->arena, out->data, out->capacity + 1, capacity + 1);
    if (data == NULL)
        return UNPACK_NOMEM;
    out->data = data;
    out->capacity = capacity;
    return UNPACK_OK;
}

enum unpack_status unpack_output_finish(struct unpack_output *out, struct slice *text)
{
    if (out->length > out->most)
        return UNPACK_TOO_LARGE;
    out->data[out->length] = '\0';
    *text = (struct slice){out->data, out->length};
    return UNPACK_OK;
}

/* --- gzip --- */

/* The last four bytes say how long the last member is, unless it was cut off or they lie. */
static size_t expected_length(struct slice body)
{
    const unsigned char *p = (const unsigned char *)body.data + body.length - 4;
    size_t said = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;

    return said / MOST_PER_BYTE > body.length ? 4 * body.length : said + 1;
}

/* One member, from its head to its sum. */
static enum unpack_status inflate_member(z_stream *z, struct unpack_output *out,
                                         struct unpacked *unpacked)
{
    for (;;) {
        enum unpack_status status = unpack_output_grow(out);
        size_t room = out->capacity - out->length;
        int rc;

        if (status != UNPACK_OK)
            return status;
        z->next_out = (unsigned char *)out->data + out->length;
        z->avail_out = room > UINT32_MAX ? UINT32_MAX : (unsigned)room;
        room = z->avail_out;
        rc = inflate(z, Z_NO_FLUSH);
        out->length += room - z->avail_out;
        if (rc == Z_STREAM_END)
            return UNPACK_OK;
        if (rc == Z_MEM_ERROR)
            return UNPACK_NOMEM;
        if (rc == Z_NEED_DICT || rc == Z_DATA_ERROR || rc == Z_STREAM_ERROR)
            return unpack_fail(unpacked, "the body is a gzip file that is damaged: %s",
                               z->msg == NULL ? "it cannot be unpacked" : z->msg);
        if (z->avail_in == 0 && z->avail_out > 0)
            return unpack_fail(unpacked, "the body is a gzip file that is cut off");
    }
}

static bool only_zeros(const unsigned char *p, size_t length)
{
    while (length > 0 && p[length - 1] == 0)
        length--;
    return length == 0;
}

static enum unpack_status inflate_members(z_stream *z, struct unpack_output *out,
                                          struct unpacked *unpacked)
{
    for (;;) {
        enum unpack_status status = inflate_member(z, out, unpacked);

        if (status != UNPACK_OK)
            return status;
        if (only_zeros(z->next_in, z->avail_in))
            return UNPACK_OK;
        if (z->avail_in < 2 || z->next_in[0] != 0x1f || z->next_in[1] != 0x8b)
            return unpack_fail(unpacked,
                               "the body is a gzip file with %u bytes behind its end that are not "
                               "gzip",
                               z->avail_in);
        inflateReset(z);
    }
}

static enum unpack_status unpack_gzip(struct slice body, struct unpack_output *out,
                                      struct unpacked *unpacked)
{
    z_stream z = {.next_in = (const unsigned char *)body.data, .avail_in = (unsigned)body.length};
    enum unpack_status status;

    if (body.length > UINT32_MAX)
        return UNPACK_TOO_LARGE;
    if (unpack_output_start(out, expected_length(body)) == -1 ||
        inflateInit2(&z, MAX_WBITS + 16) != Z_OK)
        return UNPACK_NOMEM;
    status = inflate_members(&z, out, unpacked);
    inflateEnd(&z);
    return status;
}

/* --- Which of them. --- */

static bool begins(struct slice body, const char *magic, size_t length)
{
    return body.length >= length && memcmp(body.data, magic, length) == 0;
}

enum unpack_status unpack(struct slice body, const char *member, size_t most, struct arena *arena,
                          struct unpacked *unpacked)
{
    struct unpack_output out = {.arena = arena, .most = most};
    enum unpack_status status = UNPACK_PLAIN;

    *unpacked = (struct unpacked){0};
    if (body.length >= 4 && begins(body, "\x1f\x8b", 2))
        status = unpack_gzip(body, &out, unpacked);
    else if (begins(body, "PK\3\4", 4) || begins(body, "PK\5\6", 4))
        status = unpack_zip(body, member, &out, unpacked);
    return status == UNPACK_OK ? unpack_output_finish(&out, &unpacked->text) : status;
}
