#include "base/time_format.h"

#include <string.h>
#include <time.h>

#include "gatherd/template.h"

#define MS_PER_S 1000

enum { FORMAT_UNIX, FORMAT_UNIX_MS, FORMAT_RFC3339, FORMAT_DATE, FORMAT_COUNT };

const char *const template_formats[] = {
    [FORMAT_UNIX] = "unix", [FORMAT_UNIX_MS] = "unix_ms", [FORMAT_RFC3339] = "rfc3339",
    [FORMAT_DATE] = "date", [FORMAT_COUNT] = NULL,
};

/*
 * Conversions of strftime(3) that do not depend on a locale. Line breaks (%n, %t) are not among
 * them, nor is %Z: the abbreviations of time zones are no names that anyone could read back.
 */
static const char conversions[] = "aAbBCdDeFgGhHIjklmMpPrRsStTuUVwWyYz%";

/* A conversion of a pattern. */
struct conversion {
    char letter; /* 's' seconds, 'N' milliseconds, ':' offset with a colon, else strftime's */
    bool unpadded;
    size_t length;
};

/* Reads the conversion at the % that `p` points to; letter 0: not one we know. */
static struct conversion read_conversion(const char *p, const char *end)
{
    struct conversion c = {.length = 2};

    if (end - p >= 3 && p[1] == '-') {
        c.unpadded = true;
        c.length = 3;
    }
    if (end - p >= 3 && (memcmp(p + 1, "3N", 2) == 0 || memcmp(p + 1, ":z", 2) == 0)) {
        c.letter = p[1] == ':' ? ':' : 'N';
        c.length = 3;
    } else if ((size_t)(end - p) >= c.length && p[c.length - 1] != '\0' &&
               strchr(conversions, p[c.length - 1]) != NULL) {
        c.letter = p[c.length - 1];
    }
    return c;
}

static int check_pattern(struct slice format, struct error *err)
{
    const char *end = format.data + format.length;

    for (const char *p = format.data; p < end;) {
        struct conversion c = {.length = 1};

        /* These would need escapes of their own where the template stands inside of JSON. */
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\') {
            error_set(err, ERROR_CONFIG,
                      "holds a control character, a quote or a backslash in its format; remove it");
            return -1;
        }
        if (*p == '%')
            c = read_conversion(p, end);
        if (*p == '%' && c.letter == '\0') {
            bool shown = end - p > 1 && p[1] > 0x20 && p[1] < 0x7f;

            error_set(err, ERROR_CONFIG,
                      "has %.*s in its format, which is not understood; use the conversions of "
                      "strftime(3), as in %%Y-%%m-%%dT%%H:%%M:%%S",
                      shown ? 2 : 1, p);
            return -1;
        }
        p += c.length;
    }
    return 0;
}

static int named_format(struct slice format)
{
    int i = 0;

    while (i < FORMAT_COUNT && !slice_equals(format, template_formats[i]))
        i++;
    return i;
}

int time_format_check(struct slice format, struct error *err)
{
    if (named_format(format) < FORMAT_COUNT)
        return 0;
    if (format.length > 0 && memchr(format.data, '%', format.length) != NULL)
        return check_pattern(format, err);
    error_set(err, ERROR_CONFIG,
              "has no format that is understood; write unix, unix_ms, rfc3339, date, or a pattern "
              "as in %%Y-%%m-%%d");
    return -1;
}

bool time_format_is_local(struct slice format)
{
    return named_format(format) >= FORMAT_DATE;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* The pattern is one conversion, so its text is short. */
static void put_strftime(struct text *out, const struct tm *tm, char letter, bool unpadded)
{
    char pattern[4] = {'%', unpadded ? '-' : letter, unpadded ? letter : '\0', '\0'};
    char written[64];

    text_append(out, written, strftime(written, sizeof(written), pattern, tm));
}

static void put_conversion(struct text *out, const struct conversion *c, const struct tm *tm,
                           int64_t at_ms)
{
    long minutes = tm->tm_gmtoff / 60;
    long distance = minutes < 0 ? -minutes : minutes;

    if (c->letter == 's')
        text_format(out, "%lld", (long long)floor_divide(at_ms, MS_PER_S));
    else if (c->letter == 'N')
        text_format(out, "%03d", (int)((at_ms % MS_PER_S + MS_PER_S) % MS_PER_S));
    else if (c->letter == ':')
        text_format(out, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', distance / 60, distance % 60);
    else
        put_strftime(out, tm, c->letter, c->unpadded);
}

static void put_pattern(struct text *out, struct slice format, int64_t at_ms, int64_t offset_ms)
{
    time_t local = (time_t)floor_divide(at_ms + offset_ms, MS_PER_S);
    const char *end = format.data + format.length;
    struct tm tm;

    if (gmtime_r(&local, &tm) == NULL)
        return; /* a year beyond 2^31 */
    tm.tm_gmtoff = (long)(offset_ms / MS_PER_S);
    for (const char *p = format.data; p < end;) {
        struct conversion c = {.length = 1};

        if (*p == '%') {
            c = read_conversion(p, end);
            put_conversion(out, &c, &tm, at_ms);
        } else {
            text_char(out, *p);
        }
        p += c.length;
    }
}

void time_format_write(struct text *out, struct slice format, int64_t at_ms, int64_t offset_ms)
{
    switch (format.data == NULL ? FORMAT_RFC3339 : named_format(format)) {
    case FORMAT_UNIX:
        text_format(out, "%lld", (long long)floor_divide(at_ms, MS_PER_S));
        break;
    case FORMAT_UNIX_MS:
        text_format(out, "%lld", (long long)at_ms);
        break;
    case FORMAT_RFC3339:
        put_pattern(out, slice_of("%Y-%m-%dT%H:%M:%SZ"), at_ms, 0);
        break;
    case FORMAT_DATE:
        put_pattern(out, slice_of("%Y-%m-%d"), at_ms, offset_ms);
        break;
    default:
        put_pattern(out, format, at_ms, offset_ms);
    }
}
