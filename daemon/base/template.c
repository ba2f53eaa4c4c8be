#include "gatherd/template.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/time_format.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const char *const names[] = {
    [TEMPLATE_SCHEDULED_AT] = "scheduled_at",
    [TEMPLATE_PREVIOUS_SCHEDULED_AT] = "previous_scheduled_at",
    [TEMPLATE_NOW] = "now",
    [TEMPLATE_CURSOR] = "cursor",
    [TEMPLATE_CURSOR_END] = "cursor_end",
    [TEMPLATE_ITEM] = "item",
};

const char *template_name_text(enum template_name name)
{
    assert(name < TEMPLATE_UNKNOWN);
    return names[name];
}

static bool is_time(enum template_name name)
{
    return name <= TEMPLATE_NOW;
}

static enum template_name find_name(struct slice word)
{
    enum template_name name = TEMPLATE_SCHEDULED_AT;

    while (name < TEMPLATE_UNKNOWN && !slice_equals(word, names[name]))
        name++;
    return name;
}

/* --- Reading. --- */

/* How many of the next bytes are among `set`. */
static size_t span(struct slice text, size_t from, const char *set)
{
    size_t i = from;

    while (i < text.length && text.data[i] != '\0' && strchr(set, text.data[i]) != NULL)
        i++;
    return i - from;
}

static char byte_at(struct slice text, size_t i)
{
    return i < text.length ? text.data[i] : '\0';
}

static struct slice cut(struct slice text, size_t from, size_t to)
{
    return (struct slice){text.data + from, to - from};
}

/* Reads the word and its member from behind the brace; returns where they end, 0: no word. */
static size_t read_word(struct slice text, size_t brace, struct placeholder *found)
{
    size_t start = brace + 1;
    size_t end = start;

    if (span(text, start, LETTERS "_") == 0)
        return 0;
    end += span(text, start, LETTERS DIGITS "_");
    *found = (struct placeholder){.offset = brace, .word = cut(text, start, end)};
    found->name = find_name(found->word);
    if (byte_at(text, end) == '.') {
        size_t member = end + 1;

        end = member + span(text, member, LETTERS DIGITS "_-.");
        found->member = cut(text, member, end);
    }
    return end;
}

/* What follows the colon of a name that is not ours decides whether it looks like a format. */
static bool looks_like_format(struct slice text, size_t from)
{
    return span(text, from, LETTERS "%") > 0;
}

/* Whether the brace at that offset begins a placeholder. */
static bool read_placeholder(struct slice text, size_t brace, struct placeholder *found)
{
    size_t end = read_word(text, brace, found);

    if (end == 0)
        return false;
    if (byte_at(text, end) == ':') {
        size_t format = end + 1;

        if (found->name == TEMPLATE_UNKNOWN && !looks_like_format(text, format))
            return false;
        for (end = format; end < text.length && strchr("{}", text.data[end]) == NULL;)
            end++;
        found->format = cut(text, format, end);
    }
    found->closed = byte_at(text, end) == '}';
    found->whole = cut(text, brace, found->closed ? end + 1 : text.length);
    return found->closed || (found->format.data != NULL && found->name != TEMPLATE_UNKNOWN);
}

/*
 * Reads on from `*place`: text up to the next placeholder, or a placeholder. Text is never empty,
 * and it is what is meant: of two braces it has the second one.
 */
static bool next_piece(struct slice text, size_t *place, struct slice *literal,
                       struct placeholder *found)
{
    size_t start = *place;
    size_t i = start;

    literal->length = 0;
    if (start >= text.length)
        return false;
    if (text.data[start] == '{') {
        if (byte_at(text, start + 1) == '{') {
            i = ++start + 1;
        } else if (read_placeholder(text, start, found)) {
            *place = start + found->whole.length;
            return true;
        } else {
            i++;
        }
    }
    while (i < text.length && text.data[i] != '{')
        i++;
    *literal = cut(text, start, i);
    *place = i;
    return true;
}

bool template_next(struct slice text, size_t *place, struct placeholder *found)
{
    struct slice literal;

    while (next_piece(text, place, &literal, found)) {
        if (literal.length == 0)
            return true;
    }
    return false;
}

bool template_is_open(struct slice text)
{
    struct placeholder found;
    size_t brace = text.length;
    size_t end;

    while (brace > 0 && text.data[brace - 1] != '{')
        brace--;
    if (brace == 0)
        return false;
    end = brace; /* how many braces stand there: of an even number each second one is text */
    while (brace > 0 && text.data[brace - 1] == '{')
        brace--;
    if ((end - brace) % 2 == 0)
        return false;
    if (end == text.length)
        return true;
    brace = end - 1;
    end = read_word(text, brace, &found);
    if (end == 0 || end == text.length)
        return end > 0;
    return byte_at(text, end) == ':' && memchr(text.data + end, '}', text.length - end) == NULL &&
           (found.name != TEMPLATE_UNKNOWN || end + 1 == text.length ||
            looks_like_format(text, end + 1));
}

bool template_is_constant(const char *text)
{
    return strchr(text, '{') == NULL;
}

