#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

/* A quoted text is cut to about so many bytes. */
#define MOST_QUOTED 60

struct where where_text(const struct where *up, const char *name, size_t length)
{
    return (struct where){.up = up, .name = name, .length = length};
}

struct where where_key(const struct where *up, const char *name)
{
    return where_text(up, name, strlen(name));
}

struct where where_index(const struct where *up, size_t index)
{
    return (struct where){.up = up, .index = index};
}

struct place place_of(const struct load *load, const struct item *item)
{
    return (struct place){load->file, item->line, item->column};
}

struct place place_in(const struct load *load, const struct item *item, size_t offset)
{
    struct place place = place_of(load, item);

    if (item->exact)
        place.column = item->text_column + (unsigned)offset;
    return place;
}

/* Characters that can make a line lie: controls, invisible marks, bidirectional overrides. */
static bool is_harmful(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The next character of text that is known to be UTF-8. */
static unsigned next_character(const char *p, size_t *size)
{
    unsigned char first = (unsigned char)*p;
    unsigned code;

    *size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    code = *size == 1 ? first : first & (0xffu >> (*size + 1));
    for (size_t i = 1; i < *size; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3fu);
    return code;
}

static void put_quoted(struct text *out, const char *text, size_t length)
{
    size_t size;

    text_char(out, '"');
    for (size_t i = 0; i < length; i += size) {
        unsigned code = next_character(text + i, &size);

        if (i >= MOST_QUOTED) {
            text_add(out, "...");
            break;
        }
        if (code == '"' || code == '\\')
            text_format(out, "\\%c", (char)code);
        else if (code == '\n' || code == '\t')
            text_add(out, code == '\n' ? "\\n" : "\\t");
        else if (is_harmful(code))
            text_format(out, "\\u%04X", code);
        else
            text_append(out, text + i, size);
    }
    text_char(out, '"');
}

/* A text that was built moves to the notes, where it lives until the end of the load. */
static const char *keep_note(struct load *load, struct text *text)
{
    char *copy =
        text_failed(text) ? NULL : arena_copy(load->notes, text_string(text), text->length);

    text_free(text);
    if (copy == NULL)
        load_out_of_memory(load);
    return copy == NULL ? "" : copy;
}

const char *load_quote(struct load *load, const char *text, size_t length)
{
    struct text out = {0};

    put_quoted(&out, text, length);
    return keep_note(load, &out);
}

const char *load_quote_scalar(struct load *load, const struct scalar *scalar)
{
    struct text out = {0};

    put_quoted(&out, scalar->item->text, scalar->item->length);
    if (scalar->substituted)
        text_add(&out, " (with its variables filled in)");
    return keep_note(load, &out);
}

static bool is_simple_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '<'))
            return false;
    }
    return length > 0 && length <= MOST_QUOTED;
}

static void put_where(struct text *out, const struct where *where)
{
    if (where->up != NULL)
        put_where(out, where->up);
    if (where->name == NULL) {
        text_format(out, "[%zu]", where->index);
    } else if (is_simple_name(where->name, where->length)) {
        if (where->up != NULL)
            text_char(out, '.');
        text_append(out, where->name, where->length);
    } else {
        text_char(out, '[');
        put_quoted(out, where->name, where->length);
        text_char(out, ']');
    }
}

/* Up to MOST_MISTAKES are kept, mistakes and warnings together. */
static void note(struct load *load, struct place place, const struct where *where, bool is_warning,
                 const char *format, va_list args)
{
    struct text text = {0};
    char *what = NULL;

    if (load->mistake_count >= MOST_MISTAKES ||
        !load_room(load, &load->mistakes, load->mistake_count, &load->mistake_capacity,
                   sizeof(load->mistakes[0])))
        return;
    if (vasprintf(&what, format, args) == -1) {
        load_out_of_memory(load);
        return;
    }
    if (where != NULL) {
        put_where(&text, where);
        text_add(&text, ": ");
    }
    text_add(&text, what);
    free(what);
    load->mistakes[load->mistake_count] =
        (struct mistake){place, load->mistake_count, keep_note(load, &text), is_warning};
    load->mistake_count++;
}

void load_mistake(struct load *load, struct place place, const struct where *where,
                  const char *format, ...)
{
    va_list args;

    load->errors++;
    va_start(args, format);
    note(load, place, where, false, format, args);
    va_end(args);
}

void load_warning(struct load *load, struct place place, const struct where *where,
                  const char *format, ...)
{
    va_list args;

    load->warnings++;
    va_start(args, format);
    note(load, place, where, true, format, args);
    va_end(args);
}

void load_out_of_memory(struct load *load)
{
    load->out_of_memory = true;
}

static int compare_mistakes(const void *a, const void *b)
{
    const struct mistake *x = a;
    const struct mistake *y = b;

    if (x->place.file != y->place.file)
        return x->place.file < y->place.file ? -1 : 1;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column)
        return x->place.column < y->place.column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void put_mistake(const struct load *load, const struct mistake *m, struct text *out)
{
    text_add(out, load->files[m->place.file]);
    if (m->place.line > 0)
        text_format(out, ":%u:%u", m->place.line, m->place.column);
    text_format(out, ": %s: %s\n", m->is_warning ? "warning" : "error", m->text);
}

void load_report(struct load *load, struct config_report *report)
{
    if (load->mistake_count > 0)
        qsort(load->mistakes, load->mistake_count, sizeof(load->mistakes[0]), compare_mistakes);
    for (size_t i = 0; i < load->mistake_count; i++)
        put_mistake(load, &load->mistakes[i], &report->text);
    if (load->errors + load->warnings > MOST_MISTAKES)
        text_format(&report->text, "%s: error: and %u more mistakes\n", load->files[0],
                    load->errors + load->warnings - MOST_MISTAKES);
    if (load->out_of_memory) {
        load->errors++;
        text_add(&report->text, "error: out of memory while reading the configuration\n");
    }
    report->errors += load->errors;
    report->warnings += load->warnings;
}
