#include "test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/keys.h"
#include "config/masks.h"
#include "example_variables.h"
#include "gatherd/config.h"
#include "key_example.h"

/* A folder for the files of a test. */
struct world {
    char folder[32];
    char path[64];
    struct text dump;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    strcpy(w->folder, "/tmp/gatherd-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof(w->path), "%s/test.yaml", w->folder);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    unlink(w->path);
    assert_int_equal(rmdir(w->folder), 0);
    text_free(&w->dump);
    free(w);
    return 0;
}

static void write_file(const char *path, const char *yaml)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(yaml, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void dump_file(const char *path, struct text *out)
{
    struct config_report report = {0};

    text_clear(out);
    if (config_dump(path, out, &report) == -1)
        fail_msg("%s", text_string(&report.text));
    assert_false(text_failed(out));
    config_report_free(&report);
}

/* What is in force of `yaml`. */
static const char *dump(struct world *w, const char *yaml)
{
    write_file(w->path, yaml);
    dump_file(w->path, &w->dump);
    return text_string(&w->dump);
}

/* Of a source with these further lines. */
static const char *dump_source(struct world *w, const char *lines)
{
    struct text yaml = {0};
    const char *result;

    text_format(&yaml, "sources:\n- name: a\n  url: https://example.org/\n%s", lines);
    result = dump(w, text_string(&yaml));
    text_free(&yaml);
    return result;
}

static void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no %s in\n%s", part, text);
}

static void assert_holds_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("%s is in\n%s", part, text);
}

