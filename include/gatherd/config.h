/*
 * config.h - the configuration: what the YAML says, checked, with every default filled in.
 *
 * A struct config never changes after config_load() and is counted: who uses it beyond a call holds
 * a reference, so a reload can put a new one beside it while runs finish under the old one. All
 * strings and arrays are owned by the configuration and live as long as it does. Durations are
 * milliseconds, sizes are bytes. Any thread may read, take and drop references.
 */
#ifndef GATHERD_CONFIG_H
#define GATHERD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/convert.h"
#include "gatherd/cron.h"
#include "gatherd/cursor.h"
#include "gatherd/error.h"
#include "gatherd/expression.h"
#include "gatherd/jsonpath.h"
#include "gatherd/text.h"
#include "gatherd/timestamp.h"
#include "gatherd/zone.h"

/* What a start does about slots that passed while gatherd was not running. */
enum missed { MISSED_ONCE, MISSED_SKIP };

struct secret;

enum write_mode {
    WRITE_APPEND,
    WRITE_UPSERT,
    WRITE_INSERT_ONLY,
    WRITE_REPLACE,  /* the table is what the last complete walk of all pages brought */
    WRITE_HISTORY,  /* as upsert, and every version of a row in a second table: */
    WRITE_VERSIONS, /* the mode of that table; no source has it */
};

/* What becomes of rows that a complete walk did not bring. */
enum missing_rows { MISSING_KEEP, MISSING_MARK, MISSING_DELETE };

enum body_format {
    FORMAT_AUTO, /* by Content-Type */
    FORMAT_JSON,
    FORMAT_NDJSON,
    FORMAT_CSV,
    FORMAT_TSV,
    FORMAT_XML,
    FORMAT_PROMETHEUS,
};

/* Polling reads: there is nothing here that deletes. */
enum request_method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_BY_BODY, /* only while the configuration is read: POST with a body or form, else GET */
};

enum synchronous { SYNCHRONOUS_FULL, SYNCHRONOUS_NORMAL };

struct name_value {
    const char *name;
    const char *value;
};

/* How XML becomes a document (xml.h). */
struct xml_rules {
    const struct name_value *namespaces; /* prefix and URI */
    size_t namespace_count;
    const char *const *arrays; /* elements that are always in an array */
    size_t array_count;
};

enum http_version {
    HTTP_VERSION_AUTO, /* 2 where TLS negotiates it */
    HTTP_VERSION_1_1,
    HTTP_VERSION_2, /* or the run fails; without TLS it is spoken at once */
};

/* Whether requests may go to addresses that are not public. */
enum private_networks {
    PRIVATE_BY_ORIGIN, /* yes, but not where a redirect leads there from a public address */
    PRIVATE_ALLOWED,
    PRIVATE_REFUSED,
};

/* Where requests go through; a password may also stand in the source's proxy_password. */
struct proxy {
    const char *url;      /* scheme, host and port, as libcurl takes it */
    const char *user;     /* decoded; NULL: none */
    const char *password; /* decoded; NULL: not in the URL */
};

enum tls_version { TLS_1_2, TLS_1_3 };

/* Files are PEM; their paths are ready to open, and they are read anew when they change. */
struct tls_options {
    const char *ca_file;   /* NULL: the system's authorities */
    const char *cert_file; /* with the certificates that lead to its authority; NULL: none */
    const char *key_file;  /* NULL: the key is in cert_file */
    const struct secret *key_password; /* NULL: none */
    const char *server_name;           /* NULL: the host of the url */
    enum tls_version min_version;
    bool insecure_skip_verify;
};

/* What a request carries, as the operator gave it. */
struct request_body {
    const char *text;
    bool is_json; /* made of a YAML mapping or list */
};

/* A value that stands in the configuration. */
struct constant {
    const char *text; /* as it was written; of a list or a mapping its JSON */
    bool is_word;     /* a number or a boolean: written without quotes */
    bool is_json;
    struct value value; /* what the column holds */
};

/* What is known of a request. */
enum request_fact { FACT_NONE, FACT_PAGE, FACT_URL, FACT_STATUS, FACT_SCHEDULED_AT };

