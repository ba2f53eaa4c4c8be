/*
 * Where the header of a table is, and what its columns are called: every column has a name, and no
 * two have the same.
 */
#include <stdio.h>
#include <string.h>

#include "document/csv_reader.h"
#include "gatherd/hash.h"

#define MOST_SUFFIX 16 /* "_65536" and more */

/* A name that is taken, and the number that the next of the same name gets. */
struct taken {
    struct slice name; /* data NULL: the slot is free */
    unsigned next;
};

struct name_set {
    struct taken *slots; /* in the arena; at most half full */
    size_t count;        /* a power of two */
};

/* The slot that holds the name, or the free one where it would go. */
static struct taken *find_slot(const struct name_set *set, struct slice name)
{
    size_t at = hash_bytes(name.data, name.length) & (set->count - 1);

    while (set->slots[at].name.data != NULL && !slice_same(set->slots[at].name, name))
        at = (at + 1) & (set->count - 1);
    return &set->slots[at];
}

/* Each column is at most two names: what it is called, and what it should have been called. */
static bool make_set(struct csv_reader *r, struct name_set *set)
{
    set->count = 16;
    while (set->count < 4 * (size_t)r->columns)
        set->count *= 2;
    set->slots = arena_alloc(r->arena, set->count * sizeof(*set->slots));
    if (set->slots == NULL) {
        csv_fail_memory(r);
        return false;
    }
    memset(set->slots, 0, set->count * sizeof(*set->slots));
    return true;
}

static bool put_name(struct csv_reader *r, struct node *name, struct slice base,
                     const char *between, unsigned number)
{
    size_t size = base.length + MOST_SUFFIX;
    char *text = arena_alloc(r->arena, size);
    int added;

    if (text == NULL) {
        csv_fail_memory(r);
        return false;
    }
    memcpy(text, base.data, base.length);
    added = snprintf(text + base.length, MOST_SUFFIX, "%s%u", between, number);
    name->text = text;
    name->length = (uint32_t)base.length + (uint32_t)added;
    return true;
}

/* The name of a column whose own is taken: the first with a number behind it that is not. */
static bool number_name(struct csv_reader *r, const struct name_set *set, struct node *name)
{
    struct slice base = node_slice(name);
    struct taken *first = find_slot(set, base);
    struct taken *slot;

    do {
        if (!put_name(r, name, base, "_", first->next++))
            return false;
        slot = find_slot(set, node_slice(name));
    } while (slot->name.data != NULL);
    *slot = (struct taken){node_slice(name), 2};
    return true;
}

static struct slice trimmed(const struct node *cell)
{
    struct slice name = node_slice(cell);

    while (name.length > 0 && (*name.data == ' ' || *name.data == '\t')) {
        name.data++;
        name.length--;
    }
    while (name.length > 0 &&
           (name.data[name.length - 1] == ' ' || name.data[name.length - 1] == '\t'))
        name.length--;
    return name;
}

static bool begin_name(struct csv_reader *r, struct node *name, struct slice text, uint32_t place)
{
    *name = (struct node){
        .type = NODE_STRING, .length = (uint32_t)text.length, .span = 1, .text = text.data};
    return text.length > 0 || put_name(r, name, slice_of("column_"), "", place + 1);
}

/* Those that stand there once keep what they are called, wherever they stand. */
static bool make_unique(struct csv_reader *r)
{
    struct name_set set;
    bool *again = arena_alloc(r->arena, r->columns * sizeof(*again));

    if (again == NULL) {
        csv_fail_memory(r);
        return false;
    }
    if (!make_set(r, &set))
        return false;
    for (uint32_t i = 0; i < r->columns; i++) {
        struct taken *slot = find_slot(&set, node_slice(&r->names[i]));

        again[i] = slot->name.data != NULL;
        if (!again[i])
            *slot = (struct taken){node_slice(&r->names[i]), 2};
    }
    for (uint32_t i = 0; i < r->columns; i++) {
        if (again[i] && !number_name(r, &set, &r->names[i]))
            return false;
    }
    return true;
}

