/*
 * keys.h - the one table of configuration keys.
 *
 * Loading, ranges, defaults, "did you mean", the JSON Schema, the reference and `check --dump` all
 * read it. A new key is one row here; a new kind of value is one row in each table that is indexed
 * by enum kind.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
    KIND_BOOLEAN,
    KIND_COUNT, /* a whole number */
    KIND_DURATION,
    KIND_SIZE,
    KIND_PERCENT, /* a whole number with a %: 50% */
    KIND_SPAN,    /* a duration, or a whole number: how far a position moves; a struct span */
    KIND_CHOICE,
    KIND_DATABASE,
    KIND_FILE, /* a path, relative to the folder of the main file */
    KIND_TEXT, /* any text, a number as it is written too; its range is that of its length */
    KIND_NAME,
    KIND_URL,
    KIND_PROXY,    /* the URL of one: a struct proxy */
    KIND_ENDPOINT, /* a URL of its own, and beside it "name:port" of its host */
    KIND_TABLE,
    KIND_PATH, /* JSONPath */
    KIND_CRON,
    KIND_TIMEZONE,    /* its name, and beside it the zone */
    KIND_NAME_LISTS,  /* a list of what follows: an array of struct name_list */
    KIND_VIEWS,       /* a mapping of names to SELECT statements: an array of struct name_value */
    KIND_NAMES,       /* a text or a list of them, each once */
    KIND_NULL_VALUES, /* the same of any texts, numbers as they are written too */
    KIND_PATTERN,     /* a format of strptime(3) */
    KIND_CONSTANT,    /* a value of a column: a struct constant, without its value */
    KIND_HEADERS,
    KIND_PARAMS,
    KIND_BODY, /* text, or a mapping or a list, which becomes JSON */
    KIND_STATUS_CODES,
    KIND_FIELDS,
    KIND_ITEMS,  /* a list of values or of mappings of names to values: a struct items */
    KIND_SECRET, /* text or a credential, and by the twin NAME_file a file: a struct secret */
    KIND_GROUP,  /* a mapping of further keys, which go into the same struct */
    KIND_OBJECT, /* a mapping of further keys, in a struct of its own; one that is written replaces
                    the one in defaults whole */
    KIND_OBJECT_LIST, /* a list of mappings, an array of structs */
    KIND_OBJECT_MAP,  /* a mapping of names to mappings: the same, and each struct begins with a
                         const char *, its name */
    KIND_DEFAULTS,
    KIND_INCLUDE,
    KIND_SOURCES,
    KIND_COUNT_OF_KINDS,
};

struct choice {
    const char *name; /* NULL ends the list */
    unsigned value;
};

struct key_set;
struct load;
struct where;
struct item;
struct given;

/*
 * Checks what binds the keys of one mapping to each other, once each of them has been read, and may
 * fill in what follows from them. False: it has reported a mistake.
 */
typedef bool check_object_fn(struct load *load, const struct where *where, struct item *item,
                             void *object, const struct given *given);

/*
 * Checks the name of an entry of a KIND_OBJECT_MAP and returns it as it is to be kept, or NULL when
 * it has reported a mistake.
 */
typedef const char *entry_name_fn(struct load *load, const struct where *where,
                                  const struct item *name);

/* What a key of a source decides on, for what is remembered of its answers (run_state.h). */
enum key_part {
    PART_OTHER,   /* something else about the answer, such as who asks */
    PART_REQUEST, /* the request, which is compared when it is made */
    PART_ROWS,    /* what the answer is and which rows are made of it */
    PART_PACE,    /* when and how patiently it is asked for */
};

struct key {
    const char *name;
    const char *twin; /* KIND_SECRET: the key that names a file instead; see SECRET() */
    enum kind kind;

    /* Where the value goes in the struct that the set describes; width 0: nowhere, it is checked */
    size_t offset;
    size_t width;
    /* of the size_t beside an array; KIND_ENDPOINT: of the host; KIND_TIMEZONE: of the zone */
    size_t count_offset;

