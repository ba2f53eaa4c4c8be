/* The keys of `xml`, and what binds them. */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"

enum xml_key { KEY_NAMESPACES, KEY_ARRAYS };

static const struct key xml_keys[] = {
    [KEY_NAMESPACES] = {.name = "namespaces",
                        .kind = KIND_PARAMS,
                        LIST_TO(struct xml_rules, namespaces, namespace_count),
                        .instead = "names have the document's own prefixes",
                        .about = "What prefix the names of a namespace have here, whatever the "
                                 "document calls it: a prefix and a URI each.",
                        .example = "{\"media\": \"http://search.yahoo.com/mrss/\"}"},
    [KEY_ARRAYS] = {.name = "arrays",
                    .kind = KIND_NAMES,
                    LIST_TO(struct xml_rules, arrays, array_count),
                    RANGE(0, ANY_NUMBER),
                    .instead = "those that a path says it of, as in $.list.item[*]",
                    .about = "Elements that are an array even where there is only one; and where "
                             "records ends at one of them, none is an answer without records.",
                    .example = "[\"item\", \"media:content\"]"},
};

/* A prefix in ASCII: a letter or _, then also digits, "-" and ".". */
static bool is_prefix(const char *text)
{
    static const char first[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char more[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

    return *text != '\0' && strchr(first, *text) != NULL && text[strspn(text, more)] == '\0';
}

/* What is wrong with a prefix and its URI, or NULL. */
static const char *namespace_problem(const struct xml_rules *rules, size_t i)
{
    const struct name_value *namespace = &rules->namespaces[i];

    if (!is_prefix(namespace->name))
        return "is no prefix; use letters, digits, _, - and ., a letter or _ first";
    if (strcasecmp(namespace->name, "xml") == 0 || strcasecmp(namespace->name, "xmlns") == 0)
        return "is a prefix of XML itself, and needs no declaration";
    if (namespace->value[0] == '\0')
        return "has no URI; write the one that the document declares with xmlns";
    for (size_t k = 0; k < i; k++) {
        if (strcmp(rules->namespaces[k].name, namespace->name) == 0)
            return "has more than one URI; give each a prefix of its own";
        if (strcmp(rules->namespaces[k].value, namespace->value) == 0)
            return "has the URI of another prefix; keep one of them";
    }
    return NULL;
}

static bool check_xml(struct load *load, const struct where *where, struct item *item, void *object,
                      const struct given *given)
{
    const struct xml_rules *rules = object;
    struct where here = where_key(where, xml_keys[KEY_NAMESPACES].name);

    (void)item;
    for (size_t i = 0; is_sound(given, KEY_NAMESPACES) && i < rules->namespace_count; i++) {
        const char *problem = namespace_problem(rules, i);

        if (problem == NULL)
            continue;
        load_mistake(load, place_of(load, given->at[KEY_NAMESPACES]), &here, "%s %s",
                     rules->namespaces[i].name, problem);
        return false;
    }
    return true;
}

const struct key_set xml_key_set = {
    .title = "sources[].xml",
    .holder = "xml",
    .keys = xml_keys,
    .count = COUNT(xml_keys),
    .size = sizeof(struct xml_rules),
    .check = check_xml,
};
