/*
 * log.h - one logfmt line an event, on stderr.
 *
 *     time=2026-01-02T03:04:05.678Z level=info msg="run failed" source=weather error="timed out"
 *
 * Under systemd's journal (stderr is the stream that $JOURNAL_STREAM names) the line begins with
 * "<N>", the syslog priority, and leaves out time and level, which the journal records itself. A
 * line is one write(2), so lines of several threads do not mix. Values are quoted and escaped where
 * needed: no input can break a line or reach the terminal as a control sequence. Any thread may
 * call.
 */
#ifndef GATHERD_LOG_H
#define GATHERD_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/text.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_VALUE_TEXT, LOG_VALUE_NUMBER } kind;
    const char *text; /* LOG_VALUE_TEXT; a NULL leaves the field out */
    int64_t number;   /* LOG_VALUE_NUMBER */
};

#define LOG_STR(key, value)               \
    {                                     \
        (key), LOG_VALUE_TEXT, (value), 0 \
    }
#define LOG_INT(key, value)                             \
    {                                                   \
        (key), LOG_VALUE_NUMBER, NULL, (int64_t)(value) \
    }

/* log_info("run finished", LOG_STR("source", name), LOG_INT("rows", n)); at least one field. */
#define log_error(message, ...)   LOG_EVENT(LOG_LEVEL_ERROR, message, __VA_ARGS__)
#define log_warning(message, ...) LOG_EVENT(LOG_LEVEL_WARNING, message, __VA_ARGS__)
#define log_info(message, ...)    LOG_EVENT(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_debug(message, ...)   LOG_EVENT(LOG_LEVEL_DEBUG, message, __VA_ARGS__)

#define LOG_EVENT(level, message, ...) \
    log_event((level), (message), (const struct log_field[]){__VA_ARGS__, {0}})

/* Finds out whether stderr is the journal. Called once, before any thread starts. */
void log_start(void);

/* Lines above `level` are left out from now on; info at the start. */
void log_set_level(enum log_level level);

void log_event(enum log_level level, const char *message, const struct log_field *fields);

/* The line that log_event() writes, for tests; `journal` chooses the form, `wall_ms` the time. */
void log_format(struct text *line, enum log_level level, const char *message,
                const struct log_field *fields, int journal, int64_t wall_ms);

#endif
