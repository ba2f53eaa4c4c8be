#include "gatherd/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gatherd/text.h"

const char *run_failure_name(enum run_failure failure)
{
    static const char *const names[] = {
        [RUN_OK] = NULL,
        [RUN_FAILED_NETWORK] = "network",
        [RUN_FAILED_TIMEOUT] = "timeout",
        [RUN_FAILED_TLS] = "tls",
        [RUN_FAILED_STATUS] = "status",
        [RUN_FAILED_LIMIT] = "limit",
        [RUN_FAILED_REDIRECT] = "redirect",
        [RUN_FAILED_DECODE] = "decode",
        [RUN_FAILED_RECORDS] = "records",
        [RUN_FAILED_STORE] = "store",
        [RUN_FAILED_SHRINK] = "shrink",
        [RUN_FAILED_POSITION] = "position",
        [RUN_FAILED_AUTH] = "auth",
        [RUN_FAILED_PAGES] = "pages",
        [RUN_FAILED_REQUEST] = "request",
        [RUN_FAILED_ITEMS] = "items",
    };

    return names[failure];
}

bool response_header(const struct response *response, const char *name, size_t *place,
                     struct slice *value)
{
    size_t length = strlen(name);

    while (*place < response->head.length) {
        const char *line = response->head.data + *place;
        const char *end = memchr(line, '\n', response->head.length - *place);
        size_t bytes = (size_t)(end - line);

        *place += bytes + 1;
        if (bytes >= length + 2 && line[length] == ':' && strncasecmp(line, name, length) == 0) {
            *value = (struct slice){line + length + 2, bytes - length - 2};
            return true;
        }
    }
    return false;
}

void run_clear_response(struct run *run)
{
    free(run->response.url);
    free(run->response.content_type);
    free(run->response.body);
    text_free(&run->response.head);
    validators_free(run->learned);
    found_items_free(run->found);
    free(run->error);
    run->found = NULL;
    run->response = (struct response){0};
    run->timing = (struct run_timing){0};
    run->failure = RUN_OK;
    run->error = NULL;
    run->retryable = false;
    run->conditional = false;
    run->not_modified = false;
    run->learned = NULL;
    run->retry_after_ms = -1;
    run->quota_wait_ms = -1;
    run->ignored = false;
    run->fresh_ms = 0;
    run->received_mono_us = 0;
}

void found_items_free(struct found_items *found)
{
    if (found == NULL)
        return;
    source_states_free(found->states, found->items != NULL ? found->items->count : 0);
    items_unref(found->items);
    free(found);
}

const char *run_item_key(const struct run *run)
{
    return run->item != NULL ? run->item->key : "";
}

const char *run_item(const struct run *run, char text[RUN_ITEM_SIZE])
{
    if (run->item == NULL)
        return NULL;
    if (snprintf(text, RUN_ITEM_SIZE, "%s", run->item->key) >= RUN_ITEM_SIZE)
        memcpy(text + RUN_ITEM_SIZE - 4, "...", 4);
    return text;
}

bool run_is_round(const struct run *run)
{
    return run->source->for_each != NULL && run->item == NULL;
}

unsigned run_page(const struct run *run)
{
    if (run->source->pagination == NULL)
        return 0;
    return run->pages != NULL ? run->pages->number : 1;
}

int64_t run_unfinished_id(const struct run *run)
{
    return run->pages != NULL ? run->pages->run_id : 0;
}

void source_states_free(struct source_state *states, size_t count)
{
    for (size_t i = 0; states != NULL && i < count; i++)
        run_state_clear(&states[i].state);
    free(states);
}

void run_fail(struct run *run, enum run_failure failure, const char *format, ...)
{
    va_list args;

    if (run->failure != RUN_OK)
        return;
    run->failure = failure;
    va_start(args, format);
    /* Out of memory: the failure itself is what counts, and its text may be missing. */
    if (vasprintf(&run->error, format, args) == -1)
        run->error = NULL;
    va_end(args);
}
