#include "gatherd/trouble.h"

#include <stdio.h>

#include "gatherd/clock.h"
#include "gatherd/log.h"

#define REPEAT_MS (60 * 60 * 1000)

enum trouble_line trouble_next(const struct result *result, int64_t now_ms)
{
    struct run *run = result->run;
    bool failing = run->failure != RUN_OK;
    bool known = run->logged_at_ms != 0;

    if (!failing && result->total.rejected == 0) {
        run->logged_at_ms = 0;
        return known ? TROUBLE_WELL_AGAIN : TROUBLE_NO_LINE;
    }
    if (known && run->logged_failing == failing && now_ms - run->logged_at_ms < REPEAT_MS)
        return TROUBLE_NO_LINE;
    run->logged_at_ms = now_ms;
    run->logged_failing = failing;
    return failing ? TROUBLE_FAILING : TROUBLE_REJECTING;
}

static void log_failing(const struct run *run)
{
    char next_due[CLOCK_TEXT_SIZE];

    clock_format(run->next_due_ms, next_due);
    if (run_page(run) > 1)
        log_warning("source is failing", LOG_STR("source", run->source->name),
                    LOG_STR("failure", run_failure_name(run->failure)),
                    LOG_INT("page", run_page(run)), LOG_STR("error", run->error),
                    LOG_INT("failures", run->failures), LOG_STR("next_due", next_due));
    else
        log_warning("source is failing", LOG_STR("source", run->source->name),
                    LOG_STR("failure", run_failure_name(run->failure)),
                    LOG_STR("error", run->error), LOG_INT("failures", run->failures),
                    LOG_STR("next_due", next_due));
}

void trouble_log(const struct result *result, int64_t now_ms)
{
    const struct run *run = result->run;

    switch (trouble_next(result, now_ms)) {
    case TROUBLE_NO_LINE:
        return;
    case TROUBLE_WELL_AGAIN:
        log_info("source is well again", LOG_STR("source", run->source->name),
                 LOG_INT("records", result->total.records));
        return;
    case TROUBLE_REJECTING:
        log_warning(
            "records rejected, see gatherd failed list", LOG_STR("source", run->source->name),
            LOG_INT("rejected", result->total.rejected), LOG_INT("records", result->total.records));
        return;
    case TROUBLE_FAILING:
        log_failing(run);
        return;
    }
}

void trouble_log_item(const struct result *result, const struct item_news *news)
{
    const struct run *run = result->run;
    char item[RUN_ITEM_SIZE];

    switch (news->line) {
    case TROUBLE_NO_LINE:
        return;
    case TROUBLE_WELL_AGAIN:
        log_info("the items are well again", LOG_STR("source", run->source->name));
        return;
    case TROUBLE_REJECTING:
        log_warning("records rejected, see gatherd failed list",
                    LOG_STR("source", run->source->name), LOG_STR("item", run_item(run, item)),
                    LOG_INT("rejected", result->total.rejected),
                    LOG_INT("records", result->total.records));
        return;
    case TROUBLE_FAILING:
        log_warning("an item is failing, see _gatherd_runs for all",
                    LOG_STR("source", run->source->name), LOG_STR("item", run_item(run, item)),
                    LOG_STR("failure", run_failure_name(run->failure)),
                    LOG_STR("error", run->error), LOG_INT("failures", run->failures),
                    LOG_INT("failing_items", news->failing));
        return;
    }
}

void trouble_log_hold(const struct source *source, const char *what, const char *name,
                      int64_t until_ms)
{
    char until[CLOCK_TEXT_SIZE];

    log_info("waiting because the server asks for it", LOG_STR("source", source->name),
             LOG_STR("held_up", what), LOG_STR("name", name),
             LOG_STR("until", clock_format(until_ms, until)));
}

void trouble_log_line(const char *what, const char *name, uint64_t waiting, int64_t until_ms)
{
    char until[CLOCK_TEXT_SIZE];

    log_info("waiting for rate limit or spacing", LOG_STR("held_up", what), LOG_STR("name", name),
             LOG_INT("sources", waiting), LOG_STR("until", clock_format(until_ms, until)));
}
