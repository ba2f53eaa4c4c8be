/* Reading a cron line. */
#include "gatherd/cron.h"

#include <string.h>
#include <strings.h>

#include "calendar/cron_days.h"

#define BLANKS      " \t"
#define FIELD_COUNT 5
#define FIELD_ORDER "minute hour day month weekday"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct field {
    const char *name;
    const char *article;
    unsigned low;
    unsigned high;
    unsigned star_high;       /* of *: a weekday of 7 is Sunday once more */
    const char *const *names; /* from `low` on, NULL ends them; NULL: it has none */
    const char *values;       /* in words */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static const struct field fields[FIELD_COUNT] = {
    [MINUTE] = {"minute", "a", 0, 59, 59, NULL, "a number from 0 to 59"},
    [HOUR] = {"hour", "an", 0, 23, 23, NULL, "a number from 0 to 23"},
    [DAY] = {"day", "a", 1, 31, 31, NULL, "a number from 1 to 31"},
    [MONTH] = {"month", "a", 1, 12, 12, month_names, "a number from 1 to 12, or jan to dec"},
    [WEEKDAY] = {"weekday", "a", 0, 7, 6, weekday_names,
                 "a number from 0 to 7 (0 and 7 are Sunday), or sun to sat"},
};

/* What is read, and where: a mistake is reported at `at`. */
struct reader {
    const char *text;
    const char *at;
    struct error *err;
};

struct word {
    const char *text;
    size_t length;
};

#define WORD_ARGS(w) (int)((w).length < 20 ? (w).length : 20), (w).text

static struct word word_at(const char *text, const char *ends)
{
    return (struct word){text, strcspn(text, ends)};
}

static int refuse_value(struct reader *r, const struct field *field, struct word word)
{
    r->at = word.text;
    if (word.length == 0)
        error_set(r->err, ERROR_CONFIG, "%s %s is missing here; write %s", field->article,
                  field->name, field->values);
    else
        error_set(r->err, ERROR_CONFIG, "\"%.*s\" is not %s %s; write %s", WORD_ARGS(word),
                  field->article, field->name, field->values);
    return -1;
}

static int read_number(struct word word, unsigned *number)
{
    *number = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (word.text[i] < '0' || word.text[i] > '9' || i >= 3)
            return -1;
        *number = *number * 10 + (unsigned)(word.text[i] - '0');
    }
    return word.length > 0 ? 0 : -1;
}

static int read_value(struct reader *r, const struct field *field, struct word word,
                      unsigned *value)
{
    for (unsigned i = 0; field->names != NULL && field->names[i] != NULL; i++) {
        if (word.length == 3 && strncasecmp(word.text, field->names[i], 3) == 0) {
            *value = field->low + i;
            return 0;
        }
    }
    if (read_number(word, value) == 0 && *value >= field->low && *value <= field->high)
        return 0;
    return refuse_value(r, field, word);
}

/* A range up to Sunday goes up to 7. Backwards ones are refused, as cron does. */
static int read_range(struct reader *r, const struct field *field, struct word word,
                      unsigned *first, unsigned *last)
{
    struct word low = word_at(word.text, "-");
    struct word high = {word.text + low.length + 1, 0};

    if (low.length >= word.length) {
        if (read_value(r, field, word, first) == -1)
            return -1;
        *last = *first;
        return 0;
    }
    high.length = word.length - low.length - 1;
    if (read_value(r, field, low, first) == -1 || read_value(r, field, high, last) == -1)
        return -1;
    if (field == &fields[WEEKDAY] && *last == 0)
        *last = 7;
    if (*first <= *last)
        return 0;
    r->at = word.text;
    error_set(r->err, ERROR_CONFIG, "the range %.*s runs backwards; write two, as in %u-%u,%u-%u",
              WORD_ARGS(word), *first, field->star_high, field->low, *last);
    return -1;
}

/* The step behind a range, which must leave more than the range's first value. */
static int read_step(struct reader *r, const struct field *field, struct word word, unsigned first,
                     unsigned last, unsigned *step)
{
    if (read_number(word, step) == -1 || *step == 0) {
        r->at = word.text;
        error_set(r->err, ERROR_CONFIG, "\"%.*s\" is not a step; write a number from 1 on",
                  WORD_ARGS(word));
        return -1;
    }
    if (*step == 1 || *step <= last - first)
        return 0;
    r->at = word.text;
    error_set(r->err, ERROR_CONFIG,
              "a step of %u leaves only %u of the %ss from %u to %u, where it begins anew each "
              "time; write %u if that is meant",
              *step, first, field->name, first, last, first);
    return -1;
}

