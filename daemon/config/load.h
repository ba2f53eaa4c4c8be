/*
 * load.h - what the parts of the configuration loader share.
 *
 * One struct load lives for one config_load(). The parts go on after each mistake, so that all of
 * them are reported in one run; a function that returns bool returns false when it has reported
 * one.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/item.h"
#include "config/keys.h"
#include "config/map.h"
#include "gatherd/arena.h"
#include "gatherd/config.h"
#include "gatherd/hash.h"
#include "gatherd/text.h"

/* Beyond so many nobody reads them, and a hostile file could fill the memory with them. */
#define MOST_MISTAKES 10000

/* A struct config and what it owns. */
struct config_owner {
    struct config config; /* first: the two pointers are one */
    atomic_size_t references;
    struct arena *arena;     /* owned: strings and arrays */
    struct jsonpath **paths; /* owned, each once however many sources use it */
    size_t path_count;
    size_t path_capacity;
    struct items **items; /* owned references */
    size_t items_count;
    size_t items_capacity;
    uint32_t *by_name; /* in the arena: indexes of sources, sorted by name */
};

struct config_owner *config_owner_of(struct config *config);

/* A position in one of the files; line 0: the file as a whole. */
struct place {
    unsigned file;
    unsigned line;
    unsigned column;
};

/* The way from the root to a value: "sources[0].interval", written only when there is a mistake. */
struct where {
    const struct where *up; /* NULL: a child of the root */
    const char *name;       /* NULL: an element, see index */
    size_t length;
    size_t index;
};

struct mistake {
    struct place place;
    size_t order; /* of discovery, for those at one place */
    const char *text;
    bool is_warning;
};

/* Where a source came from: for messages that name two of them, and for its keys' places. */
struct origin {
    struct place source;
    struct place name; /* of the value; line 0: no valid name */
    struct place table;
    struct place items_source; /* of for_each.source; line 0: it is not there */
    struct place items_fields; /* of for_each.fields */
    size_t index;              /* in the list of its file */
};

/* A table of a source beside its own, for who else may want it: a child's, or one of versions. */
struct further_table {
    struct further_table *next;
    const char *name;
    struct place place;
    const struct where *where;
    size_t source; /* its place in config->sources */
};

struct masks;

struct load {
    struct config_owner *owner;
    struct config *config; /* owner's */
    struct arena *arena;   /* owner's: what stays */
    struct arena *notes;   /* mistakes, and what else is needed until the end of the load */
    struct arena *items;   /* of the file that is being read */
    struct expression_checker *expressions; /* NULL: none was needed so far */
    struct config_map texts;                /* strings that stay, each once */
    struct config_map paths;                /* compiled, by their text */
    struct config_map crons;                /* read, by their text */
    struct config_map zones;                /* read or refused, by their name */

    const char **files; /* names for messages, in the order of reading */
    size_t file_count;
    size_t file_capacity;
    unsigned file;      /* that is being read */
    const char *folder; /* of the main file, "" for the working directory, else ending in '/' */

    struct mistake *mistakes;
    size_t mistake_count;
    size_t mistake_capacity;
    unsigned errors; /* all; not every one of thousands is kept */
    unsigned warnings;
    bool out_of_memory;
    struct text *dump;   /* where the configuration goes in YAML; NULL: nobody asked for it */
    struct masks *masks; /* what of it is not to be shown; NULL: nobody will ask */
    bool tainted;        /* the value being read holds what a variable brought */
    bool file_failed;    /* a file could not be read as a whole: what is missing may be in it */

    bool rate_limits_failed; /* they have a mistake: who names one is not told that it is not there
                              */
    struct source base;      /* defaults */
    bool mode_is_default;    /* defaults hold a write_mode */
    struct origin *origins;  /* one for each of config->sources */
    size_t source_capacity;
    struct further_table *further_tables; /* in the order of the files */
    struct further_table *last_further_table;
};

/* What the operator gave for each key of a set, by its row. */
struct given {
    struct item *at[MAX_KEYS]; /* the value; NULL: the key is not there */
    bool bad[MAX_KEYS];        /* the value has a mistake */
};

/* A scalar with its variables filled in. */
struct scalar {
    const char *text; /* with a NUL behind it and none inside; lives as long as the items */
    size_t length;
    bool plain;       /* may be a number, a boolean or nothing */
    bool substituted; /* variables were filled in: it may be text as well, and is never shown */
    bool is_template; /* it may hold placeholders; what variables brought holds none */
    struct item *item;
};

