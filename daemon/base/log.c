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

/*
 * What is not seen but changes what is seen around it: C1 controls, and of Unicode's format
 * characters (category Cf) and separators those that hide text, reorder it or break the line.
 */
static bool makes_lines_lie(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

/* Length of the well-formed UTF-8 character at p that a terminal may be shown, or 0. */
static size_t printable_utf8(const unsigned char *p)
{
    uint32_t c;
    size_t length;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
        c = p[0] & 0x1fu;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        c = p[0] & 0x0fu;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        c = p[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if ((length == 3 && c < 0x800) || (length == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    if ((c >= 0xd800 && c <= 0xdfff) || makes_lines_lie(c))
        return 0; /* surrogates are not characters */
    return length;
}

static void put_quoted(struct text *line, const char *value)
{
    const unsigned char *p = (const unsigned char *)value;

    text_char(line, '"');
    while (*p != '\0') {
        size_t length = *p >= 0x20 && *p < 0x7f ? 1 : printable_utf8(p);

        if (*p == '"' || *p == '\\')
            text_format(line, "\\%c", *p++);
        else if (*p == '\n' || *p == '\t')
            text_add(line, *p++ == '\n' ? "\\n" : "\\t");
        else if (length == 0)
            text_format(line, "\\x%02x", *p++);
        else {
            text_append(line, (const char *)p, length);
            p += length;
        }
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
