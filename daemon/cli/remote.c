#include "cli/remote.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "cli/replaying.h"
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
        control_say(call, "%zu record%s rejected; see gatherd failed list --source %s\n",
                    report.rejected, report.rejected == 1 ? "" : "s", source);
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

/* --- Replays, in the daemon. --- */

static void say(void *context, const char *text)
{
    control_say(context, "%s", text);
}

static void complain(void *context, const char *text)
{
    control_complain(context, "%s", text);
}

static bool is_over(void *context, int64_t wait_ms)
{
    return control_is_over(context, wait_ms);
}

/* A mapping that was changed in the file and not reloaded is not what the command has in mind. */
static bool is_same_mapping(struct control_call *call, const struct config *config,
                            const char *source, const char *fingerprint)
{
    char ours[24];

    snprintf(ours, sizeof(ours), "%016" PRIx64, replay_fingerprint(config, source));
    if (strcmp(ours, fingerprint) == 0)
        return true;
    control_complain(call,
                     "gatherd: the daemon goes by another mapping than your file says; reload it "
                     "first (SIGHUP, or systemctl reload gatherd)\n");
    return false;
}

static int replay(struct steer *steer, struct control_call *call, const char *fingerprint,
                  struct replay_wish *wish, const char *terminal)
{
    const struct replaying replaying = {.context = call,
                                        .say = say,
                                        .complain = complain,
                                        .is_over = is_over,
                                        .terminal = *terminal != '\0',
                                        .polite = true};
    struct config *config;
    int status = EX_CONFIG;

    if (!steer_begin_replay(steer)) {
        control_complain(call, "gatherd: another replay is under way; try again later\n");
        return EX_TEMPFAIL;
    }
    config = steer_config(steer);
    if (is_same_mapping(call, config, wish->source, fingerprint))
        status = replaying_run(&replaying, steer->store, config, wish);
    config_unref(config);
    steer_end_replay(steer);
    return status;
}

static int replay_bodies(struct steer *steer, struct control_call *call, const char *const *words)
{
    struct replay_wish wish = {.source = words[0],
                               .since_ms = strtoll(words[2], NULL, 10),
                               .until_ms = strtoll(words[3], NULL, 10),
                               .into = *words[4] == '\0' ? NULL : words[4]};
    int status;

    log_info("replay begins", LOG_STR("source", words[0]), LOG_STR("into", wish.into));
    status = replay(steer, call, words[1], &wish, words[5]);
    log_info("replay ended", LOG_STR("source", words[0]), LOG_INT("exit_status", status));
    return status;
}

/* "3,17,20"; the caller frees. NULL: out of memory. */
static int64_t *read_ids(const char *word, size_t *count)
{
    int64_t *ids = calloc(strlen(word) / 2 + 1, sizeof(*ids));

    *count = 0;
    while (ids != NULL && *word != '\0') {
        char *end;

        ids[(*count)++] = strtoll(word, &end, 10);
        word = *end == ',' ? end + 1 : "";
    }
    return ids;
}

/* The words of a replay have one more before them, and after them another. */
static int work_on_letters(struct steer *steer, struct control_call *call, const char *const *words,
                           bool drops)
{
    const char *ids = drops ? words[0] : words[1];
    const char *source = drops ? words[1] : words[2];
    const char *before = drops ? words[2] : "0";
    const struct replaying replaying = {.context = call, .say = say, .complain = complain};
    struct letter_choice choice = {.source = *source == '\0' ? NULL : source};
    struct replay_wish wish = {.letters = &choice};
    int64_t *numbers = read_ids(ids, &choice.id_count);
    int status;

    if (numbers == NULL) {
        control_complain(call, "gatherd: out of memory\n");
        return error_exit_status(ERROR_NOMEM);
    }
    if (choice.id_count == 0 && *source == '\0' && drops && strcmp(before, "0") == 0) {
        control_complain(call, "gatherd: say which dead letters\n");
        free(numbers);
        return EX_USAGE;
    }
    choice.ids = numbers;
    choice.before_ms = strtoll(before, NULL, 10);
    if (drops)
        status = replaying_drop(&replaying, steer->store, &choice);
    else
        status = replay(steer, call, words[0], &wish, words[3]);
    free(numbers);
    return status;
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
    if (count == 7 && strcmp(words[0], "replay") == 0)
        return replay_bodies(steer, call, words + 1);
    if (count == 5 && strcmp(words[0], "failed-replay") == 0)
        return work_on_letters(steer, call, words + 1, false);
    if (count == 4 && strcmp(words[0], "failed-drop") == 0)
        return work_on_letters(steer, call, words + 1, true);
    control_complain(call, "gatherd: the daemon does not know this command; is it older?\n");
    return EX_UNAVAILABLE;
}

/* --- The command's end. --- */

/* main() blocks them. While the daemon works there is nothing here to tidy: they may end us. */
static void mask_fatal_signals(int how)
{
    sigset_t fatal;

    sigemptyset(&fatal);
    sigaddset(&fatal, SIGTERM);
    sigaddset(&fatal, SIGINT);
    sigaddset(&fatal, SIGHUP);
    sigprocmask(how, &fatal, NULL);
}

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
    mask_fatal_signals(SIG_UNBLOCK);
    outcome = control_ask(path, count, words, stdout, stderr, status, &err);
    mask_fatal_signals(SIG_BLOCK);
    free(path);
    if (outcome == CONTROL_FAILED)
        *status = command_failed(&err);
    return outcome != CONTROL_NOBODY;
}
