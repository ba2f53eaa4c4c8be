#include "document/xml_tree.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

void *xml_array_add(struct xml_array *array, size_t size)
{
    if (array->count == array->capacity) {
        size_t capacity = array->capacity == 0 ? FIRST_CAPACITY : 2 * array->capacity;
        void *items = realloc(array->items, capacity * size);

        if (items == NULL)
            return NULL;
        array->items = items;
        array->capacity = capacity;
    }
    return (char *)array->items + array->count++ * size;
}

void xml_tree_free(struct xml_tree *tree)
{
    free(tree->elements.items);
    free(tree->attributes.items);
    free(tree->names.items);
}

/* --- Attributes, counted --- */

/* Behind the next `mark`, or the end. */
static const char *behind(const char *p, const char *end, const char *mark)
{
    const char *found = memmem(p, (size_t)(end - p), mark, strlen(mark));

    return found == NULL ? end : found + strlen(mark);
}

static const char *behind_quote(const char *p, const char *end)
{
    const char *closing = memchr(p + 1, *p, (size_t)(end - p - 1));

    return closing == NULL ? end : closing + 1;
}

static bool begins(const char *p, const char *end, const char *with)
{
    return (size_t)(end - p) >= strlen(with) && memcmp(p, with, strlen(with)) == 0;
}

/* Comments, instructions and quoted text: wherever they stand, what is in them is no tag. */
static const char *skip_hidden(const char *p, const char *end)
{
    if (begins(p, end, "<!--"))
        return behind(p + 4, end, "-->");
    if (begins(p, end, "<?"))
        return behind(p + 2, end, "?>");
    if (*p == '"' || *p == '\'')
        return behind_quote(p, end);
    return p + 1;
}

/* Behind a DOCTYPE: its ">" outside of the definitions in brackets. */
static const char *skip_doctype(const char *p, const char *end)
{
    bool inside = false;

    while (p < end) {
        if (*p == '>' && !inside)
            return p + 1;
        if (*p == '[' || *p == ']')
            inside = *p == '[';
        p = skip_hidden(p, end);
    }
    return end;
}

/* The tag at `p`, and how many attributes it has: each has one quoted value. */
static const char *count_attributes(const char *p, const char *end, unsigned *count)
{
    *count = 0;
    for (p++; p < end && *p != '>'; p++) {
        if (*p == '"' || *p == '\'') {
            ++*count;
            p = behind_quote(p, end) - 1;
        }
    }
    return p;
}

bool xml_has_too_many_attributes(const char *text, size_t length, size_t *offset)
{
    const char *end = text + length;
    const char *p = text;

    while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        const char *start = p;
        unsigned count;

        if (begins(p, end, "<![CDATA[")) {
            p = behind(p + 9, end, "]]>");
        } else if (begins(p, end, "<!--") || begins(p, end, "<?")) {
            p = skip_hidden(p, end);
        } else if (begins(p, end, "<!")) {
            p = skip_doctype(p + 2, end);
        } else {
            p = count_attributes(p, end, &count);
            *offset = (size_t)(start - text);
            if (count > XML_MAX_ATTRIBUTES)
                return true;
        }
    }
    return false;
}
