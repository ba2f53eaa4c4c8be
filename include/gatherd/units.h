/*
 * units.h - durations and sizes as people write them.
 *
 * Durations: whole numbers with a unit, ms s m h d, largest first: 500ms, 30s, 1h30m, 7d.
 * Shares: a whole number of percent, 50%.
 * Sizes: a whole number with a unit, B KiB MiB GiB (powers of 1024) or kB MB GB (powers of 1000).
 * The unit is required: a bare number is refused, because nobody can tell what it means.
 */
#ifndef GATHERD_UNITS_H
#define GATHERD_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Each returns 0, or -1 when `text` is not of that form or does not fit. */
int units_parse_duration(const char *text, int64_t *ms);
int units_parse_size(const char *text, int64_t *bytes);
int units_parse_percent(const char *text, int64_t *percent);

/* Room for what the two below write, with its NUL. */
#define UNITS_TEXT_SIZE 40

/*
 * Each writes a form that parses back to the same value and returns `text`: a duration largest unit
 * first ("1h30m"; one below 0 as "0s"), a size in the largest unit that divides it ("64MiB").
 */
char *units_format_duration(int64_t ms, char text[UNITS_TEXT_SIZE]);
char *units_format_size(int64_t bytes, char text[UNITS_TEXT_SIZE]);

#endif
