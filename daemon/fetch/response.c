#include "fetch/response.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gatherd/text.h"
#include "gatherd/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A Content-Length is only what the server says: memory up to here is taken on its word. */
#define MAX_HINT_BYTES (1024u * 1024)

/* Below this, memory that was asked for in vain is not worth a realloc. */
#define WORTH_SHRINKING_BYTES (64u * 1024)

void response_clear(struct response *response)
{
    free(response->url);
    free(response->content_type);
    free(response->body);
    text_free(&response->head);
    *response = (struct response){0};
}

static void forget_head(struct receiver *receiver)
{
    free(receiver->location);
    free(receiver->retry_after);
    decoding_free(receiver->decoding);
    receiver->decoding = NULL;
    receiver->location = NULL;
    receiver->retry_after = NULL;
    receiver->length = -1;
    receiver->chunked = false;
    receiver->head_done = false;
    if (receiver->response != NULL) {
        free(receiver->response->content_type);
        receiver->response->content_type = NULL;
        text_clear(&receiver->response->head);
    }
}

void receiver_start(struct receiver *receiver, const struct source *source,
                    struct response *response)
{
    receiver_clear(receiver);
    receiver->source = source;
    receiver->response = response;
    receiver->max_body_bytes = source->max_body_bytes;
}

void receiver_start_other(struct receiver *receiver, const struct source *source,
                          int64_t max_body_bytes, struct response *response)
{
    receiver_start(receiver, source, response);
    receiver->max_body_bytes = max_body_bytes;
    receiver->is_final = true;
}

void receiver_clear(struct receiver *receiver)
{
    receiver->response = NULL;
    forget_head(receiver);
    *receiver = (struct receiver){.length = -1};
}

bool response_is_redirect(const struct source *source, int status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return !source_is_success(source, status);
    default:
        return false;
    }
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304; /* RFC 9110, 6.4.1 */
}

/* The head. */

/* Keeps the first of several headers with the same name. */
static void keep(struct receiver *receiver, char **slot, struct slice value)
{
    if (*slot != NULL)
        return;
    *slot = strndup(value.data, value.length);
    if (*slot == NULL)
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "out of memory for a header");
}

static void on_content_type(struct receiver *receiver, struct slice value)
{
    char **slot = &receiver->response->content_type;

    keep(receiver, slot, value);
    for (char *p = *slot; p != NULL && *p != '\0'; p++) {
        if (*p < ' ' || *p > '~')
            *p = '?'; /* no media type has it, and it goes into the database as text */
    }
}

static void on_location(struct receiver *receiver, struct slice value)
{
    keep(receiver, &receiver->location, value);
}

static void on_retry_after(struct receiver *receiver, struct slice value)
{
    keep(receiver, &receiver->retry_after, value);
}

static void report_decoding(struct receiver *receiver, enum decoding_status status)
{
    switch (status) {
    case DECODING_OK:
    case DECODING_STOPPED: /* whoever stopped it said why */
        return;
    case DECODING_BROKEN:
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true,
                  "the compressed body cannot be decoded: %s", decoding_reason(receiver->decoding));
        return;
    case DECODING_NOMEM:
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "out of memory for the body");
        return;
    }
}

static bool keep_body(const char *data, size_t length, void *userdata);

static void on_content_encoding(struct receiver *receiver, struct slice value)
{
    if (receiver->decoding == NULL)
        receiver->decoding = decoding_create(keep_body, receiver);
    report_decoding(receiver, receiver->decoding == NULL ? DECODING_NOMEM
                                                         : decoding_add(receiver->decoding, value));
}

static bool is_encoded(const struct receiver *receiver)
{
    return receiver->decoding != NULL && decoding_is_needed(receiver->decoding);
}

static void on_transfer_encoding(struct receiver *receiver, struct slice value)
{
    receiver->chunked =
        value.length >= 7 && strncasecmp(value.data + value.length - 7, "chunked", 7) == 0;
}

