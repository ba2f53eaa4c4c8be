/* Which headers of an answer are kept with its body. */
#include <string.h>
#include <strings.h>

#include "store/raw.h"

#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define MOST_HEAD_BYTES (16u * 1024)

/* A header with one of these in its name may hold what proves who somebody is. */
static const char *const telling_words[] = {
    "cookie", "auth", "token", "secret", "session", "password", "key", "signature", "csrf", "xsrf",
};

static bool is_telling(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT(telling_words); i++) {
        size_t bytes = strlen(telling_words[i]);

        for (size_t at = 0; at + bytes <= length; at++) {
            if (strncasecmp(name + at, telling_words[i], bytes) == 0)
                return true;
        }
    }
    return false;
}

static bool is_field(const struct mapping *mapping, const char *name, size_t length)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        const char *header = mapping->fields[i].header;

        if (header != NULL && strlen(header) == length && strncasecmp(header, name, length) == 0)
            return true;
    }
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (is_field(&mapping->children[i], name, length))
            return true;
    }
    return false;
}

bool raw_needs_head(const struct mapping *mapping)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (mapping->fields[i].header != NULL)
            return true;
    }
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (raw_needs_head(&mapping->children[i]))
            return true;
    }
    return false;
}

static bool may_keep(const struct mapping *mapping, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);

    if (colon != NULL && is_field(mapping, line, (size_t)(colon - line)))
        return true;
    return colon != NULL && !is_telling(line, (size_t)(colon - line)) &&
           memchr(colon, '?', (size_t)(line + length - colon)) == NULL;
}

void raw_write_head(const struct text *head, const struct mapping *mapping, struct text *out)
{
    const char *line = text_string(head);
    const char *end = line + head->length;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = newline == NULL ? (size_t)(end - line) : (size_t)(newline - line);

        if (may_keep(mapping, line, length) && out->length + length < MOST_HEAD_BYTES) {
            text_visible(out, line, length);
            text_char(out, '\n');
        }
        line += length + 1;
    }
}
