#include "cli/text_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/plain.h"
#include "gatherd/text.h"

/* What is held to learn the widths; later cells that are wider push their line out, or are cut. */
#define HELD_ROWS  1000u
#define HELD_BYTES (1024u * 1024)

#define MOST_WIDTH 60u /* not on a terminal: one long value does not widen all lines */
#define KEPT_WIDTH 24u /* text is not cut below this; a time takes as much */
#define GAP        2u  /* between columns */

struct cell {
    char *text; /* owned; printable */
    bool number;
};

enum layout { LAYOUT_UNKNOWN, LAYOUT_TABLE, LAYOUT_RECORDS };

struct text_table {
    FILE *out;
    size_t terminal_width;
    size_t columns;
    char **names;       /* owned, with their array; printable */
    size_t *widths;     /* owned: characters on the screen */
    bool *numbers;      /* owned: whether the column's name stands right */
    struct cell *cells; /* owned: the rows held, and behind them place for one more */
    size_t held;
    size_t held_bytes;
    size_t rows; /* written */
    enum layout layout;
    bool cut; /* a value was */
};

/* --- Text on a screen --- */

/* Joiners stay: emoji and some scripts are made with them, and this is people's own data. */
static bool is_harmful(wchar_t c)
{
    bool joiner = c == 0x200c || c == 0x200d;

    return wcwidth(c) < 0 || (text_is_deceptive((uint32_t)c) && !joiner);
}

static void put_escape(struct text *text, wchar_t c)
{
    if (c == '\n' || c == '\t')
        text_add(text, c == '\n' ? "\\n" : "\\t");
    else
        text_format(text, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
}

/* The text with everything escaped that would move the cursor, break the line or be invisible. */
static char *printable(const char *data, size_t length)
{
    struct text text = {0};
    mbstate_t state = {0};
    size_t i = 0;

    while (i < length) {
        wchar_t c;
        size_t n = mbrtowc(&c, data + i, length - i, &state);

        if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
            text_format(&text, "\\x%02x", (unsigned)(unsigned char)data[i++]);
            state = (mbstate_t){0};
            continue;
        }
        if (is_harmful(c))
            put_escape(&text, c);
        else
            text_append(&text, data + i, n);
        i += n;
    }
    return text_take(&text);
}

/* Bytes of printable text that take at most `width` characters of the screen; `*taken` of it. */
static size_t fitting(const char *text, size_t width, size_t *taken)
{
    mbstate_t state = {0};
    const char *p = text;

    *taken = 0;
    while (*p != '\0') {
        wchar_t c;
        size_t n = mbrtowc(&c, p, MB_CUR_MAX, &state);
        size_t w;

        if (n == (size_t)-1 || n == (size_t)-2 || n == 0) { /* another locale than we asked for */
            n = 1;
            c = '?';
            state = (mbstate_t){0};
        }
        w = (size_t)(wcwidth(c) < 0 ? 1 : wcwidth(c));
        if (*taken + w > width)
            break;
        *taken += w;
        p += n;
    }
    return (size_t)(p - text);
}

static size_t display_width(const char *text)
{
    size_t width;

    fitting(text, SIZE_MAX, &width);
    return width;
}

static void put_blanks(struct text *line, size_t count)
{
    while (count-- > 0)
        text_char(line, ' ');
}

static int write_line(struct text_table *table, struct text *line)
{
    bool ok;

    text_char(line, '\n');
    ok = !text_failed(line) &&
         fwrite(text_string(line), 1, line->length, table->out) == line->length;
    text_free(line);
    return ok ? 0 : -1;
}

/* --- As a table --- */

