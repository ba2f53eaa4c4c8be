/* Values that are text of a certain form: paths, names, URLs, tables, JSONPaths. */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/table_name.h"
#include "config/url.h"
#include "gatherd/template.h"

static bool keep_text(struct load *load, const struct key *key, void *target, const char *text,
                      size_t length)
{
    const char *kept = load_keep(load, text, length);

    if (kept == NULL)
        return false;
    store_pointer(key, target, kept);
    return true;
}

static const char *database_problem(const struct scalar *scalar)
{
    const char *text = scalar->text;

    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "a path without control characters";
    }
    if (scalar->length == 0 || text[scalar->length - 1] == '/')
        return "the path of a file, as in gatherd.db";
    if (strcmp(text, ":memory:") == 0 || strncmp(text, "file:", 5) == 0 ||
        strstr(text, "://") != NULL)
        return "the path of a SQLite file, as in gatherd.db; other databases are not supported";
    return NULL;
}

/* A relative path starts at the folder of the main file, wherever the daemon was started. */
bool load_database(struct load *load, const struct where *where, const struct key *key,
                   struct item *item, void *target)
{
    struct text path = {0};
    struct scalar scalar;
    const char *problem;
    bool good;

    if (!load_text(load, where, item, "a path", &scalar))
        return false;
    problem = database_problem(&scalar);
    if (problem != NULL) {
        load_mistake(load, place_of(load, item), where, "%s cannot be the database; write %s",
                     load_quote_scalar(load, &scalar), problem);
        return false;
    }
    if (scalar.text[0] != '/')
        text_add(&path, load->folder);
    text_append(&path, scalar.text, scalar.length);
    if (text_failed(&path))
        load_out_of_memory(load);
    good = !text_failed(&path) && keep_text(load, key, target, path.data, path.length);
    text_free(&path);
    return good;
}

/* A number is the text that stands there: 007 stays 007. */
bool load_plain_text(struct load *load, const struct where *where, const struct key *key,
                     struct item *item, void *target)
{
    struct scalar scalar;

    if (!load_scalar(load, where, item, "a text", &scalar))
        return false;
    if ((int64_t)scalar.length < key->low || (int64_t)scalar.length > key->high) {
        load_mistake(load, place_of(load, item), where,
                     scalar.length == 0 ? "an empty text; write one, or remove the key"
                                        : "a text of more than %lld bytes; write a shorter one",
                     (long long)key->high);
        return false;
    }
    return keep_text(load, key, target, scalar.text, scalar.length);
}

/* How many characters of a name are of those it may have. */
static size_t name_span(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-.");
}

bool load_file_path(struct load *load, const struct where *where, const struct key *key,
                    struct item *item, void *target)
{
    struct text path = {0};
    struct scalar scalar;
    bool good;

    if (!load_text(load, where, item, "the path of a file", &scalar))
        return false;
    if (scalar.length == 0 || scalar.text[scalar.length - 1] == '/') {
        load_mistake(load, place_of(load, item), where, "is no file; write the path of one");
        return false;
    }
    if (scalar.text[0] != '/')
        text_add(&path, load->folder);
    text_append(&path, scalar.text, scalar.length);
    if (text_failed(&path))
        load_out_of_memory(load);
    good = !text_failed(&path) && keep_text(load, key, target, path.data, path.length);
    text_free(&path);
    return good;
}

bool load_name(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    struct scalar scalar;
    size_t good;

    if (!load_text(load, where, item, "a name", &scalar))
        return false;
    good = name_span(scalar.text);
    if (scalar.length == 0 || good < scalar.length) {
        load_mistake(load, scalar.substituted ? place_of(load, item) : place_in(load, item, good),
                     where, "%s is not a name; use letters, digits, _ - and .",
                     load_quote_scalar(load, &scalar));
        return false;
    }
    if (scalar.length > (size_t)key->high) {
        load_mistake(load, place_of(load, item), where,
                     "a name of %zu characters; use at most %lld", scalar.length,
                     (long long)key->high);
        return false;
    }
    return keep_text(load, key, target, scalar.text, scalar.length);
}

#define MOST_ENTRY_NAME 128

const char *load_entry_name(struct load *load, const struct where *where, const struct item *name)
{
    if (name->length > 0 && name->length <= MOST_ENTRY_NAME &&
        name_span(name->text) == name->length)
        return load_keep(load, name->text, name->length);
    load_mistake(load, place_of(load, name), where,
                 "%s is not a name; use up to %d letters, digits, _ - and .",
                 load_quote(load, name->text, name->length), MOST_ENTRY_NAME);
    return NULL;
}

static bool any_value(const void *context, const struct placeholder *placeholder,
                      struct template_value *value)
{
    (void)context;
    (void)placeholder;
    value->text = slice_of("1");
    return true;
}

