/* Values that are one word: booleans, numbers, durations, sizes, choices. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "gatherd/units.h"

void store_number(const struct key *key, void *target, int64_t value)
{
    char *place = (char *)target + key->offset;
    unsigned narrow = (unsigned)value;
    uint8_t byte = (uint8_t)value;

    switch (key->width) {
    case 0: /* checked, and there is nothing to keep */
        break;
    case sizeof(byte):
        memcpy(place, &byte, sizeof(byte));
        break;
    case sizeof(narrow):
        memcpy(place, &narrow, sizeof(narrow));
        break;
    default:
        assert(key->width == sizeof(value));
        memcpy(place, &value, sizeof(value));
    }
}

void store_pointer(const struct key *key, void *target, const void *pointer)
{
    assert(key->width == sizeof(pointer));
    memcpy((char *)target + key->offset, &pointer, sizeof(pointer));
}

void store_list(const struct key *key, void *target, const void *array, size_t count)
{
    store_pointer(key, target, array);
    memcpy((char *)target + key->count_offset, &count, sizeof(count));
}

static void write_choices(struct text *out, const struct choice *choices)
{
    for (const struct choice *c = choices; c->name != NULL; c++)
        text_format(out, "%s%s", c == choices ? "" : c[1].name == NULL ? " or " : ", ", c->name);
}

static void write_number(struct text *out, enum kind kind, int64_t number)
{
    char text[UNITS_TEXT_SIZE];

    if (kind == KIND_DURATION)
        text_add(out, units_format_duration(number, text));
    else if (kind == KIND_SIZE)
        text_add(out, units_format_size(number, text));
    else
        text_format(out, "%lld%s", (long long)number, kind == KIND_PERCENT ? "%" : "");
}

void write_expected(struct text *out, const struct key *key)
{
    static const char *const words[KIND_COUNT_OF_KINDS] = {
        [KIND_BOOLEAN] = "true or false",
        [KIND_COUNT] = "a whole number",
        [KIND_DURATION] = "a duration",
        [KIND_SIZE] = "a size",
        [KIND_PERCENT] = "a percentage",
        [KIND_SPAN] = "a duration or a whole number",
        [KIND_DATABASE] = "a path",
        [KIND_FILE] = "the path of a file",
        [KIND_TEXT] = "a text",
        [KIND_NAME] = "a name",
        [KIND_URL] = "a URL",
        [KIND_PROXY] = "the URL of a proxy",
        [KIND_ENDPOINT] = "a URL",
        [KIND_TABLE] = "a table's name",
        [KIND_PATH] = "a JSONPath",
        [KIND_CRON] = "a cron line",
        [KIND_TIMEZONE] = "a time zone",
        [KIND_NAMES] = "a name or a list of names",
        [KIND_NAME_LISTS] = "a list of names or lists of names",
        [KIND_VIEWS] = "a mapping of names to SELECT statements",
        [KIND_NULL_VALUES] = "a value or a list of values",
        [KIND_PATTERN] = "a pattern of strptime(3)",
        [KIND_CONSTANT] = "a text, number or boolean; of type json a mapping or list, too",
        [KIND_HEADERS] = "a mapping of names to values",
        [KIND_PARAMS] = "a mapping of names to values",
        [KIND_BODY] = "text, or a mapping or a list",
        [KIND_STATUS_CODES] = "a status, a range or a list of them",
        [KIND_FIELDS] = "a mapping of columns",
        [KIND_ITEMS] = "a list of values, or of mappings of names to values",
        [KIND_SECRET] = "text or {credential: NAME}",
        [KIND_GROUP] = "a mapping",
        [KIND_OBJECT] = "a mapping",
        [KIND_OBJECT_LIST] = "a list of mappings",
        [KIND_OBJECT_MAP] = "a mapping of names to mappings",
        [KIND_DEFAULTS] = "a mapping",
        [KIND_INCLUDE] = "a pattern or a list of patterns",
        [KIND_SOURCES] = "a list of sources",
    };

    if (key->kind == KIND_CHOICE) {
        write_choices(out, key->choices);
        return;
    }
    text_add(out, words[key->kind]);
    if (key->kind == KIND_COUNT || key->kind == KIND_DURATION || key->kind == KIND_SIZE ||
        key->kind == KIND_PERCENT) {
        text_add(out, " from ");
        write_number(out, key->kind, key->low);
        text_add(out, " to ");
        write_number(out, key->kind, key->high);
    }
}

