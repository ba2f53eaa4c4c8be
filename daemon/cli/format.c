#include "cli/format.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* A table's widths come from its first rows; later ones that are wider push their line out. */
#define TABLE_HELD_ROWS 1000
#define TABLE_MAX_WIDTH 60

struct cell {
    char *text; /* owned */
    bool number;
};

struct formatter {
    enum format format;
    FILE *out;
    size_t columns;
    char **names;       /* owned, with their array */
    size_t rows;        /* of this statement, so far */
    size_t statements;  /* that had columns, so far */
    int *widths;        /* FORMAT_TABLE: of each column, in terminal cells */
    struct cell *cells; /* FORMAT_TABLE: the rows held until the widths are known */
    size_t held;
    bool widths_known;
};

int format_by_name(const char *name)
{
    static const char *const names[] = {"table", "csv", "json", "ndjson"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    }
    return -1;
}

struct formatter *formatter_create(enum format format, FILE *out)
{
    struct formatter *f = calloc(1, sizeof(*f));

    if (f != NULL) {
        f->format = format;
        f->out = out;
    }
    return f;
}

static void forget_statement(struct formatter *f)
{
    for (size_t i = 0; i < f->held * f->columns; i++)
        free(f->cells[i].text);
    for (size_t i = 0; i < f->columns; i++)
        free(f->names[i]);
    free(f->cells);
    free(f->widths);
    free(f->names);
    f->cells = NULL;
    f->widths = NULL;
    f->names = NULL;
    f->columns = 0;
    f->held = 0;
    f->rows = 0;
    f->widths_known = false;
}

void formatter_free(struct formatter *f)
{
    if (f == NULL)
        return;
    forget_statement(f);
    free(f);
}

/* --- Values as text. --- */

/* The shortest decimal that reads back as the same double, always with a point or an exponent. */
static void put_real(struct text *text, double value)
{
    char digits[40];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_add(text, digits);
    if (strpbrk(digits, ".eni") == NULL) /* "n" and "i": nan and inf, which SQLite can hold */
        text_add(text, ".0");
}

static void put_hex(struct text *text, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text_format(text, "%02X", (unsigned)(unsigned char)data[i]);
}

static void put_plain(struct text *text, const struct value *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_NULL:
        break;
    case VALUE_INTEGER:
        text_format(text, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        put_real(text, value->real);
        break;
    case VALUE_TEXT:
        text_append(text, value->text, value->length);
        break;
    case VALUE_BLOB:
        text_add(text, "X'");
        put_hex(text, value->text, value->length);
        text_char(text, '\'');
        break;
    }
}

static void put_json(struct text *text, const struct value *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_NULL:
        text_add(text, "null");
        break;
    case VALUE_TEXT:
        text_json_string(text, value->text, value->length);
        break;
    case VALUE_BLOB:
        text_char(text, '"');
        put_hex(text, value->text, value->length);
        text_char(text, '"');
        break;
    case VALUE_REAL:
        if (value->real - value->real != 0) { /* infinite: JSON has no such number */
            text_add(text, "null");
            break;
        }
        put_plain(text, value);
        break;
    case VALUE_INTEGER:
        put_plain(text, value);
        break;
    }
}

static int write_text(struct formatter *f, struct text *text)
{
    bool ok =
        !text_failed(text) && fwrite(text_string(text), 1, text->length, f->out) == text->length;

    text_free(text);
    return ok ? 0 : -1;
}

/* --- CSV (RFC 4180). --- */

static void put_csv_field(struct text *text, const char *data, size_t length)
{
    bool quoted = length == 0;

    for (size_t i = 0; i < length && !quoted; i++)
        quoted = strchr(",\"\r\n", data[i]) != NULL && data[i] != '\0';
    if (!quoted) {
        text_append(text, data, length);
        return;
    }
    text_char(text, '"');
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '"')
            text_char(text, '"');
        text_char(text, data[i]);
    }
    text_char(text, '"');
}

/* NULL is an empty field, the empty string a quoted one. */
static int csv_row(struct formatter *f, const struct value *values, size_t count)
{
    struct text line = {0};
    struct text field = {0};

    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_char(&line, ',');
        if (values[i].type == VALUE_NULL)
            continue;
        text_clear(&field);
        put_plain(&field, &values[i]);
        if (text_failed(&field))
            line.failed = true;
        put_csv_field(&line, text_string(&field), field.length);
    }
    text_add(&line, "\r\n");
    text_free(&field);
    return write_text(f, &line);
}

static int csv_header(struct formatter *f)
{
    struct text line = {0};

    for (size_t i = 0; i < f->columns; i++) {
        if (i > 0)
            text_char(&line, ',');
        put_csv_field(&line, f->names[i], strlen(f->names[i]));
    }
    text_add(&line, "\r\n");
    return write_text(f, &line);
}

/* --- JSON. --- */

static int json_row(struct formatter *f, const struct value *values, size_t count)
{
    struct text line = {0};

    if (f->format == FORMAT_JSON_ARRAY)
        text_add(&line, f->rows == 0 ? "[" : ",\n");
    text_char(&line, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_char(&line, ',');
        text_json_string(&line, f->names[i], strlen(f->names[i]));
        text_char(&line, ':');
        put_json(&line, &values[i]);
    }
    text_add(&line, f->format == FORMAT_JSON_ARRAY ? "}" : "}\n");
    return write_text(f, &line);
}

/* --- Tables for people. --- */

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
        } else if (wcwidth(c) < 0 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
            if (c == '\n' || c == '\t')
                text_add(&text, c == '\n' ? "\\n" : "\\t");
            else
                text_format(&text, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
            i += n;
        } else {
            text_append(&text, data + i, n);
            i += n;
        }
    }
    return text_take(&text);
}