void template_add_literal(struct text *template, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '{')
            text_char(template, '{');
        text_char(template, data[i]);
    }
}

/* --- Checking. --- */

int template_check(const struct placeholder *p, struct error *err)
{
    bool member = p->member.data != NULL;

    if (!p->closed)
        error_set(err, ERROR_CONFIG, "is not closed; write } behind it");
    else if (p->name == TEMPLATE_UNKNOWN)
        error_set(err, ERROR_CONFIG, "is not a run-time value");
    else if (p->name == TEMPLATE_ITEM && member && p->member.length == 0)
        error_set(err, ERROR_CONFIG,
                  "does not say what of the item; write its name, as in {item.id}");
    else if (p->name != TEMPLATE_ITEM && member)
        error_set(err, ERROR_CONFIG, "has nothing behind a dot; write {%s}", names[p->name]);
    else if (!is_time(p->name) && p->format.data != NULL)
        error_set(err, ERROR_CONFIG,
                  "is not a time and takes no format; remove the colon and what follows it");
    else if (p->format.data == NULL || time_format_check(p->format, err) == 0)
        return 0;
    return -1;
}

bool template_is_local(const struct placeholder *p)
{
    return is_time(p->name) && p->format.data != NULL && time_format_is_local(p->format);
}

/* --- Rendering. --- */

static bool has_control(struct slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static int put_escaped(struct text *out, struct slice value, enum template_escape escape,
                       struct error *err)
{
    switch (escape) {
    case TEMPLATE_URL:
    case TEMPLATE_QUERY:
        text_url_encoded(out, value.data, value.length);
        return 0;
    case TEMPLATE_JSON:
        text_json_escaped(out, value.data, value.length);
        return 0;
    case TEMPLATE_HEADER:
        if (has_control(value)) {
            error_set(err, ERROR_FAILED, "holds a control character and cannot stand in a header");
            return -1;
        }
        break;
    case TEMPLATE_PLAIN:
        if (value.length > 0 && memchr(value.data, '\0', value.length) != NULL) {
            error_set(err, ERROR_FAILED, "holds a NUL character and cannot be sent");
            return -1;
        }
        break;
    }
    text_append(out, value.data, value.length);
    return 0;
}

static int put_value(struct text *out, const struct placeholder *p,
                     const struct template_value *value, enum template_escape escape,
                     struct error *err)
{
    struct text time = {0};
    int rc;

    if (!value->is_time)
        return put_escaped(out, value->text, escape, err);
    time_format_write(&time, p->format, value->at_ms, value->offset_ms);
    if (text_failed(&time))
        out->failed = true;
    rc = put_escaped(out, (struct slice){time.data, time.length}, escape, err);
    text_free(&time);
    return rc;
}

/* %2E is a dot too: "%2E." and ".." are one (RFC 3986, 6.2.2). */
static size_t dot_at(struct slice path, size_t i)
{
    if (byte_at(path, i) == '.')
        return 1;
    return i + 3 <= path.length && strncasecmp(path.data + i, "%2e", 3) == 0 ? 3 : 0;
}

/* Whether a part of the URL's path is one or two dots, which would lead elsewhere. */
static bool has_dot_part(struct slice url)
{
    const char *separator = url.length == 0 ? NULL : memmem(url.data, url.length, "://", 3);
    size_t i = separator == NULL ? 0 : (size_t)(separator - url.data) + 3;

    for (;;) {
        size_t dots = 0;
        size_t length;

        while (i < url.length && strchr("/?", url.data[i]) == NULL)
            i++;
        if (byte_at(url, i) != '/')
            return false;
        for (i++; (length = dot_at(url, i)) > 0; dots++)
            i += length;
        if ((dots == 1 || dots == 2) && (i >= url.length || strchr("/?", url.data[i]) != NULL))
            return true;
    }
}

int template_render(struct slice text, enum template_escape escape, template_find_fn *find,
                    const void *context, struct text *out, struct error *err)
{
    size_t start = out->length;
    struct placeholder p;
    struct slice literal;
    size_t place = 0;

    while (next_piece(text, &place, &literal, &p)) {
        struct template_value value = {0};
        int rc = 0;

        if (literal.length > 0) {
            text_append(out, literal.data, literal.length);
            continue;
        }
        if (find(context, &p, &value)) {
            rc = put_value(out, &p, &value, escape, err);
        } else {
            error_set(err, ERROR_FAILED, "has no value");
            rc = -1;
        }
        if (rc == -1) {
            error_wrap(err, "{%.*s%s%.*s}", (int)p.word.length, p.word.data,
                       p.member.data == NULL ? "" : ".", (int)p.member.length,
                       p.member.data == NULL ? "" : p.member.data);
            return -1;
        }
    }
    if (escape == TEMPLATE_URL && !text_failed(out) &&
        has_dot_part((struct slice){text_string(out) + start, out->length - start})) {
        error_set(err, ERROR_FAILED,
                  "a value made a part of the path . or .., which leads elsewhere");
        return -1;
    }
    return 0;
}
