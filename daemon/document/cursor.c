#include "gatherd/cursor.h"

#include <inttypes.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/decimal.h"
#include "gatherd/timestamp.h"

#define MS_PER_DAY 86400000LL

enum kind { KIND_NONE, KIND_NUMBER, KIND_TIME, KIND_TEXT };

bool cursor_of_node(const struct node *node, struct slice *text)
{
    if (node == NULL || (node->type != NODE_NUMBER && node->type != NODE_STRING))
        return false;
    *text = node_slice(node);
    return true;
}

static bool is_number(struct slice value)
{
    struct decimal decimal;

    return decimal_read(value, &decimal);
}

bool cursor_time(const struct cursor_rule *rule, struct slice value, int64_t *wall_ms)
{
    struct decimal decimal;

    if (rule->unit != TIME_UNIT_NONE)
        return decimal_read(value, &decimal) &&
               timestamp_from_number(&decimal, rule->unit, wall_ms);
    return timestamp_from_text(value, wall_ms);
}

static enum kind kind_of(const struct cursor_rule *rule, struct slice value)
{
    int64_t wall_ms;

    switch (rule->type) {
    case CURSOR_NUMBER:
        return is_number(value) ? KIND_NUMBER : KIND_NONE;
    case CURSOR_TIMESTAMP:
        return cursor_time(rule, value, &wall_ms) ? KIND_TIME : KIND_NONE;
    case CURSOR_TEXT:
        return KIND_TEXT;
    case CURSOR_AUTO:
        break;
    }
    if (is_number(value))
        return KIND_NUMBER;
    return cursor_time(rule, value, &wall_ms) ? KIND_TIME : KIND_TEXT;
}

bool cursor_is_valid(const struct cursor_rule *rule, struct slice value)
{
    return value.length > 0 && kind_of(rule, value) != KIND_NONE;
}

/* --- Comparing. --- */

static enum cursor_order order_of(int difference)
{
    return difference < 0 ? CURSOR_BEFORE : difference > 0 ? CURSOR_AFTER : CURSOR_SAME;
}

static enum cursor_order compare_bytes(struct slice a, struct slice b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    int difference = least == 0 ? 0 : memcmp(a.data, b.data, least);

    if (difference == 0 && a.length != b.length)
        return a.length < b.length ? CURSOR_BEFORE : CURSOR_AFTER;
    return order_of(difference);
}

/* The digits of a number without the point and without zeros at either end. */
struct digits {
    const char *text;
    size_t length; /* of the text, the point included */
    bool negative;
    bool zero;
    int64_t magnitude; /* the place of the first digit: 10^(magnitude - 1) */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exponents beyond 18 digits differ in no way that anybody could mean. */
static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t value = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && value < INT64_MAX / 100; p++)
        value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static struct digits read_digits(struct slice number)
{
    const char *p = number.data;
    const char *end = p + number.length;
    const char *mantissa_end;
    struct digits d = {.negative = *p == '-'};
    int64_t whole = 0;
    bool point = false;

    if (d.negative)
        p++;
    for (mantissa_end = p; mantissa_end < end && *mantissa_end != 'e' && *mantissa_end != 'E';)
        mantissa_end++;
    for (; p < mantissa_end && !(is_digit(*p) && *p != '0'); p++) {
        point = point || *p == '.';
        whole -= point && *p == '0';
    }
    d.zero = p == mantissa_end;
    d.text = p;
    for (const char *q = p; q < mantissa_end && !point; q++) {
        point = *q == '.';
        whole += !point;
    }
    while (mantissa_end > p && (mantissa_end[-1] == '0' || mantissa_end[-1] == '.'))
        mantissa_end--;
    d.length = (size_t)(mantissa_end - p);
    for (p = number.data; p < end && *p != 'e' && *p != 'E';)
        p++;
    d.magnitude = whole + (p < end ? read_exponent(p + 1, end) : 0);
    return d;
}

static enum cursor_order compare_digits(const struct digits *a, const struct digits *b)
{
    const char *p = a->text;
    const char *q = b->text;
    const char *p_end = p + a->length;
    const char *q_end = q + b->length;

    for (;;) {
        if (p < p_end && *p == '.')
            p++;
        if (q < q_end && *q == '.')
            q++;
        if (p == p_end || q == q_end)
            return order_of((p < p_end) - (q < q_end));
        if (*p != *q)
            return *p < *q ? CURSOR_BEFORE : CURSOR_AFTER;
        p++;
        q++;
    }
}

static enum cursor_order compare_numbers(struct slice left, struct slice right)
{
    struct digits a = read_digits(left);
    struct digits b = read_digits(right);
    enum cursor_order order;