/* Content-Length that is no number, or two that disagree: a response that must not be believed
 * (RFC 9112, 6.3), but libcurl takes the last one. */
static void on_content_length(struct receiver *receiver, struct slice value)
{
    int64_t length = 0;

    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            fault_set(&receiver->fault, RUN_FAILED_NETWORK, true,
                      "the Content-Length in the answer is not a number");
            return;
        }
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, value.data[i] - '0', &length))
            length = INT64_MAX;
    }
    if (receiver->length != -1 && receiver->length != length)
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true,
                  "the answer has two Content-Length headers that disagree");
    receiver->length = length;
}

static const struct {
    const char *name;
    void (*take)(struct receiver *receiver, struct slice value);
} wanted[] = {
    {"content-type", on_content_type},
    {"content-length", on_content_length},
    {"content-encoding", on_content_encoding},
    {"transfer-encoding", on_transfer_encoding},
    {"location", on_location},
    {"retry-after", on_retry_after},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* For whoever looks for a header once the answer is complete. */
static void keep_header(struct receiver *receiver, struct slice name, struct slice value)
{
    struct text *head = &receiver->response->head;

    text_append(head, name.data, name.length);
    text_add(head, ": ");
    text_append(head, value.data, value.length);
    text_char(head, '\n');
    if (text_failed(head))
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "out of memory for the headers");
}

static void take_field(struct receiver *receiver, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    struct slice value;
    size_t name;

    if (colon == NULL)
        return;
    name = (size_t)(colon - line);
    value = (struct slice){colon + 1, length - name - 1};
    while (value.length > 0 && is_blank(value.data[0])) {
        value.data++;
        value.length--;
    }
    while (value.length > 0 && is_blank(value.data[value.length - 1]))
        value.length--;
    keep_header(receiver, (struct slice){line, name}, value);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        if (strlen(wanted[i].name) == name && strncasecmp(wanted[i].name, line, name) == 0) {
            wanted[i].take(receiver, value);
            return;
        }
    }
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": libcurl has accepted it, so three digits follow the blank. */
static int parse_status(const char *line, size_t length)
{
    const char *p = memchr(line, ' ', length);
    int status = 0;

    if (p == NULL)
        return 0;
    for (p++; p < line + length && *p >= '0' && *p <= '9' && status < 1000; p++)
        status = status * 10 + (*p - '0');
    return status;
}

static void report_body_too_large(struct receiver *receiver)
{
    char size[UNITS_TEXT_SIZE];

    fault_set(&receiver->fault, RUN_FAILED_LIMIT, false, "body larger than %s (%s)",
              receiver->is_final ? "a token needs" : "max_body_size",
              units_format_size(receiver->max_body_bytes, size));
}

static void end_head(struct receiver *receiver)
{
    int status = receiver->response->status;

    if (status < 200)
        return; /* an interim response: the real one follows */
    receiver->head_done = true;
    receiver->answers++;
    if (has_no_body(status))
        return;
    if (receiver->chunked && receiver->length != -1)
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true,
                  "the answer has both Content-Length and Transfer-Encoding: chunked");
    if (!is_encoded(receiver) && receiver->length > receiver->max_body_bytes)
        report_body_too_large(receiver);
}

static void take_line(struct receiver *receiver, const char *line, size_t length)
{
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0 && receiver->response->body_bytes == 0) {
        forget_head(receiver);
        receiver->response->status = parse_status(line, length);
    } else if (receiver->head_done) {
        return; /* a trailer: it comes too late to change what the head said */
    } else if (length == 0 || *line == '\r' || *line == '\n') {
        end_head(receiver);
    } else {
        take_field(receiver, line, length);
    }
}

