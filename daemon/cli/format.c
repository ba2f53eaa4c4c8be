#include "cli/format.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/plain.h"
#include "cli/text_table.h"

struct formatter {
    enum format format;
    FILE *out;
    size_t terminal_width;
    bool failed; /* out of memory, or `out` failed: nothing more is written */
    int write_errno;
    size_t columns;
    char **names;             /* owned, with their array */
    size_t rows;              /* of this statement, so far */
    size_t statements;        /* that had columns, so far */
    struct text_table *table; /* owned; FORMAT_TABLE: of this statement */
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

struct formatter *formatter_create(enum format format, FILE *out, size_t terminal_width)
{
    struct formatter *f = calloc(1, sizeof(*f));

    if (f != NULL) {
        f->format = format;
        f->out = out;
        f->terminal_width = terminal_width;
    }
    return f;
}

static void forget_statement(struct formatter *f)
{
    for (size_t i = 0; i < f->columns; i++)
        free(f->names[i]);
    free(f->names);
    text_table_free(f->table);
    f->names = NULL;
    f->table = NULL;
    f->columns = 0;
    f->rows = 0;
}

void formatter_free(struct formatter *f)
{
    if (f == NULL)
        return;
    forget_statement(f);
    free(f);
}

/* SQLite keeps text as it is given; JSON has to be UTF-8. */
static void put_json_text(struct text *text, const char *data, size_t length)
{
    struct text mended = {0};
    mbstate_t state = {0};
    size_t i = 0;

    while (i < length) {
        wchar_t c;
        size_t n = mbrtowc(&c, data + i, length - i, &state);

        if (n == (size_t)-1 || n == (size_t)-2) {
            text_add(&mended, "\uFFFD");
            state = (mbstate_t){0};
            n = 1;
        } else {
            n = n == 0 ? 1 : n; /* a NUL */
            text_append(&mended, data + i, n);
        }
        i += n;
    }
    text_json_string(text, text_string(&mended), mended.length);
    if (text_failed(&mended))
        text->failed = true;
    text_free(&mended);
}

static void put_json(struct text *text, const struct value *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_NULL:
        text_add(text, "null");
        break;
    case VALUE_TEXT:
        put_json_text(text, value->text, value->length);
        break;
    case VALUE_BLOB:
        text_char(text, '"');
        plain_put_hex(text, value->text, value->length);
        text_char(text, '"');
        break;
    case VALUE_REAL:
        if (value->real - value->real != 0) { /* infinite: JSON has no such number */
            text_add(text, "null");
            break;
        }
        plain_put(text, value);
        break;
    case VALUE_INTEGER:
        plain_put(text, value);
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
        plain_put(&field, &values[i]);
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

/* --- The hooks. --- */

/* Before anything else can change errno. */
static int note_failure(struct formatter *f, int rc)
{
    int os = errno;

    f->failed = rc == -1;
    if (f->failed && ferror(f->out))
        f->write_errno = os;
    return rc;
}

int formatter_errno(const struct formatter *f)
{
    return f->write_errno;
}

static int begin_statement(struct formatter *f, const char *const *names, size_t count)
{
    f->names = calloc(count, sizeof(*f->names));
    if (f->names == NULL)
        return -1;
    f->columns = count;
    for (size_t i = 0; i < count; i++) {
        f->names[i] = strdup(names[i]);
        if (f->names[i] == NULL)
            return -1;
    }
    if (f->format != FORMAT_TABLE)
        return 0;
    f->table = text_table_create(f->out, f->terminal_width, names, count);
    return f->table == NULL ? -1 : 0;
}

int formatter_columns(void *context, const char *const *names, size_t count)
{
    struct formatter *f = context;

    bool first = f->statements++ == 0;
    int rc = formatter_end(f);

    if (rc == 0)
        rc = begin_statement(f, names, count);
    if (rc == 0 && !first && f->format == FORMAT_TABLE)
        rc = fputc('\n', f->out) == EOF ? -1 : 0;
    if (rc == 0 && !first && f->format == FORMAT_CSV_TABLE)
        rc = fputs("\r\n", f->out) == EOF ? -1 : 0;
    if (rc == 0 && f->format == FORMAT_CSV_TABLE)
        rc = csv_header(f);
    return note_failure(f, rc);
}

int formatter_row(void *context, const struct value *values, size_t count)
{
    struct formatter *f = context;
    int rc;

    switch (f->format) {
    case FORMAT_CSV_TABLE:
        rc = csv_row(f, values, count);
        break;
    case FORMAT_TABLE:
        rc = text_table_row(f->table, values);
        break;
    default:
        rc = json_row(f, values, count);
        break;
    }
    f->rows++;
    return note_failure(f, rc);
}

int formatter_end(struct formatter *f)
{
    int rc = 0;

    if (f->failed)
        return -1;
    if (f->columns == 0)
        return 0;
    if (f->format == FORMAT_TABLE)
        rc = text_table_end(f->table);
    if (f->format == FORMAT_JSON_ARRAY)
        rc = fputs(f->rows == 0 ? "[]\n" : "]\n", f->out) < 0 ? -1 : 0;
    note_failure(f, rc);
    forget_statement(f);
    return rc;
}

void formatter_break_off(struct formatter *f)
{
    if (!f->failed && f->table != NULL)
        text_table_end(f->table);
    if (!f->failed && f->format == FORMAT_JSON_ARRAY && f->rows > 0)
        fputc('\n', f->out);
    forget_statement(f);
}
