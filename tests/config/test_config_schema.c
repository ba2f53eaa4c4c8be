#include "test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/keys.h"
#include "example_variables.h"
#include "expected.h"
#include "gatherd/config.h"
#include "gatherd/json.h"
#include "key_example.h"

static const struct node *member(const struct node *object, const char *name)
{
    const struct node *value = node_member(object, slice_of(name));

    if (value == NULL)
        fail_msg("the schema has no %s", name);
    return value;
}

static void the_schema_is_json_and_knows_every_key(void **state)
{
    static const struct {
        const struct key_set *set;
        const char *definition; /* NULL: the root */
    } places[] = {{&root_key_set, NULL},
                  {&source_key_set, "source"},
                  {&child_key_set, "child"},
                  {&field_key_set, "field"}};
    struct arena *arena = arena_create(0);
    struct text text = {0};
    const struct node *root = NULL;

    (void)state;
    config_write_schema(&text);
    assert_false(text_failed(&text));
    assert_int_equal(json_read(text.data, text.length, arena, &root, NULL), JSON_OK);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const struct node *object = root;

        if (places[i].definition != NULL)
            object = member(member(root, "$defs"), places[i].definition);
        for (size_t k = 0; k < places[i].set->count; k++)
            member(member(object, "properties"), places[i].set->keys[k].name);
    }
    assert_null(node_member(member(member(member(root, "$defs"), "defaults"), "properties"),
                            slice_of("name")));
    text_free(&text);
    arena_free(arena);
}

static void the_committed_schema_is_the_generated_one(void **state)
{
    struct text text = {0};

    (void)state;
    config_write_schema(&text);
    assert_expected_file(text_string(&text), GATHERD_SOURCE_DIR "/config/gatherd.schema.json");
    text_free(&text);
}

static void the_reference_has_a_row_for_every_key(void **state)
{
    struct text text = {0};

    (void)state;
    config_write_reference(&text);
    assert_false(text_failed(&text));
    for (size_t i = 0; key_sets[i] != NULL; i++) {
        for (size_t k = 0; k < key_sets[i]->count; k++) {
            char cell[80];

            snprintf(cell, sizeof(cell), "\n| `%s` | ", key_sets[i]->keys[k].name);
            if (strstr(text_string(&text), cell) == NULL)
                fail_msg("the reference has no %s", cell);
        }
    }
    assert_non_null(strstr(text_string(&text),
                           "| `interval` | a duration from 10ms to 366d | `60s` | Time from one "
                           "poll to the next. | `5m` |\n"));
    text_free(&text);
}

/* What the table shows to people must be accepted by the loader that the same table drives. */
static void every_example_of_the_table_loads(void **state)
{
    (void)state;
    setenv("PROXY_PASSWORD", "x", 1);
    for (size_t k = 0; k < source_key_set.count; k++) {
        const struct key *key = &source_key_set.keys[k];
        struct config_report report = {0};
        struct text yaml = {0};
        struct config *config;

        key_example_yaml(&yaml, key);
        config = config_parse(yaml.data, yaml.length, "example.yaml", "", &report);
        if (config == NULL)
            fail_msg("%s%s", text_string(&yaml), text_string(&report.text));
        config_unref(config);
        config_report_free(&report);
        text_free(&yaml);
    }
}

static void load_matching(const char *pattern)
{
    glob_t files = {0};

    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct config_report report = {0};
        struct config *config = config_load(files.gl_pathv[i], &report);

        if (config == NULL)
            fail_msg("%s", text_string(&report.text));
        config_unref(config);
        config_report_free(&report);
    }
    globfree(&files);
}

static void the_configurations_that_come_with_gatherd_load(void **state)
{
    (void)state;
    set_example_variables();
    load_matching(GATHERD_SOURCE_DIR "/config/*.yaml");
    load_matching(GATHERD_SOURCE_DIR "/config/examples/*.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_json_and_knows_every_key),
        cmocka_unit_test(the_committed_schema_is_the_generated_one),
        cmocka_unit_test(the_reference_has_a_row_for_every_key),
        cmocka_unit_test(every_example_of_the_table_loads),
        cmocka_unit_test(the_configurations_that_come_with_gatherd_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