/* --- mistake.c --- */

struct where where_key(const struct where *up, const char *name);
struct where where_text(const struct where *up, const char *name, size_t length);
struct where where_index(const struct where *up, size_t index);

struct place place_of(const struct load *load, const struct item *item);

/* Character `offset` (from 0) of a scalar where that can be told, else where the scalar begins. */
struct place place_in(const struct load *load, const struct item *item, size_t offset);

void load_mistake(struct load *load, struct place place, const struct where *where,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The configuration is taken all the same; check and the start say so. */
void load_warning(struct load *load, struct place place, const struct where *where,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The text in quotes, cut and made harmless for a terminal; lives until the end of the load. */
const char *load_quote(struct load *load, const char *text, size_t length);

/* The same for a scalar, as it stands in the file: what a variable brought is not shown. */
const char *load_quote_scalar(struct load *load, const struct scalar *scalar);

void load_out_of_memory(struct load *load);

/* Writes the mistakes in the order of the files. */
void load_report(struct load *load, struct config_report *report);

/* --- memory.c --- */

void *load_alloc(struct load *load, struct arena *arena, size_t size); /* cleared */
const char *load_keep(struct load *load, const char *text, size_t length);

/* Makes room for one more in an array of `count` elements; false: out of memory. */
bool load_room(struct load *load, void *array_pointer, size_t count, size_t *capacity, size_t size);

/* --- scalar.c --- */

enum scalar_class { SCALAR_NULL, SCALAR_BOOLEAN, SCALAR_INTEGER, SCALAR_REAL, SCALAR_TEXT };

/* What a plain scalar is without regard to what is expected. */
enum scalar_class scalar_class(const char *text, size_t length);

/* "a list", "the number 5", ...: what was found, for messages. */
const char *item_words(const struct item *item);

/* Reports that a value is of another kind than `expected` ("a duration"), or than the key takes. */
void refuse_kind(struct load *load, const struct where *where, const struct item *item,
                 const char *expected);
void refuse_kind_of(struct load *load, const struct where *where, const struct item *item,
                    const struct key *key);

/* Reads a scalar that has a value; `expected` is for the message when it has none. */
bool load_scalar(struct load *load, const struct where *where, struct item *item,
                 const char *expected, struct scalar *scalar);

/* The same, and it must be text: quoted, or plain and neither number nor boolean. */
bool load_text(struct load *load, const struct where *where, struct item *item,
               const char *expected, struct scalar *scalar);
bool require_text(struct load *load, const struct where *where, const char *expected,
                  const struct scalar *scalar);

/* As load_scalar(), of text that may hold placeholders (template.h); they are not yet checked. */
bool load_template(struct load *load, const struct where *where, struct item *item,
                   const char *expected, struct scalar *scalar);

/* --- substitute.c --- */

/* Fills in the variables of a scalar, if there are any. */
bool load_substitute(struct load *load, const struct where *where, struct scalar *scalar);

/* --- placeholders.c --- */

/*
 * Reports what is wrong with the placeholders of a template; `brace` is how the character { is
 * written there. Whether the source has their values, check_values() says.
 */
bool check_placeholders(struct load *load, const struct where *where, const struct scalar *scalar,
                        const char *brace);

/* A scalar of a key: a template whose placeholders are checked, where the key has templates. */
bool load_words(struct load *load, const struct where *where, const struct key *key,
                struct item *item, const char *expected, struct scalar *scalar);

/* How { is written: in templates, and in those that are URLs. */
#define TEXT_BRACE "{{"
#define URL_BRACE  "%7B"

/* Whether a value is, or with its mistake mended may be, a date or a pattern: told in a time zone.
 */
bool tells_local_time(const struct source *source, const struct given *given);

/* Reports placeholders whose values this source does not have, and notes those of its items. */
void check_values(struct load *load, const struct where *where, const struct item *item,
                  struct source *source, const struct given *given);

/* --- mapping.c --- */

/* Reports keys that stand twice and follows `<<`, once for each mapping. */
void load_resolve(struct load *load, const struct where *where, struct item *mapping);

/* A key that is room for the operator: it begins with x-. */
bool is_private_key(const struct item *key);

/* --- read.c --- */

/*
 * Reads each key of a mapping into `target` by the table. `in_defaults`: keys that belong to one
 * source are refused.
 */
bool load_keys(struct load *load, const struct where *where, struct item *mapping,
               const struct key_set *set, void *target, struct given *given, bool in_defaults);

/* The same for a struct of its own, which is cleared: its defaults first, its check at the end. */
bool load_object_keys(struct load *load, const struct where *where, const struct key_set *set,
                      struct item *item, void *object);

/* Sets every key of the set that has a default, in groups too. */
void load_fallbacks(struct load *load, const struct key_set *set, void *target);

bool is_given(const struct given *given, unsigned row); /* and without a mistake */
bool is_sound(const struct given *given, unsigned row); /* not given, or without a mistake */

/* --- One for each kind of value. --- */

typedef bool load_value_fn(struct load *load, const struct where *where, const struct key *key,
                           struct item *item, void *target);

load_value_fn load_boolean, load_count, load_duration, load_size, load_percent, load_span,
    load_choice; /* value.c */
load_value_fn load_plain_text, load_file_path, load_database, load_name, load_url, load_endpoint,
    load_table, load_path;                                    /* value_text.c */
load_value_fn load_cron, load_timezone;                       /* value_time.c */
load_value_fn load_names, load_name_lists, load_status_codes; /* value_list.c */
load_value_fn load_views;                                     /* value_views.c */
load_value_fn load_headers, load_params;                      /* value_pairs.c */
load_value_fn load_proxy;                                     /* value_proxy.c */
load_value_fn load_body;                                      /* value_body.c */
load_value_fn load_fields;                                    /* value_fields.c */
load_value_fn load_null_values, load_pattern, load_constant;  /* value_column.c */
load_value_fn load_items;                                     /* value_items.c */
load_value_fn load_secret, load_secret_file;                  /* value_secret.c */
load_value_fn load_object_list, load_object_map;              /* value_objects.c */

entry_name_fn load_entry_name; /* value_text.c: what KIND_NAME allows, up to 128 characters */

void store_number(const struct key *key, void *target, int64_t value);
void store_pointer(const struct key *key, void *target, const void *pointer);
void store_list(const struct key *key, void *target, const void *array, size_t count);

/* "a whole number from 1 to 64": what a key takes, for messages and for the reference. */
void write_expected(struct text *out, const struct key *key);

/* --- value_body.c --- */

/* A list or a mapping as JSON, kept, and noted for a dump. NULL: it has a mistake. */
const char *load_json(struct load *load, const struct where *where, const struct key *key,
                      struct item *item);

/* --- value_pairs.c --- */

/* A token of HTTP (RFC 9110, 5.6.2), as names of headers and cookies are; a NUL is behind it. */
bool is_token(const char *name, size_t length);

/* What is wrong with a header's name and what to do, or NULL. */
const char *header_name_problem(const char *name, size_t length);

/* --- sources.c --- */

void load_defaults(struct load *load, struct item *item);
void load_sources(struct load *load, struct item *list);

/* --- validate.c --- */

void check_defaults(struct load *load, const struct where *where, const struct given *given);
void check_source(struct load *load, const struct where *where, struct item *item,
                  struct source *source, const struct given *given);
void check_collisions(struct load *load);

/* --- validate_write.c --- */

/* Where nothing is ever taken away, and before it is known what is. */
#define NO_MAX_SHRINK 101

/* Whether the write mode goes with the primary key; fills in the one that follows from it. */
void check_write_mode(struct load *load, const struct where *where, const struct item *item,
                      struct source *source, const struct given *given);

/* What binds the keys about writing to each other; also names the table of versions. */
void check_write(struct load *load, const struct where *where, struct source *source,
                 const struct given *given);

/* Notes a table for check_collisions(); sources come in their order. */
void note_further_table(struct load *load, const char *name, struct place place,
                        const struct where *where, size_t source);

/* Names and notes the table of versions of a mapping that has one. False: that has no name. */
bool name_versions(struct load *load, const struct where *where, struct place place,
                   struct mapping *mapping, size_t source);

/* --- validate_connection.c --- */

/* What binds the keys that say how the server is reached. */
void check_connection(struct load *load, const struct where *where, struct source *source,
                      const struct given *given);

/* --- validate_format.c --- */

/* What binds the keys that say what the answers are. */
void check_format(struct load *load, const struct where *where, const struct source *source,
                  const struct given *given);

/* --- validate_request.c --- */

/* What binds the keys that say what is sent; also fills in the method. */
void check_request(struct load *load, const struct where *where, struct source *source,
                   const struct given *given);
void check_request_defaults(struct load *load, const struct where *where,
                            const struct given *given);

/* --- validate_mapping.c --- */

/* A struct mapping and where the operator wrote it. */
struct mapping_check {
    struct load *load;
    const struct where *where;
    const struct source *source; /* NULL: of a child */
    struct mapping *mapping;
    const struct given *given;
    const struct key *keys; /* of the set it was read with ... */
    unsigned first;         /* ... and the row where enum mapping_key begins */
};

void check_mapping(const struct mapping_check *check);

/* Once the write mode is known: whether the retention of a mapping goes with it. */
void check_retention_mode(struct load *load, const struct where *where, const struct item *item,
                          const struct mapping *mapping);

/* --- children.c --- */

/* Whether a column of that name leads to a parent: _index and what begins with _parent_. */
bool is_link_column(const char *name);

check_object_fn check_child; /* what binds the keys of one to each other */

/*
 * Fills in what the children of a source, written in `item`, have from their parents, at all
 * depths, and checks that.
 */
void complete_children(struct load *load, const struct where *where, struct source *source,
                       const struct item *item);

/* --- validate_field.c --- */

/* What binds the keys of a field to each other; makes the value of its default. */
bool check_field(struct load *load, const struct where *where, struct field *field,
                 const struct given *given);

/* --- validate_sql.c --- */

/*
 * Checks `where` and the fields with sql of a mapping that was read from `item`, and fills in
 * mapping->computation. What else it has in its rows is known already.
 */
void check_sql(struct load *load, const struct where *where, const struct item *item,
               const struct source *source, struct mapping *mapping);

/* --- validate_items.c --- */

/* What the name of a column of an item begins with, in a row. */
#define ITEM_COLUMN_PREFIX "_item_"

/* Whether a column of that name comes from the item and not from the record. */
bool is_item_column(const struct source *source, const char *name);

/* Notes where a source names the source of its items; once all are read, finds that. */
void note_item_source(struct load *load, const struct given *given, struct origin *origin);
void check_item_sources(struct load *load);

/* --- politeness.c --- */

/* A duration of a host that follows that of the others. */
#define NOT_SAID (-1)

/* Finds the rate limit that a source names. */
void check_rate_limit_name(struct load *load, const struct where *where, struct source *source,
                           const struct given *given);

/* Whether the rules for answers can do what they say. */
void check_answer_rules(struct load *load, const struct where *where, const struct item *item,
                        const struct source *source, const struct given *given);

/* Finds the policy of each source's host, once every source is whole. */
void complete_politeness(struct load *load);

/* --- validate_time.c --- */

/* False: both cron and interval stand in one mapping, and it was reported. */
bool check_one_rhythm(struct load *load, const struct where *where, const struct given *given);

/* When a source is due; false: that cannot be told. */
bool check_rhythm(struct load *load, const struct where *where, struct source *source,
                  const struct given *given);

/* --- file.c and include.c --- */

/* Reads at most YAML_MAX_BYTES + 1; NULL with errno. The caller frees. */
char *file_read(const char *path, size_t *length);

/* Reads a document into load->items; NULL when it has a mistake or holds nothing. */
struct item *load_document(struct load *load, const char *text, size_t length);

/* Begins a file: its name is used in messages from now on. */
bool load_begin_file(struct load *load, const char *name);

/* `main_path`: of the file that includes, which is never included itself; NULL: it has none. */
void load_includes(struct load *load, struct item *item, const char *main_path);

/* --- dump.c --- */

/* Writes the configuration, which has no mistake, to load->dump; load->masks are there. */
void write_dump(struct load *load);

/* --- fingerprint.c --- */

/* `scratch` is any text, used and overwritten. */
uint64_t source_fingerprint(const struct source *source, struct text *scratch);
uint64_t source_answer_fingerprint(const struct source *source, struct text *scratch);
uint64_t source_mapping_fingerprint(const struct source *source, struct text *scratch);

/* The same of one mapping that the table describes; with 128 bits, for what must not collide. */
struct hash128 object_fingerprint(const struct key_set *set, const void *object,
                                  struct text *scratch);

#endif
