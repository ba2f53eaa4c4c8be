/*
 * What a source says, as one number: equal numbers mean that a reload changed nothing about it.
 *
 * The table of keys drives it, so a new key counts without a line here. Contents are hashed, never
 * addresses; the position in the file, the place in the list and host_gap_ms, which the other
 * sources decide, are left out.
 */
#include <assert.h>
#include <string.h>

#include "config/load.h"
#include "gatherd/hash.h"
#include "gatherd/items.h"
#include "gatherd/secret.h"

/* Lengths before contents: "ab" and "c" are not "a" and "bc". */
static void put_string(struct text *out, const char *string)
{
    size_t length = string == NULL ? SIZE_MAX : strlen(string);

    text_append(out, (const char *)&length, sizeof(length));
    if (string != NULL)
        text_append(out, string, length);
}

static void put_path(struct text *out, const struct jsonpath *path)
{
    put_string(out, path == NULL ? NULL : jsonpath_text(path));
}

static void put_body(struct text *out, const struct request_body *body)
{
    put_string(out, body == NULL ? NULL : body->text);
    if (body != NULL)
        text_char(out, body->is_json ? '1' : '0');
}

static void put_proxy(struct text *out, const struct proxy *proxy)
{
    put_string(out, proxy == NULL ? NULL : proxy->url);
    put_string(out, proxy == NULL ? NULL : proxy->user);
    put_string(out, proxy == NULL ? NULL : proxy->password);
}

static void put_span(struct text *out, const struct span *span)
{
    text_append(out, (const char *)&span->amount, sizeof(span->amount));
    text_char(out, span->is_time ? 't' : 'n');
}

static void put_items(struct text *out, const struct items *items)
{
    text_char(out, items == NULL ? '0' : '1');
    for (size_t i = 0; items != NULL && i < items->name_count; i++)
        put_string(out, items->names[i]);
    for (size_t i = 0; items != NULL && i < items->count; i++) {
        for (size_t v = 0; v < items->name_count; v++) {
            const struct item_value *value = &items->list[i].values[v];

            text_append(out, (const char *)&value->type, sizeof(value->type));
            text_append(out, (const char *)&value->text.length, sizeof(value->text.length));
            text_append(out, value->text.data, value->text.length);
        }
    }
}

static void put_keys(struct text *out, const struct key_set *set, const char *target);

static void put_field(struct text *out, const struct field *field)
{
    put_string(out, field->name);
    put_keys(out, &field_key_set, (const char *)field);
}

/* The value follows from the text and the keys beside it. */
static void put_constant(struct text *out, const struct constant *constant)
{
    put_string(out, constant == NULL ? NULL : constant->text);
    if (constant != NULL)
        text_char(out, constant->is_word ? 'w' : constant->is_json ? 'j' : 't');
}

static void put_name_list(struct text *out, const struct name_list *list)
{
    text_append(out, (const char *)&list->count, sizeof(list->count));
    for (size_t i = 0; i < list->count; i++)
        put_string(out, list->names[i]);
}

static void put_element(struct text *out, const struct key *key, const void *array, size_t i)
{
    const struct name_value *pairs = array;

    switch (key->kind) {
    case KIND_NAMES:
        put_string(out, ((const char *const *)array)[i]);
        break;
    case KIND_NULL_VALUES:
        put_string(out, ((const struct null_value *)array)[i].text);
        break;
    case KIND_NAME_LISTS:
        put_name_list(out, (const struct name_list *)array + i);
        break;
    case KIND_FIELDS:
        put_field(out, (const struct field *)array + i);
        break;
    case KIND_STATUS_CODES:
        text_append(out, (const char *)((const struct status_range *)array + i),
                    sizeof(struct status_range));
        break;
    case KIND_OBJECT_MAP:
    case KIND_OBJECT_LIST: {
        const char *object = (const char *)array + i * key->keys->size;
        const char *name;

        if (key->kind == KIND_OBJECT_MAP) {
            memcpy(&name, object, sizeof(name));
            put_string(out, name);
        }
        put_keys(out, key->keys, object);
        break;
    }
    default:
        assert(key->kind == KIND_HEADERS || key->kind == KIND_PARAMS || key->kind == KIND_VIEWS);
        put_string(out, pairs[i].name);
        put_string(out, pairs[i].value);
    }
}

