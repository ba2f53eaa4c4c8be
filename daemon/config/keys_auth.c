/* The keys of auth, and what each type of it needs. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"
#include "config/value_list.h"
#include "gatherd/auth.h"

#define MAX_NAME_BYTES 256
#define MAX_TEXT_BYTES 2048

enum auth_key {
    KEY_TYPE,
    KEY_USERNAME,
    KEY_PASSWORD,
    KEY_TOKEN,
    KEY_KEY,
    KEY_IN,
    KEY_NAME,
    KEY_PREFIX,
    KEY_ACCESS_KEY_ID,
    KEY_SECRET_ACCESS_KEY,
    KEY_SESSION_TOKEN,
    KEY_REGION,
    KEY_SERVICE,
    AUTH_KEY_COUNT,
};

static const struct choice type_choices[] = {
    {"none", AUTH_NONE},
    {"basic", AUTH_BASIC},
    {"bearer", AUTH_BEARER},
    {"api_key", AUTH_API_KEY},
    {"digest", AUTH_DIGEST},
    {"aws_sigv4", AUTH_AWS_SIGV4},
    {NULL, 0},
};

static const struct choice place_choices[] = {
    {"header", AUTH_IN_HEADER}, {"query", AUTH_IN_QUERY}, {"cookie", AUTH_IN_COOKIE}, {NULL, 0}};

static const struct key auth_keys[] = {
    [KEY_TYPE] = {.name = "type",
                  .kind = KIND_CHOICE,
                  TO(struct auth, type),
                  .choices = type_choices,
                  .required = true,
                  .about = "How the source proves who it is; none: not at all, whatever defaults "
                           "say.",
                  .example = "basic"},
    [KEY_USERNAME] = {SECRET("username"), TO(struct auth, username), .instead = "none",
                      .about = "basic, digest: the user's name; kept as secret as the password, "
                               "since some APIs take a key in its place.",
                      .example = "reader"},
    [KEY_PASSWORD] = {SECRET("password"), TO(struct auth, password),
                      .instead = "basic sends an empty one",
                      .about = "basic, digest: the password.", .example = "${WEATHER_PASSWORD}"},
    [KEY_TOKEN] = {SECRET("token"), TO(struct auth, token), .instead = "none",
                   .about = "bearer: the token, sent as Authorization: Bearer TOKEN.",
                   .example = "${GITHUB_TOKEN}"},
    [KEY_KEY] = {SECRET("key"), TO(struct auth, key), .instead = "none",
                 .about = "api_key: the key.", .example = "${WEATHER_KEY}"},
    [KEY_IN] = {.name = "in",
                .kind = KIND_CHOICE,
                TO(struct auth, in),
                .choices = place_choices,
                .instead = "header",
                .about = "api_key: where it goes.",
                .example = "query"},
    [KEY_NAME] = {.name = "name",
                  .kind = KIND_TEXT,
                  TO(struct auth, name),
                  RANGE(1, MAX_NAME_BYTES),
                  .instead = "none",
                  .about = "api_key: name of the header, query parameter or cookie.",
                  .example = "X-Api-Key"},
    [KEY_PREFIX] = {.name = "prefix",
                    .kind = KIND_TEXT,
                    TO(struct auth, prefix),
                    RANGE(0, MAX_NAME_BYTES),
                    .instead = "none",
                    .about = "api_key: what stands before it, with the blank if one is wanted.",
                    .example = "\"token \""},
    [KEY_ACCESS_KEY_ID] = {SECRET("access_key_id"), TO(struct auth, access_key_id),
                           .instead = "none", .about = "aws_sigv4: name of the access key.",
                           .example = "AKIDEXAMPLE"},
    [KEY_SECRET_ACCESS_KEY] = {SECRET("secret_access_key"), TO(struct auth, secret_access_key),
                               .instead = "none",
                               .about = "aws_sigv4: the key that signs; it is not sent.",
                               .example = "${AWS_SECRET_ACCESS_KEY}"},
    [KEY_SESSION_TOKEN] = {SECRET("session_token"), TO(struct auth, session_token),
                           .instead = "none",
                           .about = "aws_sigv4: the token that comes with temporary keys.",
                           .example = "${AWS_SESSION_TOKEN}"},
    [KEY_REGION] = {.name = "region",
                    .kind = KIND_NAME,
                    TO(struct auth, region),
                    RANGE(1, 64),
                    .instead = "none",
                    .about = "aws_sigv4: the region.",
                    .example = "eu-central-1"},
    [KEY_SERVICE] = {.name = "service",
                     .kind = KIND_NAME,
                     TO(struct auth, service),
                     RANGE(1, 64),
                     .instead = "none",
                     .about = "aws_sigv4: the service, as in s3 or execute-api.",
                     .example = "execute-api"},
};

static_assert(COUNT(auth_keys) == AUTH_KEY_COUNT && AUTH_KEY_COUNT <= 64, "auth keys");

/* --- Which keys belong to which type. --- */

