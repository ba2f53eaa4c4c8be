#include "process/reshape.h"

#include <string.h>

#include "gatherd/jsonpath.h"
#include "gatherd/text.h"

#define VALUE_MEMBER "value" /* as extract.h has it for a record that is no object */

/* What the names that flatten makes may take in one response: many times what real ones need. */
#define MOST_NAMES_BYTES (64u * 1024 * 1024)

struct reshaping {
    const struct mapping *mapping;
    struct arena *arena;
    size_t names_left;  /* of MOST_NAMES_BYTES */
    const char *reason; /* why the present record is rejected; NULL: it is not */
};

/* --- Making nodes --- */

static struct node name_node(struct slice name)
{
    return (struct node){
        .type = NODE_STRING, .length = (uint32_t)name.length, .span = 1, .text = name.data};
}

static struct node *copy_nodes(struct node *to, const struct node *from)
{
    memcpy(to, from, from->span * sizeof(*to));
    return to + from->span;
}

/* The head of what stands from `object` to `end`, in the place of `like`. */
static void close_object(struct node *object, const struct node *end, uint32_t members,
                         const struct node *like)
{
    *object = (struct node){.type = NODE_OBJECT,
                            .length = members,
                            .span = (uint32_t)(end - object),
                            .text = like->raw,
                            .raw = like->raw};
}

/* The words in the arena; their text is freed. NULL: out of memory. */
static const char *keep(struct arena *arena, struct text *words)
{
    const char *kept =
        text_failed(words) ? NULL : arena_copy(arena, text_string(words), words->length);

    text_free(words);
    return kept;
}

/* --- zip --- */

static const char *zip_failure(const struct jsonpath *path, const char *what, struct arena *arena)
{
    struct text words = {0};

    text_format(&words, "zip: %s %s", jsonpath_text(path), what);
    return keep(arena, &words);
}

static const char *length_failure(const struct jsonpath *path, const struct node *first,
                                  const struct node *other, struct arena *arena)
{
    struct text words = {0};

    text_format(&words, "zip: in %s ", jsonpath_text(path));
    text_visible(&words, first->text, first->length);
    text_format(&words, " has %u elements and ", (first + 1)->length);
    text_visible(&words, other->text, other->length);
    text_format(&words, " %u, so it is not known which belong together", (other + 1)->length);
    return keep(arena, &words);
}

/* The names of the members that are arrays, and how many nodes all of them hold. */
struct zipped {
    const struct node **names; /* in the arena */
    const struct node **next;  /* the next element of each */
    uint32_t count;
    uint32_t length; /* of each array */
    size_t nodes;
};

static int find_arrays(const struct jsonpath *path, const struct node *object, struct arena *arena,
                       struct zipped *zipped, const char **failure)
{
    *zipped = (struct zipped){.names = arena_alloc(arena, object->length * sizeof(struct node *)),
                              .next = arena_alloc(arena, object->length * sizeof(struct node *))};
    if (zipped->names == NULL || zipped->next == NULL)
        return -1;
    for (const struct node *name = object + 1; name < node_end(object);
         name = node_next(node_next(name))) {
        const struct node *value = node_next(name);

        if (value->type != NODE_ARRAY)
            continue;
        if (zipped->count > 0 && value->length != zipped->length) {
            *failure = length_failure(path, zipped->names[0], name, arena);
            return *failure == NULL ? -1 : 0;
        }
        zipped->length = value->length;
        zipped->nodes += value->span - 1;
        zipped->next[zipped->count] = value + 1;
        zipped->names[zipped->count++] = name;
    }
    if (zipped->count > 0)
        return 0;
    *failure = zip_failure(path, "selects an object without arrays", arena);
    return *failure == NULL ? -1 : 0;
}

