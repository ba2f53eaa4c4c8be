#include <string.h>
#include <strings.h>

#include "gatherd/xml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static const char *skip_mark_and_blank(const char *p, const char *end)
{
    if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    return skip_blank(p, end);
}

static bool begins(const char *p, const char *end, const char *with)
{
    return (size_t)(end - p) >= strlen(with) && strncasecmp(p, with, strlen(with)) == 0;
}

static const char *behind(const char *p, const char *end, const char *mark)
{
    const char *found = memmem(p, (size_t)(end - p), mark, strlen(mark));

    return found == NULL ? end : found + strlen(mark);
}

/* The quoted value behind "=", or empty. */
static struct slice quoted_value(const char *p, const char *end)
{
    const char *closing;

    p = skip_blank(p, end);
    if (p == end || *p != '=')
        return (struct slice){NULL, 0};
    p = skip_blank(p + 1, end);
    if (p == end || (*p != '"' && *p != '\''))
        return (struct slice){NULL, 0};
    closing = memchr(p + 1, *p, (size_t)(end - p - 1));
    return closing == NULL ? (struct slice){NULL, 0}
                           : (struct slice){p + 1, (size_t)(closing - p - 1)};
}

struct slice xml_declared_encoding(const char *body, size_t length)
{
    static const char word[] = "encoding";
    const char *end = body + length;
    const char *p = skip_mark_and_blank(body, end);
    const char *close;

    if (end - p < 6 || memcmp(p, "<?xml", 5) != 0 || !is_blank(p[5]))
        return (struct slice){NULL, 0};
    close = memmem(p, (size_t)(end - p), "?>", 2);
    if (close == NULL)
        return (struct slice){NULL, 0};
    p = memmem(p, (size_t)(close - p), word, sizeof(word) - 1);
    return p == NULL ? (struct slice){NULL, 0} : quoted_value(p + sizeof(word) - 1, close);
}

/* What pieces of pages begin with, that some servers send where they should send data. */
static const char *const html_names[] = {
    "head", "body", "title", "meta",   "script", "style", "h1",  "h2",     "h3",   "p", "div",
    "span", "b",    "a",     "center", "font",   "table", "pre", "strong", "form", "br"};

/* Behind what may stand before the root element, but for a DOCTYPE. */
static const char *skip_prolog(const char *p, const char *end, bool *declared)
{
    p = skip_mark_and_blank(p, end);
    *declared = begins(p, end, "<?xml");
    while (begins(p, end, "<?") || begins(p, end, "<!--"))
        p = skip_blank(behind(p, end, p[1] == '?' ? "?>" : "-->"), end);
    return p;
}

static bool is_word(const char *p, const char *end, const char *word)
{
    return begins(p, end, word) &&
           (p + strlen(word) == end || strchr(" \t\r\n/>[", p[strlen(word)]) != NULL);
}

/* The name of a tag begins with a letter, _ or : of ASCII, or anything beyond it. */
static bool begins_tag(const char *p, const char *end)
{
    return end - p >= 2 && *p == '<' &&
           (p[1] == '_' || p[1] == ':' || (unsigned char)p[1] >= 0x80 ||
            ((p[1] | 0x20) >= 'a' && (p[1] | 0x20) <= 'z'));
}

bool xml_is_page(const char *text, size_t length)
{
    const char *end = text + length;
    bool declared;
    const char *p = skip_prolog(text, end, &declared);

    if (begins(p, end, "<!DOCTYPE"))
        return is_word(skip_blank(p + 9, end), end, "html");
    return p < end && is_word(p + 1, end, "html");
}

bool xml_looks_like(const char *text, size_t length)
{
    const char *end = text + length;
    bool declared;
    const char *p = skip_prolog(text, end, &declared);

    if (xml_is_page(text, length))
        return false;
    if (begins(p, end, "<!DOCTYPE"))
        return true;
    for (size_t i = 0; i < COUNT(html_names) && !declared; i++) {
        if (p < end && is_word(p + 1, end, html_names[i]))
            return false;
    }
    return begins_tag(p, end);
}
