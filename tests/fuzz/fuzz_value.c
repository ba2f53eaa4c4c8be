/*
 * Any string as a value of each declared type, and any pattern for its times: nothing is read or
 * written beyond its end, a value is what its type says, and a timestamp is read back as itself.
 *
 * A zero byte parts the pattern from the string.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/convert.h"
#include "gatherd/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_timestamp(const struct value *value)
{
    struct timestamp timestamp;
    char text[TIMESTAMP_TEXT_SIZE];
    size_t length;

    require(value->type == VALUE_TEXT && value->length >= 24 && value->length <= 30);
    require(timestamp_from_any_text((struct slice){value->text, value->length}, &timestamp));
    require(!timestamp.naive && timestamp_is_valid(&timestamp));
    length = timestamp_write(&timestamp, (unsigned)value->length - 21, text);
    require(length == value->length && memcmp(text, value->text, length) == 0);
}

/* What was made plain stays as it is. */
static void check_decimal(const struct value *value, struct arena *arena)
{
    struct node node = {
        .type = NODE_NUMBER, .span = 1, .length = value->length, .text = value->text};
    struct value again;

    require(value->type == VALUE_TEXT);
    require(value_from_node(&node, &(struct value_rule){.type = FIELD_DECIMAL}, arena, &again) ==
            VALUE_FITS);
    require(again.length == value->length && memcmp(again.text, value->text, again.length) == 0);
}

static void check_value(const struct value_rule *rule, const struct value *value,
                        struct arena *arena)
{
    switch (rule->type) {
    case FIELD_TIMESTAMP:
        check_timestamp(value);
        break;
    case FIELD_DECIMAL:
        check_decimal(value, arena);
        break;
    case FIELD_DURATION:
    case FIELD_REAL:
        require(value->type == VALUE_REAL && isfinite(value->real));
        break;
    case FIELD_BOOLEAN:
        require(value->type == VALUE_INTEGER && (value->integer == 0 || value->integer == 1));
        break;
    case FIELD_BLOB:
        require(value->type == VALUE_BLOB);
        break;
    default:
        break;
    }
}

static void try_rule(const struct node *node, const struct value_rule *rule, struct arena *arena)
{
    struct text json = {0};
    struct value value;

    switch (value_from_node(node, rule, arena, &value)) {
    case VALUE_FITS:
        if (value.type != VALUE_NULL) /* a blank where a number is meant is no value */
            check_value(rule, &value, arena);
        break;
    case VALUE_MISFIT:
        require(value.type == VALUE_NULL);
        node_write_json(node, &json);
        require(value_misfit_reason("c", (struct slice){text_string(&json), json.length}, rule,
                                    arena) != NULL);
        text_free(&json);
        break;
    case VALUE_NOMEM:
        abort();
    }
}

static void try_pattern(const struct node *node, const char *pattern, struct arena *arena)
{
    struct value_rule rule = {.type = FIELD_TIMESTAMP, .format = pattern};
    struct error err = {0};
    size_t offset = 0;

    if (timestamp_check_pattern(pattern, &offset, &err) == 0)
        try_rule(node, &rule, arena);
    else
        require(offset <= strlen(pattern) && err.text[0] != '\0');
}

/* Copies whose ends the sanitizer watches. */
static char *copy_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);

    require(copy != NULL);
    memcpy(copy, data, size);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *parting = size == 0 ? NULL : memchr(data, 0, size);
    size_t pattern_length = parting == NULL ? 0 : (size_t)(parting - data);
    size_t begin = parting == NULL ? 0 : pattern_length + 1;
    char *pattern = copy_of(data, pattern_length);
    char *string = copy_of(data + begin, size - begin);
    struct arena *arena = arena_create(0);
    struct node node = {
        .type = NODE_STRING, .span = 1, .length = (uint32_t)(size - begin), .text = string};

    require(arena != NULL);
    pattern[pattern_length] = '\0';
    if (pattern_length > 0)
        try_pattern(&node, pattern, arena);
    for (int type = FIELD_UNDECLARED; type <= FIELD_BLOB; type++) {
        for (int unit = TIME_UNIT_NONE; unit <= TIME_UNIT_NS; unit++) {
            struct value_rule rule = {.type = (enum field_type)type,
                                      .unit = (enum time_unit)unit,
                                      .encoding = (enum binary_encoding)(1 + unit % 3)};

            try_rule(&node, &rule, arena);
        }
    }
    arena_free(arena);
    free(string);
    free(pattern);
    return 0;
}
