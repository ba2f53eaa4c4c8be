/*
 * include.c - further files with sources.
 *
 * Only the main file includes, so there are no cycles and one level to understand. Each file is
 * read once, however many patterns match it.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/load.h"

/* Included files hold sources and nothing else. */
static const struct key_set *included_key_set(struct key_set *set)
{
    *set = (struct key_set){
        .holder = "an included file", .keys = &root_key_set.keys[ROOT_SOURCES], .count = 1};
    return set;
}

struct inclusion {
    struct load *load;
    struct config_map seen; /* files that were read, by device and inode */
    struct arena *main_items;
    unsigned main_file;
};

struct identity {
    dev_t device;
    ino_t inode;
};

static struct slice identity_slice(const struct identity *id)
{
    return (struct slice){(const char *)id, sizeof(*id)};
}

/* Notes the file; false when it was there already or memory is out. */
static bool note_file(struct inclusion *inc, const struct stat *st)
{
    struct identity *id = load_alloc(inc->load, inc->load->notes, sizeof(*id));

    if (id == NULL)
        return false;
    id->device = st->st_dev;
    id->inode = st->st_ino;
    if (config_map_get(&inc->seen, identity_slice(id)) != NULL)
        return false;
    if (config_map_put(&inc->seen, identity_slice(id), id) == -1)
        load_out_of_memory(inc->load);
    return true;
}

static void read_included(struct load *load, const char *text, size_t length)
{
    struct item *root = load_document(load, text, length);
    struct given given = {0};
    struct key_set set;
    struct where where = where_key(NULL, "sources");

    if (root == NULL)
        return;
    load_keys(load, NULL, root, included_key_set(&set), load->config, &given, false);
    if (given.at[0] == NULL)
        load_mistake(load, (struct place){load->file, 1, 1}, &where,
                     "an included file has sources; add some, or remove the file");
    else if (is_given(&given, 0))
        load_sources(load, given.at[0]);
    else
        load->file_failed = true;
}

/* The file's items go into an arena of their own, which the next file uses again. */
static void include_text(struct inclusion *inc, const char *path, const char *text, size_t length,
                         struct arena *items)
{
    struct load *load = inc->load;

    if (!load_begin_file(load, path))
        return;
    load->items = items;
    read_included(load, text, length);
    arena_reset(items);
    load->items = inc->main_items;
    load->file = inc->main_file;
}

static void report_unreadable(struct load *load, const struct where *where, struct place place,
                              const char *path, const char *why)
{
    load->file_failed = true;
    load_mistake(load, place, where, "cannot read %s: %s", load_quote(load, path, strlen(path)),
                 why);
}

static void include_file(struct inclusion *inc, const struct where *where, struct place place,
                         const char *path, struct arena *items)
{
    struct stat st;
    size_t length;
    char *text;

    if (stat(path, &st) == -1) {
        report_unreadable(inc->load, where, place, path, strerror(errno));
        return;
    }
    if (!S_ISREG(st.st_mode)) { /* reading a pipe here could wait for ever */
        report_unreadable(inc->load, where, place, path,
                          S_ISDIR(st.st_mode) ? "it is a folder; include its files, as in "
                                                "conf.d/*.yaml"
                                              : "it is not a regular file");
        return;
    }
    if (!note_file(inc, &st))
        return;
    text = file_read(path, &length);
    if (text == NULL) {
        report_unreadable(inc->load, where, place, path, strerror(errno));
        return;
    }
    include_text(inc, path, text, length, items);
    free(text);
}

/* A folder that is not there has no files; one that cannot be searched is a mistake. */
static int glob_problem(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's name is taken as it is: whatever glob(7) would see in it is escaped. */
static void write_pattern(struct text *out, const char *folder, const char *pattern)
{
    for (const char *p = folder; *pattern != '/' && *p != '\0'; p++) {
        if (strchr("*?[\\", *p) != NULL)
            text_char(out, '\\');
        text_char(out, *p);
    }
    text_add(out, pattern);
}

static void include_matches(struct inclusion *inc, const struct where *where, struct place place,
                            glob_t *matches, struct arena *items)
{
    qsort(matches->gl_pathv, matches->gl_pathc, sizeof(matches->gl_pathv[0]), compare_paths);
    for (size_t i = 0; i < matches->gl_pathc; i++)
        include_file(inc, where, place, matches->gl_pathv[i], items);
}

static void include_pattern(struct inclusion *inc, const struct where *where, struct item *item,
                            struct arena *items)
{
    struct load *load = inc->load;
    struct place place = place_of(load, item);
    struct text pattern = {0};
    struct scalar scalar;
    glob_t matches = {0};
    int rc;

    if (!load_text(load, where, item, "a path or pattern, as in conf.d/*.yaml", &scalar)) {
        load->file_failed = true;
        return;
    }
    write_pattern(&pattern, load->folder, scalar.text);
    rc = text_failed(&pattern) ? GLOB_NOSPACE
                               : glob(text_string(&pattern), GLOB_NOSORT, glob_problem, &matches);
    if (rc == 0)
        include_matches(inc, where, place, &matches, items);
    else if (rc == GLOB_NOSPACE)
        load_out_of_memory(load);
    else if (rc == GLOB_ABORTED)
        report_unreadable(load, where, place, scalar.item->text,
                          "its folder cannot be searched; check the permissions");
    else if (strpbrk(scalar.text, "*?[") == NULL) /* a pattern may match nothing yet */
        report_unreadable(load, where, place, scalar.item->text, "No such file or directory");
    globfree(&matches);
    text_free(&pattern);
}

void load_includes(struct load *load, struct item *item, const char *main_path)
{
    struct where where = where_key(NULL, "include");
    struct inclusion inc = {.load = load, .main_items = load->items, .main_file = load->file};
    struct arena *items = arena_create(YAML_MAX_BYTES);
    struct stat st;
    size_t i = 0;

    if (items == NULL) {
        load_out_of_memory(load);
        return;
    }
    if (main_path != NULL && stat(main_path, &st) == 0)
        note_file(&inc, &st);
    if (item->kind == ITEM_SCALAR)
        include_pattern(&inc, &where, item, items);
    for (const struct entry *e = item->kind == ITEM_LIST ? item->first : NULL; e != NULL;
         e = e->next) {
        struct where here = where_index(&where, i++);

        include_pattern(&inc, &here, e->value, items);
    }
    config_map_free(&inc.seen);
    arena_free(items);
}
