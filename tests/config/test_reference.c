#include "test.h"

#include <stdio.h>
#include <string.h>

#include "gatherd/config.h"
#include "gatherd/text.h"

static void read_file(const char *path, struct text *text)
{
    FILE *file = fopen(path, "r");
    char buffer[4096];
    size_t length;

    assert_non_null(file);
    while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_append(text, buffer, length);
    fclose(file);
    assert_false(text_failed(text));
}

static void the_reference_in_the_documents_is_the_one_the_program_prints(void **state)
{
    struct text document = {0};
    struct text reference = {0};

    (void)state;
    read_file(GATHERD_SOURCE_DIR "/docs/configuration.md", &document);
    config_write_reference(&reference);
    if (strstr(text_string(&document), text_string(&reference)) == NULL)
        fail_msg("docs/configuration.md: put the output of `gatherd check --reference` between its "
                 "two marks");
    text_free(&document);
    text_free(&reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_in_the_documents_is_the_one_the_program_prints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
