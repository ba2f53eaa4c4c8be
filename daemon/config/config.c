/* The life of a configuration: from the text of the main file to a value that is shared. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/load.h"
#include "config/masks.h"
#include "gatherd/items.h"

struct config_owner *config_owner_of(struct config *config)
{
    return (struct config_owner *)config;
}

static void free_owner(struct config_owner *owner)
{
    if (owner == NULL)
        return;
    for (size_t i = 0; i < owner->path_count; i++)
        jsonpath_free(owner->paths[i]);
    free(owner->paths);
    for (size_t i = 0; i < owner->items_count; i++)
        items_unref(owner->items[i]);
    free(owner->items);
    free(owner->config.sources);
    arena_free(owner->arena);
    free(owner);
}

static struct config_owner *create_owner(void)
{
    struct config_owner *owner = calloc(1, sizeof(*owner));

    if (owner == NULL)
        return NULL;
    atomic_init(&owner->references, 1);
    owner->arena = arena_create(0);
    if (owner->arena == NULL) {
        free_owner(owner);
        return NULL;
    }
    return owner;
}

struct config *config_ref(struct config *config)
{
    atomic_fetch_add_explicit(&config_owner_of(config)->references, 1, memory_order_relaxed);
    return config;
}

/* Whoever drops the last reference must see all that the others did before. */
void config_unref(struct config *config)
{
    if (config == NULL)
        return;
    if (atomic_fetch_sub_explicit(&config_owner_of(config)->references, 1, memory_order_acq_rel) ==
        1)
        free_owner(config_owner_of(config));
}

void config_report_free(struct config_report *report)
{
    text_free(&report->text);
    report->errors = 0;
}

const struct source *config_find_source(const struct config *config, const char *name)
{
    const uint32_t *by_name = ((const struct config_owner *)config)->by_name;
    size_t low = 0;
    size_t high = config->source_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct source *source = &config->sources[by_name[middle]];
        int order = strcmp(source->name, name);

        if (order == 0)
            return source;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool status_is_among(const struct status_range *ranges, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (status >= ranges[i].low && status <= ranges[i].high)
            return true;
    }
    return false;
}

bool source_is_success(const struct source *source, int status)
{
    return status_is_among(source->success, source->success_count, status);
}

/* --- What is known only when all sources are there. --- */

static int compare_names(const void *a, const void *b, void *sources)
{
    return strcmp(((const struct source *)sources)[*(const uint32_t *)a].name,
                  ((const struct source *)sources)[*(const uint32_t *)b].name);
}

static void index_names(struct load *load)
{
    struct config *config = load->config;
    uint32_t *by_name = load_alloc(load, load->arena, config->source_count * sizeof(by_name[0]));

    if (by_name == NULL)
        return;
    for (size_t i = 0; i < config->source_count; i++)
        by_name[i] = (uint32_t)i;
    qsort_r(by_name, config->source_count, sizeof(by_name[0]), compare_names, config->sources);
    load->owner->by_name = by_name;
}

/* Adds up the polls per millisecond of each host. */
static void sum_rates(struct load *load, struct config_map *rates)
{
    for (size_t i = 0; i < load->config->source_count; i++) {
        const struct source *source = &load->config->sources[i];
        double *rate = config_map_get(rates, slice_of(source->host));

        if (!source->enabled)
            continue;
        if (rate == NULL) {
            rate = load_alloc(load, load->notes, sizeof(*rate));
            if (rate == NULL || config_map_put(rates, slice_of(source->host), rate) == -1) {
                load_out_of_memory(load);
                return;
            }
        }
        *rate += 1.0 / (double)source->interval_ms;
    }
}

static void set_host_gaps(struct load *load)
{
    struct config_map rates = {0};

    sum_rates(load, &rates);
    for (size_t i = 0; i < load->config->source_count; i++) {
        struct source *source = &load->config->sources[i];
        const double *rate = config_map_get(&rates, slice_of(source->host));
        double gap = rate == NULL ? (double)source->interval_ms : 1.0 / *rate;

        source->host_gap_ms = (int64_t)(gap + 0.5);
    }
    config_map_free(&rates);
}

static void set_fingerprints(struct load *load)
{
    struct text scratch = {0};

    for (size_t i = 0; i < load->config->source_count; i++) {
        struct source *source = &load->config->sources[i];

        source->fingerprint = source_fingerprint(source, &scratch);
        if (text_failed(&scratch)) /* before the next one clears it */
            load_out_of_memory(load);
        /* Of parts of the same, so that it needs no further memory. */
        source->answer_fingerprint = source_answer_fingerprint(source, &scratch);
        source->mapping_fingerprint = source_mapping_fingerprint(source, &scratch);
    }
    text_free(&scratch);
}

/* Called without mistakes: every source is whole. */
static void complete(struct load *load)
{
    struct config *config = load->config;
    struct source *exact =
        realloc(config->sources, config->source_count * sizeof(config->sources[0]));

    if (exact != NULL) /* the room for growth is not needed any more */
        config->sources = exact;
    for (size_t i = 0; i < config->source_count; i++) {
        config->sources[i].config = config;
        config->sources[i].index = i;
    }
    index_names(load);
    complete_politeness(load);
    set_host_gaps(load);
    set_fingerprints(load);
}

/* --- Loading. --- */

