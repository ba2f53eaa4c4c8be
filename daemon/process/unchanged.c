#include "process/unchanged.h"

#include "gatherd/hash.h"

int unchanged_compare(struct run *run)
{
    const struct validators *known = run->state.validators;
    struct hash128 hash;

    if (!run->source->skip_unchanged || run_page(run) > 1)
        return 0;
    if (run->learned == NULL) {
        run->learned = validators_create((struct slice){NULL, 0}, (struct slice){NULL, 0});
        if (run->learned == NULL)
            return -1;
        run->learned->fingerprint = run->source->answer_fingerprint;
    }
    hash = hash128_bytes(run->response.body, run->response.body_bytes);
    run->learned->has_body_hash = true;
    run->learned->body_hash = hash;
    run->not_modified = known != NULL && known->has_body_hash &&
                        known->fingerprint == run->source->answer_fingerprint &&
                        hash128_same(known->body_hash, hash);
    return 0;
}

/*
 * Whether a further page would change this one. All ways to the next page are in the body but the
 * Link header: with that, the records that come when a page is just full leave its body as it was.
 */
static bool tells_of_further_pages(const struct pagination *pagination, size_t records)
{
    return pagination->type != PAGINATION_LINK_HEADER || records == 0 ||
           (int64_t)records < pagination->limit;
}

void unchanged_check_pages(struct run *run, const struct result *result)
{
    const struct pagination *pagination = run->source->pagination;

    if (pagination == NULL)
        return;
    if (!result->more && run_page(run) == 1 && tells_of_further_pages(pagination, result->records))
        return;
    validators_free(run->learned);
    run->learned = NULL;
}
