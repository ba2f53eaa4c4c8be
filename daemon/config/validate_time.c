/* Rules that bind the keys which say when a source is due. */
#include "config/load.h"
#include "gatherd/units.h"

static bool mistake(struct load *load, const struct where *where, const struct given *given,
                    unsigned row, const char *text)
{
    struct where here = where_key(where, source_key_set.keys[row].name);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", text);
    return false;
}

bool check_one_rhythm(struct load *load, const struct where *where, const struct given *given)
{
    if (given->at[SOURCE_CRON] == NULL || given->at[SOURCE_INTERVAL] == NULL)
        return true;
    return mistake(load, where, given, SOURCE_CRON,
                   "interval stands here too, and a source has one of the two; remove the other");
}

/* What says the time of day needs a key that makes slots of it; a default gives way. */
static void check_use(struct load *load, const struct where *where, struct source *source,
                      const struct given *given)
{
    bool told = tells_local_time(source, given);

    if (source->cron != NULL || source->align)
        return;
    if (is_given(given, SOURCE_OFFSET) && source->offset_ms > 0)
        mistake(load, where, given, SOURCE_OFFSET,
                "has no use without align or cron; add align: true, or remove it");
    if (is_given(given, SOURCE_TIMEZONE) && !told)
        mistake(load, where, given, SOURCE_TIMEZONE,
                "has no use without cron, align or a run-time value with date or a pattern; add "
                "one of them, or remove it");
    source->offset_ms = 0;
    if (told)
        return;
    source->timezone = NULL;
    source->zone = NULL;
}

static void check_align(struct load *load, const struct where *where, struct source *source,
                        const struct given *given)
{
    if (source->cron == NULL || !source->align)
        return;
    if (is_given(given, SOURCE_ALIGN))
        mistake(load, where, given, SOURCE_ALIGN,
                "is for interval, and cron is on the wall clock by itself; remove align");
    source->align = false;
}

/* An offset of defaults may be longer than the interval here: its slots are the same without. */
static void check_offset(struct load *load, const struct where *where, struct source *source,
                         const struct given *given)
{
    struct where here = where_key(where, source_key_set.keys[SOURCE_OFFSET].name);
    char value[UNITS_TEXT_SIZE];
    char limit[UNITS_TEXT_SIZE];

    if (!source->align || source->offset_ms < source->interval_ms)
        return;
    if (is_given(given, SOURCE_OFFSET) && is_sound(given, SOURCE_INTERVAL))
        load_mistake(load, place_of(load, given->at[SOURCE_OFFSET]), &here,
                     "%s is not below the interval of %s; write less than that",
                     units_format_duration(source->offset_ms, value),
                     units_format_duration(source->interval_ms, limit));
    source->offset_ms %= source->interval_ms;
}

bool check_rhythm(struct load *load, const struct where *where, struct source *source,
                  const struct given *given)
{
    bool good = check_one_rhythm(load, where, given);

    if (given->at[SOURCE_INTERVAL] != NULL) /* cron is of defaults */
        source->cron = NULL;
    if (!good || !is_sound(given, SOURCE_CRON) || !is_sound(given, SOURCE_ALIGN))
        return false;
    if (source->cron != NULL)
        source->interval_ms = source->cron->gap_ms;
    check_align(load, where, source, given);
    check_use(load, where, source, given);
    check_offset(load, where, source, given);
    return true;
}
