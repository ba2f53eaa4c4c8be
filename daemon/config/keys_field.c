/* The keys of a field. */
#include "config/key_row.h"

static const struct choice type_choices[] = {
    {"text", FIELD_TEXT},
    {"integer", FIELD_INTEGER},
    {"real", FIELD_REAL},
    {"boolean", FIELD_BOOLEAN},
    {"json", FIELD_JSON},
    {"timestamp", FIELD_TIMESTAMP},
    {NULL, 0},
};

static const struct choice unit_choices[] = {
    {"s", TIME_UNIT_S}, {"ms", TIME_UNIT_MS}, {"us", TIME_UNIT_US}, {"ns", TIME_UNIT_NS}, {NULL, 0},
};

static const struct key field_keys[] = {
    [FIELD_KEY_PATH] = {.name = "path",
                        .kind = KIND_PATH,
                        TO(struct field, path),
                        .required = true,
                        .about = "JSONPath (RFC 9535) from the record.",
                        .example = "$.properties.mag"},
    [FIELD_KEY_TYPE] = {.name = "type",
                        .kind = KIND_CHOICE,
                        TO(struct field, type),
                        .choices = type_choices,
                        .instead = "the column takes the type of its first values and widens",
                        .about = "What the column holds; a value that does not fit goes to the "
                                 "dead letters with its record.",
                        .example = "real"},
    [FIELD_KEY_UNIT] = {.name = "unit",
                        .kind = KIND_CHOICE,
                        TO(struct field, unit),
                        .choices = unit_choices,
                        .instead = "only RFC 3339 text is understood",
                        .about = "type timestamp: what numbers count since 1970.",
                        .example = "ms"},
};

static_assert(COUNT(field_keys) == FIELD_KEY_COUNT, "field keys");

const struct key_set field_key_set = {.title = "sources[].fields.COLUMN",
                                      .holder = "a field",
                                      .keys = field_keys,
                                      .count = COUNT(field_keys)};
