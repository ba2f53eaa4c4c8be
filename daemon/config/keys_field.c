/* The keys of a field. */
#include "config/key_row.h"
#include "config/keys_mapping.h"

static const struct choice type_choices[] = {
    {"text", FIELD_TEXT},           {"integer", FIELD_INTEGER},
    {"real", FIELD_REAL},           {"decimal", FIELD_DECIMAL},
    {"boolean", FIELD_BOOLEAN},     {"json", FIELD_JSON},
    {"timestamp", FIELD_TIMESTAMP}, {"duration", FIELD_DURATION},
    {"blob", FIELD_BLOB},           {NULL, 0},
};

static const struct choice fact_choices[] = {
    {"page", FACT_PAGE},     {"url", FACT_URL}, {"scheduled_at", FACT_SCHEDULED_AT},
    {"status", FACT_STATUS}, {NULL, 0},
};

static const struct choice unit_choices[] = {
    {"s", TIME_UNIT_S}, {"ms", TIME_UNIT_MS}, {"us", TIME_UNIT_US}, {"ns", TIME_UNIT_NS}, {NULL, 0},
};

static const struct choice encoding_choices[] = {
    {"base64", BINARY_BASE64},
    {"base64url", BINARY_BASE64URL},
    {"hex", BINARY_HEX},
    {NULL, 0},
};

static const struct key field_keys[] = {
    [FIELD_KEY_PATH] = {.name = "path",
                        .kind = KIND_PATH,
                        TO(struct field, path),
                        .instead = "see sql",
                        .about = "JSONPath (RFC 9535) from the record.",
                        .example = "$.properties.mag"},
    [FIELD_KEY_SQL] = {.name = "sql",
                       .kind = KIND_TEXT,
                       TO(struct field, sql),
                       RANGE(1, EXPRESSION_MAX_BYTES),
                       .instead = "see path",
                       .about = "SQL expression over the other columns, in place of a path.",
                       .example = "CASE WHEN magnitude >= 6 THEN 'high' ELSE 'low' END"},
    [FIELD_KEY_DOCUMENT] = {.name = "document",
                            .kind = KIND_PATH,
                            TO(struct field, document),
                            .instead = "see path",
                            .about = "JSONPath from the root of the document, for what stands "
                                     "beside the records; in place of a path.",
                            .example = "$.utc_offset_seconds"},
    [FIELD_KEY_HEADER] = {.name = "header",
                          .kind = KIND_TEXT,
                          TO(struct field, header),
                          RANGE(1, MAX_NAME_TEXT),
                          .instead = "see path",
                          .about = "Header of the response, in place of a path.",
                          .example = "X-Total-Count"},
    [FIELD_KEY_REQUEST] = {.name = "request",
                           .kind = KIND_CHOICE,
                           TO(struct field, fact),
                           .choices = fact_choices,
                           .instead = "see path",
                           .about = "What is known of the request, in place of a path: the number "
                                    "of its page, its URL without query, the status of the "
                                    "answer, the time of its slot.",
                           .example = "page"},
    [FIELD_KEY_TYPE] = {.name = "type",
                        .kind = KIND_CHOICE,
                        TO(struct field, rule.type),
                        .choices = type_choices,
                        .instead = "the column takes the type of its first values and widens",
                        .about = "What the column holds; a value that does not fit goes to the "
                                 "dead letters with its record.",
                        .example = "real"},
    [FIELD_KEY_UNIT] = {.name = "unit",
                        .kind = KIND_CHOICE,
                        TO(struct field, rule.unit),
                        .choices = unit_choices,
                        .instead = "only text is understood",
                        .about =
                            "type timestamp: what numbers count since 1970; with us and ns the "
                            "column has six and nine digits behind the second. type "
                            "duration: what they count.",
                        .example = "ms"},
    [FIELD_KEY_FORMAT] = {.name = "format",
                          .kind = KIND_PATTERN,
                          TO(struct field, rule.format),
                          .instead = "ISO 8601, RFC 3339, and the dates of mail and feeds",
                          .about = "type timestamp: how text is written, by the conversions of "
                                   "strptime(3), in English.",
                          .example = "%d.%m.%Y %H:%M"},
    [FIELD_KEY_TIMEZONE] = {.name = "timezone",
                            .kind = KIND_TIMEZONE,
                            ZONE_TO(struct field, rule.timezone, rule.zone),
                            .instead = "UTC",
                            .about = "type timestamp: the IANA time zone of times that come "
                                     "without one.",
                            .example = "Europe/Paris"},
    [FIELD_KEY_ENCODING] = {.name = "encoding",
                            .kind = KIND_CHOICE,
                            TO(struct field, rule.encoding),
                            .choices = encoding_choices,
                            .instead = "base64",
                            .about = "type blob: how the bytes are written.",
                            .example = "hex"},
    [FIELD_KEY_REQUIRED] = {.name = "required",
                            .kind = KIND_BOOLEAN,
                            TO(struct field, required),
                            .instead = "false",
                            .about = "Whether a record without a value (missing, null or one of "
                                     "null_values) goes to the dead letters.",
                            .example = "true"},
    [FIELD_KEY_DEFAULT] = {.name = "default",
                           .kind = KIND_CONSTANT,
                           TO(struct field, fallback),
                           .instead = "NULL",
                           .about = "What the column holds where a record has no value; written as "
                                    "a value that comes, and of the declared type.",
                           .example = "0"},
    [FIELD_KEY_NULL_VALUES] = {.name = "null_values",
                               .kind = KIND_NULL_VALUES,
                               LIST_TO(struct field, null_values, null_value_count),
                               RANGE(0, MOST_NULL_VALUES),
                               .instead = "those of the source",
                               .about = "Values that stand for none in this column, in place of "
                                        "those of the source.",
                               .example = "[\"\", \"-999\"]"},
};

static_assert(COUNT(field_keys) == FIELD_KEY_COUNT, "field keys");

const struct key_set field_key_set = {.title = "sources[].fields.COLUMN",
                                      .holder = "a field",
                                      .keys = field_keys,
                                      .count = COUNT(field_keys)};