static int build_zipped(struct zipped *zipped, const struct node *object, struct arena *arena,
                        const struct node **array)
{
    size_t total = 1 + zipped->length + zipped->nodes + (size_t)zipped->length * zipped->count;
    struct node *nodes = arena_alloc(arena, total * sizeof(*nodes));
    struct node *end = nodes + 1;

    if (nodes == NULL || total > UINT32_MAX)
        return -1;
    for (uint32_t i = 0; i < zipped->length; i++) {
        struct node *record = end++;
        const struct node *place = zipped->next[0];

        for (uint32_t m = 0; m < zipped->count; m++) {
            *end++ = name_node(node_slice(zipped->names[m]));
            end = copy_nodes(end, zipped->next[m]);
            zipped->next[m] = node_next(zipped->next[m]);
        }
        close_object(record, end, zipped->count, place);
    }
    *nodes = (struct node){.type = NODE_ARRAY,
                           .length = zipped->length,
                           .span = (uint32_t)(end - nodes),
                           .text = object->raw,
                           .raw = object->raw};
    *array = nodes;
    return 0;
}

static int reject(struct records *records, const struct node *document, const char *reason,
                  struct arena *arena)
{
    const struct record rejected = {.node = document, .rejected = reason};

    return reason == NULL ? -1 : records_append(records, &rejected, arena);
}

int reshape_zip(const struct jsonpath *path, const struct node *document, struct arena *arena,
                struct records *records)
{
    const struct node *object = jsonpath_first(path, document);
    const struct node *array;
    const char *failure = NULL;
    struct zipped zipped;

    if (object == NULL || object->type != NODE_OBJECT) {
        failure = zip_failure(
            path, object == NULL ? "selects nothing" : "selects no object of arrays", arena);
        return reject(records, document, failure, arena);
    }
    if (find_arrays(path, object, arena, &zipped, &failure) == -1)
        return -1;
    if (failure != NULL)
        return reject(records, document, failure, arena);
    if (build_zipped(&zipped, object, arena, &array) == -1)
        return -1;
    return records_append_elements(records, array, arena);
}

/* --- key_as --- */

static int reject_named(struct reshaping *r)
{
    struct text words = {0};

    text_format(&words, "the record has a member \"%s\" of its own; choose another name in key_as",
                r->mapping->key_as);
    r->reason = keep(r->arena, &words);
    return r->reason == NULL ? -1 : 0;
}

static int add_name(struct reshaping *r, const struct node *name, const struct node **record)
{
    const struct node *old = *record;
    bool is_object = old->type == NODE_OBJECT;
    struct node *nodes = arena_alloc(r->arena, (old->span + 4) * sizeof(*nodes));
    struct node *end = nodes + 1;

    if (nodes == NULL)
        return -1;
    if (is_object && node_member(old, slice_of(r->mapping->key_as)) != NULL)
        return reject_named(r);
    *end++ = name_node(slice_of(r->mapping->key_as));
    *end++ = name_node(node_slice(name));
    if (is_object) {
        memcpy(end, old + 1, (old->span - 1) * sizeof(*end));
        end += old->span - 1;
    } else {
        *end++ = name_node(slice_of(VALUE_MEMBER));
        end = copy_nodes(end, old);
    }
    close_object(nodes, end, is_object ? old->length + 1 : 2, old);
    *record = nodes;
    return 0;
}

/* --- columns --- */

static int reject_length(struct reshaping *r, const struct node *array)
{
    struct text words = {0};

    text_format(&words, "the record has %u elements, and columns names %zu", array->length,
                r->mapping->column_count);
    r->reason = keep(r->arena, &words);
    return r->reason == NULL ? -1 : 0;
}

static int name_elements(struct reshaping *r, const struct node **record)
{
    const struct node *array = *record;
    const struct node *element = array + 1;
    struct node *nodes;
    struct node *end;

    if (array->type != NODE_ARRAY)
        return 0;
    if (array->length != r->mapping->column_count)
        return reject_length(r, array);
    nodes = arena_alloc(r->arena, (array->span + (size_t)array->length) * sizeof(*nodes));
    if (nodes == NULL)
        return -1;
    end = nodes + 1;
    for (size_t i = 0; i < array->length; i++, element = node_next(element)) {
        *end++ = name_node(slice_of(r->mapping->columns[i]));
        end = copy_nodes(end, element);
    }
    close_object(nodes, end, array->length, array);
    *record = nodes;
    return 0;
}