/* The columns are called as `cells` say, or as their places say where it is NULL. */
static bool name_columns(struct csv_reader *r, const struct node *cells, uint32_t count)
{
    r->columns = count;
    r->names = arena_alloc(r->arena, count * sizeof(*r->names));
    if (r->names == NULL) {
        csv_fail_memory(r);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!begin_name(r, &r->names[i], cells == NULL ? slice_of(NULL) : trimmed(&cells[i]), i))
            return false;
    }
    return make_unique(r);
}

static bool take_given_names(struct csv_reader *r)
{
    size_t count = r->options->name_count;

    r->columns = (uint32_t)count;
    r->names = arena_alloc(r->arena, count * sizeof(*r->names));
    if (r->names == NULL) {
        csv_fail_memory(r);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        begin_name(r, &r->names[i], slice_of(r->options->names[i]), i);
    return true;
}

/* A header of one cell that holds what separates cells elsewhere would make one column of all. */
static bool refuse_delimiter(struct csv_reader *r, const char *at, const struct csv_cells *cells)
{
    static const char *const others[] = {";", "\t", "|", ","};

    if (r->sure || cells->count != 1 || (r->quoted && *at == r->quote))
        return false;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (memchr(cells->list->text, others[i][0], cells->list->length) == NULL)
            continue;
        csv_fail(r, at, "the header is one cell that holds '%s'; set csv: {delimiter: \"%s\"}",
                 *others[i] == '\t' ? "\\t" : others[i], *others[i] == '\t' ? "\\t" : others[i]);
        return true;
    }
    return false;
}

/* Names with NULs would be those of another character set, or of no text at all. */
static bool refuse_nul(struct csv_reader *r, const char *row, const char *end)
{
    const char *nul = memchr(row, '\0', (size_t)(end - row));

    if (nul == NULL)
        return false;
    csv_fail(r, nul,
             "a NUL byte in the row that names or counts the columns, so this is not text, "
             "or not UTF-8; if it is UTF-16, set encoding: utf-16");
    return true;
}

/* The header row; those before it are passed over. */
static const char *find_header(struct csv_reader *r, const char *p, struct csv_cells *cells,
                               struct slice *header)
{
    for (unsigned row = 1;; row++) {
        const char *start = csv_skip_lines(r, p);

        if (start == r->end) {
            csv_fail(r, start, "the body ends before its header, row %u", r->options->header_row);
            return NULL;
        }
        p = csv_read_cells(r, start, cells);
        if (p == NULL)
            return NULL;
        *header = (struct slice){start, (size_t)(p - start)};
        if (row == r->options->header_row)
            return refuse_nul(r, start, p) ? NULL : csv_behind_break(r, p);
        p = csv_behind_break(r, p);
    }
}

/* Without names the first row says how many columns there are. */
static const char *count_columns(struct csv_reader *r, const char *p)
{
    struct csv_cells cells = {0};
    const char *start = csv_skip_lines(r, p);
    const char *end = start < r->end ? csv_read_cells(r, start, &cells) : start;

    if (end == NULL || refuse_nul(r, start, end))
        return NULL;
    return name_columns(r, NULL, cells.count) ? start : NULL;
}

const char *csv_read_header(struct csv_reader *r, const char *p, struct slice *header)
{
    struct csv_cells cells;

    if (r->options->header_row > 0) {
        p = find_header(r, p, &cells, header);
        if (p == NULL || (r->options->name_count == 0 && refuse_delimiter(r, header->data, &cells)))
            return NULL;
        if (r->options->name_count == 0)
            return name_columns(r, cells.list, cells.count) ? p : NULL;
    }
    if (r->options->name_count > 0)
        return take_given_names(r) ? p : NULL;
    return count_columns(r, p);
}
