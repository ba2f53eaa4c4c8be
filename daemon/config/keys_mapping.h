/*
 * keys_mapping.h - the keys that say how records become the rows of one table.
 *
 * They stand among the keys of whatever has a struct mapping, and are written once.
 */
#ifndef CONFIG_KEYS_MAPPING_H
#define CONFIG_KEYS_MAPPING_H

#include "config/key_row.h"

/* SQLite allows 2,000 columns; two are ours. */
#define MAX_FIELDS 1998

#define MAX_KEY_COLUMNS 64

#define MAX_NAME_TEXT 128

#define MAX_INDEXES 64 /* more would make each write a crawl */

#define MAX_CHILDREN 100

/* They are compared one by one with every value. */
#define MOST_NULL_VALUES 100

/*
 * One key each; `type` is the struct that the set describes, and `at` leads to its struct mapping:
 * "mapping." or nothing.
 */
#define MAPPING_RECORDS_KEY(type, at)                                                            \
    {                                                                                            \
        .name = "records", .part = PART_ROWS, .kind = KIND_PATH, TO(type, at records),           \
        .instead = "the document, or its elements if it is an array; of a feed its entries",     \
        .about = "JSONPath (RFC 9535) of the records, one row each.", .example = "$.features[*]" \
    }

#define MAPPING_ZIP_KEY(type, at)                                                                 \
    {                                                                                             \
        .name = "zip", .part = PART_ROWS, .kind = KIND_PATH, TO(type, at zip), .own = true,       \
        .instead = "see records",                                                                 \
        .about = "JSONPath of an object of arrays: one record of the first element of each, one " \
                 "of the second ones ...",                                                        \
        .example = "$.hourly"                                                                     \
    }

#define MAPPING_KEY_AS_KEY(type, at)                                                               \
    {                                                                                              \
        .name = "key_as", .part = PART_ROWS, .kind = KIND_TEXT, TO(type, at key_as),               \
        RANGE(1, MAX_NAME_TEXT), .own = true, .instead = "none",                                   \
        .about = "The records are the members of an object; each gets its name there as a member " \
                 "of this name.",                                                                  \
        .example = "currency"                                                                      \
    }

#define MAPPING_COLUMNS_KEY(type, at)                                                  \
    {                                                                                  \
        .name = "columns", .part = PART_ROWS, .kind = KIND_NAMES,                      \
        LIST_TO(type, at columns, at column_count), RANGE(1, MAX_FIELDS), .own = true, \
        .instead = "none",                                                             \
        .about = "The records are arrays, and these the names of their elements.",     \
        .example = "[\"time\", \"open\", \"high\", \"low\", \"close\"]"                \
    }

#define MAPPING_FLATTEN_KEY(type, at)                                                              \
    {                                                                                              \
        .name = "flatten", .part = PART_ROWS, .kind = KIND_TEXT, TO(type, at flatten),             \
        RANGE(1, 8), .instead = "objects are kept as JSON",                                        \
        .about = "The members of objects in a record become columns of it, their names joined by " \
                 "this text.",                                                                     \
        .example = "__"                                                                            \
    }

#define MAPPING_FIELDS_KEY(type, at)                                                 \
    {                                                                                \
        .name = "fields", .part = PART_ROWS, .kind = KIND_FIELDS,                    \
        LIST_TO(type, at fields, at field_count), RANGE(1, MAX_FIELDS),              \
        .instead = "every member of a record becomes a column",                      \
        .about = "Columns, each with a JSONPath from the record, or a mapping (see " \
                 "below).",                                                          \
        .example = "{\"id\": \"$.id\", \"seen\": {\"path\": \"$.time\", \"type\": "  \
                   "\"timestamp\", \"unit\": \"ms\"}}"                               \
    }

#define MAPPING_EXCLUDE_KEY(type, at)                                                         \
    {                                                                                         \
        .name = "exclude", .part = PART_ROWS, .kind = KIND_NAMES,                             \
        LIST_TO(type, at exclude, at exclude_count), RANGE(0, ANY_NUMBER), .instead = "none", \
        .about = "Members of a record that become no column, where there are no "             \
                 "fields.",                                                                   \
        .example = "[\"links\"]"                                                              \
    }

#define MAPPING_NULL_VALUES_KEY(type, at)                                                  \
    {                                                                                      \
        .name = "null_values", .part = PART_ROWS, .kind = KIND_NULL_VALUES,                \
        LIST_TO(type, at null_values, at null_value_count), RANGE(0, MOST_NULL_VALUES),    \
        .instead = "none; of a child, those of its parent",                                \
        .about = "Values that stand for none, in every column: a text by its characters, " \
                 "a number by its value.",                                                 \
        .example = "[\"\", \"-999\", \"n/a\"]"                                             \
    }

#define MAPPING_WHERE_KEY(type, at)                                                              \
    {                                                                                            \
        .name = "where", .part = PART_ROWS, .kind = KIND_TEXT, TO(type, at where),               \
        RANGE(1, EXPRESSION_MAX_BYTES), .instead = "all rows",                                   \
        .about = "SQL expression over the columns; a row for which it is not true is left out.", \
        .example = "magnitude IS NOT NULL"                                                       \
    }

#define MAPPING_TABLE_KEY(type, at)                                                              \
    {                                                                                            \
        .name = "table", .part = PART_ROWS, .kind = KIND_TABLE, TO(type, at table), .own = true, \
        .instead = "the name, anything but letters, digits and _ made one _",                    \
        .about = "The table of its rows: letters, digits and _; no two sources share "           \
                 "one.",                                                                         \
        .example = "quakes"                                                                      \
    }

