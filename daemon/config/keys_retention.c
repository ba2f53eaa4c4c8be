/* The keys of `retention`: of a table, and of gatherd's own. */
#include "config/key_row.h"
#include "config/load.h"

#define MOST_AGE_MS (36600 * DAY_MS)
#define MOST_ROWS   1000000000000

enum retention_key {
    KEY_AGE,
    KEY_ROWS,
    KEY_COLUMN,
};

static const struct key retention_keys[] = {
    [KEY_AGE] = {.name = "age",
                 .kind = KIND_DURATION,
                 TO(struct retention, age_ms),
                 RANGE(SECOND_MS, MOST_AGE_MS),
                 .instead = "however old",
                 .about = "Rows older than this are deleted.",
                 .example = "90d"},
    [KEY_ROWS] = {.name = "rows",
                  .kind = KIND_COUNT,
                  TO(struct retention, rows),
                  RANGE(1, MOST_ROWS),
                  .instead = "however many",
                  .about = "So many of the newest rows stay; 1e6 is 1000000.",
                  .example = "1000000"},
    [KEY_COLUMN] = {.name = "column",
                    .kind = KIND_TEXT,
                    TO(struct retention, column),
                    RANGE(1, 128),
                    .instead = "_fetched_at: when the row was last changed",
                    .about = "The column that says how old a row is: a field of type timestamp. "
                             "Rows without a time stay.",
                    .example = "time"},
};

static bool check_retention(struct load *load, const struct where *where, struct item *item,
                            void *object, const struct given *given)
{
    (void)object;
    if (given->at[KEY_AGE] != NULL || given->at[KEY_ROWS] != NULL)
        return true;
    load_mistake(load, place_of(load, item), where,
                 "neither age nor rows says which rows stay; add one of them, as in {age: 90d}");
    return false;
}

const struct key_set retention_key_set = {.title = "sources[].retention",
                                          .holder = "retention",
                                          .keys = retention_keys,
                                          .count = COUNT(retention_keys),
                                          .size = sizeof(struct retention),
                                          .check = check_retention};

/* --- gatherd's own tables --- */

static const struct key runs_keys[] = {
    {.name = "age",
     .kind = KIND_DURATION,
     TO(struct config, runs_retention.age_ms),
     RANGE(0, MOST_AGE_MS),
     .fallback = "90d",
     .about = "Runs that ended longer ago are deleted; 0s: none for its age.",
     .example = "30d"},
    {.name = "rows",
     .kind = KIND_COUNT,
     TO(struct config, runs_retention.rows),
     RANGE(0, MOST_ROWS),
     .fallback = "1000000",
     .about = "So many of the newest runs stay; 0: all of them.",
     .example = "100000"},
};

static const struct key letters_keys[] = {
    {.name = "age",
     .kind = KIND_DURATION,
     TO(struct config, letters_retention.age_ms),
     RANGE(SECOND_MS, MOST_AGE_MS),
     .instead = "however old",
     .about = "Dead letters that last came longer ago are deleted.",
     .example = "365d"},
    {.name = "rows",
     .kind = KIND_COUNT,
     TO(struct config, letters_retention.rows),
     RANGE(1, MOST_ROWS),
     .instead = "however many",
     .about = "So many of the newest dead letters stay.",
     .example = "10000"},
};

const struct key_set runs_retention_key_set = {.title = "retention.runs",
                                               .holder = "retention.runs",
                                               .keys = runs_keys,
                                               .count = COUNT(runs_keys)};
const struct key_set letters_retention_key_set = {.title = "retention.dead_letters",
                                                  .holder = "retention.dead_letters",
                                                  .keys = letters_keys,
                                                  .count = COUNT(letters_keys)};

static const struct key internal_keys[] = {
    {.name = "runs",
     .kind = KIND_GROUP,
     .keys = &runs_retention_key_set,
     .instead = "its keys' defaults",
     .about = "The history of runs, _gatherd_runs.",
     .example = "{\"age\": \"30d\"}"},
    {.name = "dead_letters",
     .kind = KIND_GROUP,
     .keys = &letters_retention_key_set,
     .instead = "they are kept",
     .about = "What could not be stored, _gatherd_dead_letters.",
     .example = "{\"age\": \"365d\"}"},
};

const struct key_set internal_retention_key_set = {.title = "retention",
                                                   .holder = "retention of the main file",
                                                   .keys = internal_keys,
                                                   .count = COUNT(internal_keys)};
