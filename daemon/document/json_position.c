/* Where in a body a byte stands, for people. */
#include <stdbool.h>
#include <string.h>

#include "document/utf8.h"
#include "gatherd/json.h"

/*
 * How far a search may walk: a hostile body can make a path's order leap to and fro, and each leap
 * costs its length.
 */
#define MOST_WALKS 16u             /* through the body as far as it is known ... */
#define FREE_BYTES (1024u * 1024u) /* ... and beyond that */

/* A byte order mark is not a character of the first line. The body has a NUL behind it. */
static size_t first_character(const char *body)
{
    return strncmp(body, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static bool begins_character(char byte)
{
    return !utf8_continues((unsigned char)byte);
}

/* Line feeds end lines. */
static void walk_on(struct json_locator *at, size_t offset)
{
    for (size_t i = at->offset; i < offset; i++) {
        if (at->body[i] == '\n') {
            at->line++;
            at->column = 0;
        } else {
            at->column += begins_character(at->body[i]);
        }
    }
    at->walked += offset - at->offset;
}

/* Characters between the start of the line and the present offset. */
static void count_column(struct json_locator *at, size_t first)
{
    size_t i = at->offset;

    at->column = 0;
    for (; i > first && at->body[i - 1] != '\n'; i--)
        at->column += begins_character(at->body[i - 1]);
    at->walked += at->offset - i;
}

static void walk_back(struct json_locator *at, size_t offset, size_t first)
{
    unsigned line = at->line;

    at->walked += at->offset - offset;
    for (size_t i = at->offset; i > offset; i--) {
        at->line -= at->body[i - 1] == '\n';
        at->column -= begins_character(at->body[i - 1]);
    }
    at->offset = offset;
    if (at->line < line)
        count_column(at, first);
}

bool json_locate(struct json_locator *at, size_t offset, unsigned *line, unsigned *column)
{
    size_t first = first_character(at->body);

    *line = *column = 0;
    if (offset > at->farthest)
        at->farthest = offset;
    if (at->walked > MOST_WALKS * at->farthest + FREE_BYTES)
        return false;
    if (at->offset < first)
        at->offset = first;
    if (offset < first)
        offset = first;
    if (offset < at->offset)
        walk_back(at, offset, first);
    else
        walk_on(at, offset);
    at->offset = offset;
    *line = at->line + 1;
    *column = at->column + 1;
    return true;
}

void json_position(const char *body, size_t offset, unsigned *line, unsigned *column)
{
    struct json_locator locator = {.body = body};

    json_locate(&locator, offset, line, column);
}
