#include <string.h>

#include "config/load.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* [-+]? digits, and with `real` also a fraction, an exponent, .inf and .nan (YAML 1.2, 10.3.2). */
static bool is_number(const char *text, bool real)
{
    static const char digits[] = "0123456789";
    const char *p = text + (*text == '-' || *text == '+');
    size_t whole = strspn(p, digits);
    size_t fraction = 0;

    if (real && (strcasecmp(p, ".inf") == 0 || strcasecmp(text, ".nan") == 0))
        return true;
    p += whole;
    if (real && *p == '.') {
        fraction = strspn(p + 1, digits);
        p += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (real && (*p == 'e' || *p == 'E')) {
        const char *exponent = p + 1 + (p[1] == '-' || p[1] == '+');
        size_t length = strspn(exponent, digits);

        p = length == 0 ? p : exponent + length;
    }
    return *p == '\0';
}

enum scalar_class scalar_class(const char *text, size_t length)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const booleans[] = {"true", "false", NULL};

    if (strlen(text) != length)
        return SCALAR_TEXT;
    if (is_one_of(text, nothing))
        return SCALAR_NULL;
    if (is_one_of(text, booleans))
        return SCALAR_BOOLEAN;
    if (is_number(text, false))
        return SCALAR_INTEGER;
    return is_number(text, true) ? SCALAR_REAL : SCALAR_TEXT;
}

const char *item_words(const struct item *item)
{
    if (item->kind == ITEM_LIST)
        return "a list";
    if (item->kind == ITEM_MAPPING)
        return "a mapping";
    if (!item->plain)
        return "text";
    switch (scalar_class(item->text, item->length)) {
    case SCALAR_NULL:
        return "nothing";
    case SCALAR_BOOLEAN:
        return "a boolean";
    case SCALAR_INTEGER:
    case SCALAR_REAL:
        return "a number";
    case SCALAR_TEXT:
        break;
    }
    return "text";
}

void refuse_kind(struct load *load, const struct where *where, const struct item *item,
                 const char *expected)
{
    bool nothing = item->kind == ITEM_SCALAR && item->plain &&
                   scalar_class(item->text, item->length) == SCALAR_NULL;

    if (nothing)
        load_mistake(load, place_of(load, item), where, "has no value; write %s, or remove it",
                     expected);
    else
        load_mistake(load, place_of(load, item), where, "found %s; write %s", item_words(item),
                     expected);
}

void refuse_kind_of(struct load *load, const struct where *where, const struct item *item,
                    const struct key *key)
{
    struct text expected = {0};

    write_expected(&expected, key);
    refuse_kind(load, where, item, text_string(&expected));
    text_free(&expected);
}

static bool read_scalar(struct load *load, const struct where *where, struct item *item,
                        const char *expected, bool is_template, struct scalar *scalar)
{
    if (item->kind != ITEM_SCALAR ||
        (item->plain && scalar_class(item->text, item->length) == SCALAR_NULL)) {
        refuse_kind(load, where, item, expected);
        return false;
    }
    *scalar = (struct scalar){.text = item->text,
                              .length = item->length,
                              .plain = item->plain,
                              .is_template = is_template,
                              .item = item};
    if (memchr(item->text, '\0', item->length) != NULL) {
        load_mistake(load, place_of(load, item), where, "holds a NUL character; remove \\0");
        return false;
    }
    return load_substitute(load, where, scalar);
}

bool load_scalar(struct load *load, const struct where *where, struct item *item,
                 const char *expected, struct scalar *scalar)
{
    return read_scalar(load, where, item, expected, false, scalar);
}

bool load_template(struct load *load, const struct where *where, struct item *item,
                   const char *expected, struct scalar *scalar)
{
    return read_scalar(load, where, item, expected, true, scalar);
}

bool require_text(struct load *load, const struct where *where, const char *expected,
                  const struct scalar *scalar)
{
    if (!scalar->plain || scalar->substituted ||
        scalar_class(scalar->text, scalar->length) == SCALAR_TEXT)
        return true;
    load_mistake(load, place_of(load, scalar->item), where,
                 "%s is %s, and this key takes %s; put it in quotes if it is meant so",
                 load_quote_scalar(load, scalar), item_words(scalar->item), expected);
    return false;
}

bool load_text(struct load *load, const struct where *where, struct item *item,
               const char *expected, struct scalar *scalar)
{
    return load_scalar(load, where, item, expected, scalar) &&
           require_text(load, where, expected, scalar);
}
