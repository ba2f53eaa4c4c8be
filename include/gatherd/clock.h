/*
 * clock.h - the two clocks, and how points in time are written.
 *
 * Waiting and spacing use monotonic time, which never jumps. What people read uses wall time, Unix
 * time in milliseconds. The schedule is given both, so that tests can make any moment.
 */
#ifndef GATHERD_CLOCK_H
#define GATHERD_CLOCK_H

#include <stdint.h>
#include <time.h>

struct instant {
    int64_t monotonic_ms; /* CLOCK_MONOTONIC */
    int64_t wall_ms;      /* CLOCK_REALTIME: Unix time */
};

struct instant clock_now(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void);

/* CLOCK_MONOTONIC now plus `timeout_ms` (may be negative), for pthread_cond_clockwait(). */
struct timespec clock_deadline(int64_t timeout_ms);

/* Bytes of "2026-01-02T03:04:05.678Z" with its NUL. */
#define CLOCK_TEXT_SIZE 25

/*
 * Writes `wall_ms` as UTC, always 24 characters; returns `text`. Years 0000 to 9999; a moment
 * outside is written as the nearest one inside.
 */
char *clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

/* Reads what clock_format() writes. Returns 0, or -1 when `text` is anything else, as 02-30 is. */
int clock_parse(const char *text, int64_t *wall_ms);

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; month 1-12, day 1-31. */
int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day);

struct civil {
    int64_t year;
    int64_t month; /* 1-12 */
    int64_t day;   /* 1-31 */
};

/* The date so many days after (or before) 1970-01-01. */
struct civil clock_civil_from_days(int64_t days);

#endif
