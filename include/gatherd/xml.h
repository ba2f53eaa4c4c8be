/*
 * xml.h - XML 1.0 to nodes, by libxml2: no network, no external entities or DTDs, nothing expanded.
 *
 * The document is an object with one member, the root element.
 * - An element without attributes and child elements is its text, a string, or null without text.
 *   Any other is an object: its attributes (@name), its child elements in the order of their first
 *   appearance, its own text (#text).
 * - Child elements of one name are an array where there are several of them, where `arrays` names
 *   it, and where one of `paths` treats it as an array: $.rss.channel.item[*]. So a list of one is
 *   selected as a list of many is. Records are in a list wherever their path ends.
 * - Where one of `paths` asks for the #text of an element, that is an object whether or not there
 *   are attributes.
 * - Names have the prefix that `namespaces` gives their namespace. In other namespaces they are as
 *   they came: with the document's own prefix, or without one in its default namespace; one that
 *   could be taken for a declared name is {uri}name. Declarations of namespaces are no attributes.
 * - White space around text is left out, but not that within CDATA, nor under xml:space="preserve".
 *   Comments and processing instructions are left out. xsi:nil makes an element null.
 *
 * A DOCTYPE is passed over; one that defines entities or attributes is refused, and so is a
 * reference to any entity but the five of XML itself. What is wrong is an error with its line and
 * column, and nothing of a bad document is used.
 */
#ifndef GATHERD_XML_H
#define GATHERD_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/jsonpath.h"
#include "gatherd/node.h"

/* Nesting beyond this is refused; libxml2's own limit is 256. */
#define XML_MAX_DEPTH 250

/* Of one element, declarations of namespaces included: libxml2 compares each with each. */
#define XML_MAX_ATTRIBUTES 1000

/* Different names of elements and attributes in one document. */
#define XML_MAX_NAMES 65536

struct xml_namespace {
    const char *prefix;
    const char *uri;
};

/* A path that will be used on the document, or on what another selects. */
struct xml_path {
    const struct jsonpath *path; /* NULL says nothing, and selects what `from` does */
    const struct xml_path *from; /* NULL: the document */
    bool records;                /* it selects records: without `from`, those of the document; and
                                    where it has no path, they may be the entries of a feed */
};

struct xml_options {
    const struct xml_namespace *namespaces;
    size_t namespace_count;
    const char *const *arrays; /* names of elements */
    size_t array_count;
    const struct xml_path *paths;
    size_t path_count;
    bool feed; /* find the entries of a feed */
};

struct xml_document {
    const struct node *root;
    const struct node *entries; /* array of the entries of a feed, as feed.h has them; or NULL */
};

enum xml_status {
    XML_OK,
    XML_INVALID, /* not XML, or more than we read: see the error */
    XML_NOMEM,
};

struct xml_error {
    char message[200]; /* what is wrong, in words for people */
    size_t offset;     /* of the byte it is about, from 0 */
    unsigned line;     /* from 1 */
    unsigned column;   /* in characters, from 1 */
};

/*
 * Reads one document that fills all of `text`, which is UTF-8 whatever the document says of itself;
 * a byte order mark and blank lines before it are passed over. The nodes are in `arena` and borrow
 * from `text`; node->raw is where an element begins in it.
 */
enum xml_status xml_read(const char *text, size_t length, const struct xml_options *options,
                         struct arena *arena, struct xml_document *document,
                         struct xml_error *error);

/*
 * The encoding that a document in a superset of ASCII declares for itself; empty: none.
 */
struct slice xml_declared_encoding(const char *body, size_t length);

/*
 * By looking at the beginning of a text: XML begins with a declaration, or with a tag that is none
 * of HTML's; an HTML page, be it XML or not, has an <html> or says so in its DOCTYPE.
 */
bool xml_looks_like(const char *text, size_t length);
bool xml_is_page(const char *text, size_t length);

/* Once in a process, before any thread reads. */
void xml_start(void);

#endif