/* One element of a list: *, a value or a range, perhaps with a step. */
static int read_element(struct reader *r, const struct field *field, struct word word,
                        uint64_t *bits)
{
    struct word range = {word.text, word_at(word.text, "/").length};
    bool stepped = range.length < word.length;
    unsigned first = field->low;
    unsigned last = field->star_high;
    unsigned step = 1;

    if (!stepped)
        range.length = word.length;
    if (!(range.length == 1 && *range.text == '*') &&
        read_range(r, field, range, &first, &last) == -1)
        return -1;
    if (stepped && first == last) {
        r->at = word.text;
        error_set(r->err, ERROR_CONFIG, "a step needs a range or *; write %u-%u%.*s", first,
                  field->star_high, (int)(word.length - range.length), word.text + range.length);
        return -1;
    }
    if (stepped &&
        read_step(r, field,
                  (struct word){range.text + range.length + 1, word.length - range.length - 1},
                  first, last, &step) == -1)
        return -1;
    for (unsigned value = first; value <= last; value += step)
        *bits |= UINT64_C(1) << value;
    return 0;
}

static int read_field(struct reader *r, const struct field *field, struct word word, uint64_t *bits)
{
    const char *end = word.text + word.length;
    const char *p = word.text;

    *bits = 0;
    for (;;) {
        struct word element = word_at(p, "," BLANKS);

        if (read_element(r, field, element, bits) == -1)
            return -1;
        p += element.length;
        if (p == end)
            return 0;
        p++; /* the comma */
    }
}

static size_t split(const char *text, struct word words[FIELD_COUNT])
{
    size_t count = 0;

    for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
        struct word word = word_at(text, BLANKS);

        if (count < FIELD_COUNT)
            words[count] = word;
        count++;
        text += word.length;
    }
    return count;
}

static int refuse_count(struct reader *r, const struct word *words, size_t count)
{
    if (count == 0)
        error_set(r->err, ERROR_CONFIG, "it is empty; write five fields: " FIELD_ORDER);
    else if (memchr(words[0].text, '=', words[0].length) != NULL)
        error_set(r->err, ERROR_CONFIG,
                  "it begins with a variable; a time zone is a key of its "
                  "own, timezone");
    else
        error_set(r->err, ERROR_CONFIG, "it has %zu field%s; write five: " FIELD_ORDER, count,
                  count == 1 ? "" : "s");
    return -1;
}

static int read_fields(struct reader *r, struct cron *cron)
{
    struct word words[FIELD_COUNT] = {{0}};
    uint64_t bits[FIELD_COUNT];
    size_t count = split(r->text, words);

    if (count != FIELD_COUNT)
        return refuse_count(r, words, count);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (read_field(r, &fields[i], words[i], &bits[i]) == -1)
            return -1;
    }
    cron->minutes = bits[MINUTE];
    cron->hours = (uint32_t)bits[HOUR];
    cron->days = (uint32_t)bits[DAY];
    cron->months = (uint16_t)bits[MONTH];
    cron->weekdays = (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
    cron->either_day = *words[DAY].text != '*' && *words[WEEKDAY].text != '*';
    r->at = words[DAY].text;
    return 0;
}

/* The line that an @ word stands for; NULL after an error. */
static const char *read_word(struct reader *r)
{
    static const struct {
        const char *word;
        const char *line;
    } words[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                 {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                 {"@annually", "0 0 1 1 *"}};
    struct word word = word_at(r->at, BLANKS);

    for (size_t i = 0; i < COUNT(words); i++) {
        if (strlen(words[i].word) == word.length &&
            strncasecmp(words[i].word, word.text, word.length) == 0 &&
            word.text[word.length + strspn(word.text + word.length, BLANKS)] == '\0')
            return words[i].line;
    }
    if (word.length == 7 && strncasecmp(word.text, "@reboot", 7) == 0)
        error_set(r->err, ERROR_CONFIG, "@reboot is a key of its own, run_on_start: true");
    else if (word.length == 6 && strncasecmp(word.text, "@every", 6) == 0)
        error_set(r->err, ERROR_CONFIG, "@every is a key of its own, interval");
    else
        error_set(r->err, ERROR_CONFIG,
                  "%.*s is not known; write @hourly, @daily, @midnight, @weekly, @monthly, "
                  "@yearly or @annually, or five fields: " FIELD_ORDER,
                  WORD_ARGS(word));
    return NULL;
}

static int read_line(struct reader *r, struct cron *cron)
{
    struct reader expanded = *r;

    r->at = r->text + strspn(r->text, BLANKS);
    if (*r->at != '@')
        return read_fields(r, cron);
    expanded.text = read_word(r);
    return expanded.text != NULL ? read_fields(&expanded, cron) : -1;
}

int cron_parse(const char *text, struct cron *cron, size_t *column, struct error *err)
{
    struct reader r = {text, text, err};
    int rc;

    *cron = (struct cron){.text = text};
    rc = read_line(&r, cron);
    if (rc == 0 && cron_next_day(cron, 0) == CRON_NEVER) {
        error_set(
            err, ERROR_CONFIG,
            "no day is ever like this, so it would never run; look at day, month and weekday");
        rc = -1;
    }
    *column = (size_t)(r.at - text) + 1;
    if (rc == 0)
        cron->gap_ms = cron_shortest_gap(cron) * 60000;
    return rc;
}
