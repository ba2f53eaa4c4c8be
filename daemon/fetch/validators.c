#include "fetch/validators.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fetch/http_date.h"
#include "gatherd/hash.h"

/* Which request it is. */

static void put(struct text *out, const char *string)
{
    text_append(out, string, strlen(string) + 1); /* with its NUL: "ab", "c" is not "a", "bc" */
}

static void put_list(struct text *out, const struct draft_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        put(out, list->items[i].name);
        put(out, list->items[i].value);
    }
    text_char(out, '\n');
}

uint16_t validators_request(const struct draft *draft)
{
    struct text all = {0};
    uint64_t hash;

    if (draft->failed)
        return 0;
    put(&all, draft->url);
    put(&all, draft->method);
    put_list(&all, &draft->params);
    put_list(&all, &draft->headers);
    text_append(&all, draft->body.data, draft->body.length);
    hash = text_failed(&all) ? 0 : hash_bytes(text_string(&all), all.length);
    text_free(&all);
    return (uint16_t)hash;
}

uint16_t validators_redirected(uint16_t request, const char *url)
{
    return request ^ (uint16_t)hash_bytes(url, strlen(url));
}

/* What is valid. */

static bool is_between(struct slice text, unsigned char low, unsigned char high)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < low || c > high || c == '"' || c == 0x7f)
            return false;
    }
    return text.length > 0;
}

/*
 * entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110, 8.8.3). A blank inside was allowed by RFC
 * 2616 and is sent; some servers leave the quotes out. An empty one is what servers without an idea
 * send for every answer, and * or a list would match too much.
 */
static bool is_entity_tag(struct slice tag)
{
    if (tag.length > VALIDATORS_MAX_BYTES)
        return false;
    if (tag.length >= 2 && memcmp(tag.data, "W/", 2) == 0)
        tag = (struct slice){tag.data + 2, tag.length - 2};
    if (tag.length >= 2 && tag.data[0] == '"' && tag.data[tag.length - 1] == '"')
        return is_between((struct slice){tag.data + 1, tag.length - 2}, ' ', 0xff);
    return is_between(tag, '!', '~') && memchr(tag.data, ',', tag.length) == NULL &&
           !slice_equals(tag, "*");
}

/*
 * Whether the source's answers have validators for us. Other methods than GET give 412 where GET
 * gives 304 (RFC 9110, 13.1.2), and of many pages the first does not speak for all.
 */
static bool is_wanted(const struct run *run)
{
    return run->source->conditional && run->source->method == METHOD_GET && run_page(run) <= 1;
}

/* Asking. */

static bool has_header(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->headers.count; i++) {
        if (strcasecmp(draft->headers.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool has_condition(const struct draft *draft)
{
    return has_header(draft, "If-None-Match") || has_header(draft, "If-Modified-Since");
}

static bool fits(const struct run *run, uint16_t request)
{
    const struct validators *known = run->state.validators;

    return known != NULL && known->request == request &&
           known->fingerprint == run->source->answer_fingerprint &&
           run->failures < VALIDATORS_MAX_FAILURES;
}

/* What was saved is looked at again: the database is a file that people can edit. */
void validators_ask(struct run *run, uint16_t request, struct draft *draft)
{
    const struct validators *known = run->state.validators;

    run->conditional = has_condition(draft);
    if (run->conditional || draft->failed || !is_wanted(run) || !fits(run, request))
        return;
    if (known->etag != NULL && is_entity_tag(slice_of(known->etag)))
        draft_set_header(draft, "If-None-Match", known->etag);
    if (known->last_modified != NULL && is_between(slice_of(known->last_modified), ' ', '~'))
        draft_set_header(draft, "If-Modified-Since", known->last_modified);
    run->conditional = has_condition(draft);
}

/* Learning. */

/* The header's value, where it comes once, or each time with the same one. */
static bool single_header(const struct response *response, const char *name, struct slice *value)
{
    struct slice other;
    size_t place = 0;

    *value = (struct slice){NULL, 0};
    if (!response_header(response, name, &place, value))
        return false;
    while (response_header(response, name, &place, &other)) {
        if (!slice_same(*value, other))
            return false;
    }
    return true;
}

static int64_t date_of(const struct response *response, int64_t now_wall_ms)
{
    struct slice text;
    int64_t ms;

    if (single_header(response, "Date", &text) && http_date_parse(text, now_wall_ms, &ms) == 0)
        return ms;
    return now_wall_ms;
}

/* nginx makes its tags of the date in seconds, and the size. */
static bool is_made_of(struct slice etag, int64_t date_ms)
{
    char seconds[20];
    int length = snprintf(seconds, sizeof(seconds), "%" PRIx64, (uint64_t)(date_ms / 1000));

    return memmem(etag.data, etag.length, seconds, (size_t)length) != NULL;
}

/*
 * What the answer says of itself; empty: nothing. A date of the very second in which the answer was
 * made is no validator, nor is a tag made of it: what changes later in that second has the same,
 * and would never be seen (RFC 9110, 8.8.2.2).
 */
static void read_validators(const struct response *response, int64_t now_wall_ms,
                            struct slice *etag, struct slice *modified)
{
    const struct slice none = {NULL, 0};
    int64_t ms = 0;

    if (!single_header(response, "ETag", etag) || !is_entity_tag(*etag))
        *etag = none;
    if (!single_header(response, "Last-Modified", modified) ||
        http_date_parse(*modified, now_wall_ms, &ms) == -1) {
        *modified = none;
        return;
    }
    if (date_of(response, now_wall_ms) - ms >= 1000)
        return;
    *modified = none;
    if (etag->length > 0 && is_made_of(*etag, ms))
        *etag = none;
}

void validators_learn(struct run *run, uint16_t request, int64_t now_wall_ms)
{
    struct slice modified;
    struct slice etag;

    if (!is_wanted(run))
        return;
    read_validators(&run->response, now_wall_ms, &etag, &modified);
    if (etag.length == 0 && modified.length == 0)
        return;
    run->learned = validators_create(etag, modified);
    if (run->learned == NULL)
        return;
    run->learned->fingerprint = run->source->answer_fingerprint;
    run->learned->request = request;
}
