#include "cli/replaying.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gatherd/clock.h"
#include "gatherd/text.h"

#define MOST_FAILURES  10 /* shown; the rest is counted */
#define TERMINAL_MS    200
#define LINE_MS        5000
#define BUSY_MS        200
#define BUSY_PATIENCE  (60 * 1000)
#define LEAST_PAUSE_MS 1
#define MOST_PAUSE_MS  50

struct show {
    const struct replaying *to;
    const struct replay_wish *wish;
    const struct replay *replay;
    size_t failures;
    int64_t shown_at_ms; /* monotonic */
};

static void put(const struct show *show, bool complaint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(const struct show *show, bool complaint, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length == -1)
        return;
    (complaint ? show->to->complain : show->to->say)(show->to->context, text);
    free(text);
}

static int complain(const struct replaying *to, const struct error *err)
{
    const struct show show = {.to = to};

    put(&show, true, "gatherd: %s\n", err->text);
    return error_exit_status(err->code);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static bool of_letters(const struct show *show)
{
    return show->wish->letters != NULL;
}

/* --- On the way. --- */

static void clear_line(const struct show *show)
{
    if (show->to->terminal)
        put(show, true, "\r\033[K");
}

/* A reason may hold what came from outside. */
static void tell_failure(void *context, const struct replay_failure *failure)
{
    struct show *show = context;
    struct text reason = {0};
    char at[CLOCK_TEXT_SIZE];

    if (++show->failures > MOST_FAILURES)
        return;
    text_visible(&reason, failure->reason, strlen(failure->reason));
    clear_line(show);
    if (failure->letter_id != 0)
        put(show, true, "dead letter %" PRId64 " of %s: %s\n", failure->letter_id, failure->source,
            text_string(&reason));
    else if (failure->page != 0)
        put(show, true, "run %" PRId64 ", page %u of %s: %s\n", failure->run_id, failure->page,
            clock_format(failure->fetched_ms, at), text_string(&reason));
    else
        put(show, true, "run %" PRId64 " of %s: %s\n", failure->run_id,
            clock_format(failure->fetched_ms, at), text_string(&reason));
    text_free(&reason);
}

static void show_progress(struct show *show)
{
    const struct replay_report *report = replay_report(show->replay);
    int64_t now = clock_monotonic_ms();

    if (now - show->shown_at_ms < (show->to->terminal ? TERMINAL_MS : LINE_MS))
        return;
    show->shown_at_ms = now;
    put(show, show->to->terminal, "%s%zu of %zu %s: %zu rows inserted, %zu updated%s",
        show->to->terminal ? "\r\033[K" : "", report->done, report->total,
        of_letters(show) ? "dead letters" : "bodies", report->inserted, report->updated,
        show->to->terminal ? "" : "\n");
}

/* Waits for as long as the step took, so that live answers find the writer free half of the time.
 */
static bool pause_after(const struct show *show, int64_t began_ms)
{
    int64_t took_ms = clock_monotonic_ms() - began_ms;

    if (!show->to->polite)
        took_ms = 0;
    else if (took_ms < LEAST_PAUSE_MS)
        took_ms = LEAST_PAUSE_MS;
    return show->to->is_over(show->to->context, took_ms < MOST_PAUSE_MS ? took_ms : MOST_PAUSE_MS);
}

/* A full disk and a lock may pass. */
static enum replay_status step(const struct show *show, struct replay *replay, struct error *err)
{
    int64_t give_up_ms = clock_monotonic_ms() + BUSY_PATIENCE;
    enum replay_status status;

    do {
        *err = (struct error){0};
        status = replay_step(replay, err);
    } while (status == REPLAY_BUSY && clock_monotonic_ms() < give_up_ms &&
             !show->to->is_over(show->to->context, BUSY_MS));
    return status;
}

/* REPLAY_MORE: it was stopped. */
static enum replay_status go(struct show *show, struct replay *replay, struct error *err)
{
    enum replay_status status;
    bool over = false;

    do {
        int64_t began_ms = clock_monotonic_ms();

        status = step(show, replay, err);
        show_progress(show);
        if (status == REPLAY_MORE)
            over = pause_after(show, began_ms);
    } while (status == REPLAY_MORE && !over);
    clear_line(show);
    return status;
}

/* --- At the end. --- */

static void sum_up_letters(const struct show *show, const struct replay_report *report)
{
    size_t missing = report->total - report->done;

    put(show, false, "%zu dead letter%s replayed: %zu stored, %zu stay%s\n", report->done,
        plural(report->done), report->done - report->failed, report->failed,
        report->failed == 1 ? "s" : "");
    if (missing > 0 && show->wish->letters->id_count > 0)
        put(show, true, "gatherd: %zu of those named %s not there\n", missing,
            missing == 1 ? "is" : "are");
    if (report->rejected > 0)
        put(show, false, "%zu records of them were rejected; see `gatherd failed list`\n",
            report->rejected);
}

static void sum_up_bodies(const struct show *show, const struct replay_report *report)
{
    if (report->total == 0) {
        put(show, false, "no bodies of source \"%s\" are kept from that time\n",
            show->wish->source);
        return;
    }
    put(show, false, "%zu bod%s replayed into %s: %zu rows inserted, %zu updated, %zu unchanged\n",
        report->done, report->done == 1 ? "y" : "ies", replay_table(show->replay), report->inserted,
        report->updated, report->unchanged);
    if (report->child_rows > 0)
        put(show, false, "%zu rows of children inserted, updated or removed\n", report->child_rows);
    if (report->failed > 0)
        put(show, false, "%zu of them failed, and their rows are as they were\n", report->failed);
    if (report->rejected > 0)
        put(show, false, "%zu records rejected%s\n", report->rejected,
            show->wish->into == NULL ? "; see `gatherd failed list`" : "");
}

static int sum_up(const struct show *show, enum replay_status status, const struct error *err)
{
    const struct replay_report *report = replay_report(show->replay);

    if (show->failures > MOST_FAILURES)
        put(show, true, "... and %zu more\n", show->failures - MOST_FAILURES);
    (of_letters(show) ? sum_up_letters : sum_up_bodies)(show, report);
    if (status == REPLAY_MORE) {
        put(show, true, "gatherd: stopped after %zu of %zu; say it again to have all\n",
            report->done, report->total);
        return 1;
    }
    if (status != REPLAY_DONE)
        return complain(show->to, err);
    if (of_letters(show) && report->done < report->total && show->wish->letters->id_count > 0)
        return 1;
    return report->failed + report->rejected > 0 ? 1 : EX_OK;
}

int replaying_run(const struct replaying *replaying, struct store *store, struct config *config,
                  struct replay_wish *wish)
{
    struct show show = {.to = replaying, .wish = wish, .shown_at_ms = clock_monotonic_ms()};
    struct error err = {0};
    struct replay *replay;
    int status;

    wish->failed = tell_failure;
    wish->context = &show;
    replay = replay_open(store, config, wish, &err);
    if (replay == NULL)
        return complain(replaying, &err);
    show.replay = replay;
    status = sum_up(&show, go(&show, replay, &err), &err);
    replay_close(replay);
    return status;
}

int replaying_drop(const struct replaying *replaying, struct store *store,
                   const struct letter_choice *choice)
{
    const struct show show = {.to = replaying};
    struct error err = {0};
    size_t count = 0;
    int rc = store_drop_letters(store, choice, &count, &err);

    put(&show, false, "%zu dead letter%s dropped\n", count, plural(count));
    if (rc == -1)
        return complain(replaying, &err);
    if (choice->id_count == 0 || count == choice->id_count)
        return EX_OK;
    put(&show, true, "gatherd: %zu of those named %s not there\n", choice->id_count - count,
        choice->id_count - count == 1 ? "is" : "are");
    return 1;
}
