/* The keys that say how politely hosts are treated. */
#include <stdio.h>
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"
#include "config/url.h"

/* A day and a half of polls that nobody makes is a mistake; a limit may count by the month. */
#define MOST_SPACING_MS DAY_MS
#define MOST_PER_MS     (31 * DAY_MS)

#define MOST_CONCURRENT 1000

/* --- hosts --- */

enum override_key { OVERRIDE_MAX_CONCURRENT, OVERRIDE_MIN_SPACING };

static const struct key override_keys[] = {
    [OVERRIDE_MAX_CONCURRENT] = {.name = "max_concurrent",
                                 .kind = KIND_COUNT,
                                 TO(struct host_policy, max_concurrent),
                                 RANGE(1, MOST_CONCURRENT),
                                 .instead = "that of hosts",
                                 .about = "Most requests at once to this host.",
                                 .example = "1"},
    [OVERRIDE_MIN_SPACING] = {.name = "min_spacing",
                              .kind = KIND_DURATION,
                              TO(struct host_policy, min_spacing_ms),
                              RANGE(0, MOST_SPACING_MS),
                              .instead = "that of hosts",
                              .about = "Least time from the start of one request to this host to "
                                       "the start of the next.",
                              .example = "1s"},
};

/* What is not said is the same as for other hosts, which complete_politeness() fills in. */
static bool check_override(struct load *load, const struct where *where, struct item *item,
                           void *object, const struct given *given)
{
    struct host_policy *policy = object;

    (void)load;
    (void)where;
    (void)item;
    if (given->at[OVERRIDE_MIN_SPACING] == NULL)
        policy->min_spacing_ms = NOT_SAID;
    return true;
}

const struct key_set host_override_key_set = {
    .title = "hosts.overrides.HOST",
    .holder = "a host",
    .keys = override_keys,
    .count = COUNT(override_keys),
    .size = sizeof(struct host_policy),
    .check = check_override,
};

static const char *refuse_host(struct load *load, const struct where *where,
                               const struct item *name, const char *problem)
{
    load_mistake(load, place_of(load, name), where, "%s is not a host: %s",
                 load_quote(load, name->text, name->length), problem);
    return NULL;
}

/* A host is written as in a URL, alone or with its port. */
static const char *load_host_name(struct load *load, const struct where *where,
                                  const struct item *name)
{
    char url[8 + URL_HOST_SIZE + 1];
    char host[URL_HOST_SIZE];
    const char *problem;
    size_t offset;
    size_t length = strcspn(name->text, "/?#@% ");

    if (strncmp(name->text, "unix:/", 6) == 0 && strlen(name->text) == name->length)
        return load_keep(load, name->text, name->length); /* the host of a source with a socket */
    if (name->length == 0 || length < name->length || length >= URL_HOST_SIZE)
        return refuse_host(load, where, name,
                           "write a name or name:port, as in api.example.org:8080");
    snprintf(url, sizeof(url), "http://%s/", name->text);
    if (!url_check(url, host, &problem, &offset))
        return refuse_host(load, where, name, problem);
    /* url_check() adds the port of http where there was none. */
    if (name->text[length - 1] == ']' || strrchr(name->text, ':') == NULL)
        *strrchr(host, ':') = '\0';
    return load_keep(load, host, strlen(host));
}

static const struct key hosts_keys[] = {
    {.name = "max_concurrent",
     .kind = KIND_COUNT,
     TO(struct config, hosts.max_concurrent),
     RANGE(1, MOST_CONCURRENT),
     .fallback = "2",
     .about = "Most requests at once to one host and port.",
     .example = "4"},
    {.name = "min_spacing",
     .kind = KIND_DURATION,
     TO(struct config, hosts.min_spacing_ms),
     RANGE(0, MOST_SPACING_MS),
     .fallback = "0s",
     .about = "Least time from the start of one request to a host and port to the start of the "
              "next.",
     .example = "200ms"},
    {.name = "overrides",
     .kind = KIND_OBJECT_MAP,
     LIST_TO(struct config, host_overrides, host_override_count),
     RANGE(0, 10000),
     .keys = &host_override_key_set,
     .entry_name = load_host_name,
     .instead = "none",
     .about =
         "Other values for some hosts, each by its name, by name:port, which goes first, or by "
         "unix:/PATH.",
     .example = "{\"api.example.org\": {\"max_concurrent\": 1, \"min_spacing\": \"1s\"}}"},
};

const struct key_set hosts_key_set = {
    .title = "hosts", .holder = "hosts", .keys = hosts_keys, .count = COUNT(hosts_keys)};

/* --- rate_limits --- */

enum rate_limit_key { RATE_LIMIT_REQUESTS, RATE_LIMIT_PER, RATE_LIMIT_BURST };

static const struct key rate_limit_keys[] = {
    [RATE_LIMIT_REQUESTS] = {.name = "requests",
                             .kind = KIND_COUNT,
                             TO(struct rate_limit, requests),
                             RANGE(1, 1000000),
                             .required = true,
                             .about = "Over a long time at most so many requests ...",
                             .example = "5000"},
    [RATE_LIMIT_PER] = {.name = "per",
                        .kind = KIND_DURATION,
                        TO(struct rate_limit, per_ms),
                        RANGE(1, MOST_PER_MS),
                        .required = true,
                        .about = "... in this time, evenly spread.",
                        .example = "1h"},
    [RATE_LIMIT_BURST] = {.name = "burst",
                          .kind = KIND_COUNT,
                          TO(struct rate_limit, burst),
                          RANGE(1, 1000000),
                          .fallback = "1",
                          .about = "So many may follow each other at once after a pause; at most "
                                   "requests.",
                          .example = "10"},
};