#define BIT(key) (UINT64_C(1) << (key))

static const struct rule {
    enum auth_type type;
    const char *name;
    uint64_t needed;
    uint64_t allowed; /* besides */
} rules[] = {
    {AUTH_NONE, "none", 0, 0},
    {AUTH_BASIC, "basic", BIT(KEY_USERNAME), BIT(KEY_PASSWORD)},
    {AUTH_BEARER, "bearer", BIT(KEY_TOKEN), 0},
    {AUTH_API_KEY, "api_key", BIT(KEY_KEY) | BIT(KEY_NAME), BIT(KEY_IN) | BIT(KEY_PREFIX)},
    {AUTH_DIGEST, "digest", BIT(KEY_USERNAME) | BIT(KEY_PASSWORD), 0},
    {AUTH_AWS_SIGV4, "aws_sigv4",
     BIT(KEY_ACCESS_KEY_ID) | BIT(KEY_SECRET_ACCESS_KEY) | BIT(KEY_REGION) | BIT(KEY_SERVICE),
     BIT(KEY_SESSION_TOKEN)},
};

static const struct rule *rule_of(const struct auth *auth)
{
    const struct rule *rule = rules;

    while (rule->type != auth->type)
        rule++;
    return rule;
}

static void refuse_key(struct load *load, const struct where *where, unsigned row,
                       const struct item *value, const struct rule *rule)
{
    struct where here = where_key(where, auth_keys[row].name);

    load_mistake(load, place_of(load, value), &here, "has no use with type: %s; remove it",
                 rule->name);
}

static void report_missing(struct load *load, const struct where *where, const struct item *item,
                           unsigned row, const struct rule *rule)
{
    load_mistake(load, place_of(load, item), where,
                 "the key \"%s\" is missing, which type: %s needs, as in %s: %s",
                 auth_keys[row].name, rule->name, auth_keys[row].name, auth_keys[row].example);
}

static bool check_rule(struct load *load, const struct where *where, const struct item *item,
                       const struct given *given, const struct rule *rule)
{
    bool good = true;

    for (unsigned row = KEY_TYPE + 1; row < AUTH_KEY_COUNT; row++) {
        bool is_there = given->at[row] != NULL;
        bool is_needed = (rule->needed & BIT(row)) != 0;

        if (is_there && !is_needed && (rule->allowed & BIT(row)) == 0) {
            refuse_key(load, where, row, given->at[row], rule);
            good = false;
        } else if (!is_there && is_needed) {
            report_missing(load, where, item, row, rule);
            good = false;
        }
    }
    return good;
}

/* --- What is carried, and where. --- */

static const char *carrier_problem(const struct auth *auth)
{
    if (auth->in == AUTH_IN_HEADER)
        return header_name_problem(auth->name, strlen(auth->name));
    if (auth->in == AUTH_IN_COOKIE && !is_token(auth->name, strlen(auth->name)))
        return "not a cookie's name; use letters, digits, - and _";
    return NULL;
}

static bool check_carrier(struct load *load, const struct where *where, const struct auth *auth,
                          const struct given *given)
{
    struct where name = where_key(where, auth_keys[KEY_NAME].name);
    struct where prefix = where_key(where, auth_keys[KEY_PREFIX].name);
    const char *problem = auth->name == NULL ? NULL : carrier_problem(auth);

    if (problem != NULL) {
        load_mistake(load, place_of(load, given->at[KEY_NAME]), &name, "%s", problem);
        return false;
    }
    for (const char *p = auth->prefix == NULL ? "" : auth->prefix; *p != '\0'; p++) {
        if ((unsigned char)*p >= ' ' && *p != 0x7f)
            continue;
        load_mistake(load, place_of(load, given->at[KEY_PREFIX]), &prefix,
                     "a control character before the key; remove it");
        return false;
    }
    return true;
}

/* Only for a type that has these: what is filled in is what a dump shows. */
static void fill_carrier(struct auth *auth)
{
    if (auth->in == AUTH_IN_NONE)
        auth->in = AUTH_IN_HEADER;
    if (auth->prefix == NULL)
        auth->prefix = "";
}

static bool check_auth(struct load *load, const struct where *where, struct item *item,
                       void *object, const struct given *given)
{
    struct auth *auth = object;

    if (!check_rule(load, where, item, given, rule_of(auth)))
        return false;
    if (auth->type == AUTH_API_KEY)
        fill_carrier(auth);
    return check_carrier(load, where, auth, given);
}

const struct key_set auth_key_set = {
    .title = "sources[].auth",
    .holder = "an auth",
    .keys = auth_keys,
    .count = COUNT(auth_keys),
    .size = sizeof(struct auth),
    .check = check_auth,
};
