#include "store/ddl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/names.h"

void ddl_key(const struct table *table, struct text *sql)
{
    const char *separator = "PRIMARY KEY (";

    for (unsigned place = 1;; place++) {
        size_t i = 0;

        while (i < table->count && table->columns[i].key != place)
            i++;
        if (i == table->count)
            break;
        text_add(sql, separator);
        name_quote(sql, table->columns[i].name);
        separator = ", ";
    }
    if (*separator == ',')
        text_char(sql, ')');
}

static void put_column(const struct table_column *column, struct text *sql)
{
    name_quote(sql, column->name);
    text_char(sql, ' ');
    text_add(sql, column_type_text(column));
}

static void put_key(const struct table *table, struct text *sql)
{
    struct text key = {0};

    ddl_key(table, &key);
    if (key.length > 0)
        text_format(sql, ",\n  %s", text_string(&key));
    sql->failed = sql->failed || key.failed;
    text_free(&key);
}

void ddl_create(const struct table *table, struct text *sql)
{
    text_add(sql, "CREATE TABLE ");
    name_quote(sql, table->name);
    for (size_t i = 0; i < table->count; i++) {
        text_add(sql, i == 0 ? " (\n  " : ",\n  ");
        put_column(&table->columns[i], sql);
    }
    put_key(table, sql);
    text_add(sql, "\n) STRICT");
}

/* --- Tokens --- */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED, /* "", ``, [] or '' */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_OTHER,
};

struct token {
    enum token_kind kind;
    size_t start;
    size_t end;
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static size_t skip_blanks(const char *sql, size_t at)
{
    for (;;) {
        const char *end;

        at += strspn(sql + at, " \t\r\n\f");
        if (strncmp(sql + at, "--", 2) == 0) {
            at += strcspn(sql + at, "\n");
        } else if (strncmp(sql + at, "/*", 2) == 0) {
            end = strstr(sql + at + 2, "*/");
            at = end == NULL ? strlen(sql) : (size_t)(end - sql) + 2;
        } else {
            return at;
        }
    }
}

/* One past the closing quote, which doubled stands for itself. */
static size_t skip_quoted(const char *sql, size_t at)
{
    char quote = sql[at] == '[' ? ']' : sql[at];

    for (at++; sql[at] != '\0'; at++) {
        if (sql[at] != quote)
            continue;
        if (quote == ']' || sql[at + 1] != quote)
            return at + 1;
        at++;
    }
    return at;
}

static struct token next_token(const char *sql, size_t at)
{
    struct token token = {TOKEN_OTHER, skip_blanks(sql, at), 0};
    char c = sql[token.start];

