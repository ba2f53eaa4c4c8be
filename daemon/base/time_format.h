/*
 * time_format.h - a moment in the format that somebody else's API wants.
 *
 * template.h says which formats there are. The locale is always C.
 */
#ifndef GATHERD_BASE_TIME_FORMAT_H
#define GATHERD_BASE_TIME_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "gatherd/error.h"
#include "gatherd/text.h"

/* 0, or -1 with what is wrong, in words that go behind the format. */
int time_format_check(struct slice format, struct error *err);

/* Whether offset_ms counts in this format. */
bool time_format_is_local(struct slice format);

/* Appends Unix time `at_ms` in a format that has been checked; NULL for its data: rfc3339. */
void time_format_write(struct text *out, struct slice format, int64_t at_ms, int64_t offset_ms);

#endif