static int start(struct load *load)
{
    *load = (struct load){0};
    load->owner = create_owner();
    load->notes = arena_create(0);
    load->items = arena_create(0);
    if (load->owner == NULL || load->notes == NULL || load->items == NULL) {
        load_out_of_memory(load);
        return -1;
    }
    load->config = &load->owner->config;
    load->arena = load->owner->arena;
    load->folder = "";
    return 0;
}

/* Hands the configuration over, or reports why there is none. */
static struct config *finish(struct load *load, struct config_report *report)
{
    struct config *config = load->config;

    if (load->errors == 0 && !load->out_of_memory)
        complete(load);
    if (load->dump != NULL && load->errors == 0 && !load->out_of_memory)
        write_dump(load);
    load_report(load, report);
    if (load->errors > 0) {
        free_owner(load->owner);
        config = NULL;
    }
    masks_free(load->masks);
    expression_checker_free(load->expressions);
    config_map_free(&load->texts);
    config_map_free(&load->paths);
    config_map_free(&load->crons);
    config_map_free(&load->zones);
    arena_free(load->notes);
    arena_free(load->items);
    free(load->mistakes);
    free(load->origins);
    free(load->files);
    return config;
}

static void set_folder(struct load *load, const char *folder)
{
    struct text text = {0};

    if (folder == NULL || *folder == '\0' || strcmp(folder, ".") == 0)
        return;
    text_add(&text, folder);
    if (text.length > 0 && text.data[text.length - 1] != '/')
        text_char(&text, '/');
    load->folder = text_failed(&text) ? NULL : load_keep(load, text_string(&text), text.length);
    if (load->folder == NULL) {
        load_out_of_memory(load);
        load->folder = "";
    }
    text_free(&text);
}

static void report_no_sources(struct load *load, const struct given *given)
{
    struct where where = where_key(NULL, "sources");
    struct place place = {0, 1, 1};

    if (load->config->source_count > 0 || load->file_failed || !is_sound(given, ROOT_SOURCES) ||
        (is_given(given, ROOT_SOURCES) && given->at[ROOT_SOURCES]->first != NULL))
        return;
    if (given->at[ROOT_SOURCES] != NULL)
        place = (struct place){0, given->at[ROOT_SOURCES]->line, given->at[ROOT_SOURCES]->column};
    load_mistake(load, place, &where,
                 given->at[ROOT_INCLUDE] == NULL
                     ? "there is no source to poll; add one with name and url"
                     : "there is no source to poll, here or in the included files; add one with "
                       "name and url");
}

/* Sources come after defaults, wherever the two stand in the file. */
static void load_main(struct load *load, const char *yaml, size_t length, const char *main_path)
{
    struct item *root = load_document(load, yaml, length);
    struct given given = {0};

    if (root == NULL)
        return;
    load_fallbacks(load, &root_key_set, load->config);
    load_fallbacks(load, &source_key_set, &load->base);
    load->base.method = METHOD_BY_BODY;
    load->base.mapping.max_shrink = NO_MAX_SHRINK;
    load_keys(load, NULL, root, &root_key_set, load->config, &given, false);
    load->rate_limits_failed = !is_sound(&given, ROOT_RATE_LIMITS);
    if (is_given(&given, ROOT_DEFAULTS))
        load_defaults(load, given.at[ROOT_DEFAULTS]);
    if (is_given(&given, ROOT_SOURCES))
        load_sources(load, given.at[ROOT_SOURCES]);
    if (is_given(&given, ROOT_INCLUDE))
        load_includes(load, given.at[ROOT_INCLUDE], main_path);
    else if (given.at[ROOT_INCLUDE] != NULL)
        load->file_failed = true;
    report_no_sources(load, &given);
    check_collisions(load);
    check_item_sources(load);
}

static struct config *load_from(struct load *load, const char *yaml, size_t length,
                                const char *folder, const char *main_path,
                                struct config_report *report)
{
    load->config->path = load->files[0];
    set_folder(load, folder);
    load_main(load, yaml, length, main_path);
    return finish(load, report);
}

struct config *config_parse(const char *yaml, size_t length, const char *name, const char *folder,
                            struct config_report *report)
{
    struct load load;

    if (start(&load) == -1 || !load_begin_file(&load, name))
        return finish(&load, report);
    return load_from(&load, yaml, length, folder, NULL, report);
}

/* "" for a file in the working directory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strndup(path, slash == NULL ? 0 : (size_t)(slash + 1 - path));
}

static struct config *load_file(struct load *load, const char *path, struct config_report *report)
{
    struct config *config;
    size_t length = 0;
    char *folder;
    char *text;

    if (!load_begin_file(load, path))
        return finish(load, report);
    folder = folder_of(path);
    text = file_read(path, &length);
    if (text == NULL)
        load_mistake(load, (struct place){0, 0, 0}, NULL, "cannot read it: %s", strerror(errno));
    if (folder == NULL)
        load_out_of_memory(load);
    config = text == NULL || folder == NULL ? finish(load, report)
                                            : load_from(load, text, length, folder, path, report);
    free(folder);
    free(text);
    return config;
}

struct config *config_load(const char *path, struct config_report *report)
{
    struct load load;

    return start(&load) == -1 ? finish(&load, report) : load_file(&load, path, report);
}

int config_dump(const char *path, struct text *out, struct config_report *report)
{
    struct config *config;
    struct load load;

    if (start(&load) == 0)
        load.masks = masks_create(&load);
    load.dump = out;
    config = load.masks == NULL ? finish(&load, report) : load_file(&load, path, report);
    config_unref(config);
    return config == NULL ? -1 : 0;
}
