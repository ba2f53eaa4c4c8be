#include "document/convert_time.h"

#include "gatherd/duration.h"

#define MS_PER_S 1000

/* A number, or a string of one, that counts in a unit. */
static bool read_count(const struct node *node, enum time_unit unit, struct decimal *number)
{
    if (unit == TIME_UNIT_NONE)
        return false;
    if (node->type == NODE_STRING)
        return decimal_read_freely(slice_trim(node_slice(node)), number);
    return node->type == NODE_NUMBER && decimal_read(node_slice(node), number);
}

/* --- Timestamps --- */

/* A time that says no zone is told by the clocks of the field's. */
static void settle(const struct zone *zone, struct timestamp *timestamp)
{
    if (timestamp->naive && zone != NULL)
        timestamp->seconds = zone_from_local(zone, timestamp->seconds * MS_PER_S) / MS_PER_S;
    timestamp->naive = false;
}

static bool read_timestamp(const struct node *node, const struct value_rule *rule,
                           struct timestamp *timestamp)
{
    struct decimal number;

    if (rule->format != NULL && (node->type == NODE_STRING || rule->unit == TIME_UNIT_NONE)) {
        if (node->type != NODE_STRING && node->type != NODE_NUMBER)
            return false;
        if (!timestamp_from_pattern(node_slice(node), rule->format, timestamp))
            return false;
    } else if (read_count(node, rule->unit, &number)) {
        if (!timestamp_from_decimal(&number, rule->unit, timestamp))
            return false;
    } else if (node->type != NODE_STRING || !timestamp_from_any_text(node_slice(node), timestamp)) {
        return false;
    }
    settle(rule->zone, timestamp);
    return timestamp_is_valid(timestamp);
}

static unsigned least_digits(enum time_unit unit)
{
    return unit == TIME_UNIT_NS ? 9 : unit == TIME_UNIT_US ? 6 : 3;
}

enum value_fit timestamp_value(const struct node *node, const struct value_rule *rule,
                               struct arena *arena, struct value *value)
{
    struct timestamp timestamp;
    char *text;

    if (!read_timestamp(node, rule, &timestamp))
        return VALUE_MISFIT;
    text = arena_alloc(arena, TIMESTAMP_TEXT_SIZE);
    if (text == NULL)
        return VALUE_NOMEM;
    value->type = VALUE_TEXT;
    value->length = (uint32_t)timestamp_write(&timestamp, least_digits(rule->unit), text);
    value->text = text;
    return VALUE_FITS;
}

/* --- Durations --- */

enum value_fit duration_value(const struct node *node, const struct value_rule *rule,
                              struct value *value)
{
    static const int shifts[] = {
        [TIME_UNIT_S] = 0, [TIME_UNIT_MS] = -3, [TIME_UNIT_US] = -6, [TIME_UNIT_NS] = -9};
    struct decimal seconds;
    double real;

    if (read_count(node, rule->unit, &seconds))
        seconds.exponent += seconds.mantissa == 0 ? 0 : shifts[rule->unit];
    else if (node->type != NODE_STRING ||
             duration_from_text(node_slice(node), &seconds) != DURATION_READ)
        return VALUE_MISFIT;
    if (!decimal_to_nearest_real(&seconds, node_slice(node), &real))
        return VALUE_MISFIT;
    value->type = VALUE_REAL;
    value->real = real;
    return VALUE_FITS;
}