static const char *expected(struct load *load, const struct key *key, struct text *buffer)
{
    text_clear(buffer);
    write_expected(buffer, key);
    if (text_failed(buffer))
        load_out_of_memory(load);
    return text_string(buffer);
}

/* A boolean or a number in quotes is text. */
static bool refuse_quotes(struct load *load, const struct where *where, const struct scalar *scalar)
{
    if (scalar->plain || scalar->substituted)
        return true;
    load_mistake(load, place_of(load, scalar->item), where,
                 "%s in quotes is text; remove the quotes", load_quote_scalar(load, scalar));
    return false;
}

static int64_t boolean_of(const struct key *key, const char *word)
{
    const struct choice *choice = key->choices;

    if (choice == NULL)
        return *word == 't';
    while (strcmp(choice->name, word) != 0)
        choice++;
    return choice->value;
}

bool load_boolean(struct load *load, const struct where *where, const struct key *key,
                  struct item *item, void *target)
{
    static const char *const yes[] = {"yes", "on", "y", "true", "1"};
    static const char *const no[] = {"no", "off", "n", "false", "0"};
    const char *meant = "true or false";
    struct scalar scalar;

    if (!load_scalar(load, where, item, "true or false", &scalar))
        return false;
    if (strcmp(scalar.text, "true") == 0 || strcmp(scalar.text, "false") == 0) {
        store_number(key, target, boolean_of(key, scalar.text));
        return refuse_quotes(load, where, &scalar);
    }
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(scalar.text, yes[i]) == 0)
            meant = "true";
        else if (strcasecmp(scalar.text, no[i]) == 0)
            meant = "false";
    }
    load_mistake(load, place_of(load, item), where,
                 "%s is not a boolean, only true and false are; write %s",
                 load_quote_scalar(load, &scalar), meant);
    return false;
}

static bool check_range(struct load *load, const struct where *where, const struct key *key,
                        const struct scalar *scalar, int64_t value)
{
    struct text buffer = {0};

    if (value >= key->low && value <= key->high)
        return true;
    load_mistake(load, place_of(load, scalar->item), where, "%s is out of range; write %s",
                 load_quote_scalar(load, scalar), expected(load, key, &buffer));
    text_free(&buffer);
    return false;
}

/* "e6" behind digits: so many zeros. */
static bool add_zeros(const char *exponent, int64_t *value)
{
    const char *digits = exponent + 1 + (exponent[1] == '+');
    size_t length = strlen(digits);

    if (length == 0 || length > 2 || strspn(digits, "0123456789") != length)
        return false;
    for (int zeros = atoi(digits); zeros > 0 && *value != 0; zeros--) {
        if (*value > INT64_MAX / 10 || *value < INT64_MIN / 10)
            *value = *value > 0 ? INT64_MAX : INT64_MIN;
        else
            *value *= 10;
    }
    return true;
}

/* Decimal digits, or few and an exponent: 1e6. A leading zero is refused, because YAML 1.1 reads it
 * as octal. */
static bool parse_count(const char *text, int64_t *value)
{
    const char *digits = text + (*text == '-');
    char *end;

    if (*digits < '0' || *digits > '9' || (digits[0] == '0' && digits[1] != '\0'))
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno == ERANGE)
        *value = *text == '-' ? INT64_MIN : INT64_MAX;
    return *end == '\0' || ((*end == 'e' || *end == 'E') && add_zeros(end, value));
}

bool load_count(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    struct text buffer = {0};
    struct scalar scalar;
    int64_t value;
    bool good = load_scalar(load, where, item, expected(load, key, &buffer), &scalar);

    if (good && !parse_count(scalar.text, &value)) {
        load_mistake(load, place_of(load, item), where, "%s is not a whole number; write %s",
                     load_quote_scalar(load, &scalar), text_string(&buffer));
        good = false;
    }
    good = good && refuse_quotes(load, where, &scalar) &&
           check_range(load, where, key, &scalar, value);
    if (good)
        store_number(key, target, value);
    text_free(&buffer);
    return good;
}

