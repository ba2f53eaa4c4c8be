#include "gatherd/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include "document/utf8.h"

#define MOST_LABEL_BYTES 40

static const char utf8_name[] = "UTF-8";
static const char latin1_name[] = "ISO-8859-1";

/*
 * Labels without punctuation, in lower case. Where a set is a part of a larger one under whose
 * name, or the other way round, it is in fact sent, the larger is meant (as in the Encoding
 * Standard of WHATWG); but ISO-8859-1 is itself: its bytes 0x80 to 0x9f are control characters.
 */
static const struct {
    const char *label;
    const char *name;
} labels[] = {
    {"utf8", utf8_name},          {"usascii", utf8_name},       {"ascii", utf8_name},
    {"ansix341968", utf8_name},   {"utf16", "UTF-16"},          {"utf16le", "UTF-16LE"},
    {"utf16be", "UTF-16BE"},      {"ucs2", "UTF-16"},           {"utf32", "UTF-32"},
    {"utf32le", "UTF-32LE"},      {"utf32be", "UTF-32BE"},      {"iso88591", latin1_name},
    {"latin1", latin1_name},      {"l1", latin1_name},          {"iso88592", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},     {"iso88593", "ISO-8859-3"},   {"iso88594", "ISO-8859-4"},
    {"iso88595", "ISO-8859-5"},   {"iso88596", "ISO-8859-6"},   {"iso88597", "ISO-8859-7"},
    {"iso88598", "ISO-8859-8"},   {"iso88599", "ISO-8859-9"},   {"latin5", "ISO-8859-9"},
    {"iso885910", "ISO-8859-10"}, {"iso885911", "ISO-8859-11"}, {"iso885913", "ISO-8859-13"},
    {"iso885914", "ISO-8859-14"}, {"iso885915", "ISO-8859-15"}, {"latin9", "ISO-8859-15"},
    {"iso885916", "ISO-8859-16"}, {"windows874", "CP874"},      {"tis620", "CP874"},
    {"windows1250", "CP1250"},    {"cp1250", "CP1250"},         {"windows1251", "CP1251"},
    {"cp1251", "CP1251"},         {"windows1252", "CP1252"},    {"cp1252", "CP1252"},
    {"xcp1252", "CP1252"},        {"windows1253", "CP1253"},    {"cp1253", "CP1253"},
    {"windows1254", "CP1254"},    {"cp1254", "CP1254"},         {"windows1255", "CP1255"},
    {"cp1255", "CP1255"},         {"windows1256", "CP1256"},    {"cp1256", "CP1256"},
    {"windows1257", "CP1257"},    {"cp1257", "CP1257"},         {"windows1258", "CP1258"},
    {"cp1258", "CP1258"},         {"ibm437", "IBM437"},         {"cp437", "IBM437"},
    {"ibm850", "IBM850"},         {"cp850", "IBM850"},          {"ibm852", "IBM852"},
    {"cp852", "IBM852"},          {"ibm866", "IBM866"},         {"cp866", "IBM866"},
    {"koi8r", "KOI8-R"},          {"koi8u", "KOI8-U"},          {"macintosh", "MACINTOSH"},
    {"xmacroman", "MACINTOSH"},   {"gb2312", "GB18030"},        {"gbk", "GB18030"},
    {"xgbk", "GB18030"},          {"gb18030", "GB18030"},       {"big5", "BIG5-HKSCS"},
    {"big5hkscs", "BIG5-HKSCS"},  {"eucjp", "EUC-JP"},          {"xeucjp", "EUC-JP"},
    {"iso2022jp", "ISO-2022-JP"}, {"shiftjis", "CP932"},        {"sjis", "CP932"},
    {"xsjis", "CP932"},           {"windows31j", "CP932"},      {"cp932", "CP932"},
    {"euckr", "CP949"},           {"ksc56011987", "CP949"},     {"ksc5601", "CP949"},
    {"windows949", "CP949"},      {"cp949", "CP949"},
};

#define LABEL_COUNT (sizeof(labels) / sizeof(labels[0]))

/* The letters and digits of a label in lower case; false: they are too many for any. */
static bool plain_label(struct slice label, char plain[MOST_LABEL_BYTES + 1])
{
    size_t length = 0;

    for (size_t i = 0; i < label.length; i++) {
        unsigned char c = (unsigned char)label.data[i];

        if (c == '-' || c == '_' || c == '.' || c == ' ')
            continue;
        if (length == MOST_LABEL_BYTES || c == '\0')
            return false;
        plain[length++] = (char)tolower(c);
    }
    plain[length] = '\0';
    return true;
}

const char *charset_by_label(struct slice label)
{
    char plain[MOST_LABEL_BYTES + 1];

    if (!plain_label(label, plain))
        return NULL;
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        if (strcmp(labels[i].label, plain) == 0)
            return labels[i].name;
    }
    return NULL;
}

const char *charset_by_name(const char *name)
{
    const char *known = charset_by_label(slice_of(name));
    iconv_t converter;

    /* What stands behind slashes is for iconv no name: //IGNORE would leave out characters. */
    if (known != NULL || name[0] == '\0' || strchr(name, '/') != NULL)
        return known;
    converter = iconv_open(utf8_name, name);
    if ((intptr_t)converter == -1)
        return NULL;
    iconv_close(converter);
    return name;
}

bool charset_is_utf8(const char *charset)
{
    return strcmp(charset, utf8_name) == 0;
}

bool charset_is_latin1(const char *charset)
{
    return strcmp(charset, latin1_name) == 0;
}

static bool begins(struct slice text, const char *mark, size_t length)
{
    return text.length >= length && memcmp(text.data, mark, length) == 0;
}