/* --- flatten --- */

struct flat {
    struct reshaping *r;
    struct node *end;
    uint32_t members;
    struct text name; /* of the objects around, each with the separator behind it */
};

static bool has_objects(const struct node *object)
{
    for (const struct node *name = object + 1; name < node_end(object);
         name = node_next(node_next(name))) {
        if (node_next(name)->type == NODE_OBJECT)
            return true;
    }
    return false;
}

static int put_flat_name(struct flat *flat, struct slice name)
{
    size_t length = flat->name.length;
    const char *copy;

    if (length > 0) {
        if (length + name.length > flat->r->names_left) {
            flat->r->reason = "the names of its flattened members take too much memory; name the "
                              "ones to keep with fields";
            return 0;
        }
        text_append(&flat->name, name.data, name.length);
        copy = text_failed(&flat->name)
                   ? NULL
                   : arena_copy(flat->r->arena, flat->name.data, flat->name.length);
        name = (struct slice){copy, flat->name.length};
        flat->name.length = length;
        if (copy == NULL)
            return -1;
        flat->r->names_left -= name.length;
    }
    *flat->end++ = name_node(name);
    return 0;
}

/* Depth is bounded by that of the document. */
static int put_flat(struct flat *flat, const struct node *object)
{
    const struct node *value;

    for (const struct node *name = object + 1; name < node_end(object) && flat->r->reason == NULL;
         name = node_next(value)) {
        size_t length = flat->name.length;
        int rc;

        value = node_next(name);
        if (value->type != NODE_OBJECT) {
            if (put_flat_name(flat, node_slice(name)) == -1)
                return -1;
            flat->end = copy_nodes(flat->end, value);
            flat->members++;
            continue;
        }
        text_append(&flat->name, name->text, name->length);
        text_add(&flat->name, flat->r->mapping->flatten);
        rc = text_failed(&flat->name) ? -1 : put_flat(flat, value);
        flat->name.length = length;
        if (rc == -1)
            return -1;
    }
    return 0;
}

/* An object within becomes its members, so the record has no more nodes than before. */
static int flatten(struct reshaping *r, const struct node **record)
{
    const struct node *old = *record;
    struct flat flat = {.r = r};
    struct node *nodes;
    int rc;

    if (old->type != NODE_OBJECT || !has_objects(old))
        return 0;
    nodes = arena_alloc(r->arena, old->span * sizeof(*nodes));
    if (nodes == NULL)
        return -1;
    flat.end = nodes + 1;
    rc = put_flat(&flat, old);
    text_free(&flat.name);
    if (rc == -1)
        return -1;
    if (r->reason != NULL)
        return 0;
    close_object(nodes, flat.end, flat.members, old);
    *record = nodes;
    return 0;
}

/* --- All of them --- */

static int reshape(struct reshaping *r, struct record *record)
{
    const struct mapping *mapping = r->mapping;

    r->reason = NULL;
    if (mapping->column_count > 0 && name_elements(r, &record->node) == -1)
        return -1;
    if (r->reason == NULL && mapping->key_as != NULL && record->name != NULL &&
        add_name(r, record->name, &record->node) == -1)
        return -1;
    if (r->reason == NULL && mapping->flatten != NULL && flatten(r, &record->node) == -1)
        return -1;
    record->rejected = r->reason;
    return 0;
}

int reshape_records(const struct mapping *mapping, struct arena *arena, struct records *records,
                    size_t first)
{
    struct reshaping r = {.mapping = mapping, .arena = arena, .names_left = MOST_NAMES_BYTES};

    if (mapping->column_count == 0 && mapping->key_as == NULL && mapping->flatten == NULL)
        return 0;
    for (size_t i = first; i < records->count; i++) {
        struct record *record = &records->list[i];

        if (record->rejected == NULL && record->node->type != NODE_NULL &&
            reshape(&r, record) == -1)
            return -1;
    }
    return 0;
}