    /* Range of a number, both ends belong to it; KIND_NAMES and lists of objects: how many. */
    int64_t low;
    int64_t high;
    /* KIND_CHOICE; names that are numbers go without quotes, too. KIND_BOOLEAN: what true and false
     * are kept as, where that is not 1 and 0. */
    const struct choice *choices;
    const struct key_set *keys; /* KIND_GROUP, KIND_OBJECT; of each element of several */
    entry_name_fn *entry_name;  /* KIND_OBJECT_MAP; NULL: what KIND_NAME allows */

    const char *fallback; /* the default, through the same parser as the operator's value;
                           KIND_OBJECT: "{}", its keys' defaults */
    const char *instead;  /* no such default: what happens without the key, in words */
    bool required;
    bool
        templates; /* its texts may hold placeholders (template.h), and whoever uses them renders */
    bool own;      /* belongs to one source: not allowed in defaults */
    enum key_part part; /* keys of a source */
    const char *about;
    const char *example; /* JSON for lists and mappings, else the value itself */
};

/* What the reference and the schema say of the twin of every secret. */
#define TWIN_ABOUT   "The same from a file that nobody else may read, read anew at each use."
#define TWIN_EXAMPLE "/etc/gatherd/secret"

struct key_set {
    const char *title;  /* of its table in the reference */
    const char *holder; /* "a source": what its keys belong to */
    const struct key *keys;
    size_t count;
    const char *definition; /* its name in the schema, for a set that holds itself; else NULL */
    size_t size;            /* of the struct, where it is one of its own (KIND_OBJECT...) */
    bool completed; /* what follows from its surroundings is filled in: aliases share no struct */
    check_object_fn *check; /* of such a struct; NULL: nothing binds its keys */
};

/* The keys of a struct mapping: keys_mapping.h. */
enum mapping_key {
    MAPPING_RECORDS,
    MAPPING_ZIP,
    MAPPING_KEY_AS,
    MAPPING_COLUMNS,
    MAPPING_FLATTEN,
    MAPPING_FIELDS,
    MAPPING_EXCLUDE,
    MAPPING_NULL_VALUES,
    MAPPING_WHERE,
    MAPPING_TABLE,
    MAPPING_PRIMARY_KEY,
    MAPPING_CHILDREN,
    MAPPING_SCHEMA_CONTRACT,
    MAPPING_INDEXES,
    MAPPING_FTS,
    MAPPING_RETENTION,
    MAPPING_KEY_COUNT,
};

/* Rows of source_key_set that others ask for by name. */
enum source_key {
    SOURCE_NAME,
    SOURCE_URL,
    SOURCE_ENABLED,
    SOURCE_INTERVAL,
    SOURCE_CRON,
    SOURCE_TIMEZONE,
    SOURCE_ALIGN,
    SOURCE_OFFSET,
    SOURCE_MISSED,
    SOURCE_JITTER,
    SOURCE_MAX_INTERVAL,
    SOURCE_RUN_ON_START,
    SOURCE_METHOD,
    SOURCE_HEADERS,
    SOURCE_PARAMS,
    SOURCE_BODY,
    SOURCE_FORM,
    SOURCE_AUTH,
    SOURCE_TIMEOUT,
    SOURCE_CONNECT_TIMEOUT,
    SOURCE_MAX_BODY_SIZE,
    SOURCE_MAX_REDIRECTS,
    SOURCE_TLS,
    SOURCE_HTTP_VERSION,
    SOURCE_PROXY_URL,
    SOURCE_PROXY_PASSWORD,
    SOURCE_NO_PROXY,
    SOURCE_UNIX_SOCKET,
    SOURCE_ALLOW_PRIVATE_NETWORKS,
    SOURCE_SUCCESS_STATUS_CODES,
    SOURCE_RETRY,
    SOURCE_CONDITIONAL,
    SOURCE_INCREMENTAL,
    SOURCE_RESPECT_CACHE,
    SOURCE_SKIP_UNCHANGED,
    SOURCE_STORE_RAW,
    SOURCE_RESPONSES,
    SOURCE_QUOTA,
    SOURCE_RATE_LIMIT,
    SOURCE_PAGINATION,
    SOURCE_FOR_EACH,
    SOURCE_FORMAT,
    SOURCE_CSV,
    SOURCE_XML,
    SOURCE_ENCODING,
    SOURCE_ARCHIVE_MEMBER,
    SOURCE_ON_NO_RECORDS,
    SOURCE_MAPPING, /* the first of enum mapping_key */
    SOURCE_WRITE_MODE = SOURCE_MAPPING + MAPPING_KEY_COUNT,
    SOURCE_MAX_SHRINK,
    SOURCE_IGNORE,
    SOURCE_ON_MISSING,
    SOURCE_KEY_COUNT,

