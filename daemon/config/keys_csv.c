/* The keys of `csv`, and what binds them. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"
#include "gatherd/csv.h"

#define MOST_ROWS 1000000

enum csv_key {
    KEY_DELIMITER,
    KEY_QUOTE,
    KEY_HEADER_ROW,
    KEY_SKIP_ROWS,
    KEY_COMMENT,
    KEY_NAMES,
    KEY_TRIM,
};

static const struct key csv_keys[] = {
    [KEY_DELIMITER] = {.name = "delimiter",
                       .kind = KIND_TEXT,
                       TO(struct csv_options, delimiter),
                       RANGE(1, 8),
                       .instead = "a comma; with format tsv a tab",
                       .about = "The character between two cells; a tab is written \"\\t\".",
                       .example = "\";\""},
    [KEY_QUOTE] = {.name = "quote",
                   .kind = KIND_TEXT,
                   TO(struct csv_options, quote),
                   RANGE(0, 8),
                   .fallback = "\"",
                   .about = "The character that a cell may stand in, doubled within; \"\": none, "
                            "every character is itself.",
                   .example = "\"'\""},
    [KEY_HEADER_ROW] = {.name = "header_row",
                        .kind = KIND_COUNT,
                        TO(struct csv_options, header_row),
                        RANGE(0, MOST_ROWS),
                        .instead = "1, or 0 with names",
                        .about = "Which row has the names of the columns, behind skip_rows; those "
                                 "before it are passed over. 0: none has.",
                        .example = "2"},
    [KEY_SKIP_ROWS] = {.name = "skip_rows",
                       .kind = KIND_COUNT,
                       TO(struct csv_options, skip_rows),
                       RANGE(0, MOST_ROWS),
                       .fallback = "0",
                       .about = "Lines at the beginning that nobody looks at, whatever they hold.",
                       .example = "3"},
    [KEY_COMMENT] = {.name = "comment",
                     .kind = KIND_TEXT,
                     TO(struct csv_options, comment),
                     RANGE(1, 16),
                     .instead = "there are none",
                     .about = "What lines begin with that are passed over.",
                     .example = "\"#\""},
    [KEY_NAMES] = {.name = "names",
                   .kind = KIND_NAMES,
                   LIST_TO(struct csv_options, names, name_count),
                   RANGE(1, CSV_MAX_COLUMNS),
                   .instead = "those of the header, or column_1, column_2...",
                   .about = "What the columns are called, all of them in their order; with "
                            "header_row they replace the names there.",
                   .example = "[\"date\", \"value\"]"},
    [KEY_TRIM] = {.name = "trim",
                  .kind = KIND_BOOLEAN,
                  TO(struct csv_options, trim),
                  .fallback = "false",
                  .about = "Whether blanks around a cell are no part of it.",
                  .example = "true"},
};

static bool mistake_at(struct load *load, const struct where *where, const struct given *given,
                       enum csv_key row, const char *words)
{
    struct where here = where_key(where, csv_keys[row].name);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", words);
    return false;
}

static bool is_one_character(const char *text)
{
    return (unsigned char)text[0] < 0x80 && text[1] == '\0' && text[0] != '\n' && text[0] != '\r';
}

static bool check_delimiter(struct load *load, const struct where *where,
                            const struct csv_options *options, const struct given *given)
{
    if (!is_sound(given, KEY_DELIMITER) || options->delimiter == NULL ||
        is_one_character(options->delimiter))
        return true;
    return mistake_at(load, where, given, KEY_DELIMITER,
                      "is not one ASCII character; write it in quotes, as in \";\" or, for a tab, "
                      "\"\\t\" in double quotes");
}

static bool check_quote(struct load *load, const struct where *where,
                        const struct csv_options *options, const struct given *given)
{
    if (given->at[KEY_QUOTE] == NULL || !is_sound(given, KEY_QUOTE))
        return true;
    if (options->quote[0] != '\0' && !is_one_character(options->quote))
        return mistake_at(load, where, given, KEY_QUOTE,
                          "is not one ASCII character; write it, or \"\" for none");
    if (options->quote[0] != '\0' &&
        strchr(options->delimiter == NULL ? ",\t" : options->delimiter, options->quote[0]) != NULL)
        return mistake_at(load, where, given, KEY_QUOTE,
                          "is the delimiter, too; write another for one of them");
    return true;
}

static bool check_csv(struct load *load, const struct where *where, struct item *item, void *object,
                      const struct given *given)
{
    struct csv_options *options = object;

    (void)item;
    if (given->at[KEY_HEADER_ROW] == NULL)
        options->header_row = options->name_count == 0 ? 1 : 0;
    return check_delimiter(load, where, options, given) && check_quote(load, where, options, given);
}

const struct key_set csv_key_set = {
    .title = "sources[].csv",
    .holder = "csv",
    .keys = csv_keys,
    .count = COUNT(csv_keys),
    .size = sizeof(struct csv_options),
    .check = check_csv,
};