static void put_list(struct text *out, const struct key *key, const char *target)
{
    const void *array;
    size_t count;

    memcpy(&array, target + key->offset, sizeof(array));
    memcpy(&count, target + key->count_offset, sizeof(count));
    text_char(out, array == NULL ? '0' : '1'); /* an empty list may be one that was written */
    assert(array != NULL || count == 0);
    text_append(out, (const char *)&count, sizeof(count));
    for (size_t i = 0; i < count; i++)
        put_element(out, key, array, i);
}

/* One that is not there is not one with nothing in it. */
static void put_object(struct text *out, const struct key *key, const char *target)
{
    const char *object;

    memcpy(&object, target + key->offset, sizeof(object));
    text_char(out, object == NULL ? '0' : '1');
    if (object != NULL)
        put_keys(out, key->keys, object);
}

static void put_secret(struct text *out, const struct secret *secret)
{
    text_char(out, secret == NULL ? '0' : '1');
    if (secret == NULL)
        return;
    text_append(out, (const char *)&secret->kind, sizeof(secret->kind));
    put_string(out, secret->text);
}

static void put_value(struct text *out, const struct key *key, const char *target)
{
    const void *pointer;

    switch (key->kind) {
    case KIND_TEXT:
    case KIND_FILE:
    case KIND_NAME:
    case KIND_URL:
    case KIND_ENDPOINT:
    case KIND_TABLE:
    case KIND_TIMEZONE:
    case KIND_PATTERN:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_string(out, pointer);
        break;
    case KIND_PATH:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_path(out, pointer);
        break;
    case KIND_CONSTANT:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_constant(out, pointer);
        break;
    case KIND_CRON:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_string(out, pointer == NULL ? NULL : ((const struct cron *)pointer)->text);
        break;
    case KIND_SECRET:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_secret(out, pointer);
        break;
    case KIND_PROXY:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_proxy(out, pointer);
        break;
    case KIND_ITEMS:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_items(out, pointer);
        break;
    case KIND_BODY:
        memcpy(&pointer, target + key->offset, sizeof(pointer));
        put_body(out, pointer);
        break;
    case KIND_NAMES:
    case KIND_NAME_LISTS:
    case KIND_VIEWS:
    case KIND_NULL_VALUES:
    case KIND_HEADERS:
    case KIND_PARAMS:
    case KIND_STATUS_CODES:
    case KIND_FIELDS:
    case KIND_OBJECT_LIST:
    case KIND_OBJECT_MAP:
        put_list(out, key, target);
        break;
    case KIND_SPAN:
        put_span(out, (const struct span *)(const void *)(target + key->offset));
        break;
    case KIND_GROUP:
        put_keys(out, key->keys, target);
        break;
    case KIND_OBJECT:
        put_object(out, key, target);
        break;
    default:
        text_append(out, target + key->offset, key->width);
    }
}

static void put_keys(struct text *out, const struct key_set *set, const char *target)
{
    for (size_t i = 0; i < set->count; i++)
        put_value(out, &set->keys[i], target);
}

static void put_part(struct text *out, const struct source *source, enum key_part part)
{
    for (size_t i = 0; i < source_key_set.count; i++) {
        if (source_key_set.keys[i].part == part)
            put_value(out, &source_key_set.keys[i], (const char *)source);
    }
}

uint64_t source_fingerprint(const struct source *source, struct text *scratch)
{
    text_clear(scratch);
    put_keys(scratch, &source_key_set, (const char *)source);
    return hash_bytes(text_string(scratch), scratch->length);
}

/*
 * This one is saved in the database, which others may read. Secrets are among PART_OTHER: 16 bits
 * of their hash tell that they changed, and are no help in guessing them.
 */
uint64_t source_answer_fingerprint(const struct source *source, struct text *scratch)
{
    uint16_t other;

    text_clear(scratch);
    put_part(scratch, source, PART_OTHER);
    other = (uint16_t)hash_bytes(text_string(scratch), scratch->length);
    text_clear(scratch);
    put_part(scratch, source, PART_ROWS);
    text_append(scratch, (const char *)&other, sizeof(other));
    return hash_bytes(text_string(scratch), scratch->length);
}

uint64_t source_mapping_fingerprint(const struct source *source, struct text *scratch)
{
    text_clear(scratch);
    put_part(scratch, source, PART_ROWS);
    return hash_bytes(text_string(scratch), scratch->length);
}

struct hash128 object_fingerprint(const struct key_set *set, const void *object,
                                  struct text *scratch)
{
    text_clear(scratch);
    put_keys(scratch, set, object);
    return hash128_bytes(text_string(scratch), scratch->length);
}
