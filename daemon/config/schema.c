/*
 * The JSON Schema (draft 2020-12) of the configuration, for editors that complete and check YAML.
 *
 * It describes one file at a time; what binds keys to each other is for `gatherd check`. A value
 * that is not text may also be a string that holds a variable.
 */
#include <string.h>

#include "config/load.h"

static void put_string(struct text *out, const char *string)
{
    text_json_string(out, string, strlen(string));
}

/* Kinds whose text is JSON as it stands. */
static bool is_json_value(const struct key *key)
{
    switch (key->kind) {
    case KIND_BOOLEAN:
    case KIND_COUNT:
    case KIND_NAMES:
    case KIND_NAME_LISTS:
    case KIND_VIEWS:
    case KIND_NULL_VALUES:
    case KIND_CONSTANT:
    case KIND_HEADERS:
    case KIND_PARAMS:
    case KIND_BODY:
    case KIND_FIELDS:
    case KIND_ITEMS:
    case KIND_GROUP:
    case KIND_OBJECT:
    case KIND_OBJECT_LIST:
    case KIND_OBJECT_MAP:
    case KIND_DEFAULTS:
    case KIND_INCLUDE:
    case KIND_SOURCES:
        return true;
    default:
        return false;
    }
}

/* Examples and defaults are kept as text; lists and mappings are JSON already. */
static void put_value(struct text *out, const struct key *key, const char *value)
{
    if (is_json_value(key) || *value == '[')
        text_add(out, value);
    else
        put_string(out, value);
}

static void put_choices(struct text *out, const struct choice *choices)
{
    text_add(out, "\"anyOf\": [{\"enum\": [");
    for (const struct choice *c = choices; c->name != NULL; c++) {
        text_add(out, c == choices ? "" : ", ");
        put_string(out, c->name);
        if (scalar_class(c->name, strlen(c->name)) != SCALAR_TEXT)
            text_format(out, ", %s", c->name);
    }
    text_add(out, "]}, {\"$ref\": \"#/$defs/variable\"}]");
}

static void put_count(struct text *out, const struct key *key)
{
    text_format(out,
                "\"anyOf\": [{\"type\": \"integer\", \"minimum\": %lld, \"maximum\": %lld}, "
                "{\"$ref\": \"#/$defs/variable\"}]",
                (long long)key->low, (long long)key->high);
}

static void put_properties(struct text *out, const struct key_set *set, int depth, bool defaults);

static void put_indent(struct text *out, int depth)
{
    text_format(out, "\n%*s", depth * 2, "");
}

/* Several mappings of one set: `opening` comes before what each of them is. */
static void put_elements(struct text *out, const char *opening, const struct key_set *set,
                         int depth)
{
    text_add(out, opening);
    put_indent(out, depth + 1);
    if (set->definition != NULL)
        text_format(out, "\"$ref\": \"#/$defs/%s\"", set->definition);
    else
        put_properties(out, set, depth + 1, false);
    put_indent(out, depth);
    text_char(out, '}');
}

