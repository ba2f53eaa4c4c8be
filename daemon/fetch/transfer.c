#include "fetch/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/auth.h"
#include "fetch/build.h"
#include "fetch/diagnose.h"
#include "fetch/freshness.h"
#include "fetch/page_request.h"
#include "fetch/quota.h"
#include "fetch/redirect.h"
#include "fetch/request.h"
#include "fetch/retry_after.h"
#include "fetch/validators.h"
#include "fetch/verdict.h"
#include "gatherd/bare_url.h"
#include "gatherd/clock.h"
#include "gatherd/hash.h"

#define STATUS_NOT_MODIFIED 304

/* Requests. */

/* Half an answer is no answer: the status stays, as a fact, and the body goes. */
static void fail_by_fault(struct transfer *transfer)
{
    const struct fault *fault = &transfer->receiver.fault;
    struct run *run = transfer->run;
    int status = run->response.status;

    response_clear(&run->response);
    run->response.status = status;
    run_fail(run, fault->kind, "%s", fault->text);
    run->retryable = fault->retryable;
}

/*
 * libcurl keeps the last challenge for a digest in the handle, whoever made it and whether we meant
 * to answer or not. It answers that one in advance, also to another server, and takes the next
 * challenge then for a refusal.
 */
static bool forget_challenge(struct transfer *transfer)
{
    curl_easy_reset(transfer->easy);
    if (request_prepare(transfer->easy, &transfer->setup) == -1) {
        fault_set(&transfer->receiver.fault, RUN_FAILED_NETWORK, true,
                  "out of memory for the request");
        return false;
    }
    return true;
}

/* Another origin gets nothing of what we know, and is not believed about our source. */
static void ask_for_news(struct transfer *transfer, struct draft *draft)
{
    transfer->run->conditional = false;
    if (!transfer->own_origin)
        return;
    transfer->request = validators_request(draft);
    if (transfer->redirects > 0)
        transfer->request = validators_redirected(transfer->request, text_string(&transfer->url));
    validators_ask(transfer->run, transfer->request, draft);
}

/*
 * Builds the request of the run and puts into it what we know and who the source is, both for its
 * own origin only.
 */
static bool build(struct transfer *transfer, struct draft *draft)
{
    build_request(transfer->run, transfer->now_ms, transfer->scratch, draft);
    if (transfer->as_get)
        draft_make_get(draft);
    if (draft->problem != NULL) {
        fault_set(&transfer->receiver.fault, RUN_FAILED_REQUEST, false,
                  "cannot make the request: %s", draft->problem);
        return false;
    }
    ask_for_news(transfer, draft);
    return !transfer->own_origin ||
           auth_apply(transfer->run->source->auth, token_hop_value(&transfer->hop), draft,
                      &transfer->hidden, &transfer->receiver.fault) == 0;
}

static bool sign(struct transfer *transfer, struct draft *draft)
{
    return !transfer->own_origin ||
           auth_sign(transfer->run->source->auth, text_string(&transfer->url), clock_wall_ms(),
                     draft, &transfer->hidden, &transfer->receiver.fault) == 0;
}

/* A token request goes over connections to its own host. */
static uint64_t affinity(const struct transfer *transfer)
{
    const char *host;

    if (!transfer->hop.requesting)
        return transfer->affinity;
    host = auth_token_host(transfer->hop.auth);
    return hash_bytes(host, strlen(host));
}

/*
 * Sends the request for transfer->url with what the draft says besides; another origin than the
 * source's gets none of it. False: it failed, and the fault is set.
 */
static bool send_request(struct transfer *transfer, const struct draft *draft)
{
    struct run *run = transfer->run;
    struct fault *fault = &transfer->receiver.fault;
    struct request request = {
        .url = text_string(&transfer->url),
        .draft = transfer->own_origin || transfer->hop.requesting ? draft : NULL,
        .own_origin = transfer->own_origin,
        /* The connection may be what failed. And where a kept one dies without an answer, libcurl
         * sends again by itself, up to five times: a server that drops requests got 13 of us. */
        .fresh = run->attempt > 0,
        .timeout_ms = transfer_request_deadline_ms(transfer) - clock_monotonic_ms(),
    };
    CURLMcode code;

    if (text_failed(&transfer->url) || draft->failed) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for the request");
        return false;
    }
    if (request.timeout_ms <= 0) {
        diagnose_timeout(transfer,
                         transfer->redirects > 0 ? "after a redirect" : "before the request");
        return false;
    }
    if (request.draft != NULL && draft->username != NULL && !forget_challenge(transfer))
        return false;
    transfer->error_text[0] = '\0';
    transfer->open_errno = 0;
    if (!transfer_may_ask(transfer))
        return false;
    request.route = transfer->route;
    if (request_set(transfer->easy, run->source, &request, transfer->tls_files, &transfer->lists,
                    fault) == -1)
        return false;
    transfer->lane = engine_add(transfer->engine, transfer->easy, affinity(transfer), &code);
    if (transfer->lane == -1) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "cannot start the request: %s",
                  curl_multi_strerror(code));
        return false;
    }
    run->requests++;
    return true;
}

