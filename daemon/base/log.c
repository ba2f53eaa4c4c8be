#include "gatherd/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/clock.h"

/* The one piece of global state: every thread logs, and threading a logger through every call would
 * cost each signature a parameter. Both are set before threads start or are single atomic words. */
static atomic_int max_level = LOG_LEVEL_INFO;
static bool to_journal;

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char level_priorities[] = {'3', '4', '6', '7'}; /* syslog(3) */

/* "DEVICE:INODE" of the stream that systemd connected (systemd.exec(5), $JOURNAL_STREAM). */
void log_start(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long device;
    unsigned long inode;
    struct stat st;

    to_journal = stream != NULL && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
                 fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p >= 0x7f)
            return true;
    }
    return false;
}

static void put_quoted(struct text *line, const char *value)
{
    text_char(line, '"');
    while (*value != '\0') {
        size_t plain = strcspn(value, "\"\\");

        text_visible(line, value, plain);
        value += plain;
        if (*value != '\0')
            text_format(line, "\\%c", *value++);
    }
    text_char(line, '"');
}

static void put_field(struct text *line, const char *key, const char *value)
{
    text_format(line, "%s=", key);
    if (needs_quotes(value))
        put_quoted(line, value);
    else
        text_add(line, value);
}

void log_format(struct text *line, enum log_level level, const char *message,
                const struct log_field *fields, int journal, int64_t wall_ms)
{
    char time[CLOCK_TEXT_SIZE];

    if (journal)
        text_format(line, "<%c>", level_priorities[level]);
    else
        text_format(line, "time=%s level=%s ", clock_format(wall_ms, time), level_names[level]);
    put_field(line, "msg", message);
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        if (f->kind == LOG_VALUE_NUMBER) {
            text_format(line, " %s=%lld", f->key, (long long)f->number);
        } else if (f->text != NULL) {
            text_char(line, ' ');
            put_field(line, f->key, f->text);
        }
    }
    text_char(line, '\n');
}

void log_event(enum log_level level, const char *message, const struct log_field *fields)
{
    struct text line = {0};
    const char *p;
    size_t left;

    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    log_format(&line, level, message, fields, to_journal, clock_wall_ms());
    p = text_string(&line);
    left = line.length;
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, p, left);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break; /* nobody to tell: the log itself is what failed */
        p += written;
        left -= (size_t)written;
    }
    text_free(&line);
}
