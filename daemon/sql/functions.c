#include "sql/functions.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/expression.h"

/* Sorted. Left out: what asks for chance, the clock or the connection, and json_patch(), which is
 * quadratic. */
static const char *const names[] = {
    "->",
    "->>",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg",
    "ceil",
    "ceiling",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "count",
    "date",
    "datetime",
    "degrees",
    "exp",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "julianday",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nullif",
    "octet_length",
    "pi",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "replace",
    "round",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "soundex",
    "sqrt",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "tan",
    "tanh",
    "time",
    "timediff",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
};

static int compare(const void *name, const void *entry)
{
    return sqlite3_stricmp(name, *(const char *const *)entry);
}

bool functions_has(const char *name)
{
    return bsearch(name, names, sizeof(names) / sizeof(names[0]), sizeof(names[0]), compare) !=
           NULL;
}

const char *const *expression_functions(size_t *count)
{
    *count = sizeof(names) / sizeof(names[0]);
    return names;
}

/* --- Ours. --- */

struct bytes {
    const unsigned char *data; /* never NULL */
    size_t length;
};

static struct bytes text_of(sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);

    return (struct bytes){text == NULL ? (const unsigned char *)"" : text,
                          (size_t)sqlite3_value_bytes(value)};
}

static struct bytes blob_of(sqlite3_value *value)
{
    const unsigned char *blob = sqlite3_value_blob(value);

    return (struct bytes){blob == NULL ? (const unsigned char *)"" : blob,
                          (size_t)sqlite3_value_bytes(value)};
}

static bool is_null(sqlite3_value *const *values, int count)
{
    for (int i = 0; i < count; i++) {
        if (sqlite3_value_type(values[i]) == SQLITE_NULL)
            return true;
    }
    return false;
}

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

static size_t count_characters_of(const unsigned char *data, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += !continues(data[i]);
    return count;
}

/* instr(X, Y): where Y begins in X, in characters, or in bytes of two BLOBs; 0: nowhere. */
static void find(sqlite3_context *context, int count, sqlite3_value **values)
{
    bool blobs;
    struct bytes all;
    struct bytes part;
    const unsigned char *found;

    if (is_null(values, count))
        return;
    blobs = sqlite3_value_type(values[0]) == SQLITE_BLOB &&
            sqlite3_value_type(values[1]) == SQLITE_BLOB;
    all = blobs ? blob_of(values[0]) : text_of(values[0]);
    part = blobs ? blob_of(values[1]) : text_of(values[1]);
    found = memmem(all.data, all.length, part.data, part.length);
    if (found == NULL)
        sqlite3_result_int(context, 0);
    else if (blobs)
        sqlite3_result_int64(context, found - all.data + 1);
    else
        sqlite3_result_int64(
            context, (sqlite3_int64)count_characters_of(all.data, (size_t)(found - all.data)) + 1);
}

struct pieces {
    struct bytes all;
    struct bytes old;
    struct bytes new;
};

static size_t count_found(const struct pieces *p)
{
    const unsigned char *at = p->all.data;
    const unsigned char *end = at + p->all.length;
    size_t count = 0;

    while ((at = memmem(at, (size_t)(end - at), p->old.data, p->old.length)) != NULL) {
        at += p->old.length;
        count++;
    }
    return count;
}

static void exchange(const struct pieces *p, char *out)
{
    const unsigned char *at = p->all.data;
    const unsigned char *end = at + p->all.length;
    const unsigned char *found;

    while ((found = memmem(at, (size_t)(end - at), p->old.data, p->old.length)) != NULL) {
        memcpy(out, at, (size_t)(found - at));
        out += found - at;
        memcpy(out, p->new.data, p->new.length);
        out += p->new.length;
        at = found + p->old.length;
    }
    memcpy(out, at, (size_t)(end - at));
}

/* replace(X, Y, Z): X with Z for each Y. */
static void replace(sqlite3_context *context, int count, sqlite3_value **values)
{
    int limit = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
    struct pieces p;
    size_t found;
    size_t length;
    char *out;

    (void)count;
    if (is_null(values, 2))
        return;
    p = (struct pieces){text_of(values[0]), text_of(values[1]), text_of(values[2])};
    if (p.old.length == 0)
        sqlite3_result_value(context, values[0]);
    if (p.old.length == 0 || is_null(values, 3))
        return;
    found = count_found(&p);
    length = p.all.length + found * p.new.length - found *p.old.length;
    if (length > (size_t)limit) {
        sqlite3_result_error_toobig(context);
        return;
    }
    out = sqlite3_malloc64(length + 1);
    if (out == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    exchange(&p, out);
    sqlite3_result_text64(context, out, length, sqlite3_free, SQLITE_UTF8);
}

#define MOST_TRIMMED_BYTES 1024

enum side { TRIM_LEFT = 1, TRIM_RIGHT = 2 };

/* The first character that is one of the set, and the last one: their lengths, else 0. */
static size_t first_of(struct bytes text, struct bytes set)
{
    size_t length = 1;

    if (text.length == 0)
        return 0;
    while (length < text.length && continues(text.data[length]))
        length++;
    return memmem(set.data, set.length, text.data, length) == NULL ? 0 : length;
}

static size_t last_of(struct bytes text, struct bytes set)
{
    const unsigned char *end = text.data + text.length;
    size_t length = 1;

    if (text.length == 0)
        return 0;
    while (length < text.length && continues(*(end - length)))
        length++;
    return memmem(set.data, set.length, end - length, length) == NULL ? 0 : length;
}

/* trim(X, Y), ltrim(X, Y), rtrim(X, Y): X without the characters of Y at its ends. */
static void trim(sqlite3_context *context, int count, sqlite3_value **values)
{
    const int sides = *(const int *)sqlite3_user_data(context);
    struct bytes text;
    struct bytes set;
    size_t length;

    if (is_null(values, count))
        return;
    text = text_of(values[0]);
    set = text_of(values[1]);
    if (set.length > MOST_TRIMMED_BYTES) {
        sqlite3_result_error(context, "trim() takes at most 1024 bytes of characters to remove",
                             -1);
        return;
    }
    while ((sides & TRIM_LEFT) != 0 && (length = first_of(text, set)) > 0)
        text = (struct bytes){text.data + length, text.length - length};
    while ((sides & TRIM_RIGHT) != 0 && (length = last_of(text, set)) > 0)
        text.length -= length;
    sqlite3_result_text64(context, (const char *)text.data, text.length, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

int functions_replace(sqlite3 *db)
{
    static const int left = TRIM_LEFT;
    static const int right = TRIM_RIGHT;
    static const int both = TRIM_LEFT | TRIM_RIGHT;
    static const struct {
        const char *name;
        int arguments;
        const int *data;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } ours[] = {
        {"instr", 2, NULL, find},  {"replace", 3, NULL, replace}, {"trim", 2, &both, trim},
        {"ltrim", 2, &left, trim}, {"rtrim", 2, &right, trim},
    };
    int rc = SQLITE_OK;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && rc == SQLITE_OK; i++)
        rc = sqlite3_create_function_v2(db, ours[i].name, ours[i].arguments,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                        (void *)ours[i].data, ours[i].call, NULL, NULL, NULL);
    return rc;
}