struct field {
    const char *name;          /* the column */
    struct jsonpath *path;     /* from the record; NULL: */
    const char *sql;           /* calculated from the other columns; NULL: */
    struct jsonpath *document; /* from the root of the document; NULL: */
    const char *header;        /* of the answer; NULL: */
    enum request_fact fact;
    struct value_rule rule;
    bool required;                        /* a record without a value is no row */
    const struct constant *fallback;      /* in place of a missing one; NULL: NULL */
    const struct null_value *null_values; /* NULL: those of the mapping */
    size_t null_value_count;
};

struct status_range {
    int low; /* both ends belong to it */
    int high;
};

/* Whom a Retry-After holds up. */
enum retry_scope { RETRY_SCOPE_SOURCE, RETRY_SCOPE_HOST };

struct retry_policy {
    unsigned max_attempts; /* requests in one run, the first included */
    int64_t base_ms;       /* full jitter: uniform in [0, min(cap, base * 2^(attempt-1))] */
    int64_t cap_ms;
    enum retry_scope scope;
};

/* Which headers say what is left of a quota, and when there is more. */
struct quota {
    const char *remaining; /* names of headers */
    const char *reset;
    unsigned reserve; /* so much of it is left to others */
};

enum answer_action {
    ANSWER_RETRY,
    ANSWER_FAIL,
    ANSWER_IGNORE, /* a success without rows */
    ANSWER_RATE_LIMITED,
    ANSWER_REFRESH_TOKEN,
};

/* What to do with answers of which both are true; one of them may be missing. */
struct answer_rule {
    const struct status_range *status; /* status_count 0: any */
    size_t status_count;
    const char *body_contains; /* NULL: anything */
    enum answer_action action;
};

/* How politely a host is treated. */
struct host_policy {
    const char *name; /* "name" or "name:port" in lower case; NULL: of every host without its own */
    unsigned max_concurrent; /* requests at once */
    int64_t min_spacing_ms;  /* from the start of one to the start of the next */
};

/* What sources that name it have together. */
struct rate_limit {
    const char *name;
    unsigned requests; /* over a long time at most so many ... */
    int64_t per_ms;    /* ... in this time */
    unsigned burst;    /* that may follow each other at once; 1: all come evenly */
};

struct auth;        /* auth.h */
struct csv_options; /* csv.h */
struct items;       /* items.h */

enum pagination_type {
    PAGINATION_LINK_HEADER, /* Link: <...>; rel="next" (RFC 8288) */
    PAGINATION_NEXT_URL,    /* a URL in the body */
    PAGINATION_CURSOR,      /* a token in the body, sent back */
    PAGINATION_PAGE,        /* page numbers */
    PAGINATION_OFFSET,      /* how many records to leave out */
};

/* Where a parameter goes. */
enum param_place { PARAM_IN_QUERY, PARAM_IN_HEADER, PARAM_IN_BODY };

struct pagination {
    enum pagination_type type;
    struct jsonpath *next_url_path; /* never NULL with PAGINATION_NEXT_URL */
    struct jsonpath *cursor_path;   /* never NULL with PAGINATION_CURSOR */
    enum param_place param_in;      /* where the four below go */
    const char *cursor_param;
    const char *page_param;
    const char *offset_param;
    const char *limit_param;
    int64_t base_page;
    int64_t limit;               /* 0: none is sent */
    struct jsonpath *total_path; /* the three: NULL when not told */
    struct jsonpath *total_pages_path;
    struct jsonpath *has_more_path;
    bool stop_after_empty_page;
    unsigned max_pages;
    bool stop_at_max_pages;           /* else it is an error to reach it */
    const char *const *allowed_hosts; /* beside the source's own: "name" or "name:port" */
    size_t allowed_host_count;
};

/* What becomes of a record without a position. */
enum cursor_missing {
    CURSOR_MISSING_ERROR,   /* the run fails */
    CURSOR_MISSING_INCLUDE, /* it is stored, and moves nothing */
    CURSOR_MISSING_SKIP,
};

/* In which order an API gives its records. */
enum row_order { ROW_ORDER_NONE, ROW_ORDER_ASC, ROW_ORDER_DESC };