static void end(struct transfer *transfer)
{
    if (transfer->lane != -1)
        engine_remove(transfer->engine, transfer->easy, transfer->lane);
    transfer->lane = -1;
}

/* The transfer rests: nothing of the run stays in it. */
static void forget(struct transfer *transfer)
{
    end(transfer);
    token_hop_end(&transfer->hop);
    hidden_clear(&transfer->hidden);
    receiver_clear(&transfer->receiver);
    text_clear(&transfer->url);
    request_forget(transfer->easy, &transfer->lists);
    transfer->run = NULL;
}

static bool failed(struct transfer *transfer)
{
    fail_by_fault(transfer);
    forget(transfer);
    return false;
}

uint64_t transfer_affinity(const struct source *source)
{
    return hash_bytes(source->host, strlen(source->host));
}

/*
 * What {now} stands for: the time of this request. Pages share that of the first, or the window
 * that is asked for would move while a run walks through it.
 */
static void settle_now(struct transfer *transfer)
{
    struct pages *pages = transfer->run->pages;

    if (pages != NULL && pages->number > 1)
        transfer->now_ms = pages->now_ms;
    else if (pages != NULL)
        pages->now_ms = transfer->now_ms;
}

/* The run's own request, from its beginning. */
static bool send_own(struct transfer *transfer)
{
    struct run *run = transfer->run;
    struct draft draft;

    if (page_request_prepare(run, &transfer->receiver.fault) == -1)
        return false;
    settle_now(transfer);
    if (!build(transfer, &draft))
        return false;
    if (!draft.failed)
        draft_write_url(&draft, &transfer->url);
    if (page_request_note(run, text_string(&transfer->url), &draft) == -1)
        draft.failed = true;
    return sign(transfer, &draft) && send_request(transfer, &draft);
}

/* False: it cannot be sent, and is over. */
static bool send_token_request(struct transfer *transfer)
{
    struct token_hop *hop = &transfer->hop;
    struct receiver *receiver = &transfer->receiver;
    struct draft draft;

    if (token_hop_build(hop, transfer->scratch, &draft) == -1)
        return false;
    transfer->own_origin = strcmp(auth_token_host(hop->auth), transfer->run->source->host) == 0;
    receiver_start_other(receiver, transfer->run->source, TOKEN_MAX_BODY_BYTES,
                         &hop->request.response);
    draft_write_url(&draft, &transfer->url);
    if (send_request(transfer, &draft))
        return true;
    token_hop_done(hop, &receiver->fault, -1);
    return false;
}

/* The run's own request, or what has to come before it. False: it failed, and the fault is set. */
static bool start(struct transfer *transfer)
{
    for (;;) {
        transfer->redirects = 0;
        transfer->own_origin = true;
        transfer->as_get = false;
        transfer->from_public = false;
        transfer->now_ms = clock_wall_ms();
        text_clear(&transfer->url);
        receiver_start(&transfer->receiver, transfer->run->source, &transfer->run->response);
        switch (token_hop_next(&transfer->hop, transfer->deadline_ms, &transfer->receiver.fault)) {
        case TOKEN_READY:
            return send_own(transfer);
        case TOKEN_WAIT:
            return true;
        case TOKEN_FAILED:
            return false;
        case TOKEN_FETCH:
            if (send_token_request(transfer))
                return true;
            break; /* there is a token nevertheless, or else the reason */
        }
    }
}

int64_t transfer_request_deadline_ms(const struct transfer *transfer)
{
    return transfer->hop.requesting ? transfer->hop.deadline_ms : transfer->deadline_ms;
}

bool transfer_begin(struct transfer *transfer, struct run *run)
{
    assert(transfer->run == NULL && run->response.body == NULL);
    transfer->run = run;
    transfer->affinity = transfer_affinity(run->source);
    transfer->deadline_ms = clock_monotonic_ms() + run->source->timeout_ms;
    transfer->now_ms = clock_wall_ms();
    token_hop_begin(&transfer->hop, run->source->auth);
    if (run->started_at_ms == 0)
        run->started_at_ms = transfer->now_ms;
    run->timing = (struct run_timing){0};
    run->retry_after_ms = -1;
    run->quota_wait_ms = -1;
    run->ignored = false;
    run->retryable = false;
    return start(transfer) ? true : failed(transfer);
}