/* Columns of the terminal that printable text takes. */
static int display_width(const char *text)
{
    mbstate_t state = {0};
    int width = 0;

    while (*text != '\0') {
        wchar_t c;
        size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);

        if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
            n = 1;
            state = (mbstate_t){0};
            width++;
        } else {
            width += wcwidth(c);
        }
        text += n;
    }
    return width;
}

static void put_padded(struct text *line, const char *text, int width, bool right, bool last)
{
    int missing = width - display_width(text);

    for (int i = 0; right && i < missing; i++)
        text_char(line, ' ');
    text_add(line, text);
    for (int i = 0; !right && !last && i < missing; i++)
        text_char(line, ' ');
}

static int table_line(struct formatter *f, const struct cell *cells)
{
    struct text line = {0};

    for (size_t i = 0; i < f->columns; i++) {
        if (i > 0)
            text_add(&line, "  ");
        put_padded(&line, cells[i].text, f->widths[i], cells[i].number, i + 1 == f->columns);
    }
    text_char(&line, '\n');
    return write_text(f, &line);
}

static void widen(struct formatter *f, size_t column, const char *text)
{
    int width = display_width(text);

    if (width > TABLE_MAX_WIDTH)
        width = TABLE_MAX_WIDTH;
    if (width > f->widths[column])
        f->widths[column] = width;
}

static int table_header(struct formatter *f)
{
    struct text line = {0};

    for (size_t i = 0; i < f->columns; i++) {
        bool number = f->held > 0 && f->cells[i].number;

        if (i > 0)
            text_add(&line, "  ");
        put_padded(&line, f->names[i], f->widths[i], number, i + 1 == f->columns);
    }
    text_char(&line, '\n');
    for (size_t i = 0; i < f->columns; i++) {
        if (i > 0)
            text_add(&line, "  ");
        for (int n = 0; n < f->widths[i]; n++)
            text_char(&line, '-');
    }
    text_char(&line, '\n');
    return write_text(f, &line);
}

/* Writes the header and the rows held; from now on each row goes out as it comes. */
static int table_settle(struct formatter *f)
{
    for (size_t i = 0; i < f->columns; i++)
        widen(f, i, f->names[i]);
    for (size_t i = 0; i < f->held * f->columns; i++)
        widen(f, i % f->columns, f->cells[i].text);
    f->widths_known = true;
    if (table_header(f) == -1)
        return -1;
    for (size_t row = 0; row < f->held; row++) {
        if (table_line(f, f->cells + row * f->columns) == -1)
            return -1;
    }
    return 0;
}

static int make_cell(const struct value *value, struct cell *cell)
{
    struct text plain = {0};

    put_plain(&plain, value);
    cell->number = value->type == VALUE_INTEGER || value->type == VALUE_REAL;
    cell->text = text_failed(&plain) ? NULL : printable(text_string(&plain), plain.length);
    text_free(&plain);
    return cell->text == NULL ? -1 : 0;
}

static int table_row(struct formatter *f, const struct value *values, size_t count)
{
    /* Once the widths are known, the place behind the held rows serves each further one. */
    struct cell *cells = f->cells + f->held * f->columns;
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        if (make_cell(&values[i], &cells[i]) == -1)
            rc = -1;
    }
    if (!f->widths_known) {
        f->held++;
        return rc == 0 && f->held == TABLE_HELD_ROWS ? table_settle(f) : rc;
    }
    if (rc == 0)
        rc = table_line(f, cells);
    for (size_t i = 0; i < count; i++) {
        free(cells[i].text);
        cells[i].text = NULL;
    }
    return rc;
}

/* --- The hooks. --- */

int formatter_columns(void *context, const char *const *names, size_t count)
{
    struct formatter *f = context;

    if (formatter_end(f) == -1)
        return -1;
    f->names = calloc(count, sizeof(*f->names));
    if (f->names == NULL)
        return -1;
    f->columns = count;
    for (size_t i = 0; i < count; i++) {
        f->names[i] =
            f->format == FORMAT_TABLE ? printable(names[i], strlen(names[i])) : strdup(names[i]);
        if (f->names[i] == NULL)
            return -1;
    }
    if (f->format == FORMAT_TABLE) {
        if (f->statements > 0)
            fputc('\n', f->out);
        f->widths = calloc(count, sizeof(*f->widths));
        f->cells = calloc((TABLE_HELD_ROWS + 1) * count, sizeof(*f->cells));
        if (f->widths == NULL || f->cells == NULL)
            return -1;
    }
    f->statements++;
    return f->format == FORMAT_CSV ? csv_header(f) : 0;
}

int formatter_row(void *context, const struct value *values, size_t count)
{
    struct formatter *f = context;
    int rc;

    switch (f->format) {
    case FORMAT_CSV:
        rc = csv_row(f, values, count);
        break;
    case FORMAT_TABLE:
        rc = table_row(f, values, count);
        break;
    default:
        rc = json_row(f, values, count);
        break;
    }
    f->rows++;
    return rc;
}

int formatter_end(struct formatter *f)
{
    int rc = 0;

    if (f->columns == 0)
        return 0;
    if (f->format == FORMAT_TABLE && !f->widths_known)
        rc = table_settle(f);
    if (f->format == FORMAT_JSON_ARRAY)
        rc = fputs(f->rows == 0 ? "[]\n" : "]\n", f->out) < 0 ? -1 : 0;
    forget_statement(f);
    return rc;
}
