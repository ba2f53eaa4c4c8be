/*
 * The first bytes are a clock, the rest are header lines: what the server says of dates, of how
 * long its answer holds, and of what is to be sent back. Whatever it says, a header of ours is one
 * line.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/freshness.h"
#include "fetch/http_date.h"
#include "fetch/validators.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the fetcher keeps it: lines, each with ": " behind its name and a newline at its end. */
static void make_head(struct text *head, const char *data, size_t size)
{
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - data);
        const char *colon = memchr(data, ':', length);

        if (colon != NULL) {
            text_append(head, data, (size_t)(colon - data));
            text_add(head, ": ");
            text_append(head, colon + 1, length - (size_t)(colon - data) - 1);
            text_char(head, '\n');
        }
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
}

static void read_dates(const struct response *response, int64_t now_ms)
{
    struct slice value;
    size_t place = 0;

    while (response_header(response, "Date", &place, &value)) {
        int64_t ms;

        if (http_date_parse(value, now_ms, &ms) == 0)
            assert(ms % 1000 == 0);
    }
}

/* What was learned is sent as it came. */
static void ask_again(struct run *run)
{
    struct arena *arena = arena_create(4096);
    struct draft draft;

    run->state.validators = run->learned;
    run->learned = NULL;
    draft_start(&draft, arena, run->source->url);
    validators_ask(run, 1, &draft);
    assert(run->conditional == (draft.headers.count > 0));
    assert(draft.headers.count > 0 || run->state.validators == NULL);
    for (size_t i = 0; i < draft.headers.count; i++) {
        const char *value = draft.headers.items[i].value;

        assert(value[0] != '\0' && strlen(value) <= VALIDATORS_MAX_BYTES);
        assert(strpbrk(value, "\r\n") == NULL);
    }
    run_state_clear(&run->state);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source source = {.url = "http://h/", .conditional = true};
    struct run run = {.source = &source, .response.status = 200};
    uint32_t now_s = 0;
    int64_t now_ms;
    int64_t fresh;

    if (size < sizeof(now_s))
        return 0;
    memcpy(&now_s, data, sizeof(now_s));
    now_ms = (int64_t)now_s * 1000;
    make_head(&run.response.head, (const char *)data + sizeof(now_s), size - sizeof(now_s));
    fresh = freshness_ms(&run.response, now_ms);
    assert(fresh >= 0 && fresh <= FRESHNESS_MAX_S * 1000);
    read_dates(&run.response, now_ms);
    validators_learn(&run, 1, now_ms);
    ask_again(&run);
    run_clear_response(&run);
    return 0;
}