static bool check_rate_limit(struct load *load, const struct where *where, struct item *item,
                             void *object, const struct given *given)
{
    const struct rate_limit *limit = object;
    struct where here = where_key(where, rate_limit_keys[RATE_LIMIT_BURST].name);

    (void)item;
    if (limit->burst <= limit->requests)
        return true;
    load_mistake(load, place_of(load, given->at[RATE_LIMIT_BURST]), &here,
                 "%u is above requests (%u); write at most that", limit->burst, limit->requests);
    return false;
}

const struct key_set rate_limit_key_set = {
    .title = "rate_limits.NAME",
    .holder = "a rate limit",
    .keys = rate_limit_keys,
    .count = COUNT(rate_limit_keys),
    .size = sizeof(struct rate_limit),
    .check = check_rate_limit,
};

/* --- quota --- */

enum quota_key { QUOTA_REMAINING, QUOTA_RESET, QUOTA_RESERVE };

static const struct key quota_keys[] = {
    [QUOTA_REMAINING] = {.name = "remaining",
                         .kind = KIND_TEXT,
                         TO(struct quota, remaining),
                         RANGE(1, 128),
                         .fallback = "X-RateLimit-Remaining",
                         .about = "The header with the number of requests that are left.",
                         .example = "RateLimit-Remaining"},
    [QUOTA_RESET] = {.name = "reset",
                     .kind = KIND_TEXT,
                     TO(struct quota, reset),
                     RANGE(1, 128),
                     .fallback = "X-RateLimit-Reset",
                     .about = "The header that says when there are more: Unix time in seconds or "
                              "milliseconds, seconds from now, a duration, or an HTTP date.",
                     .example = "RateLimit-Reset"},
    [QUOTA_RESERVE] = {.name = "reserve",
                       .kind = KIND_COUNT,
                       TO(struct quota, reserve),
                       RANGE(0, 1000000000),
                       .fallback = "0",
                       .about = "So many requests are left to others.",
                       .example = "10"},
};

static bool check_header(struct load *load, const struct where *where, unsigned row,
                         const char *name, const struct given *given)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct where here = where_key(where, quota_keys[row].name);

    if (name[strspn(name, token)] == '\0')
        return true;
    load_mistake(load, place_of(load, given->at[row]), &here,
                 "not a header's name; use letters, digits and -, as in X-RateLimit-Reset");
    return false;
}

static bool check_quota(struct load *load, const struct where *where, struct item *item,
                        void *object, const struct given *given)
{
    const struct quota *quota = object;
    bool good = check_header(load, where, QUOTA_REMAINING, quota->remaining, given);

    (void)item;
    return check_header(load, where, QUOTA_RESET, quota->reset, given) && good;
}

const struct key_set quota_key_set = {
    .title = "sources[].quota",
    .holder = "quota",
    .keys = quota_keys,
    .count = COUNT(quota_keys),
    .size = sizeof(struct quota),
    .check = check_quota,
};

/* --- responses --- */

static const struct choice action_choices[] = {
    {"retry", ANSWER_RETRY},
    {"fail", ANSWER_FAIL},
    {"ignore", ANSWER_IGNORE},
    {"rate_limited", ANSWER_RATE_LIMITED},
    {"refresh_token", ANSWER_REFRESH_TOKEN},
    {NULL, 0},
};

static const struct key answer_rule_keys[] = {
    {.name = "status",
     .kind = KIND_STATUS_CODES,
     LIST_TO(struct answer_rule, status, status_count),
     RANGE(200, 599),
     .instead = "any",
     .about = "HTTP statuses: a status, a range, or a list of them.",
     .example = "[403, \"500-599\"]"},
    {.name = "body_contains",
     .kind = KIND_TEXT,
     TO(struct answer_rule, body_contains),
     RANGE(1, 1024),
     .instead = "any body",
     .about = "A text that stands in the body, byte for byte.",
     .example = "rate limit exceeded"},
    {.name = "action",
     .kind = KIND_CHOICE,
     TO(struct answer_rule, action),
     .choices = action_choices,
     .required = true,
     .about = "retry: another attempt after the backoff; fail: none; ignore: a success without "
              "rows; rate_limited: wait as after a 429; refresh_token: another attempt with a new "
              "token.",
     .example = "rate_limited"},
};

static bool check_answer_rule(struct load *load, const struct where *where, struct item *item,
                              void *object, const struct given *given)
{
    const struct answer_rule *rule = object;

    (void)given;
    if (rule->status_count > 0 || rule->body_contains != NULL)
        return true;
    load_mistake(load, place_of(load, item), where,
                 "this would be for every answer; add status or body_contains");
    return false;
}

const struct key_set answer_rule_key_set = {
    .title = "sources[].responses[]",
    .holder = "a rule of responses",
    .keys = answer_rule_keys,
    .count = COUNT(answer_rule_keys),
    .size = sizeof(struct answer_rule),
    .check = check_answer_rule,
};