/* Only what is new is asked for: `incremental`. */
struct incremental {
    struct jsonpath *cursor_path; /* from the record */
    struct cursor_rule rule;
    const char *param;         /* that takes the position; NULL: the request says {cursor} itself */
    const char *end_param;     /* that takes the end of the window; NULL: none */
    const char *initial_value; /* before anything was seen; NULL: the first run asks for all */
    const char *end;           /* nothing is asked for beyond it; NULL: the request's time */
    struct span lookback;
    struct span step; /* how much one request asks for; amount 0: all there is */
    enum cursor_missing on_missing;
    enum row_order row_order;
};

/* Where the items of a source come from: one of the three is set. */
struct for_each {
    struct items *values;
    const char *sql;
    const char *source;        /* name of the source whose table has them, in these columns: */
    const char *const *fields; /* in the spelling of its records */
    size_t field_count;

    size_t max_items;
    int64_t timeout_ms; /* of reading them */
};

struct name_list {
    const char *const *names;
    size_t count;
};

/* What becomes of what a table has no place for: see schema_contract in the keys. */
enum contract {
    CONTRACT_EVOLVE, /* the table changes to have one */
    CONTRACT_FREEZE, /* the run fails */
    CONTRACT_DISCARD_ROW,
    CONTRACT_DISCARD_VALUE,
};

struct schema_contract {
    enum contract columns; /* a member that no column is for */
    enum contract types;   /* a value that its column does not take */
};

/* Which rows of a table stay; what goes beyond either bound is deleted. */
struct retention {
    int64_t age_ms;     /* 0: however old they are */
    int64_t rows;       /* 0: however many there are */
    const char *column; /* the time of a row; NULL: _fetched_at, when it was last changed */
};

/* Stands for `where` among the fields of a computation. */
#define COMPUTED_WHERE SIZE_MAX

/* What is calculated for each row. */
struct computation {
    struct expression_set expressions; /* in an order in which they can be calculated */
    size_t *fields;                    /* which field each of them is, or COMPUTED_WHERE */
};

/*
 * How records become the rows of one table, and lists in them those of further tables: a child is a
 * mapping of its own, whose records are found from a record of its parent.
 */
struct mapping {
    struct jsonpath *records; /* NULL: the document, or its elements; never of a child */
    struct jsonpath *zip;     /* an object of arrays, of each one element; NULL: none */
    const char *key_as;       /* member that takes the name of what records are members; or NULL */
    const char *const *columns; /* names of the elements of records that are arrays */
    size_t column_count;
    const char *flatten; /* between the names of an object and of its members; NULL: kept as JSON */
    const struct field *fields; /* field_count 0: every member of a record becomes a column */
    size_t field_count;
    const char *const *exclude; /* members that become no column, in the record's spelling */
    size_t exclude_count;
    const struct null_value *null_values; /* what means nothing in every column */
    size_t null_value_count;
    const char *where;                     /* which rows are stored; NULL: all */
    const struct computation *computation; /* of `where` and fields with sql; NULL: none */

    const char *table;
    const char *const *primary_key; /* in the record's spelling, or names of fields */
    size_t primary_key_count;
    enum write_mode write_mode; /* one for a source and all its children */
    const char *history_table;  /* WRITE_HISTORY: where the versions are; else NULL */
    /* Of a source, and nothing of a child. */
    const char *const *ignore; /* WRITE_HISTORY: what alone makes no version, as primary_key */
    size_t ignore_count;
    enum missing_rows on_missing; /* with WRITE_UPSERT and WRITE_HISTORY */
    unsigned max_shrink;          /* percent that one walk may take away from the table */

    const struct mapping *children;
    size_t child_count;
    /*
     * Columns that come first in each row. Of a child those that lead to the row of its parent, one
     * for each of mapping_identity(parent), and then LINK_INDEX, its place in the parent's list. Of
     * a source without a primary key that has children, LINK_INDEX alone: the record's number in
     * its run. Else none.
     */
    const char *const *links;
    size_t link_count;
    /* Of a child, whose primary_key is longer: what is written, unique within one parent. */
    const char *const *child_key;
    size_t child_key_count;

