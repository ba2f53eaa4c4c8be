#include "gatherd/position.h"

#include <stdlib.h>
#include <string.h>

/* --- Marks. --- */

static void free_mark(struct mark *mark)
{
    free(mark->cursor);
    ties_free(&mark->ties);
    *mark = (struct mark){0};
}

static int copy_mark(struct mark *to, const struct mark *from)
{
    struct mark copy = {0};

    if (from->cursor != NULL && (copy.cursor = strdup(from->cursor)) == NULL)
        return -1;
    if (ties_add_all(&copy.ties, &from->ties) == -1) {
        free_mark(&copy);
        return -1;
    }
    free_mark(to);
    *to = copy;
    return 0;
}

/* --- Making and freeing. --- */

struct position *position_create(const char *cursor)
{
    struct position *position = calloc(1, sizeof(*position));

    if (position == NULL || cursor == NULL)
        return position;
    position->saved.cursor = strdup(cursor);
    if (position->saved.cursor != NULL)
        return position;
    free(position);
    return NULL;
}

static void free_backfill(struct backfill *backfill)
{
    if (backfill == NULL)
        return;
    free(backfill->from);
    free(backfill->to);
    free_mark(&backfill->done);
    free(backfill);
}

static void forget_window(struct position *position)
{
    free(position->from);
    free(position->to);
    position->from = NULL;
    position->to = NULL;
    position->begun = false;
    position->walking = false;
    position->nothing = false;
    position->closed = false;
    position->last = false;
    position->passed = false;
    free_mark(&position->seen);
    free_mark(&position->next);
}

void position_free(struct position *position)
{
    if (position == NULL)
        return;
    forget_window(position);
    free_mark(&position->saved);
    free_mark(&position->to_save);
    free_backfill(position->backfill);
    free(position);
}

/* --- The window. --- */

static bool is_time(const struct cursor_rule *rule, const char *value)
{
    int64_t wall_ms;

    return cursor_time(rule, slice_of(value), &wall_ms);
}

static int take_text(struct text *text, char **to)
{
    *to = text_take(text);
    return *to == NULL ? -1 : 0;
}

static int does_not_move(const char *what, const char *value, struct error *err)
{
    error_set(err, ERROR_CONFIG,
              "incremental.%s does not fit the position \"%.60s\": a duration moves times, a whole "
              "number moves whole numbers",
              what, value);
    return -1;
}

static int out_of_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "out of memory for the position");
    return -1;
}

/* What has not been seen yet needs no looking back. */
static int set_from(struct position *position, const struct incremental *rule, const char *start,
                    bool seen, struct error *err)
{
    struct text from = {0};

    if (start == NULL)
        return 0;
    if (!seen || rule->lookback.amount == 0)
        text_add(&from, start);
    else if (!cursor_move(&rule->rule, slice_of(start), &rule->lookback, true, &from)) {
        text_free(&from);
        return does_not_move("lookback", start, err);
    }
    return take_text(&from, &position->from) == -1 ? out_of_memory(err) : 0;
}

static bool is_before(const struct incremental *rule, const char *a, const char *b)
{
    return cursor_compare(&rule->rule, slice_of(a), slice_of(b)) == CURSOR_BEFORE;
}

/*
 * A step from the cursor, but not beyond the end that is configured, and of times not beyond now:
 * what is still to come is no part of a window that is done.
 */
static int set_to(struct position *position, const struct incremental *rule, const char *start,
                  const char *end, int64_t now_ms, struct error *err)
{
    bool time = start != NULL && is_time(&rule->rule, start);
    struct text to = {0};
    struct text now = {0};

    if (time)
        cursor_write_time(&rule->rule, slice_of(start), now_ms, &now);
    if (start != NULL && rule->step.amount != 0) {
        if (!cursor_move(&rule->rule, slice_of(start), &rule->step, false, &to)) {
            text_free(&to);
            text_free(&now);
            return does_not_move("step", start, err);
        }
        position->closed = true;
    }
    if (end != NULL && (to.length == 0 || !is_before(rule, text_string(&to), end))) {
        text_clear(&to);
        text_add(&to, end);
        position->closed = true;
        position->last = true;
    }
    if (now.length > 0 &&
        (to.length == 0 || is_before(rule, text_string(&now), text_string(&to)))) {
        text_clear(&to);
        text_add(&to, text_string(&now));
        position->closed = false;
        position->last = false;
    }
    text_free(&now);
    if (to.length == 0)
        return text_failed(&to) ? out_of_memory(err) : 0;
    return take_text(&to, &position->to) == -1 ? out_of_memory(err) : 0;
}

