/* zip archives, by libzip: which file of one is meant, and what is in it. */
#include <fnmatch.h>
#include <string.h>
#include <zip.h>

#include "document/unpack_output.h"

#define NAMES_SHOWN      5
#define MOST_NAME_SHOWN  40
#define MOST_RATIO       1032u /* of deflate; a size beyond it is not believed */
#define APPLES_OWN       "__MACOSX/"
#define OFFICE_DOCUMENTS "[Content_Types].xml"

/* The files among the entries of an archive, and those that are meant. */
struct choice {
    zip_t *archive;
    const char *member;
    zip_int64_t chosen;
    size_t files;
    size_t meant;
    struct text names; /* the first of those that could be meant */
    size_t shown;
    bool office;
};

static enum unpack_status fail_zip(struct unpacked *unpacked, zip_error_t *error)
{
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY)
        return UNPACK_NOMEM;
    return unpack_fail(unpacked, "the body is a zip archive that cannot be read, or is cut off: %s",
                       zip_error_strerror(error));
}

/* Folders, and what macOS puts beside each file. */
static bool is_file(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[length - 1] != '/' &&
           strncmp(name, APPLES_OWN, strlen(APPLES_OWN)) != 0;
}

static void show_name(struct choice *c, const char *name)
{
    size_t length = strlen(name);

    if (c->shown < NAMES_SHOWN) {
        text_add(&c->names, c->shown == 0 ? "" : ", ");
        text_visible(&c->names, name, length < MOST_NAME_SHOWN ? length : MOST_NAME_SHOWN);
    } else if (c->shown == NAMES_SHOWN) {
        text_add(&c->names, ", ...");
    }
    c->shown++;
}

/* Goes through the entries; with `all` the names of those that are not meant are shown, too. */
static void look_through(struct choice *c, bool all)
{
    zip_int64_t count = zip_get_num_entries(c->archive, 0);

    c->files = c->meant = c->shown = 0;
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(c->archive, (zip_uint64_t)i, ZIP_FL_ENC_GUESS);
        bool meant;

        if (name == NULL || !is_file(name))
            continue;
        c->office = c->office || strcmp(name, OFFICE_DOCUMENTS) == 0;
        meant = c->member == NULL || fnmatch(c->member, name, 0) == 0;
        if (meant && c->meant == 0)
            c->chosen = i;
        c->files++;
        c->meant += meant;
        if (meant || all)
            show_name(c, name);
    }
}

/* Why not one file is meant. */
static enum unpack_status refuse_choice(struct choice *c, struct unpacked *unpacked)
{
    const char *names;

    if (c->files == 0)
        return unpack_fail(unpacked, "the body is a zip archive without a file");
    if (c->office)
        return unpack_fail(unpacked, "the body is an Office document (.xlsx, .docx), which is not "
                                     "read; ask the server for CSV or JSON");
    text_clear(&c->names);
    look_through(c, c->meant == 0);
    if (text_failed(&c->names))
        return UNPACK_NOMEM;
    names = text_string(&c->names);
    if (c->meant == 0)
        return unpack_fail(unpacked,
                           "archive_member is none of the %zu files in the zip archive: %s",
                           c->files, names);
    return unpack_fail(unpacked,
                       "the body is a zip archive of which %zu files could be meant: %s; name one "
                       "with archive_member",
                       c->meant, names);
}

static enum unpack_status read_file(zip_file_t *file, struct unpack_output *out,
                                    struct unpacked *unpacked)
{
    for (;;) {
        enum unpack_status status = unpack_output_grow(out);
        zip_int64_t length;

        if (status != UNPACK_OK)
            return status;
        length = zip_fread(file, out->data + out->length, out->capacity - out->length);
        if (length == -1)
            return fail_zip(unpacked, zip_file_get_error(file));
        if (length == 0)
            return UNPACK_OK;
        out->length += (size_t)length;
    }
}

static enum unpack_status read_entry(struct choice *c, const zip_stat_t *stat, size_t expected,
                                     struct unpack_output *out, struct unpacked *unpacked)
{
    enum unpack_status status;
    zip_file_t *file;

    if (unpack_output_start(out, expected) == -1)
        return UNPACK_NOMEM;
    file = zip_fopen_index(c->archive, (zip_uint64_t)c->chosen, 0);
    if (file == NULL)
        return fail_zip(unpacked, zip_get_error(c->archive));
    status = read_file(file, out, unpacked);
    zip_fclose(file);
    /* libzip checks the sum, but takes a file whose packed size is given as 0 for an empty one. */
    if (status == UNPACK_OK && (stat->valid & ZIP_STAT_SIZE) != 0 && out->length != stat->size)
        return unpack_fail(unpacked, "the body is a zip archive that cannot be read, or is cut "
                                     "off: a file is shorter than it should be");
    return status;
}

static enum unpack_status read_chosen(struct choice *c, size_t body_bytes,
                                      struct unpack_output *out, struct unpacked *unpacked)
{
    size_t expected = 4 * body_bytes;
    zip_stat_t stat;

    if (zip_stat_index(c->archive, (zip_uint64_t)c->chosen, 0, &stat) == -1)
        return fail_zip(unpacked, zip_get_error(c->archive));
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
        return unpack_fail(unpacked,
                           "the body is a zip archive with a password, which is not read");
    if ((stat.valid & ZIP_STAT_SIZE) != 0 && stat.size / MOST_RATIO <= body_bytes) {
        if (stat.size > out->most)
            return UNPACK_TOO_LARGE;
        expected = (size_t)stat.size + 1;
    }
    unpacked->name = arena_copy(out->arena, stat.name, strlen(stat.name));
    if (unpacked->name == NULL)
        return UNPACK_NOMEM;
    return read_entry(c, &stat, expected, out, unpacked);
}

static enum unpack_status read_archive(zip_t *archive, const char *member, size_t body_bytes,
                                       struct unpack_output *out, struct unpacked *unpacked)
{
    struct choice choice = {.archive = archive, .member = member};
    enum unpack_status status;

    look_through(&choice, false);
    status = choice.meant == 1 ? read_chosen(&choice, body_bytes, out, unpacked)
                               : refuse_choice(&choice, unpacked);
    text_free(&choice.names);
    return status;
}

enum unpack_status unpack_zip(struct slice body, const char *member, struct unpack_output *out,
                              struct unpacked *unpacked)
{
    enum unpack_status status;
    zip_source_t *source;
    zip_t *archive;
    zip_error_t error;

    zip_error_init(&error);
    source = zip_source_buffer_create(body.data, body.length, 0, &error);
    archive = source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY, &error);
    if (archive != NULL) {
        status = read_archive(archive, member, body.length, out, unpacked);
        zip_discard(archive); /* and the source with it */
    } else {
        status = fail_zip(unpacked, &error);
        zip_source_free(source);
    }
    zip_error_fini(&error);
    return status;
}
