/* The keys of a source, and of what stands in it. */
#include "config/key_row.h"
#include "config/keys_mapping.h"
#include "config/load.h"

static const struct choice method_choices[] = {
    {"GET", METHOD_GET}, {"POST", METHOD_POST}, {"PUT", METHOD_PUT}, {"PATCH", METHOD_PATCH},
    {NULL, 0},
};

static const struct choice missed_choices[] = {
    {"once", MISSED_ONCE},
    {"skip", MISSED_SKIP},
    {NULL, 0},
};

static const struct choice format_choices[] = {
    {"auto", FORMAT_AUTO},
    {"json", FORMAT_JSON},
    {"ndjson", FORMAT_NDJSON},
    {"csv", FORMAT_CSV},
    {"tsv", FORMAT_TSV},
    {"xml", FORMAT_XML},
    {"prometheus", FORMAT_PROMETHEUS},
    {NULL, 0},
};

static const struct choice no_records_choices[] = {{"fail", false}, {"accept", true}, {NULL, 0}};

static const struct choice write_mode_choices[] = {
    {"append", WRITE_APPEND},   {"upsert", WRITE_UPSERT},   {"insert_only", WRITE_INSERT_ONLY},
    {"replace", WRITE_REPLACE}, {"history", WRITE_HISTORY}, {NULL, 0},
};

static const struct choice missing_choices[] = {
    {"keep", MISSING_KEEP},
    {"mark", MISSING_MARK},
    {"delete", MISSING_DELETE},
    {NULL, 0},
};

static const struct choice http_version_choices[] = {
    {"auto", HTTP_VERSION_AUTO}, {"1.1", HTTP_VERSION_1_1}, {"2", HTTP_VERSION_2}, {NULL, 0}};

static const struct choice private_choices[] = {
    {"true", PRIVATE_ALLOWED}, {"false", PRIVATE_REFUSED}, {NULL, 0}};

enum retry_key { RETRY_MAX_ATTEMPTS, RETRY_BACKOFF_BASE, RETRY_BACKOFF_MAX, RETRY_SCOPE };

static const struct choice scope_choices[] = {
    {"source", RETRY_SCOPE_SOURCE},
    {"host", RETRY_SCOPE_HOST},
    {NULL, 0},
};

static const struct key retry_keys[] = {
    [RETRY_MAX_ATTEMPTS] =
        {.name = "max_attempts",
         .kind = KIND_COUNT,
         TO(struct retry_policy, max_attempts),
         RANGE(1, 100),
         .fallback = "3",
         .about = "Requests in one run until one succeeds, the first included; 1: no retries.",
         .example = "5"},
    [RETRY_BACKOFF_BASE] =
        {.name = "backoff_base",
         .kind = KIND_DURATION,
         TO(struct retry_policy, base_ms),
         RANGE(1, HOUR_MS),
         .fallback = "1s",
         .about =
             "The second attempt waits a random time up to this, each further one up to twice as "
             "long.",
         .example = "500ms"},
    [RETRY_BACKOFF_MAX] = {.name = "backoff_max",
                           .kind = KIND_DURATION,
                           TO(struct retry_policy, cap_ms),
                           RANGE(1, DAY_MS),
                           .fallback = "60s",
                           .about = "No attempt waits longer, unless the server asks for it; at "
                                    "least backoff_base.",
                           .example = "5m"},
    [RETRY_SCOPE] = {.name = "scope",
                     .kind = KIND_CHOICE,
                     TO(struct retry_policy, scope),
                     .choices = scope_choices,
                     .fallback = "source",
                     .about = "Whom a Retry-After holds up: this source, or every source of its "
                              "host.",
                     .example = "host"},
};

static bool check_retry(struct load *load, const struct where *where, struct item *item,
                        void *object, const struct given *given)
{
    struct retry_policy *retry = object;
    struct where here = where_key(where, retry_keys[RETRY_BACKOFF_MAX].name);

    if (retry->cap_ms >= retry->base_ms)
        return true;
    if (given->at[RETRY_BACKOFF_MAX] == NULL) { /* a default gives way to what the operator wrote */
        retry->cap_ms = retry->base_ms;
        return true;
    }
    (void)item;
    load_mistake(load, place_of(load, given->at[RETRY_BACKOFF_MAX]), &here,
                 "is below backoff_base; write at least that");
    return false;
}

