/*
 * time_read.h - what readers of dates and times have in common: pieces of text, one after another.
 */
#ifndef GATHERD_BASE_TIME_READ_H
#define GATHERD_BASE_TIME_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/text.h"
#include "gatherd/timestamp.h"

#define S_PER_MINUTE 60
#define S_PER_HOUR   3600
#define S_PER_DAY    86400LL

struct time_reader {
    const char *p;
    const char *end;
};

/* What stood there. */
struct time_parts {
    int64_t days; /* since 1970-01-01 */
    int hour;
    int minute;
    int second;
    int32_t nanoseconds;
    int offset_s; /* local time less UTC */
    bool has_zone;
};

static inline bool time_at_end(const struct time_reader *r)
{
    return r->p == r->end;
}

static inline bool time_at_digit(const struct time_reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

/* Each of the following steps over what it read; after a false the place says nothing. */

bool time_next_is(struct time_reader *r, char c);

/* Blanks; false: there is none. */
bool time_blanks(struct time_reader *r);

/* Exactly `count` digits, or from `least` to `most` of them; the value lies in low..high. */
bool time_digits(struct time_reader *r, int count, int low, int high, int *value);
bool time_number(struct time_reader *r, int least, int most, int low, int high, int *value);

/* The first nine digits of a fraction; further ones are passed over. */
bool time_fraction(struct time_reader *r, int32_t *nanoseconds);

/* The number, from 1, of the word of a list that comes next, in any case; 0: none of them. */
int time_word(struct time_reader *r, const char *const *words);

/* January or Jan: 1. Monday or Mon: 1. 0: none. */
int time_month(struct time_reader *r);
int time_weekday(struct time_reader *r);

/* +hh:mm, +hhmm or +hh. */
bool time_offset(struct time_reader *r, int *offset_s);

/* An offset, Z, UT, UTC, GMT or one of North America's (RFC 822, 5.1). */
bool time_zone(struct time_reader *r, int *offset_s);

int time_days_in_month(int year, int month);
int64_t time_days_of_date(int year, int month, int day);

/* Day 1-366 of a year, and day 1-7 (Monday is 1) of a week of a year by ISO 8601. False: none. */
bool time_days_of_ordinal(int year, int day, int64_t *days);
bool time_days_of_week(int year, int week, int weekday, int64_t *days);

void time_assemble(const struct time_parts *parts, struct timestamp *timestamp);

/* Mail, HTTP, asctime(3): see timestamp.h. */
bool time_from_mail(struct slice text, struct time_parts *parts);

#endif