    token.end = token.start + 1;
    if (c == '\0') {
        token.kind = TOKEN_END;
        token.end = token.start;
    } else if (is_word(c)) {
        token.kind = TOKEN_WORD;
        while (is_word(sql[token.end]))
            token.end++;
    } else if (strchr("\"`['", c) != NULL) {
        token.kind = TOKEN_QUOTED;
        token.end = skip_quoted(sql, token.start);
    } else if (strchr("(),", c) != NULL) {
        token.kind = c == '(' ? TOKEN_OPEN : c == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
    }
    return token;
}

static bool token_is(const char *sql, struct token token, const char *word)
{
    size_t length = token.end - token.start;

    return token.kind == TOKEN_WORD && length == strlen(word) &&
           strncasecmp(sql + token.start, word, length) == 0;
}

/* --- The statement taken apart --- */

/* What stands between two commas of the list: a column or a constraint of the table. */
struct item {
    size_t start;
    size_t end;
    bool is_column;
    bool is_key; /* PRIMARY KEY (...) and nothing else */
    struct token type;
};

struct statement {
    const char *sql;
    struct token name;
    struct item *items; /* owned */
    size_t count;
    size_t columns;
    bool no_memory;
    bool key_inside; /* a primary key that is part of something else: `id INT PRIMARY KEY` */
};

static bool starts_constraint(const char *sql, struct token token)
{
    static const char *const words[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (token_is(sql, token, words[i]))
            return true;
    }
    return false;
}

/* Reads one item from `*at`, up to its comma or the closing bracket. */
static int read_item(struct statement *st, size_t *at, struct item *item)
{
    struct token token = next_token(st->sql, *at);
    unsigned place = 0; /* of the token in the item */
    unsigned depth = 0;
    unsigned key_place = 0;
    bool closed = false; /* its first brackets are, and nothing came behind */

    *item = (struct item){.start = token.start};
    item->is_column = !starts_constraint(st->sql, token);
    while (depth > 0 || (token.kind != TOKEN_COMMA && token.kind != TOKEN_CLOSE)) {
        if (token.kind == TOKEN_END)
            return -1;
        place++;
        depth += token.kind == TOKEN_OPEN;
        depth -= token.kind == TOKEN_CLOSE;
        closed = key_place == 1 && depth == 0 && token.kind == TOKEN_CLOSE;
        if (depth == 0 && token_is(st->sql, token, "PRIMARY"))
            key_place = place;
        if (place == 2 && item->is_column)
            item->type = token;
        item->end = token.end;
        token = next_token(st->sql, token.end);
    }
    *at = token.start;
    item->is_key = !item->is_column && closed;
    st->key_inside = st->key_inside || (key_place > 0 && !item->is_key);
    /* A column without a type cannot be in a STRICT table. */
    return place == 0 || (item->is_column && item->type.kind != TOKEN_WORD &&
                          item->type.kind != TOKEN_QUOTED)
               ? -1
               : 0;
}

static int add_item(struct statement *st, const struct item *item)
{
    struct item *items = realloc(st->items, (st->count + 1) * sizeof(*items));

    st->no_memory = items == NULL;
    if (items == NULL)
        return -1;
    st->items = items;
    st->items[st->count++] = *item;
    st->columns += item->is_column;
    return 0;
}

/* SQLite keeps the text as CREATE TABLE name(...), whatever words stood before the name. */
static int read_statement(const char *sql, struct statement *st)
{
    struct token create = next_token(sql, 0);
    struct token table = next_token(sql, create.end);
    struct token open;
    size_t at;

    *st = (struct statement){.sql = sql, .name = next_token(sql, table.end)};
    open = next_token(sql, st->name.end);
    if (!token_is(sql, create, "CREATE") || !token_is(sql, table, "TABLE") ||
        (st->name.kind != TOKEN_WORD && st->name.kind != TOKEN_QUOTED) || open.kind != TOKEN_OPEN)
        return -1;
    for (at = open.start; at == open.start || sql[at] == ',';) {
        struct item item;

        at++;
        if (read_item(st, &at, &item) == -1 || add_item(st, &item) == -1)
            return -1;
    }
    return 0;
}

static bool is_retyped(const struct table_column *column, bool rekey)
{
    return column->change == CHANGE_WIDEN || column->change == CHANGE_SETTLE ||
           (rekey && column->key > 0 && column->is_integer);
}

static void put_new_columns(const struct statement *st, const struct table *table, struct text *out)
{
    for (size_t i = st->columns; i < table->count; i++) {
        text_add(out, ",\n  ");
        put_column(&table->columns[i], out);
    }
}

static void write_statement(const struct statement *st, const struct table *table, bool rekey,
                            const char *new_name, struct text *out)
{
    size_t done = st->name.start; /* how far the old text is copied or left out */
    size_t column = 0;

    text_append(out, st->sql, done);
    if (new_name != NULL) {
        name_quote(out, new_name);
        done = st->name.end;
    }
    for (size_t i = 0; i < st->count; i++) {
        const struct item *item = &st->items[i];

        if (rekey && item->is_key) {
            done = item->end;
            continue;
        }
        if (item->is_column && is_retyped(&table->columns[column], rekey)) {
            text_append(out, st->sql + done, item->type.start - done);
            text_add(out, column_type_text(&table->columns[column]));
            done = item->type.end;
        }
        text_append(out, st->sql + done, item->end - done);
        done = item->end;
        column += item->is_column;
        if (item->is_column && column == st->columns)
            put_new_columns(st, table, out);
    }
    if (rekey)
        put_key(table, out);
    text_add(out, st->sql + done);
}

/* The columns marked as new stand at the end. */
static size_t old_columns(const struct table *table)
{
    size_t count = table->count;

    while (count > 0 && table->columns[count - 1].change == CHANGE_ADD)
        count--;
    return count;
}

int ddl_rewrite(const char *sql, const struct table *table, bool rekey, const char *new_name,
                struct text *out, struct error *err)
{
    struct statement st;
    int rc = -1;

    if (read_statement(sql, &st) == -1 || st.columns != old_columns(table) ||
        (rekey && st.key_inside)) {
        if (st.no_memory)
            schema_no_memory(err);
        error_set(err, ERROR_FAILED,
                  "table \"%s\" was made by hand in a way that gatherd cannot change%s; rename it, "
                  "or choose another table",
                  table->name, rekey ? " the primary key of" : "");
        goto out;
    }
    write_statement(&st, table, rekey, new_name, out);
    rc = text_failed(out) ? -1 : 0;
    if (rc == -1)
        schema_no_memory(err);
out:
    free(st.items);
    return rc;
}