static struct config *load(const char *path)
{
    struct config_report report = {0};
    struct config *config = config_load(path, &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    return config;
}

/* The dump of the file is a configuration that says the same, and is its own dump. */
static void assert_comes_back(struct world *w, const char *path)
{
    struct text again = {0};
    struct config *first;
    struct config *second;

    dump_file(path, &w->dump);
    first = load(path);
    write_file(w->path, text_string(&w->dump));
    second = load(w->path);
    assert_int_equal(first->source_count, second->source_count);
    for (size_t i = 0; i < first->source_count; i++) {
        if (first->sources[i].fingerprint != second->sources[i].fingerprint)
            fail_msg("%s is another in\n%s", first->sources[i].name, text_string(&w->dump));
    }
    config_unref(first);
    config_unref(second);
    dump_file(w->path, &again);
    assert_string_equal(strchr(text_string(&again), '\n'), strchr(text_string(&w->dump), '\n'));
    text_free(&again);
}

/* --- What it says --- */

static void defaults_are_filled_in(void **state)
{
    struct world *w = *state;
    char database[96];
    const char *text = dump_source(w, "");

    snprintf(database, sizeof(database), "database: %s/gatherd.db\n", w->folder);
    assert_holds(text, database);
    assert_holds(text, "\nfetchers: 2\n");
    assert_holds(text, "\nqueue:\n  max_items: 1000\n  max_bytes: 64MiB\n");
    assert_holds(text, "\nsources:\n  - name: a\n    url: https://example.org/\n");
    assert_holds(text, "\n    interval: 1m\n");
    assert_holds(text, "\n    success_status_codes: [200-299]\n");
    assert_holds(text, "\n    retry:\n      max_attempts: 3\n      backoff_base: 1s\n");
    assert_holds(text, "\n    table: a\n");
    assert_holds(text, "\n    write_mode: append\n");
    assert_holds_not(text, " records:");
    assert_holds_not(text, "primary_key:");
}

static void defaults_of_sources_and_aliases_are_in_each_source(void **state)
{
    const char *text = dump(*state, "defaults: {timeout: 7s, headers: &h {Accept: text/json}}\n"
                                    "sources:\n- {name: a, url: 'http://h/a'}\n"
                                    "- {name: b, url: 'http://h/b', timeout: 8s, headers: *h}\n");

    assert_holds_not(text, "defaults:");
    assert_holds(text, "headers:\n      Accept: text/json\n    timeout: 7s\n");
    assert_holds(text, "headers:\n      Accept: text/json\n    timeout: 8s\n");
}

static void included_sources_stand_in_the_list(void **state)
{
    struct world *w = *state;
    char path[96];
    const char *text;

    snprintf(path, sizeof(path), "%s/more.yaml", w->folder);
    write_file(path, "sources:\n- {name: b, url: 'http://h/${WORD_OF_TEST}'}\n");
    setenv("WORD_OF_TEST", "x", 1);
    text = dump(w, "include: more.yaml\nsources:\n- {name: a, url: 'http://h/a'}\n");
    unlink(path);
    assert_holds_not(text, "include");
    assert_holds(text, "- name: a\n    url: http://h/a\n");
    assert_holds(text, "- name: b\n    url: http://h/***\n");
}

static void a_mistake_is_reported_and_nothing_is_written(void **state)
{
    struct world *w = *state;
    struct config_report report = {0};

    write_file(w->path, "sources:\n- {name: a, url: 'http://h/', intervall: 1m}\n");
    assert_int_equal(config_dump(w->path, &w->dump, &report), -1);
    assert_int_equal(report.errors, 1);
    assert_holds(text_string(&report.text), "did you mean \"interval\"?");
    assert_int_equal(w->dump.length, 0);
    config_report_free(&report);
}

/* --- What it hides --- */

static void credentials_in_headers_and_parameters_are_hidden(void **state)
{
    const char *text = dump_source(
        *state, "  headers: {Authorization: 'Bearer s3cr3t', cookie: s3cr3t, X-API-KEY: s3cr3t,"
                " X-Csrf-Token: s3cr3t, X-My-Secret: s3cr3t, X-Password: s3cr3t, Accept: '*/*'}\n"
                "  params: {api_key: s3cr3t, access_token: [s3cr3t, s3cr3t], limit: 10}\n");

    assert_holds_not(text, "s3cr3t");
    assert_holds(text, "Authorization: \"***\"\n");
    assert_holds(text, "access_token: [\"***\", \"***\"]\n");
    assert_holds(text, "Accept: \"*/*\"\n");
    assert_holds(text, "limit: \"10\"\n");
}

static void credentials_in_a_url_are_hidden(void **state)
{
    struct world *w = *state;
    const char *text =
        dump(w, "sources:\n- {name: a, url: 'https://h/p?n=1&token=s3cr3t&sig=s3cr3t&m=2'}\n");

    assert_holds(text, "url: https://h/p?n=1&token=***&sig=***&m=2\n");
}

static void what_a_variable_brought_is_hidden_and_a_default_is_not(void **state)
{
    const char *text;

    setenv("WORD_OF_TEST", "abc", 1);
    setenv("NUMBER_OF_TEST", "5", 1);
    unsetenv("NONE_OF_TEST");
    text =
        dump(*state, "fetchers: ${NUMBER_OF_TEST}\nprocessors: ${NONE_OF_TEST:-6}\n"
                     "database: ${WORD_OF_TEST}/x.db\n"
                     "defaults: {jitter: '${NUMBER_OF_TEST}s', format: '${NONE_OF_TEST:-json}'}\n"
                     "sources:\n- name: '${WORD_OF_TEST}.d'\n"
                     "  url: https://h/${WORD_OF_TEST}/${NONE_OF_TEST:-def}\n"
                     "  params: {q: 'a ${WORD_OF_TEST} b', literal: '$${WORD_OF_TEST}'}\n"
                     "  success_status_codes: [200, '20${NUMBER_OF_TEST}']\n"
                     "  fields: {x: '$.${WORD_OF_TEST}', z: '$.z'}\n"
                     "  primary_key: [x]\n");
    assert_holds(text, "fetchers: \"***\"\nprocessors: 6\n");
    assert_holds(text, "database: \"***\"\n");
    assert_holds(text, "- name: \"***.d\"\n");
    assert_holds(text, "url: https://h/***/def\n");
    assert_holds(text, "jitter: \"***\"\n");
    assert_holds(text, "q: \"a *** b\"\n");
    assert_holds(text, "literal: \"$${{WORD_OF_TEST}\"\n");
    assert_holds(text, "success_status_codes: \"***\"\n");
    assert_holds(text, "x:\n        path: $.***\n");
    assert_holds(text, "z:\n        path: $.z\n");
    assert_holds(text, "format: json\n");
    assert_holds(text, "table: \"***\"\n"); /* it was made of the name */
    assert_holds_not(text, "abc");
}

static void what_an_alias_brings_again_is_hidden_again(void **state)
{
    const char *text;

    setenv("NUMBER_OF_TEST", "5", 1);
    text =
        dump(*state, "sources:\n"
                     "- {name: a, url: 'http://h/a', interval: &i '${NUMBER_OF_TEST}m',"
                     " success_status_codes: &s ['20${NUMBER_OF_TEST}']}\n"
                     "- {name: b, url: 'http://h/b', interval: *i, success_status_codes: *s}\n"
                     "- {name: c, url: 'http://h/c', interval: 5m, success_status_codes: 205}\n");
    text = strstr(text, "- name: b");
    assert_non_null(text);
    assert_holds(text, "interval: \"***\"\n");
    assert_holds(text, "success_status_codes: \"***\"\n");
    text = strstr(text, "- name: c");
    assert_non_null(text);
    assert_holds(text, "interval: 5m\n");
    assert_holds(text, "success_status_codes: [205]\n");
}

static void a_long_value_of_a_variable_is_hidden_wherever_it_stands(void **state)
{
    const char *text;

    setenv("WORD_OF_TEST", "correct-horse", 1);
    text =
        dump_source(*state, "  headers: {X-One: '${WORD_OF_TEST}', X-Two: 'see correct-horse'}\n");
    assert_holds(text, "X-One: \"***\"\n");
    assert_holds(text, "X-Two: \"see ***\"\n");
}

static void names_that_speak_of_a_secret_are_known_in_any_case(void **state)
{
    static const char *const secret[] = {"Authorization", "COOKIE",    "x-api-key", "accessToken",
                                         "client_secret", "passwd",    "password",  "X-Auth",
                                         "Signature",     "sessionId", "sig",       "key"};
    static const char *const open[] = {"Accept", "limit", "page", "q", "User-Agent", "sigma", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
        if (!is_secret_name(secret[i], strlen(secret[i])))
            fail_msg("%s", secret[i]);
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (is_secret_name(open[i], strlen(open[i])))
            fail_msg("%s", open[i]);
    }
}

/* --- That it can be loaded again --- */

static void text_of_any_kind_comes_back_as_it_was(void **state)
{
    static const char *const texts[] = {
        "plain",
        "two words",
        "",
        "123",
        "1.5",
        "true",
        "Yes",
        "null",
        "~",
        "on",
        "2024-01-01",
        "12:30",
        "0x1f",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "'",
        "\\\"",
        "\\\\n",
        "[a]",
        "{{a}",
        "a,b",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "a:",
        ":a",
        "?a",
        "|",
        ">",
        " a",
        "a ",
        "\\n",
        "\\t\\r\\n",
        "\\x01",
        "\\x7f",
        "$${x}",
        "$$",
        "$${{x}",
        "$${{{now}",
        "{{{now}",
        "{ a }",
        "$${",
        "$",
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
        "\\u202e",
        "\\ufeff",
        "\\u0085",
        "\\u2028",
        "\\U000e0041",
        "<<",
        "x-y",
        "...",
        "---",
        "=",
    };
    struct world *w = *state;
    struct text yaml = {0};

    text_add(&yaml, "sources:\n- name: a\n  url: http://h/\n  params:\n");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        text_format(&yaml, "    p%zu: \"%s\"\n", i, texts[i]);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (*texts[i] != '\0' && strstr(texts[i], "$") == NULL)
            text_format(&yaml, "    \"%s\": [1, \"%s\"]\n", texts[i], texts[i]);
    }
    write_file(w->path, text_string(&yaml));
    assert_comes_back(w, w->path);
    text_free(&yaml);
}

