#include "sql/scan.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "sql/sandbox.h"

#define MOST_DEPTH 100

/* What one pair of brackets holds. */
struct bracket {
    size_t offset;  /* of what opened it: the function's name, or the bracket */
    unsigned least; /* arguments without which it would be the present time; 0: it is not one
                       of those functions */
    unsigned commas;
    bool filled;
};

struct scan {
    const char *text;
    size_t at;
    size_t word;        /* where the word before this begins, if nothing is in between ... */
    size_t word_length; /* ... else 0 */
    struct bracket stack[MOST_DEPTH];
    size_t depth;
    const char *problem;
    size_t offset;
};

static void fail(struct scan *s, size_t offset, const char *problem)
{
    if (s->problem != NULL)
        return;
    s->problem = problem;
    s->offset = offset;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

/* --- What gives the present time. --- */

static const struct {
    const char *name;
    unsigned least;
} clocks[] = {
    {"date", 1}, {"time", 1}, {"datetime", 1}, {"julianday", 1}, {"unixepoch", 1}, {"strftime", 2},
};

/* Of the word before a bracket. */
static unsigned least_arguments(const struct scan *s)
{
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        if (strlen(clocks[i].name) == s->word_length &&
            sqlite3_strnicmp(clocks[i].name, s->text + s->word, (int)s->word_length) == 0)
            return clocks[i].least;
    }
    return 0;
}

static void look_at_text(struct scan *s, size_t start)
{
    if (s->at - start != sizeof("'now'") - 1 ||
        sqlite3_strnicmp(s->text + start, "'now'", sizeof("'now'") - 1) != 0)
        return;
    for (size_t i = 0; i < s->depth; i++) {
        if (s->stack[i].least > 0)
            fail(s, start, sandbox_no_time);
    }
}

/* --- Brackets. --- */

static void open_bracket(struct scan *s)
{
    if (s->depth == MOST_DEPTH) {
        fail(s, s->at, "more than 100 brackets in each other; make it simpler");
        return;
    }
    if (s->depth > 0)
        s->stack[s->depth - 1].filled = true;
    s->stack[s->depth++] = (struct bracket){
        .offset = s->word_length > 0 ? s->word : s->at,
        .least = s->word_length > 0 ? least_arguments(s) : 0,
    };
}

static void close_bracket(struct scan *s)
{
    const struct bracket *b;

    if (s->depth == 0) {
        fail(s, s->at, "this ) closes nothing; remove it");
        return;
    }
    b = &s->stack[--s->depth];
    if (b->least > (b->filled ? b->commas + 1 : 0))
        fail(s, b->offset, sandbox_no_time);
}

/* --- Tokens. --- */

/* Up to the closing quote, which stands for itself where it is doubled, but for ]. */
static void pass_quoted(struct scan *s, char quote)
{
    size_t start = s->at++;

    while (s->text[s->at] != '\0') {
        if (s->text[s->at] == quote) {
            s->at++;
            if (quote == ']' || s->text[s->at] != quote) {
                if (quote == '\'')
                    look_at_text(s, start);
                return;
            }
        }
        s->at++;
    }
    fail(s, start,
         quote == '\'' ? "this text has no end; close it with '"
                       : "this name has no end; close its quotes");
}

static void pass_line(struct scan *s)
{
    s->at += strcspn(s->text + s->at, "\n");
}

static void pass_comment(struct scan *s)
{
    const char *end = strstr(s->text + s->at + 2, "*/");

    if (end == NULL)
        fail(s, s->at, "this comment has no end; close it with */");
    s->at = end == NULL ? strlen(s->text) : (size_t)(end + 2 - s->text);
}

static void pass_word(struct scan *s)
{
    s->word = s->at;
    while (is_word(s->text[s->at]))
        s->at++;
    s->word_length = s->at - s->word;
}

static void pass_sign(struct scan *s, char c)
{
    if (c == '(')
        open_bracket(s);
    else if (c == ')')
        close_bracket(s);
    else if (c == ',' && s->depth > 0)
        s->stack[s->depth - 1].commas++;
    else if (c == ';')
        fail(s, s->at, "an expression is no statement; remove the semicolon");
    else if (c == '?' || c == ':' || c == '@' || c == '#' || c == '$')
        fail(s, s->at, "there are no parameters here; write a column's name or a value");
    s->at++;
    s->word_length = 0;
}

static void pass_token(struct scan *s)
{
    char c = s->text[s->at];
    char next = s->text[s->at + 1];

    if (is_space(c)) {
        s->at++;
        return;
    }
    if (c == '-' && next == '-') {
        pass_line(s);
        return;
    }
    if (c == '/' && next == '*') {
        pass_comment(s);
        return;
    }
    if (s->depth > 0 && c != ')' && c != '(')
        s->stack[s->depth - 1].filled = true;
    if (is_word(c) && c != '$') {
        pass_word(s);
    } else if (c == '\'' || c == '"' || c == '`' || c == '[') {
        pass_quoted(s, c == '[' ? ']' : c);
        s->word_length = 0;
    } else {
        pass_sign(s, c);
    }
}

const char *scan_expression(const char *text, size_t *offset)
{
    struct scan s = {.text = text};

    while (text[s.at] != '\0' && s.problem == NULL)
        pass_token(&s);
    if (s.depth > 0 && s.problem == NULL)
        fail(&s, s.stack[s.depth - 1].offset, "a ( behind this is not closed; add the )");
    if (s.problem == NULL && strspn(text, " \t\n\v\f\r") == strlen(text))
        fail(&s, 0, "there is no expression in it; write one, or remove the key");
    *offset = s.offset;
    return s.problem;
}