/* What durations and sizes have in common: a number that is nothing without its unit. */
struct measure {
    int (*parse)(const char *text, int64_t *value);
    const char *unit; /* the likeliest one */
    const char *name;
    const char *units;
    const char *example;
};

static bool load_measure(struct load *load, const struct where *where, const struct key *key,
                         struct item *item, void *target, const struct measure *measure)
{
    struct text buffer = {0};
    struct scalar scalar;
    int64_t value;
    bool good = load_scalar(load, where, item, expected(load, key, &buffer), &scalar);

    text_free(&buffer);
    if (!good)
        return false;
    if (measure->parse(scalar.text, &value) == 0) {
        if (!check_range(load, where, key, &scalar, value))
            return false;
        store_number(key, target, value);
        return true;
    }
    if (scalar_class(scalar.text, scalar.length) == SCALAR_INTEGER && !scalar.substituted)
        load_mistake(load, place_of(load, item), where,
                     "%s has no unit; write %s%s if that is meant (units: %s)",
                     load_quote_scalar(load, &scalar), scalar.text, measure->unit, measure->units);
    else
        load_mistake(load, place_of(load, item), where,
                     "%s is not a %s; write a whole number and a unit, as in %s (units: %s)",
                     load_quote_scalar(load, &scalar), measure->name, measure->example,
                     measure->units);
    return false;
}

bool load_duration(struct load *load, const struct where *where, const struct key *key,
                   struct item *item, void *target)
{
    static const struct measure duration = {units_parse_duration, "s", "duration", "ms, s, m, h, d",
                                            "30s or 1h30m"};

    return load_measure(load, where, key, item, target, &duration);
}

bool load_size(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    static const struct measure size = {units_parse_size, "MiB", "size",
                                        "B, KiB, MiB, GiB, kB, MB, GB", "64MiB"};

    return load_measure(load, where, key, item, target, &size);
}

bool load_percent(struct load *load, const struct where *where, const struct key *key,
                  struct item *item, void *target)
{
    static const struct measure percent = {units_parse_percent, "%", "percentage", "%", "50%"};

    return load_measure(load, where, key, item, target, &percent);
}

/* "1.2": a version that people write without quotes. */
static bool are_numbers(const struct choice *choices)
{
    for (; choices->name != NULL; choices++) {
        if (scalar_class(choices->name, strlen(choices->name)) != SCALAR_TEXT)
            return true;
    }
    return false;
}

bool load_span(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    struct span *span = (struct span *)(void *)((char *)target + key->offset);
    struct scalar scalar;
    int64_t amount;

    if (!load_scalar(load, where, item, "a duration or a whole number", &scalar))
        return false;
    if (parse_count(scalar.text, &amount) && amount > 0 && amount < INT64_MAX) {
        *span = (struct span){amount, false};
        return refuse_quotes(load, where, &scalar);
    }
    if (units_parse_duration(scalar.text, &amount) == 0 && amount > 0) {
        *span = (struct span){amount, true};
        return true;
    }
    load_mistake(load, place_of(load, item), where,
                 "%s is no distance; write a duration, as in 1h, where the positions are times, or "
                 "a whole number above 0 where they are numbers",
                 load_quote_scalar(load, &scalar));
    return false;
}

bool load_choice(struct load *load, const struct where *where, const struct key *key,
                 struct item *item, void *target)
{
    struct text buffer = {0};
    struct suggestion near = {0};
    struct scalar scalar;
    const struct choice *c = key->choices;
    const char *words = expected(load, key, &buffer);
    bool good = are_numbers(c) ? load_scalar(load, where, item, words, &scalar)
                               : load_text(load, where, item, words, &scalar);

    while (good && c->name != NULL && strcmp(c->name, scalar.text) != 0)
        suggest_offer(&near, (c++)->name, scalar.text, scalar.length);
    if (good && c->name == NULL) {
        good = false;
        load_mistake(load, place_of(load, item), where, "%s is not accepted; write %s%s%s%s",
                     load_quote_scalar(load, &scalar), text_string(&buffer),
                     near.word == NULL ? "" : "; did you mean \"",
                     near.word == NULL ? "" : near.word, near.word == NULL ? "" : "\"?");
    }
    if (good)
        store_number(key, target, c->value);
    text_free(&buffer);
    return good;
}
