#include "document/json_reader.h"

#include <string.h>

#include "document/escape.h"
#include "document/json_scan.h"
#include "document/utf8.h"

/* Behind the run of characters beyond ASCII at `p`, or the first byte that is not UTF-8. */
static const char *skip_characters(const char *p)
{
    while ((unsigned char)*p >= 0x80) {
        unsigned length = utf8_length(p);

        if (length == 0)
            break;
        p += length;
    }
    return p;
}

/* Checks the string from `p` on and returns its closing quote. `*escapes`: it has any. */
static const char *find_end(struct reader *r, const char *p, bool *escapes)
{
    char ignored[4];
    size_t written;
    size_t length;

    for (;;) {
        p = scan_plain(p, r->end);
        if (*p == '"')
            return p;
        if (*p == '\\') {
            if (escape_read(p, '"', ignored, &written, &length) != ESCAPE_OK)
                return json_explain_string(r, p);
            *escapes = true;
            p += length;
        } else {
            const char *next = skip_characters(p);

            if (next == p)
                return json_explain_string(r, p);
            p = next;
        }
    }
}

/* Copies a checked string, its escapes replaced, and returns where the copy ends. */
static char *unescape(const char *p, const char *end, char *out)
{
    for (;;) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((backslash == NULL ? end : backslash) - p);
        size_t written;
        size_t length;

        memcpy(out, p, plain);
        out += plain;
        if (backslash == NULL)
            return out;
        escape_read(backslash, '"', out, &written, &length);
        out += written;
        p = backslash + length;
    }
}

const char *json_read_string(struct reader *r, const char *start, const char *p, struct node *node)
{
    bool escapes = false;
    const char *end = find_end(r, p, &escapes);
    const char *text = start;
    size_t length;

    if (end == NULL)
        return NULL;
    length = (size_t)(end - start);
    if (escapes) {
        char *copy = arena_alloc(r->arena, length);

        if (copy == NULL)
            return json_fail_memory(r);
        length = (size_t)(unescape(start, end, copy) - copy);
        text = copy;
    }
    *node = (struct node){.type = NODE_STRING,
                          .length = (uint32_t)length,
                          .span = 1,
                          .raw_length = (uint32_t)(end - start) + 2,
                          .text = text,
                          .raw = start - 1};
    return end + 1;
}