/* On a terminal what is wider than its column loses its end. */
static void put_field(struct text_table *table, struct text *line, const char *text, size_t column,
                      bool right)
{
    size_t width = table->widths[column];
    size_t taken = display_width(text);
    size_t length = strlen(text);
    bool cut = table->terminal_width > 0 && taken > width;
    bool last = column + 1 == table->columns;

    if (cut) {
        length = fitting(text, width - 1, &taken);
        taken++;
        table->cut = true;
    }
    if (right && taken < width)
        put_blanks(line, width - taken);
    text_append(line, text, length);
    if (cut)
        text_add(line, "\u2026");
    if (!right && !last && taken < width)
        put_blanks(line, width - taken);
    if (!last)
        put_blanks(line, GAP);
}

static int write_table_row(struct text_table *table, const struct cell *cells)
{
    struct text line = {0};

    for (size_t i = 0; i < table->columns; i++)
        put_field(table, &line, cells[i].text, i, cells[i].number);
    return write_line(table, &line);
}

static int write_header(struct text_table *table)
{
    struct text names = {0};
    struct text rule = {0};

    for (size_t i = 0; i < table->columns; i++) {
        put_field(table, &names, table->names[i], i, table->numbers[i]);
        for (size_t n = 0; n < table->widths[i]; n++)
            text_char(&rule, '-');
        if (i + 1 < table->columns)
            put_blanks(&rule, GAP);
    }
    if (write_line(table, &names) == 0)
        return write_line(table, &rule);
    text_free(&rule);
    return -1;
}

/* --- As records --- */

static int write_record(struct text_table *table, const struct cell *cells)
{
    size_t width = 0;

    for (size_t i = 0; i < table->columns; i++)
        width = table->widths[i] > width ? table->widths[i] : width;
    for (size_t i = 0; i < table->columns; i++) {
        struct text line = {0};

        if (i == 0)
            text_format(&line, "%s-- %zu --\n", table->rows == 0 ? "" : "\n", table->rows + 1);
        text_add(&line, table->names[i]);
        if (*cells[i].text != '\0')
            put_blanks(&line, width - table->widths[i] + GAP);
        text_add(&line, cells[i].text);
        if (write_line(table, &line) == -1)
            return -1;
    }
    return 0;
}

static int write_row(struct text_table *table, const struct cell *cells)
{
    int rc =
        table->layout == LAYOUT_TABLE ? write_table_row(table, cells) : write_record(table, cells);

    table->rows++;
    return rc;
}

/* --- The widths --- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t greatest(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What the column would like to have, without its name. */
static size_t natural_width(const struct text_table *table, size_t column)
{
    size_t width = 0;

    for (size_t row = 0; row < table->held; row++)
        width = greatest(width, display_width(table->cells[row * table->columns + column].text));
    return width;
}

/* A column of numbers and NULLs has its name above the numbers' end. */
static bool holds_numbers(const struct text_table *table, size_t column)
{
    bool any = false;

    for (size_t row = 0; row < table->held; row++) {
        const struct cell *cell = &table->cells[row * table->columns + column];

        if (!cell->number && *cell->text != '\0')
            return false;
        any = any || cell->number;
    }
    return any;
}

/* The width of a line where no text column is wider than `limit`, names and numbers apart. */
static size_t line_width(const struct text_table *table, const size_t *natural, size_t limit)
{
    size_t sum = GAP * (table->columns - 1);

    for (size_t i = 0; i < table->columns; i++) {
        size_t width = table->numbers[i] ? natural[i] : least(natural[i], limit);

        sum += greatest(table->widths[i], width);
    }
    return sum;
}

/* Chooses the layout, and for a table the widths, which until here are those of the names. */
static void lay_out(struct text_table *table, const size_t *natural)
{
    size_t limit = MOST_WIDTH;

    if (table->terminal_width > 0) {
        limit = KEPT_WIDTH;
        if (line_width(table, natural, SIZE_MAX) <= table->terminal_width)
            limit = SIZE_MAX;
        else if (line_width(table, natural, limit) > table->terminal_width)
            table->layout = LAYOUT_RECORDS;
        else
            while (line_width(table, natural, limit + 1) <= table->terminal_width)
                limit++;
    }
    if (table->layout == LAYOUT_RECORDS)
        return;
    table->layout = LAYOUT_TABLE;
    for (size_t i = 0; i < table->columns; i++) {
        size_t width = table->numbers[i] ? natural[i] : least(natural[i], limit);

        table->widths[i] = greatest(table->widths[i], width);
    }
}