size_t receiver_on_header(char *data, size_t size, size_t count, void *userdata)
{
    struct receiver *receiver = userdata;
    size_t length = size * count;

    receiver->head_bytes += length;
    if (receiver->head_bytes > RESPONSE_MAX_HEAD_BYTES)
        fault_set(&receiver->fault, RUN_FAILED_LIMIT, false, "headers larger than %u KiB",
                  RESPONSE_MAX_HEAD_BYTES / 1024);
    else
        take_line(receiver, data, length);
    /* Any other number makes libcurl stop; a line is never empty. */
    return receiver->fault.kind == RUN_OK ? length : 0;
}

/* The body. */

static size_t first_capacity(const struct receiver *receiver, size_t need)
{
    size_t hint = need;

    if (!is_encoded(receiver) && receiver->length > 0)
        hint = receiver->length < MAX_HINT_BYTES ? (size_t)receiver->length : MAX_HINT_BYTES;
    else if (is_encoded(receiver) || receiver->length == -1)
        hint = need * 2;
    return hint < need ? need : hint;
}

/* Room for `need` bytes and the NUL; doubles, so that n bytes are copied about once. */
static int make_room(struct receiver *receiver, size_t need)
{
    struct response *response = receiver->response;
    size_t most = (size_t)receiver->max_body_bytes;
    size_t capacity;
    char *body;

    if (need < response->body_capacity)
        return 0;
    capacity = response->body_capacity == 0 ? first_capacity(receiver, need)
                                            : (response->body_capacity - 1) * 2;
    if (capacity > most)
        capacity = most;
    if (capacity < need)
        capacity = need;
    body = realloc(response->body, capacity + 1);
    if (body == NULL)
        return -1;
    response->body = body;
    response->body_capacity = capacity + 1;
    return 0;
}

static bool fits(const struct receiver *receiver, size_t have, size_t more)
{
    uint64_t most = (uint64_t)receiver->max_body_bytes;

    return have <= most && more <= most - have;
}

static bool keep_body(const char *data, size_t length, void *userdata)
{
    struct receiver *receiver = userdata;
    struct response *response = receiver->response;

    if (!fits(receiver, response->body_bytes + receiver->discarded, length)) {
        report_body_too_large(receiver);
        return false;
    }
    if (!receiver->is_final && response_is_redirect(receiver->source, response->status)) {
        receiver->discarded += length;
        return true;
    }
    if (length == 0)
        return true;
    if (make_room(receiver, response->body_bytes + length) == -1) {
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "out of memory for the body");
        return false;
    }
    memcpy(response->body + response->body_bytes, data, length);
    response->body_bytes += length;
    response->body[response->body_bytes] = '\0';
    return true;
}

size_t receiver_on_body(char *data, size_t size, size_t count, void *userdata)
{
    struct receiver *receiver = userdata;
    size_t length = size * count;

    if (!is_encoded(receiver))
        return keep_body(data, length, receiver) ? length : 0;
    report_decoding(receiver, decoding_feed(receiver->decoding, data, length));
    return receiver->fault.kind == RUN_OK ? length : 0;
}

static void shrink(struct response *response)
{
    char *body;

    if (response->body_capacity < WORTH_SHRINKING_BYTES ||
        response->body_capacity / 2 <= response->body_bytes)
        return;
    body = realloc(response->body, response->body_bytes + 1);
    if (body == NULL)
        return; /* the larger one still serves */
    response->body = body;
    response->body_capacity = response->body_bytes + 1;
}

void receiver_finish(struct receiver *receiver, int64_t sent)
{
    struct response *response = receiver->response;

    assert(response != NULL);
    if (!receiver->head_done)
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true, "the answer ended in its head");
    if (receiver->length != -1 && !receiver->chunked && !has_no_body(response->status) &&
        sent != receiver->length)
        fault_set(&receiver->fault, RUN_FAILED_NETWORK, true,
                  "%lld bytes of body came where Content-Length says %lld", (long long)sent,
                  (long long)receiver->length);
    if (receiver->fault.kind == RUN_OK && is_encoded(receiver))
        report_decoding(receiver, decoding_finish(receiver->decoding));
    shrink(response);
}
