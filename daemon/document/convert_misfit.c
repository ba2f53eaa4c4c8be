/* Why a value does not fit, for dead letters and for `gatherd check`. */
#include <string.h>

#include "gatherd/convert.h"
#include "gatherd/duration.h"

#define SHOWN_BYTES 60

static bool is_number(struct slice json)
{
    char first = json.length == 0 ? '\0' : json.data[0];

    return first == '-' || (first >= '0' && first <= '9');
}

static bool is_string(struct slice json)
{
    return json.length >= 2 && json.data[0] == '"';
}

static const char *integer_misfit(struct slice json)
{
    struct decimal decimal;

    if (!is_number(json) || (decimal_read(json, &decimal) && decimal.exponent < 0))
        return "is not an integer";
    return "is not an integer of 64 bits";
}

static void put_timestamp_misfit(struct text *out, struct slice json, const struct value_rule *rule)
{
    if (is_number(json) && rule->unit == TIME_UNIT_NONE && rule->format == NULL)
        text_add(out, "is not a timestamp without a unit; set unit to s, ms, us or ns");
    else if (is_string(json) && rule->format != NULL)
        text_format(out, "is not a timestamp of the format %s", rule->format);
    else if (is_string(json))
        text_add(out, "is not a timestamp that is known by itself; set format to how it is "
                      "written, as in %d.%m.%Y %H:%M");
    else
        text_add(out, "is not a timestamp");
}

static const char *duration_misfit(struct slice json, const struct value_rule *rule)
{
    struct decimal seconds;

    if (is_number(json))
        return rule->unit == TIME_UNIT_NONE
                   ? "is not a duration without a unit; set unit to s, ms, us or ns"
                   : "is beyond the range of a duration";
    if (!is_string(json))
        return "is not a duration";
    switch (duration_from_text((struct slice){json.data + 1, json.length - 2}, &seconds)) {
    case DURATION_OF_CALENDAR:
        return "is not a duration in seconds: years and months differ in length; keep it as text";
    case DURATION_AMBIGUOUS:
        return "is not a duration: hours and minutes, or minutes and seconds? keep it as text";
    default:
        return "is not a duration";
    }
}

static const char *blob_misfit(enum binary_encoding encoding)
{
    return encoding == BINARY_HEX         ? "is not hex"
           : encoding == BINARY_BASE64URL ? "is not base64url"
                                          : "is not base64";
}

void value_put_misfit(struct text *out, struct slice json, const struct value_rule *rule)
{
    bool number = is_number(json);

    switch (rule->type) {
    case FIELD_TEXT:
        text_add(out, "is not text");
        break;
    case FIELD_INTEGER:
        text_add(out, integer_misfit(json));
        break;
    case FIELD_REAL:
        text_add(out, number ? "is beyond the range of a real" : "is not a real");
        break;
    case FIELD_DECIMAL:
        text_add(out, number ? "is beyond the range of a decimal" : "is not a decimal");
        break;
    case FIELD_BOOLEAN:
        text_add(out, "is not a boolean");
        break;
    case FIELD_TIMESTAMP:
        put_timestamp_misfit(out, json, rule);
        break;
    case FIELD_DURATION:
        text_add(out, duration_misfit(json, rule));
        break;
    case FIELD_BLOB:
        text_add(out, blob_misfit(rule->encoding));
        break;
    default:
        text_add(out, "does not fit");
    }
}

/* Bytes to show of a long value: not more than fit, and no character cut in two. */
static size_t shown_length(struct slice json)
{
    size_t length = json.length;

    if (length > SHOWN_BYTES) {
        length = SHOWN_BYTES;
        while (length > 0 && ((unsigned char)json.data[length] & 0xc0) == 0x80)
            length--;
    }
    return length;
}

const char *value_misfit_reason(const char *column, struct slice json,
                                const struct value_rule *rule, struct arena *arena)
{
    size_t shown = shown_length(json);
    struct text reason = {0};
    const char *copy;

    text_format(&reason, "column \"%s\": ", column);
    text_append(&reason, json.data, shown);
    text_add(&reason, shown < json.length ? "... " : " ");
    value_put_misfit(&reason, json, rule);
    copy = text_failed(&reason) ? NULL : arena_copy(arena, text_string(&reason), reason.length);
    text_free(&reason);
    return copy;
}
