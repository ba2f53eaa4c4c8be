/*
 * ${VAR}, ${VAR:-default} and ${VAR:?message} in scalar values; $${ stands for ${ itself.
 *
 * Variables are filled in after YAML has been parsed, so what they hold can never become structure;
 * nor can it become a placeholder: in a template their braces, and that of $${, are text.
 */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/masks.h"
#include "gatherd/template.h"

struct reference {
    struct slice name;
    char form;         /* '}' plain, '-' with a default, '?' with a message */
    struct slice rest; /* the default or the message */
    const char *end;   /* behind the closing brace */
};

static size_t name_length(const char *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t length = strspn(p, letters);

    return length == 0 ? 0
                       : length + strspn(p + length, "abcdefghijklmnopqrstuvwxyz"
                                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}

/* Reads "${...}" at `p`; NULL, or what is wrong with it. */
static const char *parse_reference(const char *p, struct reference *ref)
{
    const char *close = strchr(p, '}');
    const char *name = p + 2;
    size_t length = name_length(name);
    const char *behind = name + length;

    if (close == NULL)
        return "${ is not closed; write ${NAME}, or $${ for the characters ${";
    if (length == 0)
        return "no variable name after ${; write letters, digits and _, as in ${API_TOKEN}, or "
               "$${ for the characters ${";
    ref->name = (struct slice){name, length};
    ref->form = *behind == ':' ? behind[1] : *behind;
    ref->end = close + 1;
    if (behind == close)
        return NULL;
    if (*behind != ':' || (ref->form != '-' && ref->form != '?'))
        return "not a form that is understood; write ${NAME}, ${NAME:-default} or "
               "${NAME:?message}";
    ref->rest = (struct slice){behind + 2, (size_t)(close - behind - 2)};
    if (memmem(ref->rest.data, ref->rest.length, "${", 2) != NULL)
        return "a default or message cannot hold another ${...}; write plain text";
    return NULL;
}

static bool is_utf8(const char *value)
{
    struct yaml_problem ignored;

    return encoding_check(value, strlen(value), &ignored) == 0;
}

/* A scalar with its variables filled in, and the same as it may be shown. */
struct expansion {
    struct text text;
    struct text shown; /* only where it is asked for: see masks.h */
};

static void add_plain(struct load *load, struct expansion *out, const char *text, size_t length)
{
    text_append(&out->text, text, length);
    if (load->masks != NULL)
        text_append(&out->shown, text, length);
}

/* In a template, what comes from outside of the file holds no placeholder. */
static void add_literal(struct load *load, const struct scalar *scalar, struct expansion *out,
                        const char *text, size_t length)
{
    if (!scalar->is_template) {
        add_plain(load, out, text, length);
        return;
    }
    template_add_literal(&out->text, text, length);
    if (load->masks != NULL)
        template_add_literal(&out->shown, text, length);
}

static void add_value(struct load *load, const struct scalar *scalar, struct expansion *out,
                      const char *value)
{
    if (scalar->is_template)
        template_add_literal(&out->text, value, strlen(value));
    else
        text_add(&out->text, value);
    if (*value == '\0')
        return;
    load->tainted = true;
    if (load->masks == NULL)
        return;
    text_add(&out->shown, MASK);
    masks_variable(load, value);
}

/* Appends what the reference stands for. */
static bool expand(struct load *load, struct place place, const struct where *where,
                   const struct scalar *scalar, const struct reference *ref, struct expansion *out)
{
    char name[256];
    const char *value;

    if (ref->name.length >= sizeof(name)) {
        load_mistake(load, place, where, "the variable's name is too long");
        return false;
    }
    memcpy(name, ref->name.data, ref->name.length);
    name[ref->name.length] = '\0';
    value = getenv(name);
    if (value != NULL && !is_utf8(value)) {
        load_mistake(load, place, where,
                     "the environment variable %s does not hold UTF-8 text; mend it", name);
        return false;
    }
    if (value != NULL && (*value != '\0' || ref->form == '}')) {
        add_value(load, scalar, out, value);
        return true;
    }
    if (ref->form == '-') {
        add_literal(load, scalar, out, ref->rest.data, ref->rest.length);
        return true;
    }
    if (ref->form == '?' && ref->rest.length > 0)
        load_mistake(load, place, where, "the environment variable %s is %s: %s", name,
                     value == NULL ? "not set" : "empty",
                     load_quote(load, ref->rest.data, ref->rest.length));
    else
        load_mistake(load, place, where,
                     "the environment variable %s is %s; set it, or write ${%s:-default}", name,
                     value == NULL ? "not set" : "empty", name);
    return false;
}

/* In a template: `written` is what stands before the reference, from the last one on. */
static const char *template_problem(struct slice written, const struct reference *ref)
{
    if (template_is_open(written))
        return "a variable cannot stand inside of a placeholder; write {{ for the character {";
    if (ref->rest.length > 0 && memchr(ref->rest.data, '{', ref->rest.length) != NULL)
        return "a default cannot hold a placeholder; write it without the variable, or without {";
    return NULL;
}

/* What $${ stands for. In a template its brace is text and doubled, if it was not written so. */
static void add_brace(struct load *load, const struct scalar *scalar, struct expansion *out,
                      const char **end)
{
    if (scalar->is_template && **end == '{')
        (*end)++;
    if (scalar->is_template)
        add_plain(load, out, "${{", 3);
    else
        add_plain(load, out, "${", 2);
}

/* Goes on after a mistake, so that all unset variables of a scalar are named. */
static bool expand_all(struct load *load, const struct where *where, const struct scalar *scalar,
                       struct expansion *out, bool *substituted)
{
    const char *p = scalar->text;
    size_t characters = 0; /* before p */
    size_t seam = 0;       /* where in `out` the last reference ends */
    bool good = true;

    while (*p != '\0') {
        struct place place = place_in(load, scalar->item, characters);
        struct reference ref = {.end = p + 1};
        const char *wrong = NULL;

        if (strncmp(p, "$${", 3) == 0) {
            ref.end = p + 3;
            add_brace(load, scalar, out, &ref.end);
        } else if (strncmp(p, "${", 2) == 0) {
            wrong = parse_reference(p, &ref);
            if (wrong == NULL && scalar->is_template)
                wrong = template_problem(
                    (struct slice){text_string(&out->text) + seam, out->text.length - seam}, &ref);
            good = wrong == NULL && expand(load, place, where, scalar, &ref, out) && good;
            seam = out->text.length;
            *substituted = true;
        } else {
            add_plain(load, out, p, 1);
        }
        if (wrong == NULL && out->text.length > YAML_MAX_BYTES)
            wrong = "longer than 1 MiB with its variables filled in; use shorter ones";
        if (wrong != NULL) {
            load_mistake(load, place, where, "%s", wrong);
            return false;
        }
        characters += count_characters(p, (size_t)(ref.end - p));
        p = ref.end;
    }
    return good;
}

bool load_substitute(struct load *load, const struct where *where, struct scalar *scalar)
{
    struct expansion out = {0};
    bool good;

    if (strstr(scalar->text, "${") == NULL)
        return true;
    good = expand_all(load, where, scalar, &out, &scalar->substituted);
    if (good) {
        scalar->length = out.text.length;
        scalar->text = arena_copy(load->items, text_string(&out.text), out.text.length);
        if (load->masks != NULL)
            masks_text(load, &out.text, &out.shown);
        if (text_failed(&out.text) || scalar->text == NULL) {
            load_out_of_memory(load);
            good = false;
        }
    }
    text_free(&out.text);
    text_free(&out.shown);
    return good;
}
