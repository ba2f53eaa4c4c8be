/*
 * libxml2 reads, and its events build the tree. Entities are where XML readers get hurt, so none is
 * ever expanded or loaded: whatever would lead there stops the parser in the event that announces
 * it. What costs libxml2 more than the length of the text is refused before it pays: attributes,
 * which it compares each with each, and namespaces in force, which it searches for each name.
 *
 * Text that libxml2 hands over from its copy of ours is found in ours again, by its offset, and
 * borrowed from there.
 */
#include "gatherd/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/xml_names.h"
#include "document/xml_nodes.h"
#include "document/xml_tree.h"
#include "gatherd/charset.h"
#include "gatherd/json.h"

/* In force at once. */
#define MOST_NAMESPACES 1000

/* libxml2 gives an attribute as five pointers. */
enum {
    ATTRIBUTE_LOCAL,
    ATTRIBUTE_PREFIX,
    ATTRIBUTE_URI,
    ATTRIBUTE_VALUE,
    ATTRIBUTE_END,
    ATTRIBUTE_SIZE
};

/* A run of text of an open element. */
struct piece {
    struct slice text;
    bool cdata; /* its white space counts */
};

struct open_element {
    uint32_t element;
    uint32_t last_child; /* 0: none yet */
    size_t first_piece;
    unsigned namespaces; /* declared here */
    bool preserve;       /* xml:space */
};

struct builder {
    xmlParserCtxtPtr parser;
    const char *body; /* all of the text */
    const char *text; /* what libxml2 reads of it: behind the byte order mark and blank lines */
    size_t length;
    struct xml_tree tree;
    struct xml_names names;
    struct xml_array pieces;
    struct open_element open[XML_MAX_DEPTH];
    unsigned depth;
    unsigned namespaces; /* in force */
    enum xml_status status;
    struct xml_error *error; /* may be NULL */
};

void xml_start(void)
{
    xmlInitParser();
}

/* --- What goes wrong --- */

