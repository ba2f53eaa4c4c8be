#include "gatherd/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
    };

    return names[failure];
}

void run_clear_response(struct run *run)
{
    free(run->response.content_type);
    free(run->response.body);
    free(run->error);
    run->response = (struct response){0};
    run->timing = (struct run_timing){0};
    run->failure = RUN_OK;
    run->error = NULL;
    run->retryable = false;
    run->retry_after_ms = -1;
    run->received_mono_us = 0;
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
