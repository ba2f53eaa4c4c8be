/* The folder of the zone database: the file of a name, and all the names there are. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gatherd/text.h"
#include "gatherd/zone.h"

#define SYSTEM_FOLDER "/usr/share/zoneinfo"
#define MOST_BYTES    (256u * 1024)
#define MOST_DEPTH    4 /* America/Argentina/Buenos_Aires has 2 folders */

static const char *zone_folder(void)
{
    const char *folder = getenv("TZDIR");

    return folder != NULL && *folder != '\0' ? folder : SYSTEM_FOLDER;
}

/* Letters, digits, _ + -, in parts with / between them: no way out of the folder. */
static bool is_zone_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '/' ? p == name || p[1] == '/' || p[1] == '\0'
                      : !isalnum((unsigned char)*p) && strchr("_+-", *p) == NULL)
            return false;
    }
    return *name != '\0';
}

static int no_such_zone(const char *folder, const char *name, struct error *err)
{
    if (access(folder, F_OK) == -1)
        error_set(err, ERROR_UNAVAILABLE,
                  "there is no time zone database in %s; install the package tzdata, or use UTC",
                  folder);
    else
        error_set(err, ERROR_CONFIG, "there is no time zone %s", name);
    return -1;
}

/* Reads a whole file of at most MOST_BYTES. NULL with errno; the caller frees. */
static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    char *data = NULL;

    if (file == NULL)
        return NULL;
    data = malloc(MOST_BYTES);
    if (data != NULL) {
        *length = fread(data, 1, MOST_BYTES, file);
        if (ferror(file)) {
            int reason = errno;

            free(data);
            data = NULL;
            errno = reason;
        }
    }
    fclose(file);
    return data;
}

static int parse_path(const char *path, const char *folder, const char *name, struct arena *arena,
                      const struct zone **zone, struct error *err)
{
    size_t length = 0;
    char *data = read_file(path, &length);

    if (data == NULL) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
            return no_such_zone(folder, name, err);
        error_set(err, errno == ENOMEM ? ERROR_NOMEM : ERROR_IO, "cannot read %s: %s", path,
                  strerror(errno));
        return -1;
    }
    *zone = zone_parse(data, length, arena, err);
    free(data);
    if (*zone != NULL)
        return 0;
    error_wrap(err, "cannot use %s", path);
    return -1;
}

int zone_read(const char *name, struct arena *arena, const struct zone **zone, struct error *err)
{
    const char *folder = zone_folder();
    struct text path = {0};
    int rc = -1;

    *zone = NULL;
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0)
        return 0;
    if (!is_zone_name(name))
        return no_such_zone(folder, name, err);
    text_format(&path, "%s/%s", folder, name);
    if (text_failed(&path))
        error_set(err, ERROR_NOMEM, "out of memory");
    else
        rc = parse_path(text_string(&path), folder, name, arena, zone, err);
    text_free(&path);
    return rc;
}

/* --- All the names. --- */

struct visit {
    void (*visit)(void *context, const char *name);
    void *context;
    size_t folder_length; /* with its / */
    struct text path;
};

/* Zones begin with a capital; right/, posix/, localtime and the tables do not. */
static bool is_listed(const struct dirent *entry)
{
    return isupper((unsigned char)entry->d_name[0]) && is_zone_name(entry->d_name);
}

static void visit_folder(struct visit *v, int depth);

static void visit_entry(struct visit *v, const struct dirent *entry, int depth)
{
    size_t length = v->path.length;

    text_add(&v->path, entry->d_name);
    if (entry->d_type == DT_DIR && depth < MOST_DEPTH) {
        text_char(&v->path, '/');
        visit_folder(v, depth + 1);
    } else if (entry->d_type == DT_REG || entry->d_type == DT_LNK) {
        if (!text_failed(&v->path))
            v->visit(v->context, text_string(&v->path) + v->folder_length);
    }
    if (v->path.length > length) {
        v->path.length = length;
        v->path.data[length] = '\0';
    }
}

static void visit_folder(struct visit *v, int depth)
{
    DIR *folder = text_failed(&v->path) ? NULL : opendir(text_string(&v->path));
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (is_listed(entry))
            visit_entry(v, entry, depth);
    }
    if (folder != NULL)
        closedir(folder);
}

void zone_each_name(void (*visit)(void *context, const char *name), void *context)
{
    struct visit v = {.visit = visit, .context = context};

    text_format(&v.path, "%s/", zone_folder());
    v.folder_length = v.path.length;
    visit_folder(&v, 0);
    text_free(&v.path);
}
