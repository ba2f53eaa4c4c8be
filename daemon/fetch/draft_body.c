/* What a draft carries: text, JSON or a form. */
#include <string.h>
#include <strings.h>

#include "fetch/draft.h"
#include "gatherd/json.h"
#include "gatherd/node.h"

void draft_set_method(struct draft *draft, const char *method)
{
    draft->method = method;
}

static void keep_body(struct draft *draft, struct slice text)
{
    char *copy = arena_copy(draft->arena, text.length == 0 ? "" : text.data, text.length);

    draft->failed = draft->failed || copy == NULL;
    draft->body = (struct slice){copy, copy == NULL ? 0 : text.length};
}

static void keep_text(struct draft *draft, struct text *text)
{
    draft->failed = draft->failed || text_failed(text);
    keep_body(draft, (struct slice){text_string(text), text->length});
    text_free(text);
}

void draft_set_body(struct draft *draft, enum draft_body carries, const char *text)
{
    draft->carries = carries;
    keep_body(draft, slice_of(text));
}

void draft_set_form(struct draft *draft)
{
    draft->carries = DRAFT_FORM;
    draft->form.count = 0;
}

/* JSON. */

static void put_object_with(struct text *out, const struct node *object, const char *path,
                            struct slice value);

/* The value that the path leads to, or an object that holds it; `old` stood there, or is NULL. */
static void put_value_at(struct text *out, const struct node *old, const char *rest,
                         struct slice value)
{
    if (*rest == '.')
        put_object_with(out, old, rest + 1, value);
    else
        text_append(out, value.data, value.length);
}

/* The object (NULL, or something else: an empty one) with the value set where the path leads. */
static void put_object_with(struct text *out, const struct node *object, const char *path,
                            struct slice value)
{
    struct slice first = {path, strcspn(path, ".")};
    const char *rest = path + first.length;
    bool is_object = object != NULL && object->type == NODE_OBJECT;
    const struct node *end = is_object ? node_end(object) : NULL;
    bool found = false;

    text_char(out, '{');
    for (const struct node *name = is_object ? node_first(object) : NULL; name != end;
         name = node_next(name + 1)) {
        text_add(out, name == node_first(object) ? "" : ",");
        text_json_string(out, name->text, name->length);
        text_char(out, ':');
        if (slice_same(node_slice(name), first)) {
            put_value_at(out, name + 1, rest, value);
            found = true;
        } else {
            node_write_json(name + 1, out);
        }
    }
    if (!found) {
        text_add(out, is_object && object->length > 0 ? "," : "");
        text_json_string(out, first.data, first.length);
        text_char(out, ':');
        put_value_at(out, NULL, rest, value);
    }
    text_char(out, '}');
}

static bool set_member(struct draft *draft, const char *path, const char *value, bool is_number)
{
    const struct node *root = NULL;
    struct text literal = {0};
    struct text out = {0};
    enum json_status status =
        json_read(draft->body.data, draft->body.length, draft->arena, &root, NULL);

    if (status != JSON_OK || root->type != NODE_OBJECT) {
        draft->failed = draft->failed || status == JSON_NOMEM;
        return status == JSON_NOMEM; /* that is asked for at the end */
    }
    if (is_number)
        text_add(&literal, value);
    else
        text_json_string(&literal, value, strlen(value));
    draft->failed = draft->failed || text_failed(&literal);
    put_object_with(&out, root, path, (struct slice){text_string(&literal), literal.length});
    keep_text(draft, &out);
    text_free(&literal);
    return true;
}

bool draft_set_body_param(struct draft *draft, const char *name, const char *value, bool is_number)
{
    if (draft->carries == DRAFT_JSON)
        return set_member(draft, name, value, is_number);
    if (draft->carries == DRAFT_TEXT)
        return false;
    draft->carries = DRAFT_FORM;
    draft_drop_field(draft, name);
    draft_add_field(draft, name, value);
    return true;
}

/* The end. */

static void add_encoded(struct text *out, const char *word)
{
    text_url_encoded(out, word, strlen(word));
}

static void write_form(struct draft *draft)
{
    struct text out = {0};

    for (size_t i = 0; i < draft->form.count; i++) {
        if (i > 0)
            text_char(&out, '&');
        add_encoded(&out, draft->form.items[i].name);
        text_char(&out, '=');
        add_encoded(&out, draft->form.items[i].value);
    }
    keep_text(draft, &out);
}

void draft_finish(struct draft *draft)
{
    static const char *const types[] = {
        [DRAFT_NO_BODY] = NULL,
        [DRAFT_TEXT] = "text/plain; charset=utf-8",
        [DRAFT_JSON] = "application/json",
        [DRAFT_FORM] = "application/x-www-form-urlencoded",
    };

    if (draft->carries == DRAFT_FORM)
        write_form(draft);
    if (draft->carries != DRAFT_NO_BODY && draft_header(draft, "Content-Type") == NULL)
        draft_add_header(draft, "Content-Type", types[draft->carries]);
}

void draft_make_get(struct draft *draft)
{
    draft->method = "GET";
    draft->carries = DRAFT_NO_BODY;
    draft->body = (struct slice){0};
    draft->form.count = 0;
    draft_drop_header(draft, "Content-Type");
    draft_drop_header(draft, "Content-Encoding");
    draft_drop_header(draft, "Content-Language");
}
