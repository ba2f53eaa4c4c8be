/* The keys of `incremental`, and what binds them. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"

#define MAX_NAME_BYTES     256
#define MAX_POSITION_BYTES 1024

enum incremental_key {
    KEY_CURSOR_PATH,
    KEY_TYPE,
    KEY_UNIT,
    KEY_PARAM,
    KEY_END_PARAM,
    KEY_INITIAL_VALUE,
    KEY_END,
    KEY_LOOKBACK,
    KEY_STEP,
    KEY_ON_MISSING,
    KEY_ROW_ORDER,
};

static const struct choice type_choices[] = {
    {"auto", CURSOR_AUTO},
    {"number", CURSOR_NUMBER},
    {"timestamp", CURSOR_TIMESTAMP},
    {"text", CURSOR_TEXT},
    {NULL, 0},
};

static const struct choice unit_choices[] = {
    {"s", TIME_UNIT_S}, {"ms", TIME_UNIT_MS}, {"us", TIME_UNIT_US}, {"ns", TIME_UNIT_NS}, {NULL, 0},
};

static const struct choice missing_choices[] = {
    {"error", CURSOR_MISSING_ERROR},
    {"include", CURSOR_MISSING_INCLUDE},
    {"skip", CURSOR_MISSING_SKIP},
    {NULL, 0},
};

static const struct choice order_choices[] = {
    {"none", ROW_ORDER_NONE},
    {"asc", ROW_ORDER_ASC},
    {"desc", ROW_ORDER_DESC},
    {NULL, 0},
};

static const struct key incremental_keys[] = {
    [KEY_CURSOR_PATH] = {.name = "cursor_path",
                         .kind = KIND_PATH,
                         TO(struct incremental, cursor_path),
                         .required = true,
                         .about = "JSONPath of the position, from the record: a number, a time or "
                                  "text that grows.",
                         .example = "$.updated_at"},
    [KEY_TYPE] = {.name = "type",
                  .kind = KIND_CHOICE,
                  TO(struct incremental, rule.type),
                  .choices = type_choices,
                  .fallback = "auto",
                  .about = "How positions compare; auto: numbers as numbers, RFC 3339 times as "
                           "times, all else byte by byte.",
                  .example = "timestamp"},
    [KEY_UNIT] = {.name = "unit",
                  .kind = KIND_CHOICE,
                  TO(struct incremental, rule.unit),
                  .choices = unit_choices,
                  .instead = "times are RFC 3339 text",
                  .about = "type timestamp: what numbers count since 1970.",
                  .example = "s"},
    [KEY_PARAM] = {.name = "param",
                   .kind = KIND_TEXT,
                   TO(struct incremental, param),
                   RANGE(1, MAX_NAME_BYTES),
                   .instead = "the request says {cursor} itself",
                   .about = "Query parameter that takes the position to ask from.",
                   .example = "since"},
    [KEY_END_PARAM] = {.name = "end_param",
                       .kind = KIND_TEXT,
                       TO(struct incremental, end_param),
                       RANGE(1, MAX_NAME_BYTES),
                       .instead = "the request has no upper bound, or says {cursor_end} itself",
                       .about = "Query parameter that takes the end of what is asked for.",
                       .example = "until"},
    [KEY_INITIAL_VALUE] = {.name = "initial_value",
                           .kind = KIND_TEXT,
                           TO(struct incremental, initial_value),
                           RANGE(1, MAX_POSITION_BYTES),
                           .instead = "the first run asks for all",
                           .about = "Position that the first run asks from.",
                           .example = "2026-01-01T00:00:00Z"},
    [KEY_END] = {.name = "end",
                 .kind = KIND_TEXT,
                 TO(struct incremental, end),
                 RANGE(1, MAX_POSITION_BYTES),
                 .instead = "of times the time of the request, else none",
                 .about = "Nothing is asked for beyond this position.",
                 .example = "2026-12-31T00:00:00Z"},
    [KEY_LOOKBACK] = {.name = "lookback",
                      .kind = KIND_SPAN,
                      TO(struct incremental, lookback),
                      .instead = "none",
                      .about = "How far before the position to ask again, for records that come "
                               "late; needs a primary_key.",
                      .example = "1h"},
    [KEY_STEP] = {.name = "step",
                  .kind = KIND_SPAN,
                  TO(struct incremental, step),
                  .instead = "all there is",
                  .about = "How much one run asks for; further runs follow at once until all is "
                           "there. Needs an initial_value.",
                  .example = "1d"},
    [KEY_ON_MISSING] = {.name = "on_missing",
                        .kind = KIND_CHOICE,
                        TO(struct incremental, on_missing),
                        .choices = missing_choices,
                        .fallback = "error",
                        .about = "A record without a position fails the run, is stored without "
                                 "moving it, or is left out.",
                        .example = "include"},
    [KEY_ROW_ORDER] = {.name = "row_order",
                       .kind = KIND_CHOICE,
                       TO(struct incremental, row_order),
                       .choices = order_choices,
                       .fallback = "none",
                       .about = "asc: each page moves the position, so a run that breaks off keeps "
                                "what it has; desc: no page is asked for behind what is known.",
                       .example = "desc"},
};

/* Reports at a key that was given. */
static bool refuse(struct load *load, const struct where *where, const struct given *given,
                   enum incremental_key row, const char *words)
{
    struct where here = where_key(where, incremental_keys[row].name);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", words);
    return false;
}

