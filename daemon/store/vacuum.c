#include "store/vacuum.h"

#include <inttypes.h>
#include <stdio.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"

#define PAUSE_MS    (60 * 1000)
#define STEP_US     (10 * 1000)
#define FIRST_PAGES 64
#define MOST_PAGES  4096
#define FEW_PAGES   2048 /* 8 MiB: not worth it; new rows take them */
#define INCREMENTAL 2    /* what PRAGMA auto_vacuum says */

struct pages {
    int64_t all;
    int64_t free;
};

/* Databases made before have no map of their pages, and only VACUUM makes one. */
static int look(sqlite3 *db, struct pages *pages, struct error *err)
{
    int64_t mode = 0;

    *pages = (struct pages){0};
    if (sqlite_integer(db, "PRAGMA auto_vacuum", &mode, err) == -1)
        return -1;
    if (mode != INCREMENTAL)
        return 0;
    if (sqlite_integer(db, "PRAGMA freelist_count", &pages->free, err) == -1)
        return -1;
    return sqlite_integer(db, "PRAGMA page_count", &pages->all, err);
}

static bool is_wanted(const struct vacuum *vacuum, const struct pages *pages)
{
    if (vacuum->working)
        return pages->free > pages->all / 10;
    return pages->free > FEW_PAGES && pages->free > pages->all / 4;
}

static int give_back(struct vacuum *vacuum, sqlite3 *db, struct error *err)
{
    int64_t start_us = clock_monotonic_us();
    int64_t took_us;
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%" PRId64 ")", vacuum->pages);
    if (sqlite_exec(db, sql, err) == -1)
        return -1;
    took_us = clock_monotonic_us() - start_us;
    if (took_us > STEP_US && vacuum->pages > 1)
        vacuum->pages /= 2;
    else if (took_us < STEP_US / 2 && vacuum->pages < MOST_PAGES)
        vacuum->pages *= 2;
    log_debug("free pages given back", LOG_INT("took_us", took_us));
    return 0;
}

int vacuum_step(struct vacuum *vacuum, sqlite3 *db, bool *more, struct error *err)
{
    int64_t now = clock_monotonic_ms();
    struct pages pages;
    bool wanted;

    if (now < vacuum->due_ms)
        return 0;
    vacuum->due_ms = now + PAUSE_MS;
    if (look(db, &pages, err) == -1)
        return -1;
    wanted = is_wanted(vacuum, &pages);
    if (wanted != vacuum->working)
        log_info(wanted ? "giving free pages back" : "free pages were given back",
                 LOG_INT("pages", pages.all), LOG_INT("free", pages.free));
    vacuum->working = wanted;
    if (!wanted)
        return 0;
    if (vacuum->pages == 0)
        vacuum->pages = FIRST_PAGES;
    if (give_back(vacuum, db, err) == -1)
        return -1;
    vacuum->due_ms = now;
    *more = true;
    return 0;
}