/* What would be refused with any value is refused now. */
static bool check_rendered_url(struct load *load, const struct where *where,
                               const struct scalar *scalar)
{
    struct slice text = {scalar->text, scalar->length};
    struct error err = {0};
    struct text url = {0};
    bool good = template_is_constant(scalar->text) ||
                template_render(text, TEMPLATE_URL, any_value, NULL, &url, &err) == 0;

    if (!good)
        load_mistake(load, place_of(load, scalar->item), where,
                     "beside a placeholder, the path cannot have . and .. as parts; write where "
                     "they lead");
    if (text_failed(&url))
        load_out_of_memory(load);
    text_free(&url);
    return good;
}

bool load_url(struct load *load, const struct where *where, const struct key *key,
              struct item *item, void *target)
{
    struct source *source = target;
    char host[URL_HOST_SIZE];
    const char *problem;
    struct scalar scalar;
    size_t offset;

    if (!load_template(load, where, item, "a URL", &scalar) ||
        !require_text(load, where, "a URL", &scalar) ||
        !check_placeholders(load, where, &scalar, URL_BRACE))
        return false;
    if (!url_check_template(scalar.text, host, &problem, &offset)) {
        offset = count_characters(scalar.text, offset);
        load_mistake(load, scalar.substituted ? place_of(load, item) : place_in(load, item, offset),
                     where, "%s", problem);
        return false;
    }
    if (!check_rendered_url(load, where, &scalar))
        return false;
    source->host = load_keep(load, host, strlen(host));
    return source->host != NULL && keep_text(load, key, target, scalar.text, scalar.length);
}

bool load_endpoint(struct load *load, const struct where *where, const struct key *key,
                   struct item *item, void *target)
{
    char host[URL_HOST_SIZE];
    const char *problem;
    const char *kept;
    struct scalar scalar;
    size_t offset;

    if (!load_text(load, where, item, "a URL", &scalar))
        return false;
    if (!url_check(scalar.text, host, &problem, &offset)) {
        load_mistake(load, scalar.substituted ? place_of(load, item) : place_in(load, item, offset),
                     where, "%s", problem);
        return false;
    }
    kept = load_keep(load, host, strlen(host));
    if (kept == NULL || !keep_text(load, key, target, scalar.text, scalar.length))
        return false;
    memcpy((char *)target + key->count_offset, &kept, sizeof(kept));
    return true;
}

bool load_table(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    struct text made = {0};
    struct scalar scalar;
    const char *problem;

    if (!load_text(load, where, item, "a table's name", &scalar))
        return false;
    problem = table_name_problem(scalar.text);
    if (problem == NULL)
        return keep_text(load, key, target, scalar.text, scalar.length);
    table_name_make(&made, scalar.text);
    if (scalar.substituted || scalar.length == 0 || table_name_problem(text_string(&made)) != NULL)
        load_mistake(load, place_of(load, item), where, "%s %s", load_quote_scalar(load, &scalar),
                     problem);
    else
        load_mistake(load, place_of(load, item), where, "%s %s; write %s",
                     load_quote_scalar(load, &scalar), problem, text_string(&made));
    text_free(&made);
    return false;
}

/* A path that thousands of sources share is compiled once. */
static struct jsonpath *compile(struct load *load, const struct scalar *scalar, size_t *column,
                                struct error *err)
{
    struct config_owner *owner = load->owner;
    struct slice text = {scalar->text, scalar->length};
    struct jsonpath *path = config_map_get(&load->paths, text);

    if (path != NULL || !load_room(load, &owner->paths, owner->path_count, &owner->path_capacity,
                                   sizeof(struct jsonpath *)))
        return path;
    path = jsonpath_compile(scalar->text, column, err);
    if (path == NULL)
        return NULL;
    owner->paths[owner->path_count++] = path;
    text.data = load_keep(load, scalar->text, scalar->length);
    if (text.data == NULL || config_map_put(&load->paths, text, path) == -1)
        load_out_of_memory(load);
    return path;
}

bool load_path(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    struct error err = {0};
    struct jsonpath *path;
    struct scalar scalar;
    size_t column = 1;

    if (!load_text(load, where, item, "a JSONPath, as in $.items[*]", &scalar))
        return false;
    path = compile(load, &scalar, &column, &err);
    if (path != NULL) {
        store_pointer(key, target, path);
        return true;
    }
    if (err.code == ERROR_NOMEM)
        load_out_of_memory(load);
    else if (err.code != ERROR_NONE)
        load_mistake(load,
                     scalar.substituted ? place_of(load, item)
                                        : place_in(load, item, column == 0 ? 0 : column - 1),
                     where, "%s is not a JSONPath: %s", load_quote_scalar(load, &scalar), err.text);
    return false;
}
