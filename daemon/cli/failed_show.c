#include "cli/failed_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/plain.h"
#include "cli/pretty.h"
#include "gatherd/store.h"

/* The columns of the query below: the content, then facts with a name for people. */
enum { COLUMN_CONTENT, FIRST_FACT };

struct showing {
    const char *const *names; /* of the columns; during the query */
    size_t count;
    bool raw;
    bool found;
    struct text out;
};

static int columns(void *context, const char *const *names, size_t count)
{
    struct showing *s = context;

    s->names = names;
    s->count = count;
    return 0;
}

static void put_fact(struct showing *s, const char *name, const struct value *value)
{
    struct text plain = {0};

    if (value->type == VALUE_NULL)
        return;
    plain_put(&plain, value);
    text_format(&s->out, "%-14s", name);
    text_visible(&s->out, text_string(&plain), plain.length);
    text_char(&s->out, '\n');
    text_free(&plain);
}

static void put_content(struct showing *s, const struct value *content)
{
    const char *body = content->text == NULL ? "" : content->text;

    text_char(&s->out, '\n');
    if (!pretty_json(&s->out, body, content->length))
        pretty_text(&s->out, body, content->length);
    if (s->out.length > 0 && s->out.data[s->out.length - 1] != '\n')
        text_char(&s->out, '\n');
}

/* A terminal gets nothing that it could take for a command. */
static void put_raw(struct showing *s, const struct value *content)
{
    const char *body = content->text == NULL ? "" : content->text;

    if (isatty(STDOUT_FILENO) != 0)
        pretty_text(&s->out, body, content->length);
    else
        text_append(&s->out, body, content->length);
}

static int row(void *context, const struct value *values, size_t count)
{
    struct showing *s = context;

    s->found = true;
    if (s->raw) {
        put_raw(s, &values[COLUMN_CONTENT]);
        return 0;
    }
    for (size_t i = FIRST_FACT; i < count; i++)
        put_fact(s, s->names[i], &values[i]);
    put_content(s, &values[COLUMN_CONTENT]);
    return 0;
}

static int query(struct showing *s, const char *database, int64_t id, struct error *err)
{
    const struct store_query_hooks hooks = {s, columns, row};
    struct store_reader *reader = store_reader_open(database, err);
    struct text sql = {0};
    int rc = -1;

    text_format(&sql,
                "SELECT l.content, l.id AS 'dead letter', l.source, nullif(l.item, '') AS item,"
                " l.table_name AS 'table', l.kind AS what, l.reason,"
                " l.position + 1 AS record, l.line || ':' || l.column AS 'line:column', l.page,"
                " l.run_id AS run, l.scheduled_at AS slot, l.fetched_at AS fetched, l.failure,"
                " l.http_status AS 'HTTP status', l.content_type AS 'content type', l.bytes,"
                " l.generation || ' (since ' || g.since || ')' AS generation,"
                " (SELECT generation || ' (since ' || since || ')' FROM _gatherd_generations"
                "  WHERE source = l.source AND generation > l.generation"
                "  ORDER BY generation DESC LIMIT 1) AS 'today''s',"
                " l.occurrences, l.first_at AS 'first', l.last_at AS 'last'"
                " FROM _gatherd_dead_letters AS l LEFT JOIN _gatherd_generations AS g"
                " ON g.source = l.source AND g.generation = l.generation WHERE l.id = %" PRId64,
                id);
    if (text_failed(&sql))
        error_set(err, ERROR_NOMEM, "out of memory");
    else if (reader != NULL)
        rc = store_query(reader, text_string(&sql), &hooks, err);
    store_reader_close(reader);
    text_free(&sql);
    return rc;
}

static int print(const struct showing *s, int64_t id)
{
    if (!s->found) {
        fprintf(stderr, "gatherd: there is no dead letter %" PRId64 "\n", id);
        return 1;
    }
    errno = 0;
    if (fwrite(text_string(&s->out), 1, s->out.length, stdout) < s->out.length)
        return command_output_failed(errno);
    return EX_OK;
}

int failed_show(const char *database, int64_t id, bool raw)
{
    struct showing s = {.raw = raw};
    struct error err = {0};
    int status;

    if (query(&s, database, id, &err) == 0 && text_failed(&s.out))
        error_set(&err, ERROR_NOMEM, "out of memory");
    status = err.code != ERROR_NONE ? command_failed(&err) : print(&s, id);
    text_free(&s.out);
    return status;
}