int64_t transfer_waits_until_ms(const struct transfer *transfer)
{
    return transfer->hop.waiting ? transfer->deadline_ms : INT64_MAX;
}

bool transfer_resume(struct transfer *transfer)
{
    assert(transfer->hop.waiting);
    return start(transfer) ? true : failed(transfer);
}

/* Outcomes. */

/*
 * Which redirects turn a request into a GET that carries nothing (RFC 9110, 15.4): 303 any, 301 and
 * 302 a POST, as every browser does. The others ask for the same request again.
 */
static bool turns_into_get(int status, enum request_method method)
{
    return status == 303 || ((status == 301 || status == 302) && method == METHOD_POST);
}

/* What a request carries goes to the source's own origin only. */
static bool may_carry_on(struct transfer *transfer, int status)
{
    const struct source *source = transfer->run->source;
    bool plain = source->method == METHOD_GET && source->body == NULL && source->form == NULL;

    if (transfer->own_origin || transfer->as_get || plain)
        return true;
    fault_set(&transfer->receiver.fault, RUN_FAILED_REDIRECT, false,
              "redirect (%d) of a request that is more than a GET to another origin refused",
              status);
    return false;
}

/* False: the redirect is refused or its request cannot be sent, and the fault is set. */
static bool follow(struct transfer *transfer)
{
    struct run *run = transfer->run;
    struct receiver *receiver = &transfer->receiver;
    int status = run->response.status;
    struct redirect redirect;
    struct draft draft;

    if (transfer->redirects >= run->source->max_redirects) {
        fault_set(&receiver->fault, RUN_FAILED_REDIRECT, false,
                  "more redirects than max_redirects (%u)", run->source->max_redirects);
        return false;
    }
    if (redirect_resolve(text_string(&transfer->url), receiver->location, &redirect,
                         &receiver->fault) == -1)
        return false;
    transfer_note_origin(transfer);
    end(transfer);
    transfer->redirects++;
    /* Once away, the headers stay at home, even when a later redirect leads back: the way there
     * was another's choice. */
    transfer->own_origin = transfer->own_origin && redirect.same_origin;
    transfer->as_get = transfer->as_get || turns_into_get(status, run->source->method);
    text_clear(&transfer->url);
    text_add(&transfer->url, redirect.url);
    free(redirect.url);
    if (!may_carry_on(transfer, status))
        return false;
    response_clear(&run->response);
    receiver_start(receiver, run->source, &run->response);
    if (!build(transfer, &draft))
        return false;
    if (transfer->own_origin)
        auth_keep_param(run->source->auth, &draft, &transfer->url);
    if (page_request_moved(run, text_string(&transfer->url)) == -1)
        draft.failed = true;
    return sign(transfer, &draft) && send_request(transfer, &draft);
}

/* There is an answer; what it says besides its body. */
static void note_success(struct transfer *transfer, int64_t now_ms)
{
    struct run *run = transfer->run;

    if (run->source->respect_cache)
        run->fresh_ms = freshness_ms(&run->response, now_ms);
    if (!run->not_modified && transfer->own_origin)
        validators_learn(run, transfer->request, now_ms);
}

/* Without memory for it the rows lack it, should they ask: that is no reason to fail. */
static void note_url(const struct transfer *transfer, struct response *response)
{
    struct text bare = {0};
    char *url = NULL;

    if (curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || url == NULL)
        return;
    bare_url(&bare, url);
    free(response->url);
    response->url = text_failed(&bare) ? NULL : text_take(&bare);
    text_free(&bare);
}

/* What we asked for goes before the source's rules, and these before its success_status_codes. */
static enum verdict judge_answer(struct transfer *transfer)
{
    struct run *run = transfer->run;
    const char *retry_after = transfer->receiver.retry_after;
    const struct answer_rule *rule = verdict_rule(run->source, &run->response);
    bool success = source_is_success(run->source, run->response.status);
    int64_t now_ms = clock_wall_ms();

    run->quota_wait_ms = quota_wait(run->source->quota, &run->response, now_ms);
    run->not_modified = run->response.status == STATUS_NOT_MODIFIED &&
                        (run->conditional || (rule == NULL && success));
    if (rule != NULL && !run->not_modified)
        return verdict_by_rule(run, rule, retry_after, now_ms);
    if (!run->not_modified && !success)
        return verdict_by_status(run, retry_after, now_ms);
    note_success(transfer, now_ms);
    note_url(transfer, &run->response);
    return VERDICT_REACHED;
}

/* A rule for the status, as for a redirect to a page to log in at, goes before following it. */
static bool is_to_be_followed(const struct run *run)
{
    return response_is_redirect(run->source, run->response.status) &&
           verdict_rule(run->source, &run->response) == NULL;
}