static void put_kind(struct text *out, const struct key *key, int depth)
{
    static const char *const fixed[KIND_COUNT_OF_KINDS] = {
        [KIND_BOOLEAN] = "\"anyOf\": [{\"type\": \"boolean\"}, {\"$ref\": \"#/$defs/variable\"}]",
        [KIND_DURATION] = "\"$ref\": \"#/$defs/duration\"",
        [KIND_SIZE] = "\"$ref\": \"#/$defs/size\"",
        [KIND_PERCENT] = "\"type\": \"string\", \"pattern\": \"^[0-9]+%$|\\\\$\\\\{\"",
        [KIND_SPAN] = "\"anyOf\": [{\"$ref\": \"#/$defs/duration\"}, {\"type\": \"integer\", "
                      "\"minimum\": 1}]",
        [KIND_DATABASE] = "\"type\": \"string\", \"minLength\": 1",
        [KIND_FILE] = "\"type\": \"string\", \"minLength\": 1",
        [KIND_TEXT] = "\"type\": [\"string\", \"number\"]",
        [KIND_NAME] = "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9_.-]{1,128}$|\\\\$\\\\{\"",
        [KIND_URL] = "\"type\": \"string\", \"pattern\": "
                     "\"^[Hh][Tt][Tt][Pp][Ss]?://[^/?{}]+([/?]|$)|\\\\$\\\\{\"",
        [KIND_PROXY] = "\"type\": \"string\", \"pattern\": \"^(https?|socks5h?)://|\\\\$\\\\{\"",
        [KIND_ENDPOINT] =
            "\"type\": \"string\", \"pattern\": \"^[Hh][Tt][Tt][Pp][Ss]?://|\\\\$\\\\{\"",
        [KIND_TABLE] =
            "\"type\": \"string\", \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]{0,127}$|\\\\$\\\\{\"",
        [KIND_PATH] = "\"$ref\": \"#/$defs/path\"",
        [KIND_CRON] =
            "\"type\": \"string\", \"pattern\": \"^\\\\s*(@[a-z]+|\\\\S+(\\\\s+\\\\S+){4})"
            "\\\\s*$|\\\\$\\\\{\"",
        [KIND_TIMEZONE] = "\"type\": \"string\", \"minLength\": 1",
        [KIND_NAMES] = "\"$ref\": \"#/$defs/names\"",
        [KIND_NAME_LISTS] = "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/names\"}",
        [KIND_VIEWS] = "\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}",
        [KIND_NULL_VALUES] = "\"type\": [\"string\", \"number\", \"boolean\", \"array\"], "
                             "\"items\": {\"type\": [\"string\", \"number\", \"boolean\"]}",
        [KIND_PATTERN] = "\"type\": \"string\", \"pattern\": \"%|\\\\$\\\\{\"",
        [KIND_CONSTANT] = "\"type\": [\"string\", \"number\", \"boolean\", \"object\", \"array\"]",
        [KIND_HEADERS] = "\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", "
                         "\"number\", \"boolean\"]}",
        [KIND_PARAMS] = "\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", "
                        "\"number\", \"boolean\", \"array\"], \"items\": {\"type\": [\"string\", "
                        "\"number\", \"boolean\"]}}",
        [KIND_BODY] = "\"type\": [\"string\", \"object\", \"array\"]",
        [KIND_STATUS_CODES] = "\"anyOf\": [{\"$ref\": \"#/$defs/status\"}, {\"type\": \"array\", "
                              "\"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/status\"}}]",
        [KIND_FIELDS] = "\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": "
                        "{\"anyOf\": [{\"$ref\": \"#/$defs/path\"}, {\"$ref\": "
                        "\"#/$defs/field\"}]}",
        [KIND_ITEMS] =
            "\"type\": \"array\", \"items\": {\"type\": [\"string\", \"number\", "
            "\"boolean\", \"object\"], \"additionalProperties\": {\"type\": [\"string\", "
            "\"number\", \"boolean\"]}}",
        [KIND_SECRET] = "\"$ref\": \"#/$defs/secret\"",
        [KIND_DEFAULTS] = "\"$ref\": \"#/$defs/defaults\"",
        [KIND_INCLUDE] = "\"$ref\": \"#/$defs/names\"",
        [KIND_SOURCES] = "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/source\"}",
    };

    if (key->kind == KIND_CHOICE)
        put_choices(out, key->choices);
    else if (key->kind == KIND_COUNT)
        put_count(out, key);
    else if (key->kind == KIND_GROUP || key->kind == KIND_OBJECT)
        put_properties(out, key->keys, depth, false);
    else if (key->kind == KIND_OBJECT_LIST)
        put_elements(out, "\"type\": \"array\", \"items\": {", key->keys, depth);
    else if (key->kind == KIND_OBJECT_MAP)
        put_elements(out, "\"type\": \"object\", \"additionalProperties\": {", key->keys, depth);
    else
        text_add(out, fixed[key->kind]);
}

static void put_key(struct text *out, const struct key *key, int depth)
{
    put_string(out, key->name);
    text_add(out, ": {");
    put_indent(out, depth + 1);
    text_add(out, "\"description\": ");
    put_string(out, key->about);
    text_char(out, ',');
    put_indent(out, depth + 1);
    if (key->fallback != NULL) {
        text_add(out, "\"default\": ");
        put_value(out, key, key->fallback);
        text_char(out, ',');
        put_indent(out, depth + 1);
    }
    text_add(out, "\"examples\": [");
    put_value(out, key, key->example);
    text_add(out, "],");
    put_indent(out, depth + 1);
    put_kind(out, key, depth + 1);
    put_indent(out, depth);
    text_char(out, '}');
}