static int fits(const struct incremental *rule, const char *start, const char *end,
                struct error *err)
{
    if (start != NULL && !cursor_is_valid(&rule->rule, slice_of(start)))
        error_set(err, ERROR_CONFIG,
                  "the saved position \"%.60s\" is not of the type that incremental says; set or "
                  "reset it with `gatherd state`",
                  start);
    else if (start != NULL && end != NULL &&
             cursor_compare(&rule->rule, slice_of(start), slice_of(end)) == CURSOR_UNLIKE)
        error_set(err, ERROR_CONFIG,
                  "the position \"%.60s\" and the end \"%.60s\" do not compare; set or reset it "
                  "with `gatherd state`",
                  start, end);
    else
        return 0;
    return -1;
}

/* What the present run goes on from. */
static struct mark *base_of(struct position *position)
{
    return position->walking ? &position->backfill->done : &position->saved;
}

static int set_window(struct position *position, const struct incremental *rule, int64_t now_ms,
                      struct error *err)
{
    const char *end = position->walking ? position->backfill->to : rule->end;
    const char *start = base_of(position)->cursor;
    bool seen = start != NULL && !position->walking;

    position->nothing = start != NULL && end != NULL && !is_before(rule, start, end);
    if (start == NULL)
        start = position->walking ? position->backfill->from : rule->initial_value;
    if (fits(rule, start, end, err) == -1 || set_from(position, rule, start, seen, err) == -1)
        return -1;
    return set_to(position, rule, start, end, now_ms, err);
}

/* A backfill that takes days does not keep the source from what is new. */
static bool is_backfills_turn(struct position *position, const struct source *source,
                              int64_t now_ms)
{
    struct backfill *backfill = position->backfill;

    if (backfill == NULL)
        return false;
    if (backfill->live_again_ms != 0 && now_ms >= backfill->live_again_ms) {
        backfill->live_again_ms = now_ms + source->interval_ms;
        return false;
    }
    if (backfill->live_again_ms == 0) /* its first step */
        backfill->live_again_ms = now_ms + source->interval_ms;
    return true;
}

int position_begin(struct position *position, const struct source *source, int64_t now_ms,
                   struct error *err)
{
    if (position->begun)
        return 0;
    forget_window(position);
    position->walking = is_backfills_turn(position, source, now_ms);
    position->asked_at_ms = now_ms;
    if (set_window(position, source->incremental, now_ms, err) == -1) {
        forget_window(position);
        return -1;
    }
    position->begun = true;
    return 0;
}

/* --- The past. --- */

static int check_range(const struct incremental *rule, const char *from, const char *to,
                       struct error *err)
{
    struct text moved = {0};
    bool moves = rule->step.amount == 0 ||
                 cursor_move(&rule->rule, slice_of(from), &rule->step, false, &moved);

    text_free(&moved);
    if (!cursor_is_valid(&rule->rule, slice_of(from)))
        error_set(err, ERROR_USAGE, "\"%.60s\" is no position of the type that incremental says",
                  from);
    else if (!cursor_is_valid(&rule->rule, slice_of(to)))
        error_set(err, ERROR_USAGE, "\"%.60s\" is no position of the type that incremental says",
                  to);
    else if (!moves)
        error_set(err, ERROR_USAGE, "incremental.step cannot move \"%.60s\"", from);
    else if (!is_before(rule, from, to))
        error_set(err, ERROR_USAGE, "\"%.60s\" is not before \"%.60s\"", from, to);
    else
        return 0;
    return -1;
}