    const struct schema_contract *schema_contract; /* NULL: all evolves */
    const struct name_list *indexes; /* beside that of the key; names as in primary_key */
    size_t index_count;
    const char *const *fts; /* columns whose words are searched; names as in primary_key */
    size_t fts_count;
    const struct retention
        *retention;        /* NULL: all rows stay; of a child: as long as their parent */
    bool goes_with_parent; /* of a child: a table above it has a retention */
};

#define LINK_INDEX  "_index"
#define LINK_PREFIX "_parent_" /* and the name of the parent's column, but for a leading _ */

/* The columns by which children know a row, within one run where there is no primary key. */
static inline const char *const *mapping_identity(const struct mapping *mapping, size_t *count)
{
    bool keyed = mapping->primary_key_count > 0;

    *count = keyed ? mapping->primary_key_count : mapping->link_count;
    return keyed ? mapping->primary_key : mapping->links;
}

/* How many tables a mapping and all its children have. */
static inline size_t mapping_count_tables(const struct mapping *mapping)
{
    size_t count = 1;

    for (size_t i = 0; i < mapping->child_count; i++)
        count += mapping_count_tables(&mapping->children[i]);
    return count;
}

static inline bool mapping_is_child(const struct mapping *mapping)
{
    return mapping->link_count > 1;
}

/* Whether a row whose key is there already is made as it came. */
static inline bool mapping_updates(const struct mapping *mapping)
{
    return mapping->primary_key_count > 0 &&
           (mapping->write_mode == WRITE_UPSERT || mapping->write_mode == WRITE_REPLACE ||
            mapping->write_mode == WRITE_HISTORY);
}

struct source {
    struct config *config; /* the configuration it stands in */
    size_t index;          /* its place in config->sources */
    const char *file;      /* where it stands, for messages */
    unsigned line;
    /* Of everything below but host_gap_ms: equal when a reload changed nothing about it. */
    uint64_t fingerprint;
    /* While it is the same, and the request, an answer that did not change makes the same rows. */
    uint64_t answer_fingerprint;
    uint64_t mapping_fingerprint; /* of what makes rows of an answer, and nothing else */

    const char *name;
    const char *url;  /* without params; always http or https, with a host */
    const char *host; /* "name:port" in lower case, or "unix:/path": the key of politeness */
    const struct host_policy *host_policy; /* of its host; never NULL */
    const char *rate_limit_name;           /* NULL: none */
    const struct rate_limit *rate_limit;   /* the one of that name, or NULL */
    bool enabled;

    int64_t interval_ms;     /* with cron: its shortest gap */
    const struct cron *cron; /* NULL: the interval counts */
    const char *timezone;    /* the name of zone; NULL: neither cron nor align needs one */
    const struct zone *zone; /* NULL: UTC */
    bool align;              /* the interval counts on the wall clock; never with cron */
    int64_t offset_ms;       /* of the slots of align and cron; with align below the interval */
    enum missed missed;
    int64_t jitter_ms;
    int64_t max_interval_ms;
    bool conditional;     /* validators are sent back */
    bool skip_unchanged;  /* the same body again is left unread */
    int64_t store_raw_ms; /* how long bodies are kept; 0: not at all */
    bool respect_cache;   /* what the server says of freshness makes the interval longer */
    bool run_on_start;

    enum request_method method;
    const struct name_value *headers;
    size_t header_count;
    const struct name_value *params; /* not yet percent-encoded */
    size_t param_count;
    const struct request_body *body; /* NULL: none */
    const struct name_value *form;   /* not yet encoded; NULL: none, and never beside a body */
    size_t form_count;
    const struct auth *auth;       /* NULL: none */
    const struct tls_options *tls; /* NULL: nothing was said */
    enum http_version http_version;
    const struct proxy *proxy;           /* NULL: none */
    const struct secret *proxy_password; /* NULL: none, or in the proxy's URL */
    const char *const *no_proxy;         /* hosts, addresses, ranges or "*" that go without it */
    size_t no_proxy_count;
    const char *unix_socket; /* NULL: by network; a path that is ready to connect to */
    enum private_networks private_networks;
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    int64_t max_body_bytes; /* of the decoded body */
    unsigned max_redirects;
    const struct status_range *success; /* success_status_codes */
    size_t success_count;
    const struct retry_policy *retry;    /* never NULL */
    const struct quota *quota;           /* NULL: no header is looked at */
    const struct answer_rule *responses; /* the first that fits counts */
    size_t response_count;
    /*
     * Mean time between two polls of this host, over all its sources: whether keeping a connection
     * open is worth it.
     */
    int64_t host_gap_ms;