static void the_configurations_that_come_with_gatherd_come_back(void **state)
{
    static const char *const patterns[] = {GATHERD_SOURCE_DIR "/config/*.yaml",
                                           GATHERD_SOURCE_DIR "/config/examples/*.yaml",
                                           GATHERD_TEST_DATA "/config/parts/good*.yaml"};

    set_example_variables();
    for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
        glob_t files = {0};

        assert_int_equal(glob(patterns[p], 0, NULL, &files), 0);
        for (size_t i = 0; i < files.gl_pathc; i++)
            assert_comes_back(*state, files.gl_pathv[i]);
        globfree(&files);
    }
}

static bool loads(const char *path)
{
    struct config_report report = {0};
    struct config *config = config_load(path, &report);
    bool good = config != NULL;

    config_unref(config);
    config_report_free(&report);
    return good;
}

/* The dump of `yaml` holds the key; and it comes back, unless there is something to hide in it. */
static void assert_example_comes_back(struct world *w, const char *yaml, const char *key)
{
    char line[96];

    dump(w, yaml);
    snprintf(line, sizeof(line), "%s:", key);
    assert_holds(text_string(&w->dump), line);
    if (strstr(strchr(text_string(&w->dump), '\n'), MASK) != NULL)
        return;
    write_file(w->path, yaml);
    assert_comes_back(w, w->path);
}