/* A kept connection of another source may be the reason: the next attempt has one of its own. */
static void check_http_version(struct transfer *transfer)
{
    long version = 0;

    if (transfer->run->source->http_version != HTTP_VERSION_2 || !transfer->own_origin)
        return;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_2_0)
        return;
    fault_set(&transfer->receiver.fault, RUN_FAILED_NETWORK, transfer->run->attempt == 0,
              "the server does not speak HTTP/2, which http_version asks for");
}

/* What libcurl says of the request, and whether the answer is whole; otherwise the fault is set. */
static void finish_request(struct transfer *transfer, CURLcode code)
{
    struct receiver *receiver = &transfer->receiver;
    curl_off_t sent = 0;

    diagnose_timing(transfer);
    if (code != CURLE_OK) {
        diagnose_failure(transfer, code);
        return;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &sent);
    receiver_finish(receiver, sent);
    if (receiver->answers > 1)
        transfer->run->requests += receiver->answers - 1;
    if (!transfer->hop.requesting)
        check_http_version(transfer);
}

/* The token request is over; the run's own may follow. */
static bool go_on_with_token(struct transfer *transfer)
{
    const char *retry_after = transfer->receiver.retry_after;

    end(transfer);
    token_hop_done(&transfer->hop, &transfer->receiver.fault,
                   retry_after == NULL ? -1 : retry_after_parse(retry_after, clock_wall_ms()));
    return start(transfer);
}

/* Whether the answer says that the token is no good, and another may be better. */
static bool wants_token(struct transfer *transfer, enum verdict verdict)
{
    if (!transfer->own_origin) /* it was not sent there */
        return false;
    if (verdict == VERDICT_REACHED) {
        token_hop_accepted(&transfer->hop);
        return false;
    }
    if (token_hop_refused(&transfer->hop))
        return true;
    transfer->run->retryable = false; /* a new one has not helped */
    return false;
}

static bool start_anew(struct transfer *transfer)
{
    end(transfer);
    hidden_clear(&transfer->hidden);
    run_clear_response(transfer->run);
    return start(transfer);
}

/*
 * Headers are kept with bodies and dead letters, but for those with a query (store/raw.h): they may
 * lead to the next page and stay as they came.
 */
static void hide_in_head(struct transfer *transfer)
{
    struct text *head = &transfer->run->response.head;

    for (size_t at = 0; at < head->length;) {
        char *line = head->data + at;
        char *end = memchr(line, '\n', head->length - at);
        size_t length = end == NULL ? head->length - at : (size_t)(end - line);

        if (memchr(line, '?', length) == NULL)
            hidden_overwrite(&transfer->hidden, line, length);
        at += length + 1;
    }
}

bool transfer_go_on(struct transfer *transfer, CURLcode code)
{
    struct run *run = transfer->run;

    finish_request(transfer, code);
    if (transfer->hop.requesting)
        return go_on_with_token(transfer) ? true : failed(transfer);
    if (transfer->receiver.fault.kind != RUN_OK)
        return failed(transfer);
    if (is_to_be_followed(run))
        return follow(transfer) ? true : failed(transfer);
    if (wants_token(transfer, judge_answer(transfer)))
        return start_anew(transfer) ? true : failed(transfer);
    if (run->failure != RUN_OK && run->response.body != NULL) /* kept as a dead letter */
        hidden_overwrite(&transfer->hidden, run->response.body, run->response.body_bytes);
    hide_in_head(transfer);
    forget(transfer);
    return false;
}

void transfer_abort(struct transfer *transfer)
{
    forget(transfer);
}

/* Making and freeing. */

struct transfer *transfer_create(struct engine *engine, const struct transfer_options *options)
{
    struct transfer *transfer = calloc(1, sizeof(*transfer));

    if (transfer == NULL)
        return NULL;
    transfer->engine = engine;
    transfer->scratch = options->scratch;
    transfer->tls_files = options->tls_files;
    transfer->hop.cache = options->tokens;
    transfer->lane = -1;
    transfer->easy = curl_easy_init();
    transfer->setup = (struct request_setup){
        .user_agent = options->user_agent,
        .ca_file = options->ca_file,
        .error_text = transfer->error_text,
        .receiver = &transfer->receiver,
        .transfer = transfer,
        .open_socket = transfer_open_socket,
        .before_request = transfer_before_request,
        .engine = engine,
        .close_socket = engine_close_socket,
    };
    if (transfer->easy == NULL || request_prepare(transfer->easy, &transfer->setup) == -1) {
        transfer_free(transfer);
        return NULL;
    }
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    if (transfer->easy != NULL) {
        forget(transfer);
        curl_easy_cleanup(transfer->easy);
    }
    text_free(&transfer->url);
    free(transfer);
}
