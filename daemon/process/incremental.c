#include "process/incremental.h"

#include "gatherd/cursor.h"
#include "gatherd/hash.h"
#include "gatherd/position.h"
#include "gatherd/text.h"

struct selection {
    struct position *position;
    const struct incremental *rule;
    struct jsonpath_session *paths;
    bool keyless; /* rows are appended: the table does not know them again */
    const char **failure;
};

static int fail(struct selection *s, struct text *words)
{
    *s->failure =
        text_failed(words) ? NULL : arena_copy(s->paths->arena, text_string(words), words->length);
    text_free(words);
    return *s->failure == NULL ? -1 : 0;
}

static int fail_missing(struct selection *s, size_t number)
{
    struct text words = {0};

    text_format(&words,
                "record %zu has no position at %s; correct incremental.cursor_path, or say with "
                "on_missing what becomes of such records",
                number, jsonpath_text(s->rule->cursor_path));
    return fail(s, &words);
}

static int fail_unlike(struct selection *s, size_t number, struct slice value)
{
    struct text words = {0};

    text_format(&words, "the position of record %zu, \"", number);
    text_visible(&words, value.data, value.length < 60 ? value.length : 60);
    text_add(&words, "\", does not compare with the others; say with incremental.type what they "
                     "are");
    return fail(s, &words);
}

static int fail_too_long(struct selection *s)
{
    struct text words = {0};

    text_add(&words, "incremental.cursor_path: ");
    jsonpath_explain_too_long(s->rule->cursor_path, &words);
    return fail(s, &words);
}

/* `*found` may be NULL, and is where this fails. */
static int find_value(struct selection *s, const struct node *record, const struct node **found)
{
    if (jsonpath_is_singular(s->rule->cursor_path)) {
        *found = jsonpath_first(s->rule->cursor_path, record);
        return 0;
    }
    switch (jsonpath_find(s->rule->cursor_path, record, s->paths, found)) {
    case JSONPATH_OK:
        return 0;
    case JSONPATH_TOO_LONG:
        return fail_too_long(s);
    case JSONPATH_NOMEM:
        break;
    }
    return -1;
}

/* What was reshaped stands nowhere in the body: its JSON is all that it is. 0 or -1. */
static int hash_record(const struct node *record, struct hash128 *hash)
{
    struct slice source = node_source(record);
    struct text json = {0};
    int rc = 0;

    if (source.length > 0) {
        *hash = hash128_bytes(source.data, source.length);
        return 0;
    }
    node_write_json(record, &json);
    if (text_failed(&json))
        rc = -1;
    else
        *hash = hash128_bytes(json.data, json.length);
    text_free(&json);
    return rc;
}

static int note(struct selection *s, struct record *record, struct slice value)
{
    struct hash128 hash;

    if (s->rule->row_order == ROW_ORDER_DESC && s->position->from != NULL &&
        cursor_compare(&s->rule->rule, value, slice_of(s->position->from)) == CURSOR_BEFORE)
        s->position->passed = true;
    if (!s->keyless)
        return position_note(s->position, s->rule, value, NULL);
    if (hash_record(record->node, &hash) == -1)
        return -1;
    if (position_is_tie(s->position, s->rule, value, hash))
        record->rejected = record_left_out;
    return position_note(s->position, s->rule, value, &hash);
}

static int look_at(struct selection *s, struct record *record, size_t number)
{
    const struct node *found;
    struct slice value;

    if (find_value(s, record->node, &found) == -1)
        return -1;
    if (*s->failure != NULL)
        return 0;
    if (!cursor_of_node(found, &value)) {
        if (s->rule->on_missing == CURSOR_MISSING_SKIP)
            record->rejected = record_left_out;
        return s->rule->on_missing == CURSOR_MISSING_ERROR ? fail_missing(s, number) : 0;
    }
    if (!position_compares(s->position, s->rule, value))
        return fail_unlike(s, number, value);
    return note(s, record, value);
}

int incremental_select(struct run *run, struct records *records, struct jsonpath_session *paths,
                       const char **failure)
{
    struct selection s = {
        .position = run->state.position,
        .rule = run->source->incremental,
        .paths = paths,
        .keyless = run->source->mapping.primary_key_count == 0,
        .failure = failure,
    };

    for (size_t i = 0; i < records->count && *failure == NULL; i++) {
        struct record *record = &records->list[i];

        if (record->rejected == NULL && record->node->type != NODE_NULL &&
            look_at(&s, record, i + 1) == -1)
            return -1;
    }
    return 0;
}