/* The key that names a file with the secret. */
static void put_twin(struct text *out, const struct key *key, int depth)
{
    text_char(out, ',');
    put_indent(out, depth);
    put_string(out, key->twin);
    text_add(out, ": {");
    put_indent(out, depth + 1);
    text_add(out, "\"description\": ");
    put_string(out, TWIN_ABOUT);
    text_add(out, ",");
    put_indent(out, depth + 1);
    text_add(out, "\"type\": \"string\", \"minLength\": 1");
    put_indent(out, depth);
    text_char(out, '}');
}

static void put_required(struct text *out, const struct key_set *set, int depth)
{
    bool any = false;

    for (size_t i = 0; i < set->count; i++) {
        if (!set->keys[i].required || set->keys[i].twin != NULL) /* the twin will do */
            continue;
        if (!any) {
            text_char(out, ',');
            put_indent(out, depth);
        }
        text_add(out, any ? ", " : "\"required\": [");
        put_string(out, set->keys[i].name);
        any = true;
    }
    if (any)
        text_char(out, ']');
}

/* The inside of an object's schema. x- keys are the operator's own; << is YAML's. */
static void put_properties(struct text *out, const struct key_set *set, int depth, bool defaults)
{
    bool first = true;

    text_add(out, "\"type\": \"object\",");
    put_indent(out, depth);
    text_add(out, "\"additionalProperties\": false,");
    put_indent(out, depth);
    text_add(out, "\"patternProperties\": {\"^(x-.*|<<)$\": {}},");
    put_indent(out, depth);
    text_add(out, "\"properties\": {");
    for (size_t i = 0; i < set->count; i++) {
        if (defaults && set->keys[i].own)
            continue;
        text_add(out, first ? "" : ",");
        put_indent(out, depth + 1);
        put_key(out, &set->keys[i], depth + 1);
        if (set->keys[i].twin != NULL)
            put_twin(out, &set->keys[i], depth + 1);
        first = false;
    }
    put_indent(out, depth);
    text_char(out, '}');
    if (!defaults)
        put_required(out, set, depth);
}

static void put_definition(struct text *out, const char *name, const struct key_set *set,
                           bool defaults)
{
    text_add(out, ",");
    put_indent(out, 2);
    put_string(out, name);
    text_add(out, ": {");
    put_indent(out, 3);
    put_properties(out, set, 3, defaults);
    put_indent(out, 2);
    text_char(out, '}');
}

void config_write_schema(struct text *out)
{
    text_add(out, "{\n"
                  "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                  "  \"title\": \"gatherd configuration\",\n"
                  "  ");
    put_properties(out, &root_key_set, 1, false);
    text_add(
        out,
        ",\n"
        "  \"$defs\": {\n"
        "    \"variable\": {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"},\n"
        "    \"duration\": {\"type\": \"string\", \"pattern\": "
        "\"^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$|\\\\$\\\\{\"},\n"
        "    \"size\": {\"type\": \"string\", \"pattern\": "
        "\"^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)$|\\\\$\\\\{\"},\n"
        "    \"path\": {\"type\": \"string\", \"pattern\": \"^\\\\$\"},\n"
        "    \"secret\": {\"anyOf\": [{\"type\": [\"string\", \"number\"], \"minLength\": 1}, "
        "{\"$ref\": \"#/$defs/credential\"}]},\n"
        "    \"names\": {\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}},\n"
        "    \"status\": {\"type\": [\"integer\", \"string\"], \"minimum\": 200, \"maximum\": 599, "
        "\"pattern\": \"^[2-5][0-9]{2}(-[2-5][0-9]{2})?$|\\\\$\\\\{\"}");
    put_definition(out, "source", &source_key_set, false);
    put_definition(out, "defaults", &source_key_set, true);
    put_definition(out, child_key_set.definition, &child_key_set, false);
    put_definition(out, "field", &field_key_set, false);
    put_definition(out, "credential", &secret_key_set, false);
    text_add(out, "\n  }\n}\n");
}