static bool check_position(struct load *load, const struct where *where, const struct given *given,
                           const struct cursor_rule *rule, const char *value,
                           enum incremental_key row)
{
    if (value == NULL || cursor_is_valid(rule, slice_of(value)))
        return true;
    return refuse(load, where, given, row,
                  rule->type == CURSOR_NUMBER ? "is no number, which type says it is"
                  : rule->unit != TIME_UNIT_NONE
                      ? "is no number, which it has to be to count in unit"
                      : "is no time of RFC 3339, as in 2026-01-31T12:00:00Z");
}

static bool check_span(struct load *load, const struct where *where, const struct given *given,
                       const struct incremental *inc, const struct span *span,
                       enum incremental_key row)
{
    struct text moved = {0};
    bool good = true;

    if (span->amount == 0)
        return true;
    if (inc->rule.type == CURSOR_TEXT)
        return refuse(load, where, given, row, "text has no distances; only times and numbers do");
    if (inc->rule.type == CURSOR_NUMBER && span->is_time)
        return refuse(load, where, given, row,
                      "a duration moves times; write a whole number, or type: timestamp");
    if (inc->rule.type == CURSOR_TIMESTAMP && !span->is_time)
        return refuse(load, where, given, row, "a number moves numbers; write a duration");
    if (inc->initial_value != NULL &&
        !cursor_move(&inc->rule, slice_of(inc->initial_value), span, false, &moved))
        good = refuse(load, where, given, row,
                      "does not fit initial_value: a duration moves times, a whole number moves "
                      "whole numbers");
    text_free(&moved);
    return good;
}

static bool check_range(struct load *load, const struct where *where, const struct given *given,
                        const struct incremental *inc)
{
    enum cursor_order order;
    int64_t wall_ms;

    if (inc->step.amount != 0 && inc->initial_value == NULL)
        return refuse(load, where, given, KEY_STEP,
                      "steps need a beginning; add initial_value, the position to begin at");
    if (inc->step.amount != 0 && inc->end == NULL &&
        !cursor_time(&inc->rule, slice_of(inc->initial_value), &wall_ms))
        return refuse(load, where, given, KEY_STEP,
                      "of numbers nobody knows how far there are any; add end, or remove step");
    if (inc->end == NULL || inc->initial_value == NULL)
        return true;
    order = cursor_compare(&inc->rule, slice_of(inc->initial_value), slice_of(inc->end));
    if (order == CURSOR_BEFORE)
        return true;
    return refuse(load, where, given, KEY_END,
                  order == CURSOR_UNLIKE ? "does not compare with initial_value; write both alike"
                                         : "is not behind initial_value; there is nothing between");
}

static bool check_incremental(struct load *load, const struct where *where, struct item *item,
                              void *object, const struct given *given)
{
    const struct incremental *inc = object;

    (void)item;
    if (inc->rule.unit != TIME_UNIT_NONE && inc->rule.type != CURSOR_TIMESTAMP)
        return refuse(load, where, given, KEY_UNIT,
                      "only times count in a unit; add type: timestamp, or remove it");
    return check_position(load, where, given, &inc->rule, inc->initial_value, KEY_INITIAL_VALUE) &&
           check_position(load, where, given, &inc->rule, inc->end, KEY_END) &&
           check_span(load, where, given, inc, &inc->lookback, KEY_LOOKBACK) &&
           check_span(load, where, given, inc, &inc->step, KEY_STEP) &&
           check_range(load, where, given, inc);
}

static_assert(COUNT(incremental_keys) <= MAX_KEYS, "incremental keys");

const struct key_set incremental_key_set = {
    .title = "sources[].incremental",
    .holder = "an incremental",
    .keys = incremental_keys,
    .count = COUNT(incremental_keys),
    .size = sizeof(struct incremental),
    .check = check_incremental,
};
