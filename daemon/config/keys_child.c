/* The keys of a child: rows of another table, made of lists in the records. */
#include "config/keys_mapping.h"
#include "config/load.h"

static const struct key child_keys[] = {
    [MAPPING_RECORDS] = {.name = "records",
                         .kind = KIND_PATH,
                         TO(struct mapping, records),
                         .instead = "see zip",
                         .about = "JSONPath (RFC 9535) of the list, from the record of the parent; "
                                  "where there is none, or null, there are no children.",
                         .example = "$.labels[*]"},
    [MAPPING_TABLE] = {.name = "table",
                       .kind = KIND_TABLE,
                       TO(struct mapping, table),
                       .instead = "the table of the parent, _ and the last name in records",
                       .about = "The table of its rows, which no other child or source has.",
                       .example = "issue_labels"},
    [MAPPING_PRIMARY_KEY] = {.name = "primary_key",
                             .kind = KIND_NAMES,
                             LIST_TO(struct mapping, child_key, child_key_count),
                             RANGE(1, MAX_KEY_COLUMNS),
                             .instead = "`_index`, the place in the list",
                             .about = "Columns that say which one of a parent's children a row is, "
                                      "where the parent has a key; the columns of that come before "
                                      "them.",
                             .example = "[\"name\"]"},
    MAPPING_ROWS(0, struct mapping, ),
};

static_assert(COUNT(child_keys) == MAPPING_KEY_COUNT, "child keys");

const struct key_set child_key_set = {.title = "sources[].children[]",
                                      .holder = "a child",
                                      .keys = child_keys,
                                      .count = COUNT(child_keys),
                                      .definition = "child",
                                      .size = sizeof(struct mapping),
                                      .completed = true,
                                      .check = check_child};
