/*
 * Two bytes of options, then any bytes as a table: the nodes are sound, no two columns have one
 * name, and the table written with every cell in quotes is the same when it is read again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const delimiters[] = {NULL, ";", "\t", " "};
static const char *const quotes[] = {"\"", "'", "", "\""};
static const char *const names[] = {"one", "two", "three"};

/* All bits 0: the defaults. */
static struct csv_options options_of(const uint8_t *data)
{
    return (struct csv_options){
        .delimiter = delimiters[data[0] & 3],
        .quote = quotes[data[0] >> 2 & 3],
        .trim = (data[0] & 0x10) != 0,
        .header_row = (data[0] >> 5 & 3) == 3 ? 0 : 1 + (data[0] >> 5 & 3),
        .comment = (data[0] & 0x80) != 0 ? "#" : NULL,
        .skip_rows = data[1] & 3,
        .names = names,
        .name_count = data[1] >> 2 & 3,
    };
}

static void check_place(const struct node *node, const char *text, size_t length)
{
    struct slice source = node_source(node);

    assert(node->raw >= text && node->raw <= text + length);
    assert(source.length <= length);
}

static void check_row(const struct csv_table *table, const struct node *row, const char *text,
                      size_t length)
{
    assert(row->type == NODE_OBJECT && row->length == table->columns);
    assert(row->span == 1 + 2 * row->length);
    check_place(row, text, length);
    for (const struct node *name = node_first(row); name < node_end(row); name += 2) {
        assert(name->type == NODE_STRING && name->length > 0);
        assert(node_is_untyped(name + 1));
        assert(name[1].raw >= row->raw && name[1].raw <= row->text);
        assert(node_member(row, node_slice(name)) == name + 1); /* the name is there once */
    }
}

static void check_table(const struct csv_table *table, const char *text, size_t length)
{
    const struct node *root = table->root;
    uint32_t rows = 0;

    for (const struct node *row = root + 1; row < node_end(root); row = node_next(row), rows++)
        check_row(table, row, text, length);
    assert(rows == root->length);
    for (size_t i = 0; i < table->misfit_count; i++) {
        check_place(&table->misfits[i].row, text, length);
        assert(table->misfits[i].cells != table->columns || table->misfits[i].odd != 0);
    }
}

static void write_cell(struct text *out, struct slice cell, bool first)
{
    text_add(out, first ? "\"" : ",\"");
    for (size_t i = 0; i < cell.length; i++) {
        text_char(out, cell.data[i]);
        if (cell.data[i] == '"')
            text_char(out, '"');
    }
    text_char(out, '"');
}

/* With the names of the first row as the header. */
static void write_table(struct text *out, const struct node *root)
{
    for (const struct node *n = root + 2; n < node_end(node_first(root)); n += 2)
        write_cell(out, node_slice(n), n == root + 2);
    text_add(out, "\r\n");
    for (const struct node *row = root + 1; row < node_end(root); row = node_next(row)) {
        for (const struct node *n = row + 2; n < node_end(row); n += 2)
            write_cell(out, node_slice(n), n == row + 2);
        text_add(out, "\r\n");
    }
}

static void check_same(const struct node *a, const struct node *b)
{
    assert(a->span == b->span);
    for (uint32_t i = 0; i < a->span; i++) {
        assert(a[i].type == b[i].type && a[i].length == b[i].length);
        if (a[i].type == NODE_STRING)
            assert(slice_same(node_slice(&a[i]), node_slice(&b[i])));
    }
}

static void read_again(const struct node *root, struct arena *arena)
{
    struct text out = {0};
    struct csv_table table;
    struct csv_error error;

    write_table(&out, root);
    assert(csv_read(out.data, out.length, &csv_defaults, ',', arena, &table, &error) == CSV_OK);
    assert(table.misfit_count == 0);
    check_same(root, table.root);
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(0);
    struct csv_options options;
    struct csv_table table;
    struct csv_error error;
    char *text;

    if (size < 2) {
        arena_free(arena);
        return 0;
    }
    options = options_of(data);
    text = malloc(size - 1);
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    if (csv_read(text, size - 2, &options, ',', arena, &table, &error) == CSV_OK) {
        check_table(&table, text, size - 2);
        if (table.root->length > 0 && table.columns > 0)
            read_again(table.root, arena);
    } else {
        assert(error.message[0] != '\0' && error.offset <= size - 2);
    }
    free(text);
    arena_free(arena);
    return 0;
}