const char *charset_by_mark(struct slice text)
{
    if (begins(text, "\xef\xbb\xbf", 3))
        return utf8_name;
    if (begins(text, "\xff\xfe\0\0", 4))
        return "UTF-32LE";
    if (begins(text, "\0\0\xfe\xff", 4))
        return "UTF-32BE";
    if (begins(text, "\xff\xfe", 2))
        return "UTF-16LE";
    return begins(text, "\xfe\xff", 2) ? "UTF-16BE" : NULL;
}

/* A bit for each of the first four bytes that is zero, the first one highest. */
static unsigned zeros_of(struct slice text)
{
    unsigned zeros = 0;

    for (size_t i = 0; i < 4; i++)
        zeros = zeros << 1 | (i < text.length && text.data[i] == '\0');
    return zeros;
}

const char *charset_by_zeros(struct slice text)
{
    if (text.length < 4)
        return NULL;
    switch (zeros_of(text)) {
    case 0x7: /* 0111 */
        return text.length % 4 == 0 ? "UTF-32LE" : NULL;
    case 0xe:
        return text.length % 4 == 0 ? "UTF-32BE" : NULL;
    case 0x5:
        return "UTF-16LE";
    case 0xa:
        return "UTF-16BE";
    default:
        return NULL;
    }
}

/* UTF-16 and UTF-32 with their order of bytes; others as they are. */
static const char *with_byte_order(const char *charset, struct slice text)
{
    bool wide = strcmp(charset, "UTF-32") == 0;
    const char *seen;

    if (!wide && strcmp(charset, "UTF-16") != 0)
        return charset;
    seen = charset_by_mark(text);
    if (seen == NULL)
        seen = charset_by_zeros(text);
    if (seen != NULL && strncmp(seen, charset, 6) == 0)
        return seen;
    /* "FF FE 00 00" is also the mark of UTF-16 before a NUL. */
    return wide ? "UTF-32LE" : "UTF-16LE";
}

struct conversion {
    iconv_t converter;
    struct arena *arena;
    size_t most;
    char *in;
    size_t left;
    char *start; /* of the output */
    char *out;
    size_t room; /* behind `out`, without the byte for the NUL */
};

static bool start_output(struct conversion *c, size_t capacity)
{
    c->room = capacity < c->most ? capacity : c->most;
    c->start = arena_alloc(c->arena, c->room + 1);
    c->out = c->start;
    return c->start != NULL;
}

static enum charset_status grow_output(struct conversion *c)
{
    size_t used = (size_t)(c->out - c->start);
    size_t old = used + c->room;
    size_t capacity = old + old / 2 + 64 < c->most ? old + old / 2 + 64 : c->most;
    char *start;

    if (old >= c->most)
        return CHARSET_TOO_LARGE;
    start = arena_grow(c->arena, c->start, old + 1, capacity + 1);
    if (start == NULL)
        return CHARSET_NOMEM;
    c->start = start;
    c->out = start + used;
    c->room = capacity - used;
    return CHARSET_OK;
}

/* Converts what is there, then lets iconv write what it has held back. */
static enum charset_status run(struct conversion *c)
{
    for (bool flush = false;;) {
        enum charset_status status;
        size_t rc =
            iconv(c->converter, flush ? NULL : &c->in, flush ? NULL : &c->left, &c->out, &c->room);

        if (rc != (size_t)-1) {
            if (flush)
                return CHARSET_OK;
            flush = true;
            continue;
        }
        if (errno != E2BIG)
            return CHARSET_INVALID;
        status = grow_output(c);
        if (status != CHARSET_OK)
            return status;
    }
}

static void explain(const struct conversion *c, struct slice from, struct charset_error *error)
{
    *error =
        (struct charset_error){.offset = from.length - c->left, .line = 1, .cut = errno == EINVAL};
    for (const char *p = c->start; p < c->out; p++)
        error->line += *p == '\n';
}

static void finish(struct conversion *c, struct slice *to)
{
    *c->out = '\0';
    *to = (struct slice){c->start, (size_t)(c->out - c->start)};
    if (begins(*to, "\xef\xbb\xbf", 3))
        *to = (struct slice){to->data + 3, to->length - 3};
}

enum charset_status charset_convert(const char *charset, struct slice from, size_t most,
                                    struct arena *arena, struct slice *to,
                                    struct charset_error *error)
{
    struct conversion c = {.arena = arena,
                           .most = most,
                           .in = (char *)from.data, /* iconv only reads it */
                           .left = from.length};
    enum charset_status status = CHARSET_NOMEM;

    c.converter = iconv_open(utf8_name, with_byte_order(charset, from));
    if ((intptr_t)c.converter == -1)
        return errno == ENOMEM ? CHARSET_NOMEM : CHARSET_UNKNOWN;
    if (start_output(&c, from.length + from.length / 8 + 64))
        status = run(&c);
    if (status == CHARSET_INVALID)
        explain(&c, from, error);
    if (status == CHARSET_OK)
        finish(&c, to);
    iconv_close(c.converter);
    return status;
}

size_t charset_check_utf8(struct slice text)
{
    const char *end = text.data + text.length;
    const char *p = text.data;

    while (p < end) {
        uint64_t eight;
        unsigned length;

        if (end - p >= 8) {
            memcpy(&eight, p, sizeof(eight));
            if ((eight & 0x8080808080808080u) == 0) {
                p += 8;
                continue;
            }
        }
        length = utf8_length(p);
        if (length == 0)
            break;
        p += length;
    }
    return (size_t)(p - text.data);
}
