#include "cli/remote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "gatherd/clock.h"
#include "gatherd/log.h"

/* A run that is under way ends by itself: its timeouts and retries bound it. */
#define PATIENCE_MS (2 * 60 * 1000)
#define LOOK_MS     50
#define REPORT_MS   1000

/* --- The daemon's end. --- */

static int refuse(struct control_call *call, const struct error *err)
{
    control_complain(call, "gatherd: %s\n", err->text);
    return error_exit_status(err->code);
}

typedef enum steering steer_fn(struct steer *steer, const char *const *words, struct error *err);

/* Asks until the source's run is not under way. */
static int steer_patiently(struct steer *steer, struct control_call *call, steer_fn *ask,
                           const char *const *words)
{
    int64_t give_up_ms = clock_monotonic_ms() + PATIENCE_MS;
    struct error err = {0};

    for (;;) {
        enum steering answer = ask(steer, words, &err);

        if (answer == STEER_DONE)
            return EX_OK;
        if (answer == STEER_FAILED)
            return refuse(call, &err);
        if (clock_monotonic_ms() > give_up_ms) {
            error_set(&err, ERROR_BUSY, "a run of source \"%s\" does not end; try again later",
                      words[0]);
            return refuse(call, &err);
        }
        if (control_is_over(call, LOOK_MS))
            return EX_TEMPFAIL;
    }
}

static enum steering set(struct steer *steer, const char *const *words, struct error *err)
{
    return steer_set_cursor(steer, words[0], words[1], err);
}

static enum steering reset(struct steer *steer, const char *const *words, struct error *err)
{
    return steer_reset(steer, words[0], err);
}

static enum steering start_backfill(struct steer *steer, const char *const *words,
                                    struct error *err)
{
    return steer_start_backfill(steer, words[0], words[1], words[2], err);
}

static void say_progress(struct control_call *call, const struct walk_report *report)
{
    if (report->error[0] != '\0')
        control_say(call, "run %zu failed: %s\n", report->runs, report->error);
    else
        control_say(call, "%s: %zu run%s, %zu rows inserted, %zu updated\n", report->to,
                    report->runs, report->runs == 1 ? "" : "s", report->inserted, report->updated);
}

/* Until the range is walked, the caller goes, or the daemon stops. */
static int watch(struct steer *steer, struct control_call *call, const char *source)
{
    struct walk_report report = {0};
    size_t said = 0;
    bool over = false;

    while (!over && !report.done) {
        over = control_is_over(call, REPORT_MS);
        steer_report(steer, source, &report);
        if (report.runs > said)
            say_progress(call, &report);
        said = report.runs;
    }
    while (steer_stop_backfill(steer, source) == STEER_BUSY && !control_is_stopping(call, LOOK_MS))
        continue; /* also when the caller has gone */
    log_info(report.done ? "backfill done" : "backfill stopped", LOG_STR("source", source),
             LOG_INT("runs", report.runs), LOG_INT("inserted", report.inserted),
             LOG_INT("updated", report.updated));
    if (report.rejected > 0)
        control_say(call, "%zu records rejected; see _gatherd_dead_letters\n", report.rejected);
    return !report.done || report.rejected > 0 ? 1 : EX_OK;
}

static int backfill(struct steer *steer, struct control_call *call, const char *const *words)
{
    int status = steer_patiently(steer, call, start_backfill, words);

    if (status != EX_OK)
        return status;
    log_info("backfill begins", LOG_STR("source", words[0]), LOG_STR("from", words[1]),
             LOG_STR("to", words[2]));
    return watch(steer, call, words[0]);
}

int remote_answer(void *context, struct control_call *call, size_t count, const char *const *words)
{
    struct steer *steer = context;

    if (count == 3 && strcmp(words[0], "set") == 0)
        return steer_patiently(steer, call, set, words + 1);
    if (count == 2 && strcmp(words[0], "reset") == 0)
        return steer_patiently(steer, call, reset, words + 1);
    if (count == 4 && strcmp(words[0], "backfill") == 0)
        return backfill(steer, call, words + 1);
    control_complain(call, "gatherd: the daemon does not know this command; is it older?\n");
    return EX_UNAVAILABLE;
}

/* --- The command's end. --- */

bool remote_ask(const char *database, size_t count, const char *const *words, int *status)
{
    char *path = control_path(database);
    struct error err = {0};
    enum control_outcome outcome;

    if (path == NULL) {
        error_set(&err, ERROR_NOMEM, "out of memory");
        *status = command_failed(&err);
        return true;
    }
    outcome = control_ask(path, count, words, stdout, stderr, status, &err);
    free(path);
    if (outcome == CONTROL_FAILED)
        *status = command_failed(&err);
    return outcome != CONTROL_NOBODY;
}
