#include "expected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

char *read_test_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text;
    long size;

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    assert_true(size >= 0);
    text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void write_file(const char *text, const char *path)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

void assert_expected_file(const char *actual, const char *path)
{
    char *expected;

    if (getenv("GATHERD_UPDATE_EXPECTED") != NULL)
        write_file(actual, path);
    expected = read_test_file(path);
    if (strcmp(actual, expected) != 0)
        fail_msg("not what %s holds:\n%s", path, actual);
    free(expected);
}