static void fail_at(struct builder *b, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The first report is kept. `offset` is in the text that libxml2 reads. */
static void fail_at(struct builder *b, size_t offset, const char *format, ...)
{
    va_list args;

    if (b->status != XML_OK)
        return;
    b->status = XML_INVALID;
    if (b->parser != NULL)
        xmlStopParser(b->parser);
    if (b->error == NULL)
        return;
    va_start(args, format);
    vsnprintf(b->error->message, sizeof(b->error->message), format, args);
    va_end(args);
    b->error->offset = (size_t)(b->text - b->body) + offset;
    json_position(b->body, b->error->offset, &b->error->line, &b->error->column);
}

static void fail_memory(struct builder *b)
{
    if (b->status == XML_OK && b->parser != NULL)
        xmlStopParser(b->parser);
    b->status = XML_NOMEM;
    if (b->error != NULL)
        *b->error = (struct xml_error){.message = "out of memory"};
}

/* How far libxml2 has read. */
static size_t offset_now(const struct builder *b)
{
    const xmlParserInput *input = b->parser->input;
    size_t offset;

    if (input == NULL || input->cur < input->base)
        return 0;
    offset = (size_t)input->consumed + (size_t)(input->cur - input->base);
    return offset < b->length ? offset : b->length;
}

/* libxml2's words, which may quote the document, without its line break. */
static void fail_as_told(struct builder *b, const xmlError *error)
{
    const char *message = error->message == NULL ? "damaged" : error->message;
    size_t length = strcspn(message, "\n");
    struct text shown = {0};

    text_visible(&shown, message, length);
    fail_at(b, offset_now(b), "%s", text_string(&shown));
    text_free(&shown);
}

/* Less than fatal is what validators mind: a prefix without a declaration, an odd URI. */
static void on_error(void *context, xmlErrorPtr error)
{
    struct builder *b = ((xmlParserCtxtPtr)context)->_private;

    if (error->code == XML_ERR_NO_MEMORY)
        fail_memory(b);
    else if (error->level == XML_ERR_FATAL)
        fail_as_told(b, error);
}

/* --- Text --- */

static struct slice take(struct builder *b, const xmlChar *start, size_t length)
{
    const xmlParserInput *input = b->parser->input;
    const char *copy;

    if (start >= input->base && start <= input->end && length <= (size_t)(input->end - start)) {
        size_t at = (size_t)input->consumed + (size_t)(start - input->base);

        if (at <= b->length && length <= b->length - at && memcmp(b->text + at, start, length) == 0)
            return (struct slice){b->text + at, length};
    }
    copy = arena_copy(b->tree.arena, (const char *)start, length);
    if (copy == NULL)
        fail_memory(b);
    return (struct slice){copy, copy == NULL ? 0 : length};
}

/* One of the pieces, or behind them; NULL while there has been none. */
static struct piece *piece_at(const struct builder *b, size_t index)
{
    struct piece *pieces = b->pieces.items;

    return pieces == NULL ? NULL : pieces + index;
}

static void add_piece(struct builder *b, const xmlChar *start, int length, bool cdata)
{
    struct piece *last =
        b->pieces.count == 0 ? NULL : (struct piece *)b->pieces.items + b->pieces.count - 1;
    struct piece *piece;
    struct slice text;

    if (b->status != XML_OK || b->depth == 0 || length <= 0)
        return;
    text = take(b, start, (size_t)length);
    if (b->status != XML_OK)
        return;
    if (last != NULL && b->pieces.count > b->open[b->depth - 1].first_piece &&
        last->cdata == cdata && last->text.data + last->text.length == text.data) {
        last->text.length += text.length;
        return;
    }
    piece = xml_array_add(&b->pieces, sizeof(*piece));
    if (piece == NULL)
        fail_memory(b);
    else
        *piece = (struct piece){text, cdata};
}

static void on_characters(void *context, const xmlChar *text, int length)
{
    add_piece(((xmlParserCtxtPtr)context)->_private, text, length, false);
}

static void on_cdata(void *context, const xmlChar *text, int length)
{
    add_piece(((xmlParserCtxtPtr)context)->_private, text, length, true);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the white space off both ends of the text, as far as it is not CDATA. */
static void trim(struct piece *first, struct piece *end)
{
    for (struct piece *p = first; p < end && !p->cdata; p++) {
        while (p->text.length > 0 && is_blank(*p->text.data)) {
            p->text.data++;
            p->text.length--;
        }
        if (p->text.length > 0)
            break;
    }
    for (struct piece *p = end; p > first && !p[-1].cdata; p--) {
        while (p[-1].text.length > 0 && is_blank(p[-1].text.data[p[-1].text.length - 1]))
            p[-1].text.length--;
        if (p[-1].text.length > 0)
            break;
    }
}

/* The pieces as one; borrowed where there is only one that holds anything. */
static struct slice join(struct builder *b, const struct piece *first, const struct piece *end)
{
    struct slice whole = {NULL, 0};
    const struct piece *only = NULL;
    unsigned filled = 0;
    char *copy;

    for (const struct piece *p = first; p < end; p++) {
        whole.length += p->text.length;
        only = p->text.length > 0 ? p : only;
        filled += p->text.length > 0;
    }
    if (filled <= 1)
        return only == NULL ? whole : only->text;
    copy = arena_alloc(b->tree.arena, whole.length);
    if (copy == NULL) {
        fail_memory(b);
        return (struct slice){NULL, 0};
    }
    whole.data = copy;
    for (const struct piece *p = first; p < end; p++) {
        if (p->text.length > 0)
            memcpy(copy, p->text.data, p->text.length);
        copy += p->text.length;
    }
    return whole;
}

/* --- Elements --- */

/* The place of a name; false: it failed. */
static bool find_name(struct builder *b, const struct xml_qname *name, uint32_t *place)
{
    switch (xml_names_find(&b->names, name, place)) {
    case XML_NAMES_OK:
        return true;
    case XML_NAMES_FULL:
        fail_at(b, offset_now(b), "more than %d different names of elements and attributes",
                XML_MAX_NAMES);
        break;
    case XML_NAMES_NOMEM:
        fail_memory(b);
        break;
    }
    return false;
}

/* xml:space says how to read and is not data. */
static bool is_space_attribute(const xmlChar **a, bool *preserve)
{
    size_t length = (size_t)(a[ATTRIBUTE_END] - a[ATTRIBUTE_VALUE]);

    if (a[ATTRIBUTE_PREFIX] == NULL || strcmp((const char *)a[ATTRIBUTE_PREFIX], "xml") != 0 ||
        strcmp((const char *)a[ATTRIBUTE_LOCAL], "space") != 0)
        return false;
    *preserve = length == 8 && memcmp(a[ATTRIBUTE_VALUE], "preserve", length) == 0;
    return true;
}

static bool add_attribute(struct builder *b, struct open_element *open, const xmlChar **a)
{
    struct xml_qname name = {(const char *)a[ATTRIBUTE_LOCAL], (const char *)a[ATTRIBUTE_PREFIX],
                             (const char *)a[ATTRIBUTE_URI], true};
    struct xml_attribute *attribute;
    struct slice value;
    uint32_t place;

    if (is_space_attribute(a, &open->preserve))
        return true;
    value = take(b, a[ATTRIBUTE_VALUE], (size_t)(a[ATTRIBUTE_END] - a[ATTRIBUTE_VALUE]));
    if (b->status != XML_OK || !find_name(b, &name, &place))
        return false;
    attribute = xml_array_add(&b->tree.attributes, sizeof(*attribute));
    if (attribute == NULL) {
        fail_memory(b);
        return false;
    }
    *attribute = (struct xml_attribute){place, (uint32_t)value.length, value.data};
    xml_element(&b->tree, open->element)->attribute_count++;
    return true;
}

/* Where the tag begins whose end libxml2 has come to: there is no "<" within a tag. */
static size_t tag_start(const struct builder *b)
{
    const char *start = memrchr(b->text, '<', offset_now(b));

    return start == NULL ? 0 : (size_t)(start - b->text);
}

static struct xml_element *add_element(struct builder *b, uint32_t name)
{
    struct xml_element *element = xml_array_add(&b->tree.elements, sizeof(*element));

    if (element == NULL) {
        fail_memory(b);
        return NULL;
    }
    *element = (struct xml_element){.name = name,
                                    .attribute = (uint32_t)b->tree.attributes.count,
                                    .start = b->text + tag_start(b)};
    return element;
}

/* Makes the newest element a child of the one that is open. */
static void link_to_parent(struct builder *b, uint32_t element)
{
    struct open_element *parent = &b->open[b->depth - 1];

    if (parent->last_child == 0)
        xml_element(&b->tree, parent->element)->child = element;
    else
        xml_element(&b->tree, parent->last_child)->next = element;
    parent->last_child = element;
}

static bool may_open(struct builder *b, unsigned namespaces)
{
    if (b->depth == XML_MAX_DEPTH)
        fail_at(b, tag_start(b), "nested deeper than %d levels", XML_MAX_DEPTH);
    else if (b->namespaces + namespaces > MOST_NAMESPACES)
        fail_at(b, tag_start(b), "more than %d namespaces declared at once", MOST_NAMESPACES);
    return b->status == XML_OK;
}

static void on_start(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int namespaces, const xmlChar **declared, int attributes, int defaulted,
                     const xmlChar **values)
{
    struct builder *b = ((xmlParserCtxtPtr)context)->_private;
    struct xml_qname name = {(const char *)local, (const char *)prefix, (const char *)uri, false};
    struct open_element *open = &b->open[b->depth];
    uint32_t place;

    (void)declared;
    if (b->status != XML_OK || !may_open(b, (unsigned)namespaces) || !find_name(b, &name, &place) ||
        add_element(b, place) == NULL)
        return;
    *open = (struct open_element){.element = (uint32_t)b->tree.elements.count - 1,
                                  .first_piece = b->pieces.count,
                                  .namespaces = (unsigned)namespaces,
                                  .preserve = b->depth > 0 && open[-1].preserve};
    if (b->depth > 0)
        link_to_parent(b, open->element);
    b->depth++;
    b->namespaces += (unsigned)namespaces;
    for (int i = 0; i < attributes - defaulted; i++) {
        if (!add_attribute(b, open, values + ATTRIBUTE_SIZE * i))
            return;
    }
}

static void on_end(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct builder *b = ((xmlParserCtxtPtr)context)->_private;
    struct open_element *open;
    struct xml_element *element;
    struct piece *first;
    struct piece *end;
    struct slice text;

    (void)local;
    (void)prefix;
    (void)uri;
    if (b->status != XML_OK || b->depth == 0)
        return;
    open = &b->open[--b->depth];
    element = xml_element(&b->tree, open->element);
    first = piece_at(b, open->first_piece);
    end = piece_at(b, b->pieces.count);
    if (!open->preserve)
        trim(first, end);
    text = join(b, first, end);
    element->text = text.data;
    element->text_length = (uint32_t)text.length;
    element->source_length = (uint32_t)(b->text + offset_now(b) - element->start);
    b->pieces.count = open->first_piece;
    b->namespaces -= open->namespaces;
}

/* --- What is refused --- */

static void refuse_entity(struct builder *b, const char *what, const xmlChar *name)
{
    struct text shown = {0};

    text_visible(&shown, (const char *)name, strlen((const char *)name));
    if (shown.length > 60)
        strcpy(shown.data + 57, "...");
    fail_at(b, offset_now(b), "the document %s \"%s\"; only XML's own entities are read", what,
            text_string(&shown));
    text_free(&shown);
}

static xmlEntityPtr on_entity(void *context, const xmlChar *name)
{
    refuse_entity(((xmlParserCtxtPtr)context)->_private, "refers to the entity", name);
    return NULL;
}

static void on_entity_declaration(void *context, const xmlChar *name, int type,
                                  const xmlChar *public_id, const xmlChar *system_id,
                                  xmlChar *content)
{
    (void)type;
    (void)public_id;
    (void)system_id;
    (void)content;
    refuse_entity(((xmlParserCtxtPtr)context)->_private, "defines the entity", name);
}

static void on_unparsed_entity(void *context, const xmlChar *name, const xmlChar *public_id,
                               const xmlChar *system_id, const xmlChar *notation)
{
    (void)public_id;
    (void)system_id;
    (void)notation;
    refuse_entity(((xmlParserCtxtPtr)context)->_private, "defines the entity", name);
}

static void on_attribute_declaration(void *context, const xmlChar *element, const xmlChar *name,
                                     int type, int fallback, const xmlChar *value,
                                     xmlEnumerationPtr choices)
{
    struct builder *b = ((xmlParserCtxtPtr)context)->_private;

    (void)element;
    (void)name;
    (void)type;
    (void)fallback;
    (void)value;
    xmlFreeEnumeration(choices); /* ours by the contract of this event */
    fail_at(b, offset_now(b),
            "the DOCTYPE defines attributes; only a DOCTYPE without such definitions is read");
}

/* --- Reading --- */

/* Lines that libxml2 names in its messages are those of the whole text. */
static void on_start_document(void *context)
{
    xmlParserCtxtPtr parser = context;
    const struct builder *b = parser->_private;

    for (const char *p = b->body; p < b->text && parser->input != NULL; p++)
        parser->input->line += *p == '\n';
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startDocument = on_start_document,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_characters,
    .ignorableWhitespace = on_characters,
    .cdataBlock = on_cdata,
    .getEntity = on_entity,
    .getParameterEntity = on_entity,
    .entityDecl = on_entity_declaration,
    .unparsedEntityDecl = on_unparsed_entity,
    .attributeDecl = on_attribute_declaration,
    .serror = on_error,
};

/* What has no parser to be told to, such as a want of memory: libxml2 would write it to stderr. */
static void ignore_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

/*
 * NOENT has "&amp;" in an attribute arrive as "&" and not as "&#38;". It would also put entities in
 * place of their references, but on_entity() knows none. IGNORE_ENC: the text is UTF-8 by now.
 */
static bool make_parser(struct builder *b)
{
    xmlSetStructuredErrorFunc(NULL, ignore_error); /* of this thread */
    b->parser = xmlCreateMemoryParserCtxt(b->text, (int)b->length);
    if (b->parser == NULL) {
        fail_memory(b);
        return false;
    }
    *b->parser->sax = handler;
    b->parser->userData = b->parser;
    b->parser->_private = b;
    xmlCtxtUseOptions(b->parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC);
    /* Beyond its limit libxml2 would say that memory is out; the length of the text is limited. */
    xmlDictSetLimit(b->parser->dict, 0);
    return true;
}

static void parse(struct builder *b)
{
    if (!make_parser(b))
        return;
    xmlParseDocument(b->parser);
    if (b->status == XML_OK && (!b->parser->wellFormed || b->tree.elements.count == 0))
        fail_at(b, offset_now(b), "the document is damaged");
    xmlFreeDoc(b->parser->myDoc); /* libxml2 makes one for an entity, whoever takes the events */
    b->parser->myDoc = NULL;
    xmlFreeParserCtxt(b->parser);
    b->parser = NULL;
}

/* Passes over a byte order mark and blank lines, and looks for what libxml2 cannot be given. */
static bool begin(struct builder *b, size_t length)
{
    size_t offset = charset_check_utf8((struct slice){b->body, length});
    const char *nul = memchr(b->body, '\0', offset);

    b->text = b->body;
    b->length = length;
    if (length > INT_MAX) {
        fail_at(b, 0, "the body has %zu bytes; the most that can be read is 2 GiB", length);
        return false;
    }
    if (length >= 3 && memcmp(b->text, "\xef\xbb\xbf", 3) == 0)
        b->text += 3;
    while (b->text < b->body + length && is_blank(*b->text))
        b->text++;
    b->length = (size_t)(b->body + length - b->text);
    if (nul != NULL)
        fail_at(b, (size_t)(nul - b->text), "a NUL byte; XML has none");
    else if (offset < length)
        fail_at(b, offset - (size_t)(b->text - b->body), "a byte that is not UTF-8");
    else if (b->length == 0)
        fail_at(b, 0, "the body is empty");
    else if (*b->text != '<')
        fail_at(b, 0, "there is no XML: it would begin with \"<\"");
    else if (xml_has_too_many_attributes(b->text, b->length, &offset))
        fail_at(b, offset, "an element with more than %d attributes", XML_MAX_ATTRIBUTES);
    return b->status == XML_OK;
}

enum xml_status xml_read(const char *text, size_t length, const struct xml_options *options,
                         struct arena *arena, struct xml_document *document,
                         struct xml_error *error)
{
    struct builder b = {.body = text, .error = error, .tree = {.arena = arena}};

    *document = (struct xml_document){0};
    b.names = (struct xml_names){.tree = &b.tree, .options = options};
    if (error != NULL)
        *error = (struct xml_error){0};
    if (begin(&b, length))
        parse(&b);
    if (b.status == XML_OK && xml_make_nodes(&b.tree, options, document) == -1)
        fail_memory(&b);
    xml_names_free(&b.names);
    free(b.pieces.items);
    xml_tree_free(&b.tree);
    return b.status;
}