int position_start_backfill(struct position *position, const struct incremental *rule,
                            const char *from, const char *to, struct error *err)
{
    struct backfill *backfill;

    if (check_range(rule, from, to, err) == -1)
        return -1;
    backfill = calloc(1, sizeof(*backfill));
    if (backfill == NULL)
        return out_of_memory(err);
    backfill->from = strdup(from);
    backfill->to = strdup(to);
    if (backfill->from == NULL || backfill->to == NULL) {
        free_backfill(backfill);
        return out_of_memory(err);
    }
    free_backfill(position->backfill);
    position->backfill = backfill;
    return 0;
}

void position_stop_backfill(struct position *position)
{
    free_backfill(position->backfill);
    position->backfill = NULL;
}

/* --- Records. --- */

bool position_compares(const struct position *position, const struct incremental *rule,
                       struct slice value)
{
    const char *base = position->walking ? NULL : position->saved.cursor;
    const char *other = position->next.cursor != NULL ? position->next.cursor
                        : base != NULL                ? base
                                                      : position->from;

    return cursor_is_valid(&rule->rule, value) &&
           (other == NULL || cursor_compare(&rule->rule, value, slice_of(other)) != CURSOR_UNLIKE);
}

bool position_is_tie(const struct position *position, const struct incremental *rule,
                     struct slice value, struct hash128 hash)
{
    const struct mark *base = position->walking ? &position->backfill->done : &position->saved;

    return ties_has(&base->ties, hash) &&
           cursor_compare(&rule->rule, value, slice_of(base->cursor)) == CURSOR_SAME;
}

int position_start_page(struct position *position)
{
    return copy_mark(&position->next, &position->seen);
}

int position_note(struct position *position, const struct incremental *rule, struct slice value,
                  const struct hash128 *hash)
{
    struct mark *next = &position->next;
    enum cursor_order order = CURSOR_AFTER;
    int64_t wall_ms;
    char *cursor;

    if (cursor_time(&rule->rule, value, &wall_ms) && wall_ms > position->asked_at_ms)
        return 0;
    if (next->cursor != NULL)
        order = cursor_compare(&rule->rule, value, slice_of(next->cursor));
    if (order == CURSOR_AFTER) {
        cursor = strndup(value.data, value.length);
        if (cursor == NULL)
            return -1;
        free(next->cursor);
        next->cursor = cursor;
        ties_free(&next->ties);
    }
    if (hash == NULL || order == CURSOR_BEFORE || order == CURSOR_UNLIKE)
        return 0;
    return ties_add(&next->ties, *hash);
}

/* --- The end of a page and of a run. --- */

int position_settle(struct position *position, const struct incremental *rule)
{
    const struct mark *saved = base_of(position);
    const struct mark *next = &position->next;
    enum cursor_order order = CURSOR_AFTER;

    if (saved->cursor != NULL)
        order = next->cursor == NULL
                    ? CURSOR_BEFORE
                    : cursor_compare(&rule->rule, slice_of(next->cursor), slice_of(saved->cursor));
    if (copy_mark(&position->to_save, order == CURSOR_AFTER ? next : saved) == -1)
        return -1;
    if (order == CURSOR_SAME && ties_add_all(&position->to_save.ties, &next->ties) == -1)
        return -1;
    if (!position->closed || position->to == NULL ||
        (position->to_save.cursor != NULL &&
         !is_before(rule, position->to_save.cursor, position->to)))
        return 0;
    free_mark(&position->to_save);
    position->to_save.cursor = strdup(position->to);
    return position->to_save.cursor == NULL ? -1 : 0;
}

bool position_has_more(const struct position *position)
{
    if (position->backfill != NULL)
        return !position->walking || !position->last;
    return position->closed && !position->last;
}

void position_page_committed(struct position *position, bool saved)
{
    struct mark *base = base_of(position);

    free_mark(&position->seen);
    position->seen = position->next;
    position->next = (struct mark){0};
    if (!saved)
        return;
    free_mark(base);
    *base = position->to_save;
    position->to_save = (struct mark){0};
    position->walked = position->walking && position->last;
}

void position_end(struct position *position)
{
    if (position->walked)
        position_stop_backfill(position);
    position->walked = false;
    free_mark(&position->to_save);
    forget_window(position);
}
