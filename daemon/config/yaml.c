/*
 * libyaml's events become items here, and nowhere else is libyaml known.
 *
 * libyaml 0.2.5 has no limits of its own and is quadratic in nesting, so depth and the number of
 * items are counted while its events arrive, and the first breach ends the reading.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "config/item.h"
#include "config/map.h"

struct frame {
    struct item *item; /* a list or mapping that is still open */
    struct item *key;  /* mapping: the key that waits for its value */
};

struct builder {
    yaml_parser_t parser;
    struct arena *arena;
    struct config_map anchors; /* name to item; an open item has weight 0 */
    struct frame stack[YAML_MAX_DEPTH];
    size_t depth;
    struct item *root;
    size_t items; /* so far, aliases followed */
    struct yaml_problem *problem;
};

static int fail(struct builder *b, yaml_mark_t mark, const char *what)
{
    b->problem->line = (unsigned)mark.line + 1;
    b->problem->column = (unsigned)mark.column + 1;
    snprintf(b->problem->text, sizeof(b->problem->text), "%s", what);
    return -1;
}

static int fail_memory(struct builder *b)
{
    b->problem->out_of_memory = true;
    return -1;
}

/* What to do about libyaml's commonest findings, which name only the symptom. */
static const char *advice(const char *problem)
{
    static const struct {
        const char *problem;
        const char *advice;
    } known[] = {
        {"mapping values are not allowed", "put a text that holds \": \" in quotes, or mend the "
                                           "indentation"},
        {"did not find expected key", "mend the indentation, or put the text in quotes"},
        {"did not find expected '-' indicator", "mend the indentation of the list"},
        {"did not find expected ',' or ']'", "close the list with ] or put a comma"},
        {"did not find expected ',' or '}'", "close the mapping with } or put a comma"},
        {"could not find expected ':'", "write a colon and a space after the key"},
        {"found unexpected end of stream", "close the quote or bracket"},
        {"found unknown escape character", "use single quotes: no backslash is special in them"},
        {"block sequence entries are not allowed", "put the list on lines of its own"},
        {"found incompatible YAML document", "remove the %YAML line"},
        {"did not find expected alphabetic", "put a text that begins with * or & in quotes"},
        {"found character that cannot start", "put a text that begins with this character in "
                                              "quotes"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(problem, known[i].problem, strlen(known[i].problem)) == 0)
            return known[i].advice;
    }
    return "compare with the lines around it";
}

/* Whether the character at `mark` is a tab: the usual reason for an odd complaint. */
static bool is_tab(const char *text, size_t length, yaml_mark_t mark)
{
    size_t i = 0;

    for (size_t line = 0; line < mark.line && i < length; i++)
        line += text[i] == '\n';
    for (size_t column = 0; column < mark.column && i < length; column++)
        i++; /* bytes: before a tab in the indentation there are only blanks */
    return i < length && text[i] == '\t';
}

static int fail_parser(struct builder *b, const char *text, size_t length)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem == NULL ? "cannot be read" : p->problem;
    char what[sizeof(b->problem->text)];
    char context[128] = "";

    if (p->error == YAML_MEMORY_ERROR)
        return fail_memory(b);
    if (is_tab(text, length, p->problem_mark))
        return fail(b, p->problem_mark,
                    "not valid YAML: a tab cannot indent; replace it by spaces");
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
        snprintf(context, sizeof(context), " (%s that began in line %zu)", p->context,
                 p->context_mark.line + 1);
    snprintf(what, sizeof(what), "not valid YAML: %s%s; %s", problem, context, advice(problem));
    return fail(b, p->problem_mark, what);
}

static int append(struct builder *b, struct frame *frame, struct item *value)
{
    struct entry *entry = arena_alloc(b->arena, sizeof(*entry));
    struct item *item = frame->item;

    if (entry == NULL)
        return fail_memory(b);
    *entry = (struct entry){.key = frame->key, .value = value};
    if (item->first == NULL)
        item->first = entry;
    else
        item->last->next = entry;
    item->last = entry;
    frame->key = NULL;
    return 0;
}

/* Puts a complete or just opened item where it belongs: a key, a value, an element or the root. */
static int place(struct builder *b, struct item *item, yaml_mark_t mark)
{
    struct frame *frame;

    if (b->depth == 0) {
        b->root = item;
        return 0;
    }
    frame = &b->stack[b->depth - 1];
    if (frame->item->kind == ITEM_MAPPING && frame->key == NULL) {
        if (item->kind != ITEM_SCALAR)
            return fail(b, mark,
                        "a list or mapping cannot be a key; write a plain name, or put "
                        "a text that begins with { or [ in quotes");
        frame->key = item;
        return 0;
    }
    return append(b, frame, item);
}

static int count_items(struct builder *b, size_t more, yaml_mark_t mark)
{
    b->items += more;
    if (b->items > YAML_MAX_ITEMS)
        return fail(b, mark, "aliases expand to more than 1000000 values; use fewer of them");
    return 0;
}

static struct item *create_item(struct builder *b, const yaml_event_t *event, enum item_kind kind,
                                const yaml_char_t *anchor)
{
    struct item *item = arena_alloc(b->arena, sizeof(*item));
    const char *name = (const char *)anchor;
    char *copy;

    if (item == NULL) {
        fail_memory(b);
        return NULL;
    }
    *item = (struct item){.kind = (uint8_t)kind,
                          .line = (unsigned)event->start_mark.line + 1,
                          .column = (unsigned)event->start_mark.column + 1};
    if (name == NULL)
        return item;
    copy = arena_copy(b->arena, name, strlen(name));
    if (copy == NULL || config_map_put(&b->anchors, slice_of(copy), item) == -1) {
        fail_memory(b);
        return NULL;
    }
    return item;
}

