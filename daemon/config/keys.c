#include "config/keys.h"

#include <assert.h>

#include "gatherd/config.h"

#define COUNT(a)                      (sizeof(a) / sizeof((a)[0]))
#define TO(type, member)              .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)
#define LIST_TO(type, member, length) TO(type, member), .count_offset = offsetof(type, length)
#define RANGE(from, to)               .low = (from), .high = (to)

#define SECOND_MS 1000LL
#define HOUR_MS   (3600 * SECOND_MS)
#define DAY_MS    (24 * HOUR_MS)
#define KIB       1024LL
#define GIB       (KIB * KIB * KIB)

/* SQLite allows 2,000 columns; two are ours. */
#define MAX_FIELDS 1998

#define MAX_KEY_COLUMNS 64
#define ANY_NUMBER      INT64_MAX

static const struct choice synchronous_choices[] = {
    {"full", SYNCHRONOUS_FULL},
    {"normal", SYNCHRONOUS_NORMAL},
    {NULL, 0},
};

static const struct choice method_choices[] = {{"GET", 0}, {NULL, 0}};

static const struct choice format_choices[] = {
    {"auto", FORMAT_AUTO},
    {"json", FORMAT_JSON},
    {"ndjson", FORMAT_NDJSON},
    {NULL, 0},
};

static const struct choice write_mode_choices[] = {
    {"append", WRITE_APPEND},
    {"upsert", WRITE_UPSERT},
    {"insert_only", WRITE_INSERT_ONLY},
    {NULL, 0},
};

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

static const struct key queue_keys[] = {
    {.name = "max_items",
     .kind = KIND_COUNT,
     TO(struct config, queue_max_items),
     RANGE(1, 1000000),
     .fallback = "1000",
     .about = "Most responses that wait for a processor.",
     .example = "2000"},
    {.name = "max_bytes",
     .kind = KIND_SIZE,
     TO(struct config, queue_max_bytes),
     RANGE(KIB, 1024 * GIB),
     .fallback = "64MiB",
     .about = "Most bytes of waiting responses; one that is larger is taken alone.",
     .example = "256MiB"},
};

static const struct key batch_keys[] = {
    {.name = "max_rows",
     .kind = KIND_COUNT,
     TO(struct config, batch_max_rows),
     RANGE(1, 1000000),
     .fallback = "5000",
     .about = "Most rows that one transaction gathers; there is no minimum wait.",
     .example = "20000"},
};

static const struct key hosts_keys[] = {
    {.name = "max_concurrent",
     .kind = KIND_COUNT,
     TO(struct config, host_max_concurrent),
     RANGE(1, 1000),
     .fallback = "2",
     .about = "Most requests at once to one host and port.",
     .example = "4"},
};

static const struct key_set queue_key_set = {"queue", "queue", queue_keys, COUNT(queue_keys)};
static const struct key_set batch_key_set = {"batch", "batch", batch_keys, COUNT(batch_keys)};
static const struct key_set hosts_key_set = {"hosts", "hosts", hosts_keys, COUNT(hosts_keys)};

static const struct key root_keys[] = {
    [ROOT_DATABASE] = {.name = "database",
                       .kind = KIND_DATABASE,
                       TO(struct config, database),
                       .fallback = "gatherd.db",
                       .about = "Path of the SQLite file, relative to the folder of this file.",
                       .example = "/var/lib/gatherd/gatherd.db"},
    [ROOT_SYNCHRONOUS] = {.name = "synchronous",
                          .kind = KIND_CHOICE,
                          TO(struct config, synchronous),
                          .choices = synchronous_choices,
                          .fallback = "full",
                          .about = "Whether a commit waits for the disk (full), or a power cut may "
                                   "take the newest ones (normal).",
                          .example = "normal"},
    [ROOT_FETCHERS] = {.name = "fetchers",
                       .kind = KIND_COUNT,
                       TO(struct config, fetchers),
                       RANGE(1, 64),
                       .fallback = "2",
                       .about = "Threads that send requests.",
                       .example = "4"},
    [ROOT_PROCESSORS] = {.name = "processors",
                         .kind = KIND_COUNT,
                         TO(struct config, processors),
                         RANGE(1, 64),
                         .fallback = "2",
                         .about = "Threads that turn responses into rows.",
                         .example = "4"},
    [ROOT_MAX_IN_FLIGHT] = {.name = "max_in_flight",
                            .kind = KIND_COUNT,
                            TO(struct config, max_in_flight),
                            RANGE(1, 10000),
                            .fallback = "256",
                            .about = "Most requests that one fetcher has under way.",
                            .example = "1000"},
    [ROOT_QUEUE] = {.name = "queue",
                    .kind = KIND_GROUP,
                    .keys = &queue_key_set,
                    .instead = "its keys' defaults",
                    .about = "Limits of the queue between fetchers and processors.",
                    .example = "{\"max_items\": 2000, \"max_bytes\": \"256MiB\"}"},
    [ROOT_BATCH] = {.name = "batch",
                    .kind = KIND_GROUP,
                    .keys = &batch_key_set,
                    .instead = "its keys' defaults",
                    .about = "What one transaction takes.",
                    .example = "{\"max_rows\": 20000}"},
    [ROOT_HOSTS] = {.name = "hosts",
                    .kind = KIND_GROUP,
                    .keys = &hosts_key_set,
                    .instead = "its keys' defaults",
                    .about = "Politeness towards each host.",
                    .example = "{\"max_concurrent\": 4}"},
    [ROOT_SHUTDOWN_TIMEOUT] = {.name = "shutdown_timeout",
                               .kind = KIND_DURATION,
                               TO(struct config, shutdown_timeout_ms),
                               RANGE(0, HOUR_MS),
                               .fallback = "30s",
                               .about = "How long requests under way may go on after SIGTERM.",
                               .example = "10s"},
    [ROOT_DEFAULTS] = {.name = "defaults",
                       .kind = KIND_DEFAULTS,
                       .instead = "each key's own default",
                       .about = "Values for every source that does not set the key itself: any "
                                "key of a source but name, url, table and primary_key.",
                       .example = "{\"interval\": \"5m\", \"timeout\": \"20s\"}"},
    [ROOT_INCLUDE] = {.name = "include",
                      .kind = KIND_INCLUDE,
                      .instead = "only this file",
                      .about = "Further files with sources: a pattern or a list of them, relative "
                               "to the folder of this file. Included files hold sources only.",
                      .example = "[\"conf.d/*.yaml\"]"},
    [ROOT_SOURCES] = {.name = "sources",
                      .kind = KIND_SOURCES,
                      .instead = "only those of included files",
                      .about = "What to poll: a list of mappings, at least one in all files.",
                      .example = "[{\"name\": \"weather\", \"url\": "
                                 "\"https://api.example.org/weather\"}]"},
};

