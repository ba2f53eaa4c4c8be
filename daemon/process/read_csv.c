/* Comma- and tab-separated values. */
#include <string.h>
#include <strings.h>

#include "gatherd/charset.h"
#include "gatherd/csv.h"
#include "gatherd/json.h"
#include "process/format.h"
#include "process/reader.h"

/* A header goes into each dead letter: so long at most, or so many times an average row. */
#define FREE_HEADER_BYTES 1024u
#define ROWS_PER_HEADER   4u

/* A row that was kept has its header before it, or none, and nothing else. */
static struct csv_options options_of(const struct reader_input *in)
{
    struct csv_options options = in->source->csv == NULL ? csv_defaults : *in->source->csv;

    if (in->is_record) {
        options.skip_rows = 0;
        options.comment = NULL;
        options.header_row =
            slice_equals(format_parameter(in->content_type, "header"), "present") ? 1 : 0;
    }
    return options;
}

static bool begins(const char *text, const char *word)
{
    return strncasecmp(text, word, strlen(word)) == 0;
}

/* An error in JSON with status 200 would be a table of one column without rows. */
static bool is_json(const struct reader_input *in, size_t start, struct arena *arena)
{
    const struct node *root;

    return (in->text[start] == '{' || in->text[start] == '[') &&
           json_read(in->text, in->length, arena, &root, NULL) == JSON_OK;
}

static bool refuse_record(const struct csv_options *options, struct decoded *decoded)
{
    if (options->header_row > 0 || options->name_count > 0)
        return false;
    reader_refuse(decoded, "the row was kept without the names of its columns; say them with csv: "
                           "{names: [...]}");
    return true;
}

/* Something else than a table: says so and returns true. */
static bool refuse_others(const struct reader_input *in, const struct csv_options *options,
                          struct arena *arena, struct decoded *decoded)
{
    size_t start = reader_start(in);
    const char *text = in->text + start;

    if (in->is_record)
        return refuse_record(options, decoded);
    if (start == in->length && options->header_row > 0)
        reader_refuse(decoded, "the body is empty, where CSV with a header was expected");
    else if (begins(text, "<!doctype html") || begins(text, "<html"))
        reader_refuse(decoded, "the body is an HTML page, not CSV; check url and headers: it may "
                               "be a login, an error page or a web site");
    else if (begins(text, "<?xml"))
        reader_refuse(decoded, "the body is XML, not CSV; check url and headers (Accept)");
    else if (is_json(in, start, arena))
        reader_refuse(decoded, "the body is JSON, not CSV; check url and headers (Accept), or set "
                               "format: json");
    else
        return false;
    if (start < in->length)
        reader_point(in, start, decoded);
    return true;
}

static bool refuse_bytes(const struct reader_input *in, struct decoded *decoded)
{
    size_t offset = charset_check_utf8((struct slice){in->text, in->length});

    if (offset == in->length)
        return false;
    reader_point(in, offset, decoded);
    reader_refuse(decoded, "the body is not CSV in UTF-8: line %u, column %u: byte 0x%02x",
                  decoded->line, decoded->column, (unsigned char)in->text[offset]);
    reader_mind_charset(in, offset, decoded);
    return true;
}

static void explain_misfit(const struct csv_options *options, const struct csv_table *table,
                           const struct csv_misfit *misfit, struct text *reason)
{
    const char *cells = misfit->cells == 1 ? "cell" : "cells";

    if (misfit->odd != 0)
        text_format(reason,
                    "cell %u of the row has text behind its closing quote; a quote within a cell "
                    "is doubled (\"\"), or set csv: {quote: \"\"} where quotes mean nothing",
                    misfit->odd);
    else if (options->name_count > 0)
        text_format(reason, "the row has %u %s, and csv.names has %u names", misfit->cells, cells,
                    table->columns);
    else if (table->header.length > 0)
        text_format(reason,
                    "the row has %u %s where the header has %u; where that is so of all rows, "
                    "name the columns with csv: {names: [...], header_row: %u}",
                    misfit->cells, cells, table->columns, options->header_row);
    else
        text_format(reason,
                    "the row has %u %s where the first row has %u; where other rows are right, "
                    "name the columns with csv: {names: [...]}",
                    misfit->cells, cells, table->columns);
}

/* One reason for all misfits of a kind that follow each other. NULL: out of memory. */
static const char *reason_of(const struct csv_options *options, const struct csv_table *table,
                             const struct csv_misfit *misfit, struct arena *arena)
{
    struct text reason = {0};
    const char *kept;

    explain_misfit(options, table, misfit, &reason);
    kept = text_failed(&reason) ? NULL : arena_copy(arena, text_string(&reason), reason.length);
    text_free(&reason);
    return kept;
}

static int reject_misfits(const struct csv_options *options, const struct csv_table *table,
                          struct arena *arena, struct decoded *decoded)
{
    struct record *rejected = arena_alloc(arena, table->misfit_count * sizeof(*rejected));

    if (rejected == NULL)
        return -1;
    for (size_t i = 0; i < table->misfit_count; i++) {
        const struct csv_misfit *misfit = &table->misfits[i];
        bool same = i > 0 && misfit[-1].cells == misfit->cells && misfit[-1].odd == misfit->odd;

        rejected[i].node = &misfit->row;
        rejected[i].rejected =
            same ? rejected[i - 1].rejected : reason_of(options, table, misfit, arena);
        if (rejected[i].rejected == NULL)
            return -1;
    }
    decoded->rejected = rejected;
    decoded->rejected_count = table->misfit_count;
    return 0;
}

static const char *kept_type(const struct reader_input *in, bool header)
{
    static const char *const types[2][2] = {
        {"text/csv; charset=utf-8; header=absent", "text/csv; charset=utf-8; header=present"},
        {"text/tab-separated-values; charset=utf-8; header=absent",
         "text/tab-separated-values; charset=utf-8; header=present"},
    };

    return types[in->format == FORMAT_TSV][header];
}

/* "date,value\n", for a row to be read again without the rest of the body. */
static int keep_header(const struct reader_input *in, const struct csv_table *table,
                       struct arena *arena, struct decoded *decoded)
{
    size_t rows = table->root->length + table->misfit_count + 1;
    size_t length = table->header.length;
    char *head;

    decoded->form.content_type = kept_type(in, false);
    if (length == 0 || (length > FREE_HEADER_BYTES && length / ROWS_PER_HEADER > in->length / rows))
        return 0;
    head = arena_copy(arena, table->header.data, length + 1);
    if (head == NULL)
        return -1;
    head[length] = '\n';
    decoded->form.content_type = kept_type(in, true);
    decoded->form.head = (struct slice){head, length + 1};
    return 0;
}

int read_csv(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    const struct csv_options options = options_of(in);
    char delimiter = in->format == FORMAT_TSV ? '\t' : ',';
    struct csv_table table;
    struct csv_error error;

    if (refuse_others(in, &options, arena, decoded) || refuse_bytes(in, decoded))
        return 0;
    switch (csv_read(in->text, in->length, &options, delimiter, arena, &table, &error)) {
    case CSV_OK:
        break;
    case CSV_INVALID:
        reader_point(in, error.offset, decoded);
        reader_refuse(decoded, "the body is not CSV: line %u: %s", decoded->line, error.message);
        return 0;
    case CSV_NOMEM:
        return -1;
    }
    if (reject_misfits(&options, &table, arena, decoded) == -1 ||
        keep_header(in, &table, arena, decoded) == -1)
        return -1;
    decoded->root = table.root;
    return 0;
}
