#include "store/repeats.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"

struct finder {
    const struct layout *layout;
    const struct row_set *set;
    uint32_t *slots; /* owned; number of the row + 1; 0: empty */
    size_t mask;
};

/* SQLite takes 1 and 1.0 for equal. */
static bool is_whole(const struct value *value, int64_t *integer)
{
    if (value->type == VALUE_INTEGER) {
        *integer = value->integer;
        return true;
    }
    if (value->type != VALUE_REAL || !(value->real >= -9e15 && value->real <= 9e15))
        return false;
    *integer = (int64_t)value->real;
    return (double)*integer == value->real;
}

static uint64_t hash_value(const struct value *value)
{
    int64_t integer;

    if (is_whole(value, &integer))
        return hash_bytes(&integer, sizeof(integer));
    if (value->type == VALUE_REAL)
        return hash_bytes(&value->real, sizeof(value->real));
    return hash_bytes(value->text, value->length);
}

static bool same_value(const struct value *a, const struct value *b)
{
    int64_t x;
    int64_t y;

    if (is_whole(a, &x))
        return is_whole(b, &y) && x == y;
    if (a->type != b->type)
        return false;
    if (a->type == VALUE_REAL)
        return a->real == b->real;
    return a->length == b->length && (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
}

/* NULL: the row lacks it. */
static const struct value *key_of(const struct finder *f, const struct row *row, size_t k)
{
    size_t place = f->layout->key[k];

    return place < row->count && row->values[place].type != VALUE_NULL ? &row->values[place] : NULL;
}

static bool hash_row(const struct finder *f, const struct row *row, uint64_t *hash)
{
    *hash = 0;
    for (size_t k = 0; k < f->layout->key_count; k++) {
        const struct value *value = key_of(f, row, k);

        if (value == NULL)
            return false;
        *hash = *hash * 31 + hash_value(value);
    }
    return true;
}

static bool same_key(const struct finder *f, const struct row *a, const struct row *b)
{
    for (size_t k = 0; k < f->layout->key_count; k++) {
        if (!same_value(key_of(f, a, k), key_of(f, b, k)))
            return false;
    }
    return true;
}

/* Whether the key of row `i` is there already; it is afterwards. */
static bool is_there(struct finder *f, size_t i)
{
    const struct row *row = &f->set->rows[i];
    uint64_t hash;

    if (!hash_row(f, row, &hash))
        return false; /* without a key it is no row of the table */
    for (size_t at = (size_t)hash & f->mask;; at = (at + 1) & f->mask) {
        if (f->slots[at] == 0) {
            f->slots[at] = (uint32_t)i + 1;
            return false;
        }
        if (same_key(f, row, &f->set->rows[f->slots[at] - 1]))
            return true;
    }
}

static int mark(bool **repeated, size_t count, size_t i)
{
    if (*repeated == NULL)
        *repeated = calloc(count, sizeof(**repeated));
    if (*repeated == NULL)
        return -1;
    (*repeated)[i] = true;
    return 0;
}

int repeats_find(const struct layout *layout, const struct row_set *set, bool **repeated,
                 struct error *err)
{
    struct finder f = {.layout = layout, .set = set, .mask = 1};
    int rc = 0;

    *repeated = NULL;
    if (set->row_count < 2 || layout->key_count == 0)
        return 0;
    while (f.mask < 2 * set->row_count)
        f.mask *= 2;
    f.slots = calloc(f.mask, sizeof(*f.slots));
    f.mask--;
    if (f.slots == NULL)
        rc = -1;
    for (size_t i = set->row_count; i-- > 0 && rc == 0;) {
        if (is_there(&f, i))
            rc = mark(repeated, set->row_count, i);
    }
    if (rc == -1)
        error_set(err, ERROR_NOMEM, "rows: out of memory");
    free(f.slots);
    return rc;
}
