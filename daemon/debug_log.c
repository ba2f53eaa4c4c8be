#include "gatherd/debug_log.h"

#include "gatherd/log.h"

static const char *outcome_of(const struct result *result)
{
    if (result->run->failure != RUN_OK)
        return "failed";
    return result->total.rejected > 0 ? "partial" : "success";
}

void debug_log_run(const struct result *result)
{
    const struct run *run = result->run;
    char item[RUN_ITEM_SIZE];

    log_debug(
        "run committed", LOG_STR("source", run->source->name), LOG_STR("item", run_item(run, item)),
        LOG_STR("outcome", outcome_of(result)), LOG_STR("failure", run_failure_name(run->failure)),
        LOG_INT("status", run->response.status),
        LOG_STR("not_modified", run->not_modified ? "1" : NULL), LOG_INT("requests", run->requests),
        LOG_INT("records", result->total.records), LOG_INT("inserted", result->total.inserted),
        LOG_INT("updated", result->total.updated), LOG_INT("unchanged", result->total.unchanged),
        LOG_INT("deleted", result->total.deleted), LOG_INT("marked", result->total.marked),
        LOG_INT("filtered", result->total.filtered), LOG_INT("rejected", result->total.rejected),
        LOG_INT("ms", run->timing.total_us / 1000));
}

void debug_log_page(const struct result *result)
{
    const struct run *run = result->run;
    char item[RUN_ITEM_SIZE];

    log_debug("page committed", LOG_STR("source", run->source->name),
              LOG_STR("item", run_item(run, item)), LOG_INT("page", run_page(run)),
              LOG_INT("status", run->response.status), LOG_INT("records", result->records),
              LOG_INT("inserted", result->inserted), LOG_INT("updated", result->updated),
              LOG_INT("unchanged", result->unchanged), LOG_INT("filtered", result->filtered),
              LOG_INT("rejected", result->rejected), LOG_INT("ms", run->timing.total_us / 1000));
}

void debug_log_retry(const struct run *run, int64_t delay_ms)
{
    char item[RUN_ITEM_SIZE];

    log_debug("request failed, to be tried again", LOG_STR("source", run->source->name),
              LOG_STR("item", run_item(run, item)),
              LOG_STR("failure", run_failure_name(run->failure)), LOG_STR("error", run->error),
              LOG_INT("status", run->response.status), LOG_INT("attempt", run->attempt + 1),
              LOG_INT("delay_ms", delay_ms));
}

static void log_source(const char *message, const struct source *source)
{
    log_debug(message, LOG_STR("source", source->name), LOG_STR("file", source->file),
              LOG_INT("line", source->line));
}

static void log_number(const char *key, uint64_t old, uint64_t new)
{
    if (old != new)
        log_debug("setting changed", LOG_STR("key", key), LOG_INT("old", old), LOG_INT("new", new));
}

void debug_log_reload(const struct config *old, const struct config *new)
{
    log_number("fetchers", old->fetchers, new->fetchers);
    log_number("processors", old->processors, new->processors);
    log_number("max_in_flight", old->max_in_flight, new->max_in_flight);
    log_number("queue.max_items", old->queue_max_items, new->queue_max_items);
    log_number("queue.max_bytes", old->queue_max_bytes, new->queue_max_bytes);
    log_number("batch.max_rows", old->batch_max_rows, new->batch_max_rows);
    log_number("hosts.max_concurrent", old->hosts.max_concurrent, new->hosts.max_concurrent);
    log_number("hosts.min_spacing_ms", (uint64_t)old->hosts.min_spacing_ms,
               (uint64_t) new->hosts.min_spacing_ms);
    for (size_t i = 0; i < old->source_count; i++) {
        if (config_find_source(new, old->sources[i].name) == NULL)
            log_source("source removed", &old->sources[i]);
    }
    for (size_t i = 0; i < new->source_count; i++) {
        const struct source *before = config_find_source(old, new->sources[i].name);

        if (before == NULL)
            log_source("source added", &new->sources[i]);
        else if (before->fingerprint != new->sources[i].fingerprint)
            log_source("source changed", &new->sources[i]);
    }
}