static const struct key source_keys[] = {
    [SOURCE_NAME] = {.name = "name",
                     .kind = KIND_NAME,
                     TO(struct source, name),
                     RANGE(1, 128),
                     .required = true,
                     .own = true,
                     .about = "Its name in logs, commands and _gatherd_sources: letters, digits, "
                              "_ - and . and used once.",
                     .example = "earthquakes"},
    [SOURCE_URL] = {.name = "url",
                    .kind = KIND_URL,
                    TO(struct source, url),
                    .required = true,
                    .own = true,
                    .about = "What to fetch, http or https.",
                    .example = "https://api.example.org/v1/items"},
    [SOURCE_ENABLED] = {.name = "enabled",
                        .kind = KIND_BOOLEAN,
                        TO(struct source, enabled),
                        .fallback = "true",
                        .about = "false keeps the source in the file without polling it.",
                        .example = "false"},
    [SOURCE_INTERVAL] = {.name = "interval",
                         .kind = KIND_DURATION,
                         TO(struct source, interval_ms),
                         RANGE(10, 366 * DAY_MS),
                         .fallback = "60s",
                         .about = "Time from one poll to the next.",
                         .example = "5m"},
    [SOURCE_JITTER] = {.name = "jitter",
                       .kind = KIND_DURATION,
                       TO(struct source, jitter_ms),
                       RANGE(0, 366 * DAY_MS),
                       .fallback = "0s",
                       .about = "Each poll is later by a random time up to this; at most interval.",
                       .example = "5s"},
    [SOURCE_MAX_INTERVAL] = {.name = "max_interval",
                             .kind = KIND_DURATION,
                             TO(struct source, max_interval_ms),
                             RANGE(10, 366 * DAY_MS),
                             .fallback = "1h",
                             .about = "A failing source doubles its interval up to this; at least "
                                      "interval.",
                             .example = "6h"},
    [SOURCE_RUN_ON_START] = {.name = "run_on_start",
                             .kind = KIND_BOOLEAN,
                             TO(struct source, run_on_start),
                             .fallback = "false",
                             .about = "Whether each start of the daemon polls at once.",
                             .example = "true"},
    [SOURCE_METHOD] = {.name = "method",
                       .kind = KIND_CHOICE,
                       .choices = method_choices,
                       .fallback = "GET",
                       .about = "The request's method.",
                       .example = "GET"},
    [SOURCE_HEADERS] = {.name = "headers",
                        .kind = KIND_HEADERS,
                        LIST_TO(struct source, headers, header_count),
                        .instead = "none",
                        .about = "Request headers, name to value; they replace those of defaults.",
                        .example = "{\"Accept\": \"application/json\"}"},
    [SOURCE_PARAMS] = {.name = "params",
                       .kind = KIND_PARAMS,
                       LIST_TO(struct source, params, param_count),
                       .instead = "none",
                       .about = "Query parameters, added to the url percent-encoded; a list "
                                "repeats its name; they replace those of defaults.",
                       .example = "{\"limit\": 100, \"tag\": [\"a\", \"b\"]}"},
    [SOURCE_TIMEOUT] = {.name = "timeout",
                        .kind = KIND_DURATION,
                        TO(struct source, timeout_ms),
                        RANGE(10, DAY_MS),
                        .fallback = "30s",
                        .about = "Longest time one request may take, from resolving to the last "
                                 "byte.",
                        .example = "2m"},
    [SOURCE_CONNECT_TIMEOUT] = {.name = "connect_timeout",
                                .kind = KIND_DURATION,
                                TO(struct source, connect_timeout_ms),
                                RANGE(10, DAY_MS),
                                .fallback = "10s",
                                .about = "Longest time until the connection stands, TLS included; "
                                         "at most timeout.",
                                .example = "5s"},
    [SOURCE_MAX_BODY_SIZE] = {.name = "max_body_size",
                              .kind = KIND_SIZE,
                              TO(struct source, max_body_bytes),
                              RANGE(1, 2 * GIB),
                              .fallback = "16MiB",
                              .about = "Largest response, after decompression; over it the run "
                                       "fails.",
                              .example = "64MiB"},
    [SOURCE_MAX_REDIRECTS] = {.name = "max_redirects",
                              .kind = KIND_COUNT,
                              TO(struct source, max_redirects),
                              RANGE(0, 50),
                              .fallback = "5",
                              .about = "Most redirects to follow.",
                              .example = "0"},
    [SOURCE_SUCCESS_STATUS_CODES] = {.name = "success_status_codes",
                                     .kind = KIND_STATUS_CODES,
                                     LIST_TO(struct source, success, success_count),
                                     RANGE(200, 599),
                                     .fallback = "200-299",
                                     .about = "HTTP statuses whose body is data: a status, a "
                                              "range, or a list of them.",
                                     .example = "[200, \"206-208\"]"},
    [SOURCE_FORMAT] = {.name = "format",
                       .kind = KIND_CHOICE,
                       TO(struct source, format),
                       .choices = format_choices,
                       .fallback = "auto",
                       .about = "What the body is; auto goes by Content-Type.",
                       .example = "ndjson"},
    [SOURCE_RECORDS] = {.name = "records",
                        .kind = KIND_PATH,
                        TO(struct source, records),
                        .instead = "the document, or its elements if it is an array",
                        .about = "JSONPath (RFC 9535) of the records, one row each.",
                        .example = "$.features[*]"},
    [SOURCE_FIELDS] = {.name = "fields",
                       .kind = KIND_FIELDS,
                       LIST_TO(struct source, fields, field_count),
                       RANGE(1, MAX_FIELDS),
                       .instead = "every member of a record becomes a column",
                       .about = "Columns, each with a JSONPath from the record, or a mapping (see "
                                "below).",
                       .example = "{\"id\": \"$.id\", \"seen\": {\"path\": \"$.time\", \"type\": "
                                  "\"timestamp\", \"unit\": \"ms\"}}"},
    [SOURCE_EXCLUDE] = {.name = "exclude",
                        .kind = KIND_NAMES,
                        LIST_TO(struct source, exclude, exclude_count),
                        RANGE(0, ANY_NUMBER),
                        .instead = "none",
                        .about = "Members of a record that become no column, where there are no "
                                 "fields.",
                        .example = "[\"links\"]"},
    [SOURCE_TABLE] = {.name = "table",
                      .kind = KIND_TABLE,
                      TO(struct source, table),
                      .own = true,
                      .instead = "the name, anything but letters, digits and _ made one _",
                      .about = "The table of its rows: letters, digits and _; no two sources share "
                               "one.",
                      .example = "quakes"},
    [SOURCE_PRIMARY_KEY] = {.name = "primary_key",
                            .kind = KIND_NAMES,
                            LIST_TO(struct source, primary_key, primary_key_count),
                            RANGE(1, MAX_KEY_COLUMNS),
                            .own = true,
                            .instead = "none",
                            .about = "Columns that say which record a row is: a name or a list.",
                            .example = "[\"id\"]"},
    [SOURCE_WRITE_MODE] = {.name = "write_mode",
                           .kind = KIND_CHOICE,
                           TO(struct source, write_mode),
                           .choices = write_mode_choices,
                           .instead = "upsert with a primary_key, else append",
                           .about = "append keeps every row; upsert updates the row of the same "
                                    "key; insert_only keeps the first.",
                           .example = "insert_only"},
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

static_assert(COUNT(root_keys) == ROOT_KEY_COUNT && COUNT(root_keys) <= MAX_KEYS, "root keys");
static_assert(COUNT(source_keys) == SOURCE_KEY_COUNT && COUNT(source_keys) <= MAX_KEYS,
              "source keys");
static_assert(COUNT(field_keys) == FIELD_KEY_COUNT, "field keys");

const struct key_set root_key_set = {NULL, "the main file", root_keys, COUNT(root_keys)};
const struct key_set source_key_set = {"sources[]", "a source", source_keys, COUNT(source_keys)};
const struct key_set field_key_set = {"sources[].fields.COLUMN", "a field", field_keys,
                                      COUNT(field_keys)};

const struct key_set *const key_sets[] = {
    &root_key_set,   &queue_key_set, &batch_key_set, &hosts_key_set,
    &source_key_set, &field_key_set, NULL,
};
