/* Values of more than one word, in a dump: lists, pairs, and what has a form of its own. */
#include <string.h>

#include "config/dump.h"
#include "config/load.h"
#include "config/masks.h"
#include "config/yaml_text.h"
#include "gatherd/items.h"

void dump_write_names(struct dump *d, const struct shown *shown)
{
    const char *const *names = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    text_add(d->out, " [");
    for (size_t i = 0; i < count; i++) {
        text_add(d->out, i == 0 ? "" : ", ");
        dump_string(d, names[i], false);
    }
    text_char(d->out, ']');
}

void dump_write_name_lists(struct dump *d, const struct shown *shown)
{
    const struct name_list *lists = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    text_add(d->out, " [");
    for (size_t i = 0; i < count; i++) {
        text_add(d->out, i == 0 ? "[" : ", [");
        for (size_t n = 0; n < lists[i].count; n++) {
            text_add(d->out, n == 0 ? "" : ", ");
            dump_string(d, lists[i].names[n], false);
        }
        text_char(d->out, ']');
    }
    text_char(d->out, ']');
}

void dump_write_null_values(struct dump *d, const struct shown *shown)
{
    const struct null_value *values = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    text_add(d->out, " [");
    for (size_t i = 0; i < count; i++) {
        text_add(d->out, i == 0 ? "" : ", ");
        dump_string(d, values[i].text, false);
    }
    text_char(d->out, ']');
}

/* JSON was written for this while it was made, as that of a body. */
void dump_write_constant(struct dump *d, const struct shown *shown)
{
    const struct constant *constant = dump_pointer(shown->key, shown->target);
    const char *json = constant->is_json ? masks_shown(d->load, constant->text) : NULL;

    text_char(d->out, ' ');
    if (json != NULL)
        text_add(d->out, json);
    else if (constant->is_word && !shown->tainted)
        text_add(d->out, constant->text);
    else
        dump_string(d, constant->text, shown->tainted || constant->is_json);
}

void dump_write_status_codes(struct dump *d, const struct shown *shown)
{
    const struct status_range *ranges = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    if (shown->tainted) {
        text_char(d->out, ' ');
        dump_mask(d);
        return;
    }
    text_add(d->out, " [");
    for (size_t i = 0; i < count; i++) {
        text_format(d->out, "%s%d", i == 0 ? "" : ", ", ranges[i].low);
        if (ranges[i].high != ranges[i].low)
            text_format(d->out, "-%d", ranges[i].high);
    }
    text_char(d->out, ']');
}

static void put_pair_value(struct dump *d, const struct name_value *pair)
{
    if (is_secret_name(pair->name, strlen(pair->name)))
        dump_mask(d);
    else
        dump_string(d, pair->value, false);
}

/* A parameter that repeats is a list under one name. */
void dump_write_pairs(struct dump *d, const struct shown *shown)
{
    const struct name_value *pairs = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);
    size_t end;

    d->depth++;
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && strcmp(pairs[end].name, pairs[i].name) == 0;)
            end++;
        dump_name(d, pairs[i].name);
        text_add(d->out, end > i + 1 ? " [" : " ");
        for (size_t n = i; n < end; n++) {
            text_add(d->out, n == i ? "" : ", ");
            put_pair_value(d, &pairs[n]);
        }
        text_add(d->out, end > i + 1 ? "]" : "");
    }
    d->depth--;
}

void dump_write_proxy(struct dump *d, const struct shown *shown)
{
    const struct proxy *proxy = dump_pointer(shown->key, shown->target);
    const char *host = strstr(proxy->url, "://") + 3;
    struct text url = {0};

    text_append(&url, proxy->url, (size_t)(host - proxy->url));
    if (proxy->user != NULL)
        text_add(&url, MASK "@");
    text_add(&url, host);
    if (text_failed(&url))
        d->out->failed = true;
    text_char(d->out, ' ');
    dump_string(d, text_string(&url), shown->tainted);
    text_free(&url);
}

/* JSON was written for this while it was made: see value_body.c. */
void dump_write_body(struct dump *d, const struct shown *shown)
{
    const struct request_body *body = dump_pointer(shown->key, shown->target);
    const char *json = body->is_json ? masks_shown(d->load, body->text) : NULL;

    text_char(d->out, ' ');
    if (json != NULL)
        text_add(d->out, json);
    else
        dump_string(d, body->text, shown->tainted || body->is_json);
}

void dump_write_fields(struct dump *d, const struct shown *shown)
{
    const struct field *fields = dump_pointer(shown->key, shown->target);
    size_t count = dump_count(shown->key, shown->target);

    d->depth++;
    for (size_t i = 0; i < count; i++) {
        dump_name(d, fields[i].name);
        dump_mapping(d, &field_key_set, (const char *)&fields[i]);
    }
    d->depth--;
}

/* A number stays one when it is read again. */
static void put_item_value(struct dump *d, const char *name, const struct item_value *value)
{
    if (is_secret_name(name, strlen(name)))
        dump_mask(d);
    else if (value->type != ITEM_VALUE_TEXT)
        text_append(d->out, value->text.data, value->text.length);
    else
        dump_string(d, value->text.data, false);
}

static void put_item(struct dump *d, const struct items *items, const struct source_item *item)
{
    dump_begin_line(d);
    text_add(d->out, "- ");
    d->begun = true;
    if (strcmp(items->names[0], ITEMS_ONLY_NAME) == 0 && items->name_count == 1) {
        put_item_value(d, "", &item->values[0]);
        d->begun = false;
        return;
    }
    d->depth++;
    for (size_t i = 0; i < items->name_count; i++) {
        dump_name(d, items->names[i]);
        text_char(d->out, ' ');
        put_item_value(d, items->names[i], &item->values[i]);
    }
    d->depth--;
}

void dump_write_items(struct dump *d, const struct shown *shown)
{
    const struct items *items = dump_pointer(shown->key, shown->target);

    if (items->count == 0)
        text_add(d->out, " []");
    d->depth++;
    for (size_t i = 0; i < items->count; i++)
        put_item(d, items, &items->list[i]);
    d->depth--;
}
