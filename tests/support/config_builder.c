#include "config_builder.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/hash.h"
#include "test.h"

struct built {
    struct config config;
    atomic_uint references;
};

static struct built *built_of(const struct config *config)
{
    return (struct built *)((char *)config - offsetof(struct built, config));
}

static const struct retry_policy retry_default = {
    .max_attempts = 3, .base_ms = 1000, .cap_ms = 60 * 1000};

struct source source_like(const char *name, const char *host, int64_t interval_ms)
{
    return (struct source){
        .file = "built.yaml",
        .name = name,
        .host = host,
        .enabled = true,
        .interval_ms = interval_ms,
        .max_interval_ms = 60 * 60 * 1000,
        .timeout_ms = 30 * 1000,
        .connect_timeout_ms = 10 * 1000,
        .retry = &retry_default,
    };
}

static uint64_t fingerprint_of(const struct source *source)
{
    struct {
        uint64_t name;
        uint64_t host;
        int64_t numbers[16]; /* from 10 on: of cron */
    } all = {
        hash_bytes(source->name, strlen(source->name)),
        hash_bytes(source->host, strlen(source->host)),
        {source->interval_ms, source->jitter_ms, source->max_interval_ms, source->timeout_ms,
         source->enabled, source->run_on_start, source->align, source->offset_ms, source->missed,
         (int64_t)(intptr_t)source->for_each},
    };

    if (source->cron != NULL) {
        all.numbers[10] = (int64_t)source->cron->minutes;
        all.numbers[11] = source->cron->hours;
        all.numbers[12] = source->cron->days;
        all.numbers[13] = source->cron->months;
        all.numbers[14] = source->cron->weekdays;
    }
    return hash_bytes(&all, sizeof(all));
}

struct config *config_build(const struct source *sources, size_t count, unsigned host_max)
{
    struct built *built = calloc(1, sizeof(*built));

    assert_non_null(built);
    built->references = 1;
    built->config.hosts.max_concurrent = host_max;
    built->config.sources = calloc(count + 1, sizeof(*sources));
    built->config.source_count = count;
    assert_non_null(built->config.sources);
    for (size_t i = 0; i < count; i++) {
        struct source *source = &built->config.sources[i];

        *source = sources[i];
        source->config = &built->config;
        source->index = i;
        if (source->host_policy == NULL)
            source->host_policy = &built->config.hosts;
        source->name = strdup(sources[i].name);
        source->host = strdup(sources[i].host);
        assert_true(source->name != NULL && source->host != NULL);
        source->fingerprint = fingerprint_of(source);
    }
    return &built->config;
}

unsigned config_built_references(const struct config *config)
{
    return built_of(config)->references;
}

__attribute__((weak)) struct config *config_ref(struct config *config)
{
    built_of(config)->references++;
    return config;
}

__attribute__((weak)) void config_unref(struct config *config)
{
    if (config == NULL || --built_of(config)->references > 0)
        return;
    for (size_t i = 0; i < config->source_count; i++) {
        free((char *)config->sources[i].name);
        free((char *)config->sources[i].host);
    }
    free(config->sources);
    free(built_of(config));
}

__attribute__((weak)) const struct source *config_find_source(const struct config *config,
                                                              const char *name)
{
    for (size_t i = 0; i < config->source_count; i++) {
        if (strcmp(config->sources[i].name, name) == 0)
            return &config->sources[i];
    }
    return NULL;
}
