#include "fetch/diagnose.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "gatherd/clock.h"
#include "gatherd/units.h"

static int64_t get_time(CURL *easy, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, what, &us);
    return us;
}

/* How far the request had come. */
static const char *stage(const struct transfer *transfer)
{
    if (get_time(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T) > 0)
        return "while the answer came";
    if (get_time(transfer->easy, CURLINFO_PRETRANSFER_TIME_T) > 0)
        return "before an answer came";
    if (get_time(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0)
        return "while resolving the name";
    return strncasecmp(text_string(&transfer->url), "https:", 6) == 0
               ? "while connecting, TLS handshake included"
               : "while connecting";
}

void diagnose_timeout(struct transfer *transfer, const char *where)
{
    const struct source *source = transfer->run->source;
    bool whole = clock_monotonic_ms() >= transfer_request_deadline_ms(transfer);
    size_t bytes = transfer->receiver.response->body_bytes;
    char limit[UNITS_TEXT_SIZE];

    units_format_duration(whole ? source->timeout_ms : source->connect_timeout_ms, limit);
    if (bytes > 0)
        fault_set(&transfer->receiver.fault, RUN_FAILED_TIMEOUT, true,
                  "timeout (%s) passed %s; %zu bytes of its body had come", limit, where, bytes);
    else
        fault_set(&transfer->receiver.fault, RUN_FAILED_TIMEOUT, true, "%s (%s) passed %s",
                  !whole                                            ? "connect_timeout"
                  : transfer->hop.requesting && transfer->hop.early ? "half of timeout"
                                                                    : "timeout",
                  limit, where);
}

void diagnose_timing(struct transfer *transfer)
{
    struct run_timing *timing = &transfer->run->timing;
    long connections = 0;

    *timing = (struct run_timing){
        .first_byte_us = get_time(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T),
        .total_us = get_time(transfer->easy, CURLINFO_TOTAL_TIME_T),
    };
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
    if (connections == 0)
        return; /* a kept connection: nothing was resolved or connected */
    timing->dns_us = get_time(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T);
    timing->connect_us = get_time(transfer->easy, CURLINFO_CONNECT_TIME_T);
    timing->tls_us = get_time(transfer->easy, CURLINFO_APPCONNECT_TIME_T);
}

static bool is_short_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* A proxy answers CONNECT before the server hears anything. */
static void note_refusal_of_proxy(struct transfer *transfer)
{
    long status = 0;
    const char *phrase;

    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (transfer->route.proxy == NULL || status < 300)
        return;
    phrase = failure_reason_phrase((int)status);
    fault_set(&transfer->receiver.fault, RUN_FAILED_NETWORK,
              failure_status_is_retryable((int)status),
              "the proxy refused to connect: HTTP %ld%s%s%s", status, phrase == NULL ? "" : " ",
              phrase == NULL ? "" : phrase,
              status == 407 ? "; see the user in proxy_url, and proxy_password" : "");
}

void diagnose_failure(struct transfer *transfer, CURLcode code)
{
    struct receiver *receiver = &transfer->receiver;
    struct text words = {0};
    enum run_failure kind;
    bool retryable;

    if (is_short_of_descriptors(transfer->open_errno)) {
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "cannot open a socket: %s",
                  strerror(transfer->open_errno));
    } else if (code == CURLE_OUT_OF_MEMORY && receiver->head_bytes > 0 && !receiver->head_done) {
        /* libcurl 7.88 reports a header line above its limit of 100 KiB like this. */
        fault_set(&receiver->fault, RUN_FAILED_LIMIT, false, "a header is too large");
    }
    if (code == CURLE_OPERATION_TIMEDOUT)
        diagnose_timeout(transfer, stage(transfer));
    note_refusal_of_proxy(transfer);
    kind = failure_of_curl(code, transfer->error_text, &retryable);
    if (transfer->route.proxy != NULL && code == CURLE_COULDNT_CONNECT)
        text_add(&words, "the proxy does not answer: ");
    failure_describe(&words, code, transfer->error_text);
    fault_set(&receiver->fault, kind, retryable, "%s", text_string(&words));
    text_free(&words);
}