#define MAPPING_PRIMARY_KEY_KEY(type, at)                                               \
    {                                                                                   \
        .name = "primary_key", .part = PART_ROWS, .kind = KIND_NAMES,                   \
        LIST_TO(type, at primary_key, at primary_key_count), RANGE(1, MAX_KEY_COLUMNS), \
        .own = true, .instead = "none",                                                 \
        .about = "Columns that say which record a row is: a name or a list.",           \
        .example = "[\"id\"]"                                                           \
    }

#define MAPPING_CHILDREN_KEY(type, at)                                                       \
    {                                                                                        \
        .name = "children", .part = PART_ROWS, .kind = KIND_OBJECT_LIST,                     \
        LIST_TO(type, at children, at child_count), RANGE(0, MAX_CHILDREN),                  \
        .keys = &child_key_set, .own = true, .instead = "none",                              \
        .about = "Lists in a record whose elements become the rows of tables of their own.", \
        .example = "[{\"records\": \"$.labels[*]\", \"table\": \"issue_labels\"}]"           \
    }

#define MAPPING_SCHEMA_CONTRACT_KEY(type, at)                              \
    {                                                                      \
        .name = "schema_contract", .part = PART_ROWS, .kind = KIND_OBJECT, \
        TO(type, at schema_contract), .keys = &contract_key_set,           \
        .instead = "the table changes to fit",                             \
        .about = "What becomes of records that are not as those before.",  \
        .example = "{\"columns\": \"freeze\", \"types\": \"discard_row\"}" \
    }

#define MAPPING_INDEXES_KEY(type, at)                                                  \
    {                                                                                  \
        .name = "indexes", .part = PART_ROWS, .kind = KIND_NAME_LISTS,                 \
        LIST_TO(type, at indexes, at index_count), RANGE(0, MAX_INDEXES), .own = true, \
        .instead = "those of the key, and in tables of append _fetched_at",            \
        .about = "Columns, or lists of columns, by which rows are found quickly.",     \
        .example = "[\"place\", [\"station\", \"time\"]]"                              \
    }

#define MAPPING_FTS_KEY(type, at)                                                                  \
    {                                                                                              \
        .name = "fts", .part = PART_ROWS, .kind = KIND_NAMES, LIST_TO(type, at fts, at fts_count), \
        RANGE(1, MAX_KEY_COLUMNS), .own = true, .instead = "none",                                 \
        .about =                                                                                   \
            "Columns whose words are searched: a table TABLE_fts for full-text search (FTS5).",    \
        .example = "[\"title\", \"summary\"]"                                                      \
    }

#define MAPPING_RETENTION_KEY(type, at)                                                      \
    {                                                                                        \
        .name = "retention", .part = PART_PACE, .kind = KIND_OBJECT, TO(type, at retention), \
        .keys = &retention_key_set,                                                          \
        .instead = "all rows stay; those of a child as long as their parent",                \
        .about = "Which rows of the table stay: by age, by number, or both; the others are " \
                 "deleted, with their children.",                                            \
        .example = "{\"age\": \"90d\", \"rows\": 1000000}"                                   \
    }

/* The rows of enum mapping_key that are the same for every mapping, from row `first` of a set. */
/* clang-format off */
#define MAPPING_ROWS(first, type, at)                                              \
    [(first) + MAPPING_ZIP] = MAPPING_ZIP_KEY(type, at),                           \
    [(first) + MAPPING_KEY_AS] = MAPPING_KEY_AS_KEY(type, at),                     \
    [(first) + MAPPING_COLUMNS] = MAPPING_COLUMNS_KEY(type, at),                   \
    [(first) + MAPPING_FLATTEN] = MAPPING_FLATTEN_KEY(type, at),                   \
    [(first) + MAPPING_FIELDS] = MAPPING_FIELDS_KEY(type, at),                     \
    [(first) + MAPPING_EXCLUDE] = MAPPING_EXCLUDE_KEY(type, at),                   \
    [(first) + MAPPING_NULL_VALUES] = MAPPING_NULL_VALUES_KEY(type, at),           \
    [(first) + MAPPING_WHERE] = MAPPING_WHERE_KEY(type, at),                       \
    [(first) + MAPPING_CHILDREN] = MAPPING_CHILDREN_KEY(type, at),                 \
    [(first) + MAPPING_SCHEMA_CONTRACT] = MAPPING_SCHEMA_CONTRACT_KEY(type, at),   \
    [(first) + MAPPING_INDEXES] = MAPPING_INDEXES_KEY(type, at),                   \
    [(first) + MAPPING_FTS] = MAPPING_FTS_KEY(type, at),                           \
    [(first) + MAPPING_RETENTION] = MAPPING_RETENTION_KEY(type, at)
/* clang-format on */

/* The others, for the mapping of a source; keys_child.c has those of a child. */
#define SOURCE_MAPPING_ROWS(first, type, at)                            \
    [(first) + MAPPING_RECORDS] = MAPPING_RECORDS_KEY(type, at),        \
               [(first) + MAPPING_TABLE] = MAPPING_TABLE_KEY(type, at), \
               [(first) + MAPPING_PRIMARY_KEY] = MAPPING_PRIMARY_KEY_KEY(type, at)

#endif