/* Only the tags that say what a value is anyway; `expected` is the kind's own. */
static int check_tag(struct builder *b, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *expected)
{
    const char *name = (const char *)tag;

    if (name == NULL || strcmp(name, "!") == 0 || strcmp(name, expected) == 0)
        return 0;
    return fail(b, event->start_mark, "YAML tags such as !name are not understood; remove the tag");
}

/* Whether the text stands in the file as it is, so that a place in it is a column of the file. */
static void locate_text(struct item *item, const yaml_event_t *event)
{
    yaml_scalar_style_t style = event->data.scalar.style;
    bool quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    size_t written = event->end_mark.index - event->start_mark.index;

    item->text_column = item->column + (quoted ? 1 : 0);
    item->exact = (quoted || style == YAML_PLAIN_SCALAR_STYLE) &&
                  event->start_mark.line == event->end_mark.line &&
                  written == count_characters(item->text, item->length) + (quoted ? 2 : 0);
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
    struct item *item = create_item(b, event, ITEM_SCALAR, event->data.scalar.anchor);

    if (item == NULL || count_items(b, 1, event->start_mark) == -1 ||
        check_tag(b, event, event->data.scalar.tag, YAML_STR_TAG) == -1)
        return -1;
    item->weight = 1;
    item->length = event->data.scalar.length;
    item->text = arena_copy(b->arena, (const char *)event->data.scalar.value, item->length);
    if (item->text == NULL)
        return fail_memory(b);
    item->plain =
        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.tag == NULL;
    locate_text(item, event);
    return place(b, item, event->start_mark);
}

static int fail_depth(struct builder *b, yaml_mark_t mark)
{
    return fail(b, mark, "nested deeper than 32 levels; nothing in a configuration is");
}

static int open_collection(struct builder *b, const yaml_event_t *event, enum item_kind kind,
                           const yaml_char_t *anchor)
{
    struct item *item;

    if (b->depth == YAML_MAX_DEPTH)
        return fail_depth(b, event->start_mark);
    item = create_item(b, event, kind, anchor);
    if (item == NULL || count_items(b, 1, event->start_mark) == -1 ||
        place(b, item, event->start_mark) == -1)
        return -1;
    b->stack[b->depth++] = (struct frame){.item = item};
    return 0;
}

/* Only now are weight and depth known: until here an alias to the item was one to itself. */
static int close_collection(struct builder *b)
{
    struct item *item = b->stack[--b->depth].item;
    uint8_t deepest = 0;

    item->weight = 1;
    for (const struct entry *entry = item->first; entry != NULL; entry = entry->next) {
        item->weight += entry->value->weight + (entry->key != NULL);
        if (entry->value->depth > deepest)
            deepest = entry->value->depth;
    }
    item->depth = (uint8_t)(deepest + 1);
    return 0;
}

static int add_alias(struct builder *b, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct item *item = config_map_get(&b->anchors, slice_of(name));
    char what[160];

    if (item == NULL || item->weight == 0) {
        snprintf(what, sizeof(what),
                 item == NULL ? "the alias *%.60s has no anchor; write &%.60s before it"
                              : "the alias *%.60s stands inside &%.60s itself; remove it",
                 name, name);
        return fail(b, event->start_mark, what);
    }
    if (count_items(b, item->weight, event->start_mark) == -1)
        return -1;
    if (b->depth + item->depth > YAML_MAX_DEPTH)
        return fail_depth(b, event->start_mark);
    return place(b, item, event->start_mark);
}

static int handle(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->root != NULL)
            return fail(b, event->start_mark,
                        "a second document begins here; a configuration is one document, so remove "
                        "this --- or move what follows to a file of its own");
        return 0;
    case YAML_ALIAS_EVENT:
        return add_alias(b, event);
    case YAML_SCALAR_EVENT:
        return add_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        if (check_tag(b, event, event->data.sequence_start.tag, YAML_SEQ_TAG) == -1)
            return -1;
        return open_collection(b, event, ITEM_LIST, event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        if (check_tag(b, event, event->data.mapping_start.tag, YAML_MAP_TAG) == -1)
            return -1;
        return open_collection(b, event, ITEM_MAPPING, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(b);
    default:
        return 0;
    }
}

static int build(struct builder *b, const char *text, size_t length)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        int rc;

        if (!yaml_parser_parse(&b->parser, &event))
            return fail_parser(b, text, length);
        done = event.type == YAML_STREAM_END_EVENT;
        rc = handle(b, &event);
        yaml_event_delete(&event);
        if (rc == -1)
            return -1;
    }
    assert(b->depth == 0);
    return 0;
}

int yaml_read(const char *text, size_t length, struct arena *arena, struct item **root,
              struct yaml_problem *problem)
{
    struct builder b = {.arena = arena, .problem = problem};
    int rc;

    *problem = (struct yaml_problem){0};
    if (!yaml_parser_initialize(&b.parser))
        return fail_memory(&b);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, length);
    rc = build(&b, text, length);
    yaml_parser_delete(&b.parser);
    config_map_free(&b.anchors);
    if (rc == 0)
        *root = b.root;
    return rc;
}
