#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "config/item.h"
#include "gatherd/clock.h"
#include "gatherd/config.h"

/* Each test reads into an arena of its own. */
static int setup(void **state)
{
    *state = arena_create(0);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct item *read_yaml(struct arena *arena, const char *text)
{
    struct yaml_problem problem;
    struct item *root = NULL;

    if (yaml_read(text, strlen(text), arena, &root, &problem) == -1)
        fail_msg("%u:%u: %s", problem.line, problem.column, problem.text);
    return root;
}

static struct yaml_problem refuse(struct arena *arena, const char *text)
{
    struct yaml_problem problem;
    struct item *root = NULL;

    assert_int_equal(yaml_read(text, strlen(text), arena, &root, &problem), -1);
    return problem;
}

static void repeat(struct text *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_add(out, text);
}

static void items_know_their_line_and_column(void **state)
{
    struct item *root = read_yaml(*state, "# comment\na: 1\nä:   \"x\"\nl:\n  - y\n");
    const struct entry *e = root->first;

    assert_int_equal(root->kind, ITEM_MAPPING);
    assert_int_equal(root->line, 2);
    assert_string_equal(e->key->text, "a");
    assert_int_equal(e->value->column, 4);
    e = e->next;
    assert_int_equal(e->key->line, 3);
    assert_int_equal(e->value->column, 6); /* characters, not bytes */
    assert_int_equal(e->value->text_column, 7);
    assert_true(e->value->exact);
    assert_false(e->value->plain);
    e = e->next;
    assert_int_equal(e->value->kind, ITEM_LIST);
    assert_int_equal(e->value->first->value->line, 5);
    assert_int_equal(e->value->first->value->column, 5);
    assert_null(e->next);
}

static void a_text_that_is_written_differently_has_no_exact_columns(void **state)
{
    static const char *const texts[] = {"\"a\\n\"", "'it''s'", "|\n  a\n", ">-\n  a\n  b\n",
                                        "a\n  b",   "&x a",    "!!str a"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct text yaml = {0};
        struct item *root;

        text_format(&yaml, "k: %s\n", texts[i]);
        root = read_yaml(*state, text_string(&yaml));
        assert_false(root->first->value->exact);
        text_free(&yaml);
    }
}

static void an_alias_is_the_same_item(void **state)
{
    struct item *root = read_yaml(*state, "a: &x {b: [1, 2]}\nc: *x\n");

    assert_ptr_equal(root->first->value, root->first->next->value);
    assert_int_equal(root->first->value->weight, 5);
    assert_int_equal(root->first->value->depth, 2);
    assert_int_equal(root->depth, 3);
}

static void an_empty_file_has_no_root(void **state)
{
    assert_null(read_yaml(*state, ""));
    assert_null(read_yaml(*state, "# only a comment\n"));
}

static void thirty_two_levels_are_read_and_one_more_is_refused(void **state)
{
    struct text yaml = {0};

    repeat(&yaml, "[", 32);
    repeat(&yaml, "]", 32);
    assert_int_equal(read_yaml(*state, text_string(&yaml))->depth, 32);
    text_clear(&yaml);
    repeat(&yaml, "[", 33);
    repeat(&yaml, "]", 33);
    assert_int_equal(refuse(*state, text_string(&yaml)).column, 33);
    text_free(&yaml);
}

static void levels_that_aliases_stack_up_count(void **state)
{
    struct text yaml = {0};

    text_add(&yaml, "a0: &a0 [x]\n");
    for (int i = 1; i < 40; i++)
        text_format(&yaml, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    assert_int_equal(refuse(*state, text_string(&yaml)).line, 32);
    text_free(&yaml);
}

/* libyaml alone is quadratic in nesting: this many brackets took it seconds and more. */
static void a_megabyte_of_brackets_is_refused_at_once(void **state)
{
    static const char *const brackets[] = {"[", "{", "[\n", "- ", "? ", "{a: "};
    int64_t start = clock_monotonic_ms();

    for (size_t i = 0; i < sizeof(brackets) / sizeof(brackets[0]); i++) {
        struct text yaml = {0};

        repeat(&yaml, brackets[i], YAML_MAX_BYTES / strlen(brackets[i]));
        refuse(*state, text_string(&yaml));
        text_free(&yaml);
    }
    assert_true(clock_monotonic_ms() - start < 20000);
}

static void a_bomb_of_aliases_is_refused_where_it_goes_off(void **state)
{
    struct text yaml = {0};
    struct yaml_problem problem;

    text_add(&yaml, "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 10; i++)
        text_format(&yaml, "x-%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    problem = refuse(*state, text_string(&yaml));
    assert_int_equal(problem.line, 7);
    assert_string_equal(problem.text,
                        "aliases expand to more than 1000000 values; use fewer of them");
    assert_true(arena_used(*state) < 1024 * 1024);
    text_free(&yaml);
}

static void a_file_without_aliases_never_meets_the_limit_of_items(void **state)
{
    struct text yaml = {0};

    text_add(&yaml, "[");
    repeat(&yaml, "a,", (YAML_MAX_BYTES - 2) / 2);
    text_add(&yaml, "]");
    assert_int_equal(read_yaml(*state, text_string(&yaml))->weight, (YAML_MAX_BYTES - 2) / 2 + 1);
    text_free(&yaml);
}

static void refuse_size(size_t length, unsigned errors, const char *expected)
{
    struct config_report report = {0};
    struct text yaml = {0};
    struct config *config;

    text_add(&yaml, "sources:\n- {name: a, url: 'https://e.org/'}\n");
    repeat(&yaml, "#", length - yaml.length);
    config = config_parse(yaml.data, yaml.length, "big.yaml", "", &report);
    assert_int_equal(report.errors, errors);
    assert_string_equal(text_string(&report.text), expected);
    config_unref(config);
    config_report_free(&report);
    text_free(&yaml);
}

static void a_file_of_one_mebibyte_is_read_and_a_larger_one_refused(void **state)
{
    (void)state;
    refuse_size(YAML_MAX_BYTES, 0, "");
    refuse_size(YAML_MAX_BYTES + 1, 1,
                "big.yaml: error: larger than 1 MiB; split it into several files and include "
                "them\n");
}

static void encoding_accepts_utf8_with_or_without_a_mark(void **state)
{
    static const char good[] = "\xef\xbb\xbf a: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\t\r\n\xc2\x85";
    struct yaml_problem problem;

    (void)state;
    assert_int_equal(encoding_check(good, sizeof(good) - 1, &problem), 3);
    assert_int_equal(encoding_check(good + 3, sizeof(good) - 4, &problem), 0);
    assert_int_equal(encoding_check("", 0, &problem), 0);
}

static void encoding_refuses_what_is_not_utf8_with_its_place(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xc3",             /* cut */
        "\xc0\xaf",         /* overlong */
        "\xe0\x80\xaf",     /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xff",             /* never a byte of UTF-8 */
        "\x7f",             /* DEL */
        "\xc2\x80",         /* C1 */
        "\xef\xbf\xbf",     /* U+FFFF */
        "\x1b",             /* ESC */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct yaml_problem problem = {0};
        struct text text = {0};

        text_add(&text, "ok: \xc3\xa9\r\n\xc3\xa9");
        text_add(&text, bad[i]);
        assert_int_equal(encoding_check(text.data, text.length, &problem), -1);
        assert_int_equal(problem.line, 2);
        assert_int_equal(problem.column, 2);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_know_their_line_and_column, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_that_is_written_differently_has_no_exact_columns,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_alias_is_the_same_item, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_root, setup, teardown),
        cmocka_unit_test_setup_teardown(thirty_two_levels_are_read_and_one_more_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(levels_that_aliases_stack_up_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_megabyte_of_brackets_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bomb_of_aliases_is_refused_where_it_goes_off, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_without_aliases_never_meets_the_limit_of_items,
                                        setup, teardown),
        cmocka_unit_test(a_file_of_one_mebibyte_is_read_and_a_larger_one_refused),
        cmocka_unit_test(encoding_accepts_utf8_with_or_without_a_mark),
        cmocka_unit_test(encoding_refuses_what_is_not_utf8_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
