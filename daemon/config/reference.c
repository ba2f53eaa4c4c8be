/* The reference of all keys in Markdown: the tables of docs/configuration.md. */
#include <string.h>

#include "config/load.h"

/* A vertical bar would end the cell. */
static void put_cell(struct text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            text_char(out, '\\');
        text_char(out, *text);
    }
}

static void put_code(struct text *out, const char *text)
{
    text_char(out, '`');
    put_cell(out, text);
    text_char(out, '`');
}

static void put_default(struct text *out, const struct key *key)
{
    if (key->required)
        text_add(out, "required");
    else if (key->fallback != NULL)
        put_code(out, key->fallback);
    else
        put_cell(out, key->instead);
}

static void put_row(struct text *out, const struct key *key)
{
    struct text expected = {0};

    write_expected(&expected, key);
    text_add(out, "| ");
    put_code(out, key->name);
    text_add(out, " | ");
    put_cell(out, text_string(&expected));
    text_add(out, " | ");
    put_default(out, key);
    text_add(out, " | ");
    put_cell(out, key->about);
    text_add(out, " | ");
    put_code(out, key->example);
    text_add(out, " |\n");
    if (text_failed(&expected))
        out->failed = true;
    text_free(&expected);
}

static void put_twin(struct text *out, const struct key *key)
{
    text_add(out, "| ");
    put_code(out, key->twin);
    text_add(out, " | a path | none | ");
    put_cell(out, TWIN_ABOUT);
    text_add(out, " | ");
    put_code(out, TWIN_EXAMPLE);
    text_add(out, " |\n");
}

static void put_table(struct text *out, const struct key_set *set)
{
    if (out->length > 0)
        text_char(out, '\n');
    if (set->title == NULL)
        text_add(out, "### Top level\n\n");
    else
        text_format(out, "### `%s`\n\n", set->title);
    text_add(out, "| Key | Value | Default | Meaning | Example |\n"
                  "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < set->count; i++) {
        put_row(out, &set->keys[i]);
        if (set->keys[i].twin != NULL)
            put_twin(out, &set->keys[i]);
    }
}

void config_write_reference(struct text *out)
{
    for (size_t i = 0; key_sets[i] != NULL; i++)
        put_table(out, key_sets[i]);
}
