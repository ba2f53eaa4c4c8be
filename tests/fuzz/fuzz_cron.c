/*
 * Reads any text, up to its first NUL, as a cron line, and asks the lines that are right for their
 * times around a moment that the input chooses too.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DAY_MS   86400000LL
#define CYCLE_MS (146097 * DAY_MS)

static void check_time(const struct cron *cron, int64_t local_ms)
{
    int64_t days = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
    int64_t minute = (local_ms - days * DAY_MS) / 60000;
    struct civil date = clock_civil_from_days(days);
    bool on_day = cron->days >> date.day & 1;
    bool on_weekday = cron->weekdays >> ((days + 4) % 7 + 7) % 7 & 1;

    assert(local_ms % 60000 == 0);
    assert(cron->minutes >> minute % 60 & 1 && cron->hours >> minute / 60 & 1);
    assert(cron->months >> date.month & 1);
    assert(cron->either_day ? on_day || on_weekday : on_day && on_weekday);
}

static void check_times(const struct cron *cron, int64_t from_ms)
{
    int64_t at_ms = cron_at_or_after(cron, from_ms);

    assert(cron->gap_ms > 0 && cron->gap_ms <= CYCLE_MS);
    assert(at_ms >= from_ms && at_ms - from_ms <= CYCLE_MS);
    for (int i = 0; i < 20; i++) {
        int64_t next_ms = cron_at_or_after(cron, at_ms + 1);

        check_time(cron, at_ms);
        assert(cron_at_or_after(cron, at_ms) == at_ms);
        assert(next_ms - at_ms >= cron->gap_ms);
        at_ms = next_ms;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct error err = {0};
    size_t column = 0;
    struct cron cron;
    int32_t hours = 0;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (size > strlen(text) + sizeof(hours))
        memcpy(&hours, text + strlen(text) + 1, sizeof(hours));
    if (cron_parse(text, &cron, &column, &err) == 0) {
        check_times(&cron, hours * 3600000LL);
    } else {
        assert(err.code == ERROR_CONFIG && err.text[0] != '\0');
        assert(column >= 1 && column <= strlen(text) + 1);
    }
    free(text);
    return 0;
}
