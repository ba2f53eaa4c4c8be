/*
 * Every recorded answer of the shared data set is read: each .json and .geojson below
 * GATHERD_SHARED_DATA (the environment's, else the folder beside the repository). Without that
 * folder there is nothing to test, and the test says so.
 */
#include "test.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "document.h"

static bool is_json(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && (strcmp(dot, ".json") == 0 || strcmp(dot, ".geojson") == 0);
}

static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    struct stat status;
    char *bytes;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    *length = (size_t)status.st_size;
    bytes = malloc(*length + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

/* Reads a file, writes it from its nodes and reads that again: the nodes are alike. */
static size_t check_file(const char *name)
{
    size_t length;
    char *bytes = read_file(name, &length);
    struct document d = document_read(json_read, bytes, length);
    struct document again;
    char *written;
    size_t nodes;

    if (d.status != JSON_OK)
        fail_msg("%s:%u:%u: %s", name, d.error.line, d.error.column, d.error.message);
    document_check(&d);
    written = document_rewrite(d.root);
    again = document_of(written);
    if (!document_same(d.root, again.root))
        fail_msg("%s reads otherwise when it is written anew", name);
    nodes = d.root->span;
    document_free(&again);
    document_free(&d);
    free(written);
    free(bytes);
    return nodes;
}

static void every_recorded_answer_is_read(void **state)
{
    const char *set = getenv("GATHERD_SHARED_DATA");
    char *folders[] = {strdup(set == NULL ? GATHERD_SHARED_DATA : set), NULL};
    FTS *walk = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t files = 0;
    size_t nodes = 0;

    (void)state;
    assert_non_null(walk);
    for (FTSENT *entry = fts_read(walk); entry != NULL; entry = fts_read(walk)) {
        if (entry->fts_info == FTS_F && is_json(entry->fts_name)) {
            nodes += check_file(entry->fts_path);
            files++;
        }
    }
    fts_close(walk);
    print_message("%zu recorded answers, %zu nodes, in %s\n", files, nodes, folders[0]);
    free(folders[0]);
    if (files == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_answer_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
