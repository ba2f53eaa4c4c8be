/* XML, and the feeds among it. */
#include <string.h>

#include "gatherd/charset.h"
#include "gatherd/xml.h"
#include "process/format.h"
#include "process/reader.h"

#define MOST_NAME_SHOWN 40

static void refuse_page(const struct reader_input *in, struct decoded *decoded)
{
    reader_point(in, reader_start(in), decoded);
    reader_refuse(decoded, "the body is an HTML page, not XML; check url and headers: it may be a "
                           "login, an error page or a web site");
}

/* --- The character set --- */

static void refuse_declared(struct slice declared, struct decoded *decoded)
{
    struct text shown = {0};

    text_visible(&shown, declared.data,
                 declared.length < MOST_NAME_SHOWN ? declared.length : MOST_NAME_SHOWN);
    reader_refuse(decoded,
                  "the XML declaration says that the body is in %s, which is not known here; set "
                  "encoding to what it is in, as in encoding: utf-8",
                  text_string(&shown));
    text_free(&shown);
}

/*
 * What the document says of itself counts where nobody else has said anything, and where the
 * Content-Type says UTF-8 and it is not. As everywhere, text that is UTF-8 throughout is not taken
 * for Latin. -1: out of memory.
 */
static int convert(struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    struct slice text = {in->text, in->length};
    struct slice declared = xml_declared_encoding(in->text, in->length);
    bool settled = in->source->encoding != NULL ||
                   (in->charset != NULL && !charset_is_utf8(in->charset)) ||
                   charset_by_mark(text) != NULL;

    if (settled || declared.length == 0 ||
        (in->charset != NULL && charset_check_utf8(text) == text.length))
        return 0;
    in->charset = charset_by_label(declared);
    if (in->charset == NULL) {
        refuse_declared(declared, decoded);
        return 0;
    }
    if (charset_is_latin1(in->charset) && charset_check_utf8(text) == text.length)
        return 0;
    return reader_convert(in, arena, decoded);
}

/* --- What the configuration says of the document --- */

static int make_namespaces(const struct xml_rules *rules, struct arena *arena,
                           struct xml_options *options)
{
    struct xml_namespace *list;

    if (rules == NULL)
        return 0;
    list = arena_alloc(arena, rules->namespace_count * sizeof(*list));
    if (list == NULL)
        return -1;
    for (size_t i = 0; i < rules->namespace_count; i++)
        list[i] = (struct xml_namespace){rules->namespaces[i].name, rules->namespaces[i].value};
    options->namespaces = list;
    options->namespace_count = rules->namespace_count;
    options->arrays = rules->arrays;
    options->array_count = rules->array_count;
    return 0;
}

/* How many paths the rows of a mapping and of its children come from. */
static size_t count_paths(const struct mapping *mapping)
{
    size_t count = 1 + mapping->field_count;

    for (size_t i = 0; i < mapping->child_count; i++)
        count += count_paths(&mapping->children[i]);
    return count;
}

static const struct xml_path *add_path(struct xml_options *options, struct xml_path *paths,
                                       const struct jsonpath *path, const struct xml_path *from,
                                       bool records)
{
    paths[options->path_count] = (struct xml_path){path, from, records};
    return &paths[options->path_count++];
}

/* Returns the path of its records. */
static const struct xml_path *add_mapping(struct xml_options *options, struct xml_path *paths,
                                          const struct mapping *mapping,
                                          const struct xml_path *from)
{
    /* With key_as the path leads to the one element whose children are the records. */
    bool is_list = mapping->key_as == NULL;
    const struct xml_path *records = add_path(options, paths, mapping->records, from, is_list);

    for (size_t i = 0; i < mapping->field_count; i++)
        add_path(options, paths, mapping->fields[i].path, records, false);
    for (size_t i = 0; i < mapping->child_count; i++)
        add_mapping(options, paths, &mapping->children[i], records);
    return records;
}

#define FURTHER_PATHS 6

static int make_paths(const struct source *source, struct arena *arena, struct xml_options *options)
{
    const struct pagination *pages = source->pagination;
    struct xml_path *paths =
        arena_alloc(arena, (count_paths(&source->mapping) + FURTHER_PATHS) * sizeof(*paths));
    const struct xml_path *records;

    if (paths == NULL)
        return -1;
    options->paths = paths;
    records = add_mapping(options, paths, &source->mapping, NULL);
    if (source->incremental != NULL)
        add_path(options, paths, source->incremental->cursor_path, records, false);
    if (pages != NULL) {
        add_path(options, paths, pages->next_url_path, NULL, false);
        add_path(options, paths, pages->cursor_path, NULL, false);
        add_path(options, paths, pages->total_path, NULL, false);
        add_path(options, paths, pages->total_pages_path, NULL, false);
        add_path(options, paths, pages->has_more_path, NULL, false);
    }
    return 0;
}

/* --- Reading --- */

static int read_document(const struct reader_input *in, struct arena *arena,
                         struct decoded *decoded)
{
    struct xml_options options = {.feed = in->source->mapping.records == NULL};
    struct xml_document document;
    struct xml_error error;

    if (make_namespaces(in->source->xml, arena, &options) == -1 ||
        make_paths(in->source, arena, &options) == -1)
        return -1;
    switch (xml_read(in->text, in->length, &options, arena, &document, &error)) {
    case XML_OK:
        decoded->root = document.root;
        decoded->entries = document.entries;
        return 0;
    case XML_INVALID:
        decoded->line = error.line;
        decoded->column = error.column;
        reader_refuse(decoded, "the body is not XML: line %u, column %u: %s", error.line,
                      error.column, error.message);
        reader_mind_charset(in, error.offset, decoded);
        return 0;
    case XML_NOMEM:
        break;
    }
    return -1;
}

static int read_as_xml(struct reader_input in, struct arena *arena, struct decoded *decoded)
{
    if (reader_start(&in) == in.length) {
        reader_refuse(decoded, "the body is empty, where XML was expected");
        return 0;
    }
    if (convert(&in, arena, decoded) == -1)
        return -1;
    if (decoded->reason[0] != '\0')
        return 0;
    if (in.source->format == FORMAT_AUTO && xml_is_page(in.text, in.length)) {
        refuse_page(&in, decoded);
        return 0;
    }
    decoded->text = in.text;
    decoded->text_bytes = in.length;
    if (read_document(&in, arena, decoded) == -1)
        return -1;
    if (decoded->root == NULL && xml_is_page(in.text, in.length))
        refuse_page(&in, decoded); /* the better explanation */
    return 0;
}

int read_xml(const struct reader_input *in, struct arena *arena, struct decoded *decoded)
{
    return read_as_xml(*in, arena, decoded);
}
