#include "fetch/build.h"

static void add_own_words(const struct source *source, struct draft *draft)
{
    for (size_t i = 0; i < source->param_count; i++)
        draft_add_param(draft, source->params[i].name, source->params[i].value);
    for (size_t i = 0; i < source->header_count; i++)
        draft_add_header(draft, source->headers[i].name, source->headers[i].value);
}

void build_request(const struct run *run, struct arena *arena, struct draft *draft)
{
    arena_reset(arena);
    draft_start(draft, arena, run->source->url);
    add_own_words(run->source, draft);
}