    SOURCE_FIELDS = SOURCE_MAPPING + MAPPING_FIELDS,
    SOURCE_EXCLUDE = SOURCE_MAPPING + MAPPING_EXCLUDE,
    SOURCE_WHERE = SOURCE_MAPPING + MAPPING_WHERE,
    SOURCE_TABLE = SOURCE_MAPPING + MAPPING_TABLE,
    SOURCE_PRIMARY_KEY = SOURCE_MAPPING + MAPPING_PRIMARY_KEY,
    SOURCE_CHILDREN = SOURCE_MAPPING + MAPPING_CHILDREN,
};

enum root_key {
    ROOT_DATABASE,
    ROOT_SYNCHRONOUS,
    ROOT_FETCHERS,
    ROOT_PROCESSORS,
    ROOT_MAX_IN_FLIGHT,
    ROOT_QUEUE,
    ROOT_BATCH,
    ROOT_HOSTS,
    ROOT_RATE_LIMITS,
    ROOT_VIEWS,
    ROOT_RETENTION,
    ROOT_SHUTDOWN_TIMEOUT,
    ROOT_DEFAULTS,
    ROOT_INCLUDE,
    ROOT_SOURCES,
    ROOT_KEY_COUNT,
};

enum field_key {
    FIELD_KEY_PATH,
    FIELD_KEY_SQL,
    FIELD_KEY_DOCUMENT,
    FIELD_KEY_HEADER,
    FIELD_KEY_REQUEST,
    FIELD_KEY_TYPE,
    FIELD_KEY_UNIT,
    FIELD_KEY_FORMAT,
    FIELD_KEY_TIMEZONE,
    FIELD_KEY_ENCODING,
    FIELD_KEY_REQUIRED,
    FIELD_KEY_DEFAULT,
    FIELD_KEY_NULL_VALUES,
    FIELD_KEY_COUNT,
};

/* More than any set has: the size of what is kept for each key while a mapping is read. */
#define MAX_KEYS 96

extern const struct key_set root_key_set;               /* of struct config */
extern const struct key_set hosts_key_set;              /* of struct config */
extern const struct key_set host_override_key_set;      /* of struct host_policy */
extern const struct key_set rate_limit_key_set;         /* of struct rate_limit */
extern const struct key_set source_key_set;             /* of struct source */
extern const struct key_set quota_key_set;              /* of struct quota */
extern const struct key_set answer_rule_key_set;        /* of struct answer_rule */
extern const struct key_set incremental_key_set;        /* of struct incremental */
extern const struct key_set retry_key_set;              /* of struct retry_policy */
extern const struct key_set tls_key_set;                /* of struct tls_options */
extern const struct key_set pagination_key_set;         /* of struct pagination */
extern const struct key_set auth_key_set;               /* of struct auth */
extern const struct key_set login_key_set;              /* of struct login */
extern const struct key_set csv_key_set;                /* of struct csv_options */
extern const struct key_set xml_key_set;                /* of struct xml_rules */
extern const struct key_set for_each_key_set;           /* of struct for_each */
extern const struct key_set child_key_set;              /* of struct mapping */
extern const struct key_set contract_key_set;           /* of struct schema_contract */
extern const struct key_set retention_key_set;          /* of struct retention */
extern const struct key_set internal_retention_key_set; /* of struct config */
extern const struct key_set runs_retention_key_set;     /* of struct config */
extern const struct key_set letters_retention_key_set;  /* of struct config */
extern const struct key_set field_key_set;              /* of struct field */
extern const struct key_set secret_key_set;             /* of struct secret */
extern const struct key_set *const key_sets[];          /* all of them, ended by NULL */

#endif
