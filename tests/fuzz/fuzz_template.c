/*
 * Any text, up to its first NUL, as a template: what its check accepts can be rendered, values
 * never become structure, and text of others put before, between and behind comes back as it is.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char foreign[] = "{now} {{\"\r\n%/?#{";

static bool find(const void *context, const struct placeholder *p, struct template_value *value)
{
    (void)context;
    if (p->name <= TEMPLATE_NOW)
        *value = (struct template_value){
            .is_time = true, .at_ms = 1773029106078LL, .offset_ms = 7200000};
    else
        *value = (struct template_value){.text = {foreign, sizeof(foreign)}};
    return true;
}

/* Whether every placeholder is fit to be rendered; they follow each other and lie in the text. */
static bool check(struct slice text)
{
    struct placeholder p;
    size_t place = 0;
    size_t before = 0;
    bool good = true;

    while (template_next(text, &place, &p)) {
        struct error err = {0};

        assert(p.offset >= before && p.whole.data == text.data + p.offset);
        assert(place == p.offset + p.whole.length && place <= text.length);
        before = place;
        if (template_check(&p, &err) == -1) {
            assert(err.text[0] != '\0');
            good = false;
        }
    }
    return good;
}

static size_t count(const char *set, struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.length; i++)
        n += text.data[i] == '\0' || strchr(set, text.data[i]) != NULL;
    return n;
}

/* No value adds one of the characters that its place gives a meaning. */
static void render(struct slice text)
{
    struct text out = {0};
    struct error err = {0};

    assert(template_render(text, TEMPLATE_QUERY, find, NULL, &out, &err) == 0);
    assert(count("/?#&=\"\r\n ", (struct slice){out.data, out.length}) <=
           count("/?#&=\"\r\n ", text));
    text_clear(&out);
    assert(template_render(text, TEMPLATE_JSON, find, NULL, &out, &err) == 0);
    assert(count("\r\n\t", (struct slice){out.data, out.length}) <= count("\r\n\t", text));
    text_clear(&out);
    if (template_render(text, TEMPLATE_URL, find, NULL, &out, &err) == 0)
        assert(strstr(text_string(&out), "/../") == NULL ||
               strchr(text_string(&out), '?') != NULL || strstr(text_string(&out), "://") != NULL);
    text_clear(&out);
    err = (struct error){0};
    if (template_render(text, TEMPLATE_HEADER, find, NULL, &out, &err) == 0)
        assert(count("\r\n", (struct slice){out.data, out.length}) <= count("\r\n", text));
    text_free(&out);
}

static void surround(struct slice text)
{
    struct text template = {0};
    struct text out = {0};
    size_t length = strlen(foreign);

    template_add_literal(&template, foreign, length);
    text_append(&template, text.data, text.length);
    if (!template_is_open(text)) {
        template_add_literal(&template, foreign, length);
        text_add(&template, "}");
    }
    assert(template_render((struct slice){template.data, template.length}, TEMPLATE_QUERY, find,
                           NULL, &out, NULL) == 0);
    assert(out.length >= length && memcmp(out.data, foreign, length) == 0);
    if (!template_is_open(text))
        assert(out.length > 2 * length &&
               memcmp(out.data + out.length - length - 1, foreign, length) == 0);
    text_free(&template);
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    struct slice text;

    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    text = slice_of(copy);
    if (check(text)) {
        render(text);
        surround(text);
    }
    free(copy);
    return 0;
}
