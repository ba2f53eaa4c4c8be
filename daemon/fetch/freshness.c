#include "fetch/freshness.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "fetch/http_date.h"

/* What stands where a number of seconds should be. */
#define ABSENT  (-1)
#define INVALID (-2)

struct directives {
    bool ask_first; /* no-store or no-cache, with names of fields as well */
    int64_t max_age_s;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_named(struct slice slice, const char *name)
{
    return slice.length == strlen(name) && strncasecmp(slice.data, name, slice.length) == 0;
}

/* Digits and nothing else (RFC 9111, 1.2.2). */
static int64_t parse_seconds(struct slice text)
{
    int64_t seconds = 0;

    if (text.length == 0)
        return INVALID;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return INVALID;
        if (seconds <= FRESHNESS_MAX_S)
            seconds = seconds * 10 + (text.data[i] - '0');
    }
    return seconds < FRESHNESS_MAX_S ? seconds : FRESHNESS_MAX_S;
}

/* Up to where the list goes on: a comma outside of quotes. An open quote reaches to the end. */
static const char *element_end(const char *p, const char *end)
{
    bool quoted = false;

    for (; p < end && (quoted || *p != ','); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (quoted && *p == '\\' && p + 1 < end)
            p++;
    }
    return p;
}

static struct slice trim(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    while (p < end && is_blank(end[-1]))
        end--;
    return (struct slice){p, (size_t)(end - p)};
}

/* Both forms have to be understood, 60 and "60" (RFC 9111, 5.2). */
static struct slice unquote(struct slice value)
{
    if (value.length >= 2 && value.data[0] == '"' && value.data[value.length - 1] == '"')
        return (struct slice){value.data + 1, value.length - 2};
    return value;
}

/* The same directive twice with two values is not to be believed (RFC 9111, 4.2.1). */
static void take_max_age(struct directives *directives, int64_t seconds)
{
    if (directives->max_age_s != ABSENT && directives->max_age_s != seconds)
        seconds = INVALID;
    directives->max_age_s = seconds;
}

static void take_directive(struct directives *directives, struct slice element)
{
    const char *equals = memchr(element.data, '=', element.length);
    struct slice name = element;
    struct slice value = {NULL, 0};

    if (equals != NULL) { /* blanks around it are not in the grammar, but sent */
        name = trim(element.data, equals);
        value = trim(equals + 1, element.data + element.length);
    }
    if (is_named(name, "no-store") || is_named(name, "no-cache"))
        directives->ask_first = true;
    else if (is_named(name, "max-age"))
        take_max_age(directives, parse_seconds(unquote(value)));
}

static struct directives read_cache_control(const struct response *response)
{
    struct directives directives = {.max_age_s = ABSENT};
    struct slice line;
    size_t place = 0;

    while (response_header(response, "Cache-Control", &place, &line)) {
        const char *end = line.data + line.length;
        const char *p = line.data;

        while (p < end) {
            const char *next = element_end(p, end);
            struct slice element = trim(p, next);

            if (element.length > 0)
                take_directive(&directives, element);
            p = next < end ? next + 1 : end;
        }
    }
    return directives;
}

/* The first of several counts, and what is no number does not (RFC 9111, 5.1). */
static int64_t read_age(const struct response *response)
{
    struct slice line;
    size_t place = 0;
    int64_t seconds;

    if (!response_header(response, "Age", &place, &line))
        return 0;
    seconds = parse_seconds(trim(line.data, element_end(line.data, line.data + line.length)));
    return seconds < 0 ? 0 : seconds;
}

/* What is no date, like the common "0", has passed (RFC 9111, 5.3). */
static int64_t read_expires(const struct response *response, int64_t now_wall_ms)
{
    int64_t expires_ms;
    int64_t date_ms;
    struct slice first;
    struct slice line;
    size_t place = 0;

    if (!response_header(response, "Expires", &place, &first) ||
        http_date_parse(first, now_wall_ms, &expires_ms) == -1)
        return ABSENT;
    while (response_header(response, "Expires", &place, &line)) {
        if (!slice_same(first, line))
            return INVALID;
    }
    place = 0;
    if (!response_header(response, "Date", &place, &line) ||
        http_date_parse(line, now_wall_ms, &date_ms) == -1)
        date_ms = now_wall_ms;
    return expires_ms > date_ms ? (expires_ms - date_ms) / 1000 : 0;
}

int64_t freshness_ms(const struct response *response, int64_t now_wall_ms)
{
    struct directives directives = read_cache_control(response);
    int64_t seconds = directives.max_age_s;

    if (directives.ask_first)
        return 0;
    if (seconds == ABSENT)
        seconds = read_expires(response, now_wall_ms);
    if (seconds > FRESHNESS_MAX_S)
        seconds = FRESHNESS_MAX_S;
    seconds -= read_age(response);
    return seconds > 0 ? seconds * 1000 : 0;
}
