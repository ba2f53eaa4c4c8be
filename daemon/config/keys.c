/* The keys of the main file, and all sets of keys. */
#include "config/key_row.h"

static const struct choice synchronous_choices[] = {
    {"full", SYNCHRONOUS_FULL},
    {"normal", SYNCHRONOUS_NORMAL},
    {NULL, 0},
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

static const struct key_set queue_key_set = {
    .title = "queue", .holder = "queue", .keys = queue_keys, .count = COUNT(queue_keys)};
static const struct key_set batch_key_set = {
    .title = "batch", .holder = "batch", .keys = batch_keys, .count = COUNT(batch_keys)};

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
                    .example = "{\"max_concurrent\": 4, \"min_spacing\": \"200ms\"}"},
    [ROOT_RATE_LIMITS] = {.name = "rate_limits",
                          .kind = KIND_OBJECT_MAP,
                          LIST_TO(struct config, rate_limits, rate_limit_count),
                          RANGE(0, 1000),
                          .keys = &rate_limit_key_set,
                          .instead = "none",
                          .about = "Limits by name, each shared by the sources that name it in "
                                   "rate_limit, whatever their host.",
                          .example = "{\"github\": {\"requests\": 5000, \"per\": \"1h\", "
                                     "\"burst\": 10}}"},
    [ROOT_VIEWS] = {.name = "views",
                    .kind = KIND_VIEWS,
                    LIST_TO(struct config, views, view_count),
                    .instead = "none",
                    .about = "Views of the database: each a name and its SELECT.",
                    .example = "{\"strong\": \"SELECT * FROM quakes WHERE mag >= 6\"}"},
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
                                "key of a source but name, url, for_each and what is said of "
                                "its tables: table, primary_key and children.",
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

static_assert(COUNT(root_keys) == ROOT_KEY_COUNT && COUNT(root_keys) <= MAX_KEYS, "root keys");

const struct key_set root_key_set = {
    .holder = "the main file", .keys = root_keys, .count = COUNT(root_keys)};

const struct key_set *const key_sets[] = {
    &root_key_set,
    &queue_key_set,
    &batch_key_set,
    &hosts_key_set,
    &host_override_key_set,
    &rate_limit_key_set,
    &source_key_set,
    &retry_key_set,
    &incremental_key_set,
    &tls_key_set,
    &pagination_key_set,
    &auth_key_set,
    &login_key_set,
    &answer_rule_key_set,
    &quota_key_set,
    &for_each_key_set,
    &csv_key_set,
    &xml_key_set,
    &child_key_set,
    &contract_key_set,
    &field_key_set,
    &secret_key_set,
    NULL,
};