    if (a.zero || b.zero) {
        int sign_a = a.zero ? 0 : a.negative ? -1 : 1;
        int sign_b = b.zero ? 0 : b.negative ? -1 : 1;

        return order_of(sign_a - sign_b);
    }
    if (a.negative != b.negative)
        return a.negative ? CURSOR_BEFORE : CURSOR_AFTER;
    if (a.magnitude != b.magnitude)
        order = a.magnitude < b.magnitude ? CURSOR_BEFORE : CURSOR_AFTER;
    else
        order = compare_digits(&a, &b);
    return a.negative ? (enum cursor_order) - (int)order : order;
}

/* The digits of a second that stand behind its point, without zeros at the end. */
static struct slice fraction_of(struct slice time)
{
    const char *point = memchr(time.data, '.', time.length);
    struct slice digits = {NULL, 0};

    if (point == NULL)
        return digits;
    digits.data = point + 1;
    while (digits.data + digits.length < time.data + time.length &&
           is_digit(digits.data[digits.length]))
        digits.length++;
    while (digits.length > 0 && digits.data[digits.length - 1] == '0')
        digits.length--;
    return digits;
}

/* An offset is whole minutes, so the fraction of a second is the same in every zone. */
static enum cursor_order compare_times(const struct cursor_rule *rule, struct slice a,
                                       struct slice b)
{
    int64_t a_ms;
    int64_t b_ms;

    cursor_time(rule, a, &a_ms);
    cursor_time(rule, b, &b_ms);
    if (a_ms != b_ms)
        return a_ms < b_ms ? CURSOR_BEFORE : CURSOR_AFTER;
    return compare_bytes(fraction_of(a), fraction_of(b));
}

enum cursor_order cursor_compare(const struct cursor_rule *rule, struct slice a, struct slice b)
{
    enum kind kind = kind_of(rule, a);

    if (kind == KIND_NONE || kind != kind_of(rule, b))
        return CURSOR_UNLIKE;
    if (kind == KIND_NUMBER || (kind == KIND_TIME && rule->unit != TIME_UNIT_NONE))
        return compare_numbers(a, b);
    return kind == KIND_TIME ? compare_times(rule, a, b) : compare_bytes(a, b);
}

/* --- Moving. --- */

static void write_in_unit(enum time_unit unit, int64_t wall_ms, struct text *out)
{
    static const char *const zeros[] = {
        [TIME_UNIT_MS] = "", [TIME_UNIT_US] = "000", [TIME_UNIT_NS] = "000000"};

    if (unit == TIME_UNIT_S)
        text_format(out, "%" PRId64, (wall_ms - (wall_ms % 1000 + 1000) % 1000) / 1000);
    else
        text_format(out, "%" PRId64 "%s", wall_ms, wall_ms == 0 ? "" : zeros[unit]);
}

void cursor_write_time(const struct cursor_rule *rule, struct slice like, int64_t wall_ms,
                       struct text *out)
{
    char text[CLOCK_TEXT_SIZE]; /* YYYY-MM-DDTHH:MM:SS.mmmZ */
    bool whole = memchr(like.data, '.', like.length) == NULL && wall_ms % 1000 == 0;

    if (rule->unit != TIME_UNIT_NONE) {
        write_in_unit(rule->unit, wall_ms, out);
        return;
    }
    clock_format(wall_ms, text);
    if (like.length == 10 && wall_ms % MS_PER_DAY == 0) {
        text_append(out, text, 10);
        return;
    }
    if (like.length > 10 && like.data[10] == ' ')
        text[10] = ' ';
    text_append(out, text, whole ? 19 : 23);
    /* A time that came without a zone goes back without one: it was taken as UTC. */
    if (like.length <= 10 || memchr(like.data + 10, ':', like.length - 10) == NULL ||
        strchr("0123456789", like.data[like.length - 1]) == NULL ||
        memchr(like.data + 10, '+', like.length - 10) != NULL ||
        memchr(like.data + 10, '-', like.length - 10) != NULL)
        text_char(out, 'Z');
}

static bool move_time(const struct cursor_rule *rule, struct slice value, int64_t by_ms,
                      struct text *out)
{
    int64_t wall_ms;

    if (!cursor_time(rule, value, &wall_ms) || __builtin_add_overflow(wall_ms, by_ms, &wall_ms) ||
        wall_ms < TIMESTAMP_FIRST_MS || wall_ms > TIMESTAMP_LAST_MS)
        return false;
    cursor_write_time(rule, value, wall_ms, out);
    return true;
}

bool cursor_move(const struct cursor_rule *rule, struct slice value, const struct span *span,
                 bool back, struct text *out)
{
    int64_t by = back ? -span->amount : span->amount;
    struct decimal decimal;
    int64_t number;

    if (span->is_time)
        return move_time(rule, value, by, out);
    if (kind_of(rule, value) != KIND_NUMBER || !decimal_read(value, &decimal) ||
        !decimal_to_integer(&decimal, &number) || __builtin_add_overflow(number, by, &number))
        return false;
    text_format(out, "%" PRId64, number);
    return true;
}