/* Writes the header and the rows held; from now on each row goes out as it comes. */
static int settle(struct text_table *table)
{
    size_t *natural = calloc(table->columns, sizeof(*natural));
    int rc = 0;

    if (natural == NULL)
        return -1;
    for (size_t i = 0; i < table->columns; i++) {
        natural[i] = natural_width(table, i);
        table->numbers[i] = holds_numbers(table, i);
        table->widths[i] = display_width(table->names[i]);
    }
    lay_out(table, natural);
    free(natural);
    if (table->layout == LAYOUT_TABLE)
        rc = write_header(table);
    for (size_t row = 0; row < table->held && rc == 0; row++)
        rc = write_row(table, table->cells + row * table->columns);
    return rc;
}

/* --- The face --- */

struct text_table *text_table_create(FILE *out, size_t terminal_width, const char *const *names,
                                     size_t count)
{
    struct text_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table->out = out;
    table->terminal_width = terminal_width;
    table->columns = count;
    table->names = calloc(count, sizeof(*table->names));
    table->widths = calloc(count, sizeof(*table->widths));
    table->numbers = calloc(count, sizeof(*table->numbers));
    table->cells = calloc((HELD_ROWS + 1) * count, sizeof(*table->cells));
    if (table->names == NULL || table->widths == NULL || table->numbers == NULL ||
        table->cells == NULL)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        table->names[i] = printable(names[i], strlen(names[i]));
        if (table->names[i] == NULL)
            goto fail;
    }
    return table;

fail:
    text_table_free(table);
    return NULL;
}

void text_table_free(struct text_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; table->cells != NULL && i < (HELD_ROWS + 1) * table->columns; i++)
        free(table->cells[i].text);
    for (size_t i = 0; table->names != NULL && i < table->columns; i++)
        free(table->names[i]);
    free(table->cells);
    free(table->numbers);
    free(table->widths);
    free(table->names);
    free(table);
}

static int make_cell(const struct value *value, struct cell *cell)
{
    struct text plain = {0};

    plain_put(&plain, value);
    free(cell->text);
    cell->number = value->type == VALUE_INTEGER || value->type == VALUE_REAL;
    cell->text = text_failed(&plain) ? NULL : printable(text_string(&plain), plain.length);
    text_free(&plain);
    return cell->text == NULL ? -1 : 0;
}

int text_table_row(struct text_table *table, const struct value *values)
{
    /* Once the layout is known, the place behind the held rows serves each further one. */
    struct cell *cells = table->cells + table->held * table->columns;

    for (size_t i = 0; i < table->columns; i++) {
        if (make_cell(&values[i], &cells[i]) == -1)
            return -1;
        table->held_bytes += strlen(cells[i].text);
    }
    if (table->layout != LAYOUT_UNKNOWN)
        return write_row(table, cells);
    table->held++;
    if (table->held == HELD_ROWS || table->held_bytes >= HELD_BYTES)
        return settle(table);
    return 0;
}

int text_table_end(struct text_table *table)
{
    if (table->layout == LAYOUT_UNKNOWN && settle(table) == -1)
        return -1;
    if (table->layout == LAYOUT_RECORDS && table->rows == 0)
        return fputs("(no rows)\n", table->out) < 0 ? -1 : 0; /* the names would not fit */
    if (!table->cut)
        return 0;
    return fputs("(values that end in \u2026 were cut to fit; csv, json and ndjson have them "
                 "whole)\n",
                 table->out) < 0
               ? -1
               : 0;
}
