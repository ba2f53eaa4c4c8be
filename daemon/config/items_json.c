/* The values of one item as JSON, as the database keeps them, and back. */
#include <stdlib.h>
#include <string.h>

#include "gatherd/arena.h"
#include "gatherd/items.h"
#include "gatherd/json.h"

#define ARENA_KEEP_BYTES 4096

/* Infinite numbers have no digits; they stay text. */
static bool is_json_number(const struct item_value *value)
{
    static const char digits[] = "0123456789";

    return value->type != ITEM_VALUE_TEXT && value->text.length > 0 &&
           strchr(digits, value->text.data[value->text.length - 1]) != NULL;
}

void items_write_values(const struct items *items, const struct source_item *item, struct text *out)
{
    for (size_t i = 0; i < items->name_count; i++) {
        const struct item_value *value = &item->values[i];

        text_char(out, i == 0 ? '{' : ',');
        text_json_string(out, items->names[i], strlen(items->names[i]));
        text_char(out, ':');
        if (is_json_number(value))
            text_append(out, value->text.data, value->text.length);
        else
            text_json_string(out, value->text.data, value->text.length);
    }
    text_char(out, '}');
}

/* --- And back. --- */

static void read_number(const struct node *node, struct item_value *value)
{
    struct slice text = node_slice(node);
    char digits[64];

    if (text.length >= sizeof(digits))
        return; /* nothing that we wrote is so long: it stays text */
    memcpy(digits, text.data, text.length);
    digits[text.length] = '\0';
    if (node->integer) {
        value->type = ITEM_VALUE_INTEGER;
        value->integer = strtoll(digits, NULL, 10);
    } else {
        value->type = ITEM_VALUE_REAL;
        value->real = strtod(digits, NULL);
    }
}

static void read_value(const struct node *node, struct item_value *value)
{
    *value = (struct item_value){.type = ITEM_VALUE_TEXT, .text = node_slice(node)};
    if (node->type == NODE_NUMBER)
        read_number(node, value);
}

static int copy_name(const struct node *name, struct arena *arena, const char **to)
{
    *to = arena_copy(arena, name->text, name->length);
    return *to == NULL ? -1 : 0;
}

static struct items *make(const struct node *object, struct arena *arena, struct error *err)
{
    const char *names[ITEMS_MAX_NAMES];
    struct item_value values[ITEMS_MAX_NAMES];
    const struct node *end = node_end(object);
    struct items *items = NULL;
    size_t count = 0;

    for (const struct node *name = node_first(object); name < end; count++) {
        const struct node *value = node_next(name);

        if (copy_name(name, arena, &names[count]) == -1)
            goto fail;
        read_value(value, &values[count]);
        name = node_next(value);
    }
    items = items_create(names, count);
    if (items != NULL && items_add(items, values, err) == 0) {
        items_seal(items);
        return items;
    }
fail:
    items_unref(items);
    error_set(err, ERROR_NOMEM, "out of memory for an item");
    return NULL;
}

static bool is_item(const struct node *root)
{
    const struct node *end = node_end(root);

    if (root->type != NODE_OBJECT || root->length == 0 || root->length > ITEMS_MAX_NAMES)
        return false;
    for (const struct node *name = node_first(root); name < end;) {
        const struct node *value = node_next(name);

        if (value->type != NODE_NUMBER && value->type != NODE_STRING)
            return false;
        name = node_next(value);
    }
    return true;
}

struct items *items_read_values(struct slice json, struct error *err)
{
    struct arena *arena = arena_create(ARENA_KEEP_BYTES);
    struct items *items = NULL;
    const struct node *root = NULL;
    enum json_status status = JSON_NOMEM;
    char *text = NULL;

    if (arena != NULL && (text = arena_copy(arena, json.data, json.length)) != NULL)
        status = json_read(text, json.length, arena, &root, NULL);
    if (status == JSON_OK && is_item(root))
        items = make(root, arena, err);
    else if (status == JSON_NOMEM)
        error_set(err, ERROR_NOMEM, "out of memory for an item");
    else
        error_set(err, ERROR_FAILED, "its item is not written as gatherd writes it");
    arena_free(arena);
    return items;
}
