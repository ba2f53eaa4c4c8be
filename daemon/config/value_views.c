/* `views`: names, each with the SELECT that it stands for. */
#include <string.h>
#include <strings.h>

#include "config/load.h"
#include "config/table_name.h"
#include "config/value_list.h"
#include "gatherd/select.h"
#include "gatherd/text.h"

static bool load_select(struct load *load, const struct where *where, struct item *item,
                        struct name_value *view)
{
    struct scalar scalar;
    struct error err = {0};
    size_t offset;

    if (!load_text(load, where, item, "a SELECT", &scalar))
        return false;
    view->value = load_keep(load, scalar.text, scalar.length);
    if (view->value == NULL)
        return false;
    if (select_check(view->value, &offset, &err) == 0)
        return true;
    if (err.code == ERROR_NOMEM) {
        load_out_of_memory(load);
        return false;
    }
    load_mistake(load,
                 scalar.substituted ? place_of(load, item)
                                    : place_in(load, item, count_characters(view->value, offset)),
                 where, "not one SELECT: %s", err.text);
    return false;
}

static bool check_name(struct load *load, const struct where *where, const struct item *key,
                       struct config_map *seen)
{
    struct slice lower = {lower_copy(load, key->text, key->length), key->length};
    const char *problem =
        strlen(key->text) < key->length ? "holds a NUL character" : table_name_problem(key->text);

    if (lower.data == NULL)
        return false;
    if (problem == NULL && config_map_get(seen, lower) != NULL)
        problem = "is there twice: SQLite ignores case; rename one";
    if (problem != NULL) {
        load_mistake(load, place_of(load, key), where, "%s %s",
                     load_quote(load, key->text, key->length), problem);
        return false;
    }
    if (config_map_put(seen, lower, (void *)key) == -1)
        load_out_of_memory(load);
    return true;
}

static bool load_all(struct load *load, const struct where *where, const struct item *item,
                     struct name_value *views)
{
    struct config_map seen = {0};
    bool good = true;
    size_t i = 0;

    for (const struct entry *e = item->first; e != NULL; e = e->next, i++) {
        struct where here = where_text(where, e->key->text, e->key->length);

        good = check_name(load, &here, e->key, &seen) && good;
        views[i].name = load_keep(load, e->key->text, e->key->length);
        good = views[i].name != NULL && load_select(load, &here, e->value, &views[i]) && good;
    }
    config_map_free(&seen);
    return good;
}

bool load_views(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    struct name_value *views;
    bool good;

    if (reuse_list(key, item, target, &good))
        return good;
    if (!require_mapping(load, where, key, item))
        return false;
    views = load_alloc(load, load->arena, count_entries(item) * sizeof(views[0]));
    good = views != NULL && load_all(load, where, item, views);
    return finish_list(key, item, target, views, count_entries(item), good);
}
