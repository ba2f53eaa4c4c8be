#include "processing.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

struct processing *processing_create(void)
{
    struct processing *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->source.name = "test";
    p->source.max_body_bytes = 16 * 1024 * 1024;
    p->source.mapping.fields = p->fields;
    p->arena = arena_create(1 << 20);
    assert_non_null(p->arena);
    p->run.source = &p->source;
    return p;
}

void processing_free(struct processing *p)
{
    for (size_t i = 0; i < p->source.mapping.field_count; i++)
        jsonpath_free(p->fields[i].path);
    jsonpath_free(p->source.mapping.records);
    run_clear_response(&p->run);
    run_state_clear(&p->run.state);
    arena_free(p->arena);
    text_free(&p->text);
    free(p);
}

static struct jsonpath *compile(const char *text)
{
    size_t column;
    struct error err = {0};
    struct jsonpath *path = jsonpath_compile(text, &column, &err);

    assert_string_equal(err.text, "");
    assert_non_null(path);
    return path;
}

void processing_records(struct processing *p, const char *path)
{
    jsonpath_free(p->source.mapping.records);
    p->source.mapping.records = compile(path);
}

void processing_field(struct processing *p, const char *name, const char *path,
                      enum field_type type, enum time_unit unit)
{
    assert_true(p->source.mapping.field_count < PROCESSING_MAX_FIELDS);
    p->fields[p->source.mapping.field_count++] =
        (struct field){.name = name, .path = compile(path), .rule = {.type = type, .unit = unit}};
}

void processing_run_bytes(struct processing *p, const char *content_type, const char *body,
                          size_t length)
{
    run_clear_response(&p->run);
    arena_reset(p->arena);
    p->run.response.status = 200;
    p->run.response.content_type = content_type == NULL ? NULL : strdup(content_type);
    p->run.response.body = malloc(length + 1);
    assert_non_null(p->run.response.body);
    memcpy(p->run.response.body, body, length);
    p->run.response.body[length] = '\0';
    p->run.response.body_bytes = length;
    assert_int_equal(process_response(&p->run, p->arena, NULL, &p->result), 0);
    assert_ptr_equal(p->result.run, &p->run);
}

void processing_run(struct processing *p, const char *content_type, const char *body)
{
    processing_run_bytes(p, content_type, body, strlen(body));
}

static void write_value(struct text *text, const struct value *value)
{
    switch (value->type) {
    case VALUE_INTEGER:
        text_format(text, "%lld", (long long)value->integer);
        break;
    case VALUE_REAL:
        text_format(text, "~%.17g", value->real);
        break;
    case VALUE_TEXT:
        text_char(text, '\'');
        text_append(text, value->text, value->length);
        text_char(text, '\'');
        break;
    default:
        text_add(text, "null");
    }
}

const char *processing_rows(struct processing *p)
{
    const struct row_set *rows = &p->result.rows;

    text_clear(&p->text);
    for (size_t i = 0; i < rows->column_count; i++) {
        text_add(&p->text, i == 0 ? "" : ",");
        text_append(&p->text, rows->columns[i].name.data, rows->columns[i].name.length);
    }
    text_char(&p->text, '\n');
    for (size_t r = 0; r < rows->row_count; r++) {
        for (size_t i = 0; i < rows->rows[r].count; i++) {
            text_add(&p->text, i == 0 ? "" : ",");
            write_value(&p->text, &rows->rows[r].values[i]);
        }
        text_char(&p->text, '\n');
    }
    return text_string(&p->text);
}

const char *processing_letters(struct processing *p)
{
    text_clear(&p->text);
    for (size_t i = 0; i < p->result.dead_letter_count; i++) {
        const struct dead_letter *letter = &p->result.dead_letters[i];

        if (letter->record == NULL)
            text_add(&p->text, "body");
        else
            text_format(&p->text, "%zu", letter->position);
        text_format(&p->text, "@%u:%u %s\n", letter->line, letter->column, letter->reason);
    }
    return text_string(&p->text);
}