/* A key that was added without a writer, or one whose value does not come back, fails here. */
static void every_example_of_the_table_comes_back(void **state)
{
    setenv("PROXY_PASSWORD", "x", 1);
    for (size_t k = 0; k < source_key_set.count; k++) {
        const struct key *key = &source_key_set.keys[k];
        struct text yaml = {0};

        key_example_yaml(&yaml, key);
        assert_example_comes_back(*state, text_string(&yaml), key->name);
        text_free(&yaml);
    }
}

/* What opens and closes a value of this kind around the keys in it, in a line. */
static const char *const *brackets_of(enum kind kind)
{
    static const char *const mapping[] = {"{", "}"};
    static const char *const list[] = {"[{", "}]"};
    static const char *const map[] = {"{a: {", "}}"};

    switch (kind) {
    case KIND_GROUP:
    case KIND_OBJECT:
        return mapping;
    case KIND_OBJECT_LIST:
        return list;
    case KIND_OBJECT_MAP:
        return map;
    default:
        return NULL;
    }
}

static void put_example(struct text *yaml, const struct key *key)
{
    bool quoted = key->kind != KIND_BOOLEAN && key->kind != KIND_COUNT &&
                  strchr("[{", key->example[0]) == NULL;

    text_format(yaml, quoted ? "%s: '%s'" : "%s: %s", key->name, key->example);
}

/* The keys of a set alone, between `before` and `after`; returns how many can stand so. */
static size_t check_set(struct world *w, const struct key_set *set, const char *before,
                        const char *after)
{
    size_t checked = 0;

    for (size_t k = 0; k < set->count; k++) {
        const struct key *key = &set->keys[k];
        const char *const *brackets = brackets_of(key->kind);
        struct text yaml = {0};

        if (key->kind == KIND_DEFAULTS || key->kind == KIND_INCLUDE)
            continue; /* what they say stands in the sources */
        text_add(&yaml, before);
        put_example(&yaml, key);
        text_add(&yaml, after);
        write_file(w->path, text_string(&yaml));
        if (loads(w->path)) {
            assert_example_comes_back(w, text_string(&yaml), key->name);
            checked++;
        }
        text_free(&yaml);
        if (brackets != NULL && key->keys != set) {
            struct text opened = {0};
            struct text closed = {0};

            text_format(&opened, "%s%s: %s", before, key->name, brackets[0]);
            if (key->keys == &child_key_set)
                text_add(&opened, "records: $.list, ");
            text_format(&closed, "%s%s", brackets[1], after);
            checked += check_set(w, key->keys, text_string(&opened), text_string(&closed));
            text_free(&opened);
            text_free(&closed);
        }
    }
    return checked;
}

static void every_example_inside_of_groups_comes_back(void **state)
{
    static const char source[] = "sources: [{name: a, url: 'https://example.org/'}]\n";
    static const char keys[] = "sources: [{name: a, url: 'https://example.org/', ";

    assert_in_range(check_set(*state, &root_key_set, source, "\n"), 10, 1000);
    assert_in_range(check_set(*state, &source_key_set, keys, "}]\n"), 20, 1000);
}

