#include "fetch/retry_after.h"

#include <curl/curl.h>
#include <string.h>

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Seconds; a fraction is not in the RFC, but sent ("1.5"), and rounded up. -1: not a number. */
static int64_t parse_seconds(const char *p)
{
    const int64_t most = RETRY_AFTER_MAX_MS / 1000;
    size_t digits = strspn(p, "0123456789");
    int64_t seconds = 0;

    if (digits == 0)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (seconds <= most)
            seconds = seconds * 10 + (p[i] - '0');
    }
    p += digits;
    if (*p == '.') {
        p += 1 + strspn(p + 1, "0123456789");
        seconds++;
    }
    if (*skip_blanks(p) != '\0')
        return -1;
    return seconds > most ? most : seconds;
}

int64_t retry_after_parse(const char *value, int64_t now_wall_ms)
{
    const char *p = skip_blanks(value);
    int64_t seconds = parse_seconds(*p == '-' ? p + 1 : p);
    int64_t wait_ms;
    time_t date;

    if (seconds >= 0)
        return *p == '-' ? 0 : seconds * 1000;
    /* curl_getdate() takes much that is no HTTP date, "12" and "tomorrow 3" among it; each of the
     * three forms of an HTTP date begins with the name of a day. */
    if ((*p < 'A' || *p > 'Z') && (*p < 'a' || *p > 'z'))
        return -1;
    date = curl_getdate(p, NULL);
    if (date == -1)
        return -1;
    wait_ms = (int64_t)date * 1000 - now_wall_ms;
    if (wait_ms < 0)
        return 0;
    return wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
}