const struct key_set retry_key_set = {
    .title = "sources[].retry",
    .holder = "retry",
    .keys = retry_keys,
    .count = COUNT(retry_keys),
    .size = sizeof(struct retry_policy),
    .check = check_retry,
};

static const struct key source_keys[] = {
    [SOURCE_NAME] = {.name = "name",
                     .part = PART_PACE,
                     .kind = KIND_NAME,
                     TO(struct source, name),
                     RANGE(1, 128),
                     .required = true,
                     .own = true,
                     .about = "Its name in logs, commands and _gatherd_sources: letters, digits, "
                              "_ - and . and used once.",
                     .example = "earthquakes"},
    [SOURCE_URL] = {.name = "url",
                    .part = PART_REQUEST,
                    .kind = KIND_URL,
                    .templates = true,
                    TO(struct source, url),
                    .required = true,
                    .own = true,
                    .about = "What to fetch, http or https; behind the host it may hold "
                             "run-time values.",
                    .example = "https://api.example.org/v1/items"},
    [SOURCE_ENABLED] = {.name = "enabled",
                        .part = PART_PACE,
                        .kind = KIND_BOOLEAN,
                        TO(struct source, enabled),
                        .fallback = "true",
                        .about = "false keeps the source in the file without polling it.",
                        .example = "false"},
    [SOURCE_INTERVAL] = {.name = "interval",
                         .part = PART_PACE,
                         .kind = KIND_DURATION,
                         TO(struct source, interval_ms),
                         RANGE(10, 366 * DAY_MS),
                         .fallback = "60s",
                         .about = "Time from one poll to the next.",
                         .example = "5m"},
    [SOURCE_CRON] = {.name = "cron",
                     .part = PART_PACE,
                     .kind = KIND_CRON,
                     TO(struct source, cron),
                     .instead = "interval",
                     .about = "Polls at the times of a cron line instead: minute hour day month "
                              "weekday, or @hourly, @daily, @weekly, @monthly, @yearly.",
                     .example = "0 6-20 * * mon-fri"},
    [SOURCE_TIMEZONE] =
        {.name = "timezone",
         .part = PART_PACE,
         .kind = KIND_TIMEZONE,
         ZONE_TO(struct source, timezone, zone),
         .fallback = "UTC",
         .about = "Where the times of cron and align are told, and dates and patterns of "
                  "run-time values: an IANA name.",
         .example = "Europe/Paris"},
    [SOURCE_ALIGN] = {.name = "align",
                      .part = PART_PACE,
                      .kind = KIND_BOOLEAN,
                      TO(struct source, align),
                      .fallback = "false",
                      .about = "true counts interval on the wall clock: from midnight in timezone "
                               "if it divides a day, else from 1970 in UTC.",
                      .example = "true"},
    [SOURCE_OFFSET] = {.name = "offset",
                       .part = PART_PACE,
                       .kind = KIND_DURATION,
                       TO(struct source, offset_ms),
                       RANGE(0, 7 * DAY_MS),
                       .fallback = "0s",
                       .about = "Each slot of cron or align is later by this; with align less "
                                "than interval.",
                       .example = "30s"},
    [SOURCE_MISSED] = {.name = "missed",
                       .part = PART_PACE,
                       .kind = KIND_CHOICE,
                       TO(struct source, missed),
                       .choices = missed_choices,
                       .fallback = "once",
                       .about = "What a start does when slots passed while gatherd was not "
                                "running: one poll at once, or nothing until the next slot.",
                       .example = "skip"},
    [SOURCE_JITTER] = {.name = "jitter",
                       .part = PART_PACE,
                       .kind = KIND_DURATION,
                       TO(struct source, jitter_ms),
                       RANGE(0, 366 * DAY_MS),
                       .fallback = "0s",
                       .about = "Each poll is later by a random time up to this; at most interval, "
                                "or the shortest gap of cron.",
                       .example = "5s"},
    [SOURCE_MAX_INTERVAL] = {.name = "max_interval",
                             .part = PART_PACE,
                             .kind = KIND_DURATION,
                             TO(struct source, max_interval_ms),
                             RANGE(10, 366 * DAY_MS),
                             .fallback = "1h",
                             .about =
                                 "A failing source doubles its interval up to this (with cron: "
                                 "passes over slots); at least interval.",
                             .example = "6h"},
    [SOURCE_RUN_ON_START] = {.name = "run_on_start",
                             .part = PART_PACE,
                             .kind = KIND_BOOLEAN,
                             TO(struct source, run_on_start),
                             .fallback = "false",
                             .about = "Whether each start of the daemon polls at once.",
                             .example = "true"},
    [SOURCE_METHOD] = {.name = "method",
                       .part = PART_REQUEST,
                       .kind = KIND_CHOICE,
                       TO(struct source, method),
                       .choices = method_choices,
                       .instead = "POST with a body or form, else GET",
                       .about = "The request's method. Polling reads: a POST that failed is tried "
                                "again as a GET is.",
                       .example = "PUT"},
    [SOURCE_HEADERS] = {.name = "headers",
                        .part = PART_REQUEST,
                        .kind = KIND_HEADERS,
                        .templates = true,
                        LIST_TO(struct source, headers, header_count),
                        .instead = "none",
                        .about = "Request headers, name to value; they replace those of defaults.",
                        .example = "{\"Accept\": \"application/json\"}"},
    [SOURCE_PARAMS] = {.name = "params",
                       .part = PART_REQUEST,
                       .kind = KIND_PARAMS,
                       .templates = true,
                       LIST_TO(struct source, params, param_count),
                       .instead = "none",
                       .about = "Query parameters, added to the url percent-encoded; a list "
                                "repeats its name; they replace those of defaults.",
                       .example = "{\"limit\": 100, \"tag\": [\"a\", \"b\"]}"},
    [SOURCE_BODY] = {.name = "body",
                     .part = PART_REQUEST,
                     .kind = KIND_BODY,
                     .templates = true,
                     TO(struct source, body),
                     .instead = "none",
                     .about = "What the request carries: text, sent as it is, or a mapping or a "
                              "list, sent as JSON with Content-Type application/json unless "
                              "headers say otherwise.",
                     .example = "{\"query\": \"{ viewer { login } }\"}"},
    [SOURCE_FORM] = {.name = "form",
                     .part = PART_REQUEST,
                     .kind = KIND_PARAMS,
                     .templates = true,
                     LIST_TO(struct source, form, form_count),
                     .instead = "none",
                     .about = "Fields of a form, sent as application/x-www-form-urlencoded; a list "
                              "repeats its name. A request has a body or a form.",
                     .example = "{\"report\": \"daily\", \"region\": [\"eu\", \"us\"]}"},
    [SOURCE_AUTH] = {.name = "auth",
                     .kind = KIND_OBJECT,
                     TO(struct source, auth),
                     .keys = &auth_key_set,
                     .instead = "none",
                     .about = "How the source proves who it is (see below); it stays with the "
                              "url's own origin when a redirect leads elsewhere.",
                     .example = "{\"type\": \"bearer\", \"token_file\": \"github.token\"}"},
    [SOURCE_TIMEOUT] = {.name = "timeout",
                        .part = PART_PACE,
                        .kind = KIND_DURATION,
                        TO(struct source, timeout_ms),
                        RANGE(10, DAY_MS),
                        .fallback = "30s",
                        .about = "Longest time one request may take, from resolving to the last "
                                 "byte.",
                        .example = "2m"},
    [SOURCE_CONNECT_TIMEOUT] = {.name = "connect_timeout",
                                .part = PART_PACE,
                                .kind = KIND_DURATION,
                                TO(struct source, connect_timeout_ms),
                                RANGE(10, DAY_MS),
                                .fallback = "10s",
                                .about = "Longest time until the connection stands, TLS included; "
                                         "at most timeout.",
                                .example = "5s"},
    [SOURCE_MAX_BODY_SIZE] = {.name = "max_body_size",
                              .part = PART_PACE,
                              .kind = KIND_SIZE,
                              TO(struct source, max_body_bytes),
                              RANGE(1, 2 * GIB),
                              .fallback = "16MiB",
                              .about = "Largest response, after decompression; over it the run "
                                       "fails.",
                              .example = "64MiB"},
    [SOURCE_MAX_REDIRECTS] = {.name = "max_redirects",
                              .part = PART_PACE,
                              .kind = KIND_COUNT,
                              TO(struct source, max_redirects),
                              RANGE(0, 50),
                              .fallback = "5",
                              .about = "Most redirects to follow.",
                              .example = "0"},
    [SOURCE_TLS] = {.name = "tls",
                    .kind = KIND_OBJECT,
                    TO(struct source, tls),
                    .keys = &tls_key_set,
                    .instead = "the system's authorities, TLS 1.2 or newer",
                    .about = "How a server's certificate is verified, and which one is shown to "
                             "it. A redirect to another origin keeps ca_file and min_version only.",
                    .example = "{\"min_version\": \"1.3\"}"},
    [SOURCE_HTTP_VERSION] = {.name = "http_version",
                             .kind = KIND_CHOICE,
                             TO(struct source, http_version),
                             .choices = http_version_choices,
                             .fallback = "auto",
                             .about = "auto is 2 where TLS negotiates it, else 1.1; with 2 the run "
                                      "fails where the server does not speak it, and http speaks "
                                      "it at once.",
                             .example = "1.1"},
    [SOURCE_PROXY_URL] = {.name = "proxy_url",
                          .kind = KIND_PROXY,
                          TO(struct source, proxy),
                          .instead = "none, whatever the environment says",
                          .about = "The proxy that requests go through: http, https, socks5 "
                                   "(names are resolved here) or socks5h (there), with user and "
                                   "password before an @ if it wants them.",
                          .example = "http://user@proxy.example.org:3128"},
    [SOURCE_PROXY_PASSWORD] = {SECRET("proxy_password"), TO(struct source, proxy_password),
                               .instead = "what proxy_url says",
                               .about = "The password for the user in proxy_url.",
                               .example = "${PROXY_PASSWORD}"},
    [SOURCE_NO_PROXY] = {.name = "no_proxy",
                         .kind = KIND_NAMES,
                         LIST_TO(struct source, no_proxy, no_proxy_count),
                         RANGE(0, ANY_NUMBER),
                         .instead = "all requests go through it",
                         .about = "Hosts that are reached without the proxy: a name (with all "
                                  "below it), an address, a range as in 10.0.0.0/8, or * for all.",
                         .example = "[\"internal.example.org\", \"10.0.0.0/8\"]"},
    [SOURCE_UNIX_SOCKET] = {.name = "unix_socket",
                            .kind = KIND_FILE,
                            TO(struct source, unix_socket),
                            .instead = "none: by network",
                            .about = "A Unix socket to connect to in place of the url's host, "
                                     "which stays the Host of the requests.",
                            .example = "/run/docker.sock"},
    [SOURCE_ALLOW_PRIVATE_NETWORKS] =
        {.name = "allow_private_networks",
         .kind = KIND_BOOLEAN,
         TO(struct source, private_networks),
         .choices = private_choices,
         .instead = "yes, but a redirect from a public address to one that is not is refused",
         .about = "Whether requests may go to private, loopback and link-local addresses: true "
                  "allows it to redirects, too; false refuses it to the url as well.",
         .example = "false"},
    [SOURCE_SUCCESS_STATUS_CODES] = {.name = "success_status_codes",
                                     .part = PART_ROWS,
                                     .kind = KIND_STATUS_CODES,
                                     LIST_TO(struct source, success, success_count),
                                     RANGE(200, 599),
                                     .fallback = "200-299",
                                     .about = "HTTP statuses whose body is data: a status, a "
                                              "range, or a list of them.",
                                     .example = "[200, \"206-208\"]"},
    [SOURCE_RETRY] = {.name = "retry",
                      .part = PART_PACE,
                      .kind = KIND_OBJECT,
                      TO(struct source, retry),
                      .keys = &retry_key_set,
                      .fallback = "{}",
                      .about = "Further attempts after an error that may pass: a network error, a "
                               "timeout, 408, 429 and 5xx.",
                      .example = "{\"max_attempts\": 5, \"backoff_base\": \"2s\"}"},
    [SOURCE_CONDITIONAL] = {.name = "conditional",
                            .kind = KIND_BOOLEAN,
                            TO(struct source, conditional),
                            .fallback = "true",
                            .part = PART_PACE,
                            .about = "Whether ETag and Last-Modified are sent back, so that an "
                                     "unchanged answer is a 304 without a body.",
                            .example = "false"},
    [SOURCE_RESPECT_CACHE] = {.name = "respect_cache",
                              .part = PART_PACE,
                              .kind = KIND_BOOLEAN,
                              TO(struct source, respect_cache),
                              .fallback = "false",
                              .about = "Whether Cache-Control: max-age and Expires make the "
                                       "interval longer, up to max_interval.",
                              .example = "true"},
    [SOURCE_SKIP_UNCHANGED] = {.name = "skip_unchanged",
                               .kind = KIND_BOOLEAN,
                               TO(struct source, skip_unchanged),
                               .fallback = "false",
                               .part = PART_PACE,
                               .about = "Whether a body that is the same as the last one is left "
                                        "unread; it adds no rows then.",
                               .example = "true"},
    [SOURCE_STORE_RAW] = {.name = "store_raw",
                          .part = PART_PACE,
                          .kind = KIND_DURATION,
                          TO(struct source, store_raw_ms),
                          RANGE(0, 3660 * DAY_MS),
                          .fallback = "0s",
                          .about = "How long the bodies of answers are kept, compressed, so that "
                                   "`gatherd replay` can make rows of them again; 0s: not at all.",
                          .example = "30d"},
    [SOURCE_RESPONSES] = {.name = "responses",
                          .kind = KIND_OBJECT_LIST,
                          LIST_TO(struct source, responses, response_count),
                          RANGE(0, 100),
                          .keys = &answer_rule_key_set,
                          .instead = "success_status_codes decide",
                          .about = "Rules for certain answers, before success_status_codes; the "
                                   "first that fits counts.",
                          .example = "[{\"status\": 403, \"body_contains\": \"rate limit\", "
                                     "\"action\": \"rate_limited\"}]"},
    [SOURCE_QUOTA] = {.name = "quota",
                      .part = PART_PACE,
                      .kind = KIND_OBJECT,
                      TO(struct source, quota),
                      .keys = &quota_key_set,
                      .instead = "no header is looked at",
                      .about = "Headers that say how many requests are left, and when there are "
                               "more: with none left, this source waits, or every source of its "
                               "rate_limit.",
                      .example = "{\"remaining\": \"X-RateLimit-Remaining\", \"reset\": "
                                 "\"X-RateLimit-Reset\", \"reserve\": 10}"},
    [SOURCE_RATE_LIMIT] = {.name = "rate_limit",
                           .part = PART_PACE,
                           .kind = KIND_NAME,
                           TO(struct source, rate_limit_name),
                           RANGE(1, 128),
                           .instead = "none",
                           .about = "The name of one of rate_limits: each request waits for it, "
                                    "retries too.",
                           .example = "github"},
    [SOURCE_PAGINATION] = {.name = "pagination",
                           .part = PART_ROWS,
                           .kind = KIND_OBJECT,
                           TO(struct source, pagination),
                           .keys = &pagination_key_set,
                           .instead = "one request a run",
                           .about = "How to go on to the next page; a page's rows are committed "
                                    "before the next one is asked for.",
                           .example = "{\"type\": \"link_header\"}"},
    [SOURCE_INCREMENTAL] = {.name = "incremental",
                            .kind = KIND_OBJECT,
                            TO(struct source, incremental),
                            .keys = &incremental_key_set,
                            .instead = "each run asks for all",
                            .about = "Only what is new is asked for: from the greatest position "
                                     "seen so far.",
                            .example = "{\"cursor_path\": \"$.updated_at\", \"param\": "
                                       "\"since\"}"},
    [SOURCE_FOR_EACH] = {.name = "for_each",
                         .kind = KIND_OBJECT,
                         TO(struct source, for_each),
                         .keys = &for_each_key_set,
                         .own = true,
                         .instead = "the source is one target",
                         .about = "Makes the request for each of several items, whose values it "
                                  "writes as {item.NAME}; each has its own retries and state, and "
                                  "its rows carry the values as _item_NAME.",
                         .example = "{\"source\": \"repositories\", \"fields\": [\"id\"]}"},
    [SOURCE_FORMAT] = {.name = "format",
                       .part = PART_ROWS,
                       .kind = KIND_CHOICE,
                       TO(struct source, format),
                       .choices = format_choices,
                       .fallback = "auto",
                       .about = "What the body is; auto goes by Content-Type, then by the "
                                "ending of the URL, then by looking.",
                       .example = "ndjson"},
    [SOURCE_CSV] = {.name = "csv",
                    .part = PART_ROWS,
                    .kind = KIND_OBJECT,
                    TO(struct source, csv),
                    .keys = &csv_key_set,
                    .instead = "commas or tabs, quotes, and names in the first row",
                    .about = "How a body of separated values is written (see below).",
                    .example = "{\"delimiter\": \";\", \"skip_rows\": 2}"},
    [SOURCE_XML] = {.name = "xml",
                    .part = PART_ROWS,
                    .kind = KIND_OBJECT,
                    TO(struct source, xml),
                    .keys = &xml_key_set,
                    .instead = "names as the document has them, an array where an element stands "
                               "more than once",
                    .about = "How a body of XML becomes a document (see below).",
                    .example = "{\"namespaces\": {\"atom\": \"http://www.w3.org/2005/Atom\"}}"},
    [SOURCE_ENCODING] = {.name = "encoding",
                         .part = PART_ROWS,
                         .kind = KIND_NAME,
                         TO(struct source, encoding),
                         RANGE(1, 40),
                         .instead = "as a byte order mark or the Content-Type says, else UTF-8",
                         .about = "The character set of the body, where the answer does not say "
                                  "it or says it wrongly: a name as in windows-1252, iso-8859-1, "
                                  "utf-16, shift_jis, or another that iconv knows.",
                         .example = "windows-1252"},
    [SOURCE_ARCHIVE_MEMBER] = {.name = "archive_member",
                               .part = PART_ROWS,
                               .kind = KIND_TEXT,
                               TO(struct source, archive_member),
                               RANGE(1, 1024),
                               .instead = "the only file there",
                               .about = "Which file to read where the body is a zip archive of "
                                        "several: its name, or a pattern with * and ?.",
                               .example = "data/*.csv"},
    [SOURCE_ON_NO_RECORDS] = {.name = "on_no_records",
                              .part = PART_ROWS,
                              .kind = KIND_CHOICE,
                              TO(struct source, may_lack_records),
                              .choices = no_records_choices,
                              .own = true,
                              .fallback = "fail",
                              .about = "What an answer means in which the list that records leads "
                                       "to is not there or null: a failed run, or that there are "
                                       "none.",
                              .example = "accept"},
    MAPPING_ROWS(SOURCE_MAPPING, struct source, mapping.),
    SOURCE_MAPPING_ROWS(SOURCE_MAPPING, struct source, mapping.),
    [SOURCE_WRITE_MODE] = {.name = "write_mode",
                           .part = PART_ROWS,
                           .kind = KIND_CHOICE,
                           TO(struct source, mapping.write_mode),
                           .choices = write_mode_choices,
                           .instead = "upsert with a primary_key, else append",
                           .about = "append keeps every row; upsert updates the row of the same "
                                    "key; insert_only keeps the first; replace makes the table "
                                    "what the last run brought; history is upsert and keeps "
                                    "every version in TABLE_history (see Write modes).",
                           .example = "insert_only"},
    [SOURCE_MAX_SHRINK] = {.name = "max_shrink",
                           .part = PART_ROWS,
                           .kind = KIND_PERCENT,
                           TO(struct source, mapping.max_shrink),
                           RANGE(0, 100),
                           .instead = "50%",
                           .about = "How much of its rows one run may take away from the table, "
                                    "with replace or on_missing: delete; more fails the run, and "
                                    "the table stays as it is.",
                           .example = "20%"},
    [SOURCE_IGNORE] = {.name = "ignore",
                       .part = PART_ROWS,
                       .kind = KIND_NAMES,
                       LIST_TO(struct source, mapping.ignore, mapping.ignore_count),
                       RANGE(0, ANY_NUMBER),
                       .own = true,
                       .instead = "none",
                       .about = "history: columns that make no new version when they alone have "
                                "changed.",
                       .example = "[\"views\"]"},
    [SOURCE_ON_MISSING] = {.name = "on_missing",
                           .part = PART_ROWS,
                           .kind = KIND_CHOICE,
                           TO(struct source, mapping.on_missing),
                           .choices = missing_choices,
                           .fallback = "keep",
                           .own = true,
                           .about = "upsert, history: what becomes of rows that a complete run did "
                                    "not bring: they are kept, marked with the time in "
                                    "_missing_since, or deleted.",
                           .example = "mark"},
};

static_assert(COUNT(source_keys) == SOURCE_KEY_COUNT && COUNT(source_keys) <= MAX_KEYS,
              "source keys");

const struct key_set source_key_set = {
    .title = "sources[]", .holder = "a source", .keys = source_keys, .count = COUNT(source_keys)};