    const struct pagination *pagination;   /* NULL: one request a run */
    const struct incremental *incremental; /* NULL: each run asks for all */
    const struct for_each *for_each;       /* NULL: the source is one target */
    /* What its request says of the item, "" for {item}; NULL ends it. Not NULL with for_each. */
    const char *const *item_names;

    enum body_format format;
    const struct csv_options *csv; /* csv.h; NULL: csv_defaults */
    const char *archive_member;    /* a name or pattern; NULL: the only file of a zip archive */
    const char *encoding; /* of the body, as charset_by_name() takes it; NULL: the answer says */
    const struct xml_rules *xml; /* NULL: nothing was said */
    bool may_lack_records;       /* an answer without the list has none; else it fails the run */
    struct mapping mapping;
};

struct config {
    const char *path;     /* of the main file */
    const char *database; /* absolute, or relative to the working directory: ready to open */
    enum synchronous synchronous;
    unsigned fetchers;
    unsigned processors;
    unsigned max_in_flight; /* transfers of one fetcher */
    size_t queue_max_items;
    size_t queue_max_bytes;
    size_t batch_max_rows;
    struct host_policy hosts; /* without a name: of hosts that have no override */
    struct host_policy *host_overrides;
    size_t host_override_count;
    const struct rate_limit *rate_limits;
    size_t rate_limit_count;
    const struct name_value *views; /* names, and their SELECT statements */
    size_t view_count;
    int64_t shutdown_timeout_ms;
    struct retention runs_retention;    /* of _gatherd_runs */
    struct retention letters_retention; /* of _gatherd_dead_letters */

    struct source *sources; /* in the order of the files; disabled ones too */
    size_t source_count;
};

/*
 * Every mistake found in one load and every warning, in the order of the files; beyond 10,000 they
 * are only counted. Warnings alone refuse nothing.
 */
struct config_report {
    struct text text; /* one line each: FILE:LINE:COLUMN: error|warning: WHERE: WHAT; WAY OUT */
    unsigned errors;
    unsigned warnings;
};

void config_report_free(struct config_report *report);

/*
 * Reads the file and what it includes. Returns the configuration with one reference, or NULL and at
 * least one error in the report.
 */
struct config *config_load(const char *path, struct config_report *report);

/* The same from memory: `name` stands for the file in messages, relative paths start at `folder`.
 */
struct config *config_parse(const char *yaml, size_t length, const char *name, const char *folder,
                            struct config_report *report);

/*
 * Reads them as config_load() does and appends what is in force as YAML, which can be loaded again:
 * every default filled in, variables and included files in their place, and *** for each secret and
 * each part of a value that a variable brought. 0, or -1 with the report. Out of memory while it is
 * written shows in text_failed().
 */
int config_dump(const char *path, struct text *out, struct config_report *report);

struct config *config_ref(struct config *config);
void config_unref(struct config *config); /* NULL is allowed; the last one frees */

/* The source of that name (byte for byte), or NULL. O(log n). */
const struct source *config_find_source(const struct config *config, const char *name);

/* Whether `status` is in one of the ranges. */
bool status_is_among(const struct status_range *ranges, size_t count, int status);

/* Whether `status` is one of the source's success_status_codes. */
bool source_is_success(const struct source *source, int status);

/* What is wrong with the name of a table, as the end of a sentence that begins with it; NULL:
 * nothing. */
const char *table_name_problem(const char *name);

/* The JSON Schema of the configuration, and its reference in Markdown: both from the table of keys.
 */
void config_write_schema(struct text *out);
void config_write_reference(struct text *out);

#endif
