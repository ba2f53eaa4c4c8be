#include "gatherd/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void tally_add(struct tally *tally, const struct tally *more)
{
    tally->bytes += more->bytes;
    tally->records += more->records;
    tally->inserted += more->inserted;
    tally->updated += more->updated;
    tally->unchanged += more->unchanged;
    tally->filtered += more->filtered;
    tally->deleted += more->deleted;
    tally->marked += more->marked;
    tally->rejected += more->rejected;
    tally->child_rows += more->child_rows;
}

struct pages *pages_create(const struct pagination *pagination)
{
    struct pages *pages = calloc(1, sizeof(*pages));

    if (pages == NULL)
        return NULL;
    pages->number = 1;
    pages->position = pagination->type == PAGINATION_PAGE ? pagination->base_page : 0;
    return pages;
}

void pages_free(struct pages *pages)
{
    if (pages == NULL)
        return;
    free(pages->text);
    free(pages->next_text);
    free(pages->url);
    free(pages);
}

int pages_follow(struct pages *pages, struct slice text, int64_t position)
{
    char *copy = NULL;

    if (text.data != NULL && (copy = strndup(text.data, text.length)) == NULL)
        return -1;
    free(pages->next_text);
    pages->next_text = copy;
    pages->next_position = position;
    pages->more = true;
    return 0;
}

void pages_end(struct pages *pages)
{
    free(pages->next_text);
    pages->next_text = NULL;
    pages->more = false;
}

static bool is_power_of_two(unsigned number)
{
    return (number & (number - 1)) == 0;
}

void pages_advance(struct pages *pages)
{
    assert(pages->more);
    pages->last = pages->exchange;
    if (is_power_of_two(pages->number))
        pages->mark = pages->exchange;
    free(pages->text);
    pages->text = pages->next_text;
    pages->position = pages->next_position;
    pages->next_text = NULL;
    pages->more = false;
    pages->number++;
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/*
 * Brent's way of finding a circle: the one held for comparison is replaced at each power of two, so
 * a circle of any length is found, with the memory of one, before it has been walked three times.
 */
bool pages_repeat(const struct pages *pages, struct hash128 exchange)
{
    return pages->number > 1 && (same(exchange, pages->last) || same(exchange, pages->mark));
}