static void a_body_comes_back_and_hides_what_a_variable_or_a_secret_name_brought(void **state)
{
    static const char keys[] =
        "  body:\n    q: \"a, b: ${GATHERD_TEST_TOKEN}\"\n    n: ${GATHERD_TEST_LIMIT}\n"
        "    list: [1.50, '1', null, true, yes, '$${x}']\n    login: {password: swordfish, pin: "
        "99}\n"
        "    api_key: {x: [77]}\n    \"odd \\\"name\": \"\\u202e\"\n";
    struct world *w = *state;
    const char *text;

    setenv("GATHERD_TEST_TOKEN", "hunter2hunter2", 1);
    setenv("GATHERD_TEST_LIMIT", "4711", 1);
    text = dump_source(w, keys);
    assert_holds(
        text,
        "    body: {q: \"a, b: ***\", \"n\": \"***\", list: [1.50, \"1\", null, true, \"yes\", "
        "\"$${{x}\"], login: {password: \"***\", pin: 99}, api_key: {x: [\"***\"]}, "
        "\"odd \\\"name\": \"\\u202E\"}\n");
    assert_holds(text, "    method: POST\n");
    assert_holds(dump_source(w, "  body: \"text ${GATHERD_TEST_TOKEN}\"\n"),
                 "    body: \"text ***\"\n");
}

static void every_form_of_a_body_comes_back(void **state)
{
    struct world *w = *state;

    write_file(w->path,
               "sources:\n"
               "- {name: a, url: 'https://e.org/', body: {a: [1, {b: \"x: {now}\"}], c: '$${'}}\n"
               "- {name: b, url: 'https://e.org/', body: \"one\\ntwo {{a} {now:%Y} $${\"}\n"
               "- {name: c, url: 'https://e.org/', body: []}\n"
               "- {name: d, url: 'https://e.org/', form: {a: [1, b c], d: ''}, method: PUT}\n");
    assert_comes_back(w, w->path);
}

static void the_keys_of_a_field_come_back(void **state)
{
    static const char keys[] =
        "  null_values: [\"\", -999, \"${GATHERD_TEST_TOKEN}\"]\n"
        "  fields:\n"
        "    at: {path: $.at, type: timestamp, format: '%d.%m.%Y', timezone: Europe/Paris, "
        "required: true}\n"
        "    n: {path: $.n, type: integer, default: 5, null_values: []}\n"
        "    t: {path: $.t, type: text, default: '5'}\n"
        "    f: {path: $.f, default: false, required: false}\n"
        "    s: {path: $.s, default: \"${GATHERD_TEST_TOKEN}\"}\n"
        "    j: {path: $.j, type: json, default: {a: [1, \"${GATHERD_TEST_TOKEN}\"], b: null}}\n"
        "    b: {path: $.b, type: blob}\n";
    struct world *w = *state;
    const char *text;

    setenv("GATHERD_TEST_TOKEN", "hunter2hunter2", 1);
    text = dump_source(w, keys);
    assert_holds(text, "    null_values: [\"\", \"-999\", \"***\"]\n");
    assert_holds(text, "        format: \"%d.%m.%Y\"\n        timezone: Europe/Paris\n"
                       "        required: true\n");
    assert_holds(text, "        default: 5\n        null_values: []\n");
    assert_holds(text, "        default: \"5\"\n");
    assert_holds(text, "        required: false\n        default: false\n");
    assert_holds(text, "        default: \"***\"\n");
    assert_holds(text, "        default: {a: [1, \"***\"], b: null}\n");
    assert_holds(text, "        encoding: base64\n");
    assert_holds_not(text, "hunter2");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_body_comes_back_and_hides_what_a_variable_or_a_secret_name_brought, setup, teardown),
        cmocka_unit_test_setup_teardown(every_form_of_a_body_comes_back, setup, teardown),
        T(the_keys_of_a_field_come_back),
        T(defaults_are_filled_in),
        T(defaults_of_sources_and_aliases_are_in_each_source),
        T(included_sources_stand_in_the_list),
        T(a_mistake_is_reported_and_nothing_is_written),
        T(credentials_in_headers_and_parameters_are_hidden),
        T(credentials_in_a_url_are_hidden),
        T(what_a_variable_brought_is_hidden_and_a_default_is_not),
        T(what_an_alias_brings_again_is_hidden_again),
        T(a_long_value_of_a_variable_is_hidden_wherever_it_stands),
        cmocka_unit_test(names_that_speak_of_a_secret_are_known_in_any_case),
        T(text_of_any_kind_comes_back_as_it_was),
        T(the_configurations_that_come_with_gatherd_come_back),
        T(every_example_of_the_table_comes_back),
        T(every_example_inside_of_groups_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
