/*
 * xml_feed.h - the entries of RSS (0.9x, 1.0, 2.0) and Atom (0.3, 1.0), in one simple form.
 *
 * Each is an object that begins with id, title, link, published and updated, whatever they are
 * called in the feed, null where there is no such thing:
 * - id: id, guid or rdf:about; the link where there is none.
 * - link: what the entry is about: of Atom's links the alternate one; a guid that is a permalink.
 * - published, updated: as YYYY-MM-DDTHH:MM:SS.mmmZ, or as it came where that is no time.
 * Then come the entry's other elements under their own names. Where the feed's own elements have
 * attributes that only say how to show the text (type, xml:lang, isPermaLink ...), they are the
 * text; category is an array of names, author a name; links has all of Atom's links where there are
 * others. Elements of other namespaces are as in the document.
 */
#ifndef GATHERD_DOCUMENT_XML_FEED_H
#define GATHERD_DOCUMENT_XML_FEED_H

#include "document/xml_nodes.h"

/* The place of the array among the nodes, or 0: the document is no feed. */
size_t xml_put_entries(struct xml_writer *w);

#endif
