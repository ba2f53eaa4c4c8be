/* Which host's and which rate limit's rules a source is under. */
#include <string.h>

#include "config/load.h"
#include "config/suggest.h"
#include "gatherd/auth.h"

static const struct rate_limit *find_rate_limit(const struct config *config, const char *name,
                                                struct suggestion *near)
{
    for (size_t i = 0; i < config->rate_limit_count; i++) {
        if (strcmp(config->rate_limits[i].name, name) == 0)
            return &config->rate_limits[i];
        suggest_offer(near, config->rate_limits[i].name, name, strlen(name));
    }
    return NULL;
}

void check_rate_limit_name(struct load *load, const struct where *where, struct source *source,
                           const struct given *given)
{
    struct where here = where_key(where, source_key_set.keys[SOURCE_RATE_LIMIT].name);
    const struct item *item = given->at[SOURCE_RATE_LIMIT];
    struct suggestion near = {0};

    if (source->rate_limit_name == NULL || !is_sound(given, SOURCE_RATE_LIMIT) ||
        load->rate_limits_failed)
        return;
    source->rate_limit = find_rate_limit(load->config, source->rate_limit_name, &near);
    if (source->rate_limit != NULL || item == NULL) /* a default has been told of where it stands */
        return;
    if (near.word != NULL)
        load_mistake(load, place_of(load, item), &here,
                     "there is no rate limit of this name; did you mean \"%s\"?", near.word);
    else
        load_mistake(load, place_of(load, item), &here,
                     "there is no rate limit of this name; describe it under rate_limits");
}

void check_answer_rules(struct load *load, const struct where *where, const struct item *item,
                        const struct source *source, const struct given *given)
{
    struct where rules = where_key(where, source_key_set.keys[SOURCE_RESPONSES].name);
    const struct item *list = given->at[SOURCE_RESPONSES];
    const struct entry *e = list != NULL && list->kind == ITEM_LIST ? list->first : NULL;

    if (!is_sound(given, SOURCE_RESPONSES) || !is_sound(given, SOURCE_AUTH) ||
        (source->auth != NULL && auth_needs_token(source->auth)))
        return;
    for (size_t i = 0; i < source->response_count; i++) {
        struct where here = where_index(&rules, i);

        if (source->responses[i].action == ANSWER_REFRESH_TOKEN)
            load_mistake(load, place_of(load, e != NULL ? e->value : item), &here,
                         "refresh_token needs auth of type oauth2 or session; nothing else has a "
                         "token that can be had anew");
        e = e != NULL ? e->next : NULL;
    }
}

/* --- Once every source is whole. --- */

static void index_overrides(struct load *load, struct config_map *by_name)
{
    struct config *config = load->config;

    for (size_t i = 0; i < config->host_override_count; i++) {
        struct host_policy *policy = &config->host_overrides[i];

        if (policy->max_concurrent == 0)
            policy->max_concurrent = config->hosts.max_concurrent;
        if (policy->min_spacing_ms == NOT_SAID)
            policy->min_spacing_ms = config->hosts.min_spacing_ms;
        if (config_map_put(by_name, slice_of(policy->name), policy) == -1)
            load_out_of_memory(load);
    }
}

/* "name:port" goes before "name". */
static const struct host_policy *policy_of(const struct config *config,
                                           const struct config_map *by_name, const char *host)
{
    const char *colon = strrchr(host, ':');
    const struct host_policy *policy = config_map_get(by_name, slice_of(host));

    if (policy == NULL && colon != NULL)
        policy = config_map_get(by_name, (struct slice){host, (size_t)(colon - host)});
    return policy != NULL ? policy : &config->hosts;
}

void complete_politeness(struct load *load)
{
    struct config *config = load->config;
    struct config_map by_name = {0};

    index_overrides(load, &by_name);
    for (size_t i = 0; i < config->source_count; i++)
        config->sources[i].host_policy = policy_of(config, &by_name, config->sources[i].host);
    config_map_free(&by_name);
}
