#include "process/link.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct scanner {
    const char *p;
    const char *end;
    const char *problem; /* NULL: none yet */
};

/* One link, as far as it matters. */
struct link {
    struct slice target;
    bool has_rel; /* the first `rel` is the one that counts (RFC 8288, 3.3) */
    bool is_next;
    bool is_foreign;
};

static bool at(const struct scanner *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static void skip_blanks(struct scanner *s)
{
    while (at(s, ' ') || at(s, '\t'))
        s->p++;
}

static bool is_token_end(char c)
{
    return strchr(" \t=;,\"<>", c) != NULL; /* NUL too */
}

static struct slice scan_token(struct scanner *s)
{
    const char *start = s->p;

    while (s->p < s->end && !is_token_end(*s->p))
        s->p++;
    return (struct slice){start, (size_t)(s->p - start)};
}

/* Behind the opening quote. What is escaped stays as it is: no relation has a backslash. */
static struct slice scan_quoted(struct scanner *s)
{
    const char *start = s->p;
    struct slice inside;

    while (s->p < s->end && *s->p != '"')
        s->p += *s->p == '\\' && s->end - s->p > 1 ? 2 : 1;
    inside = (struct slice){start, (size_t)(s->p - start)};
    if (s->p >= s->end)
        s->problem = "a quoted text has no end";
    else
        s->p++;
    return inside;
}

static bool same_word(struct slice word, const char *other)
{
    return word.length == strlen(other) && strncasecmp(word.data, other, word.length) == 0;
}

/* Whether a list of relations, separated by blanks, holds "next" in any case. */
static bool lists_next(struct slice relations)
{
    const char *p = relations.data;
    const char *end = p + relations.length;

    while (p < end) {
        size_t length = 0;

        while (p + length < end && p[length] != ' ' && p[length] != '\t')
            length++;
        if (same_word((struct slice){p, length}, "next"))
            return true;
        p += length + 1;
    }
    return false;
}

static void take_parameter(struct link *link, struct slice name, struct slice value)
{
    if (same_word(name, "anchor"))
        link->is_foreign = true;
    if (!same_word(name, "rel") || link->has_rel)
        return;
    link->has_rel = true;
    link->is_next = lists_next(value);
}

/* "; name=value", behind the semicolon; empty ones are passed over. */
static void scan_parameter(struct scanner *s, struct link *link)
{
    struct slice value = {"", 0};
    struct slice name;

    skip_blanks(s);
    name = scan_token(s);
    skip_blanks(s);
    if (at(s, '=')) {
        s->p++;
        skip_blanks(s);
        if (at(s, '"')) {
            s->p++;
            value = scan_quoted(s);
        } else {
            value = scan_token(s);
        }
    }
    take_parameter(link, name, value);
    skip_blanks(s);
}

static void scan_target(struct scanner *s, struct link *link)
{
    const char *close;

    if (!at(s, '<')) {
        s->problem = "a link does not begin with \"<\"";
        return;
    }
    s->p++;
    close = memchr(s->p, '>', (size_t)(s->end - s->p));
    if (close == NULL) {
        s->problem = "a link's \"<\" has no \">\"";
        return;
    }
    link->target = (struct slice){s->p, (size_t)(close - s->p)};
    s->p = close + 1;
}

static struct link scan_link(struct scanner *s)
{
    struct link link = {0};

    scan_target(s, &link);
    skip_blanks(s);
    while (s->problem == NULL && at(s, ';')) {
        s->p++;
        scan_parameter(s, &link);
    }
    if (s->problem == NULL && s->p < s->end && *s->p != ',')
        s->problem = "something other than \";\" or \",\" stands behind a link";
    return link;
}

static void skip_separators(struct scanner *s)
{
    while (s->p < s->end && (*s->p == ',' || *s->p == ' ' || *s->p == '\t'))
        s->p++;
}

enum link_status link_find_next(struct slice value, struct slice *target, const char **problem)
{
    struct scanner s = {value.data, value.data + value.length, NULL};

    if (value.length == 0)
        return LINK_NONE;
    skip_separators(&s);
    while (s.p < s.end) {
        struct link link = scan_link(&s);

        if (s.problem == NULL && link.is_next && !link.is_foreign) {
            *target = link.target;
            if (link.target.length > 0)
                return LINK_FOUND;
            s.problem = "the link to the next page is empty";
        }
        if (s.problem != NULL) {
            *problem = s.problem;
            return LINK_BROKEN;
        }
        skip_separators(&s);
    }
    return LINK_NONE;
}
