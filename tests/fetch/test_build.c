#include "test.h"

#include <string.h>

#include "fetch/build.h"
#include "gatherd/zone.h"

#define SLOT_MS 1773029106078 /* 2026-03-09T04:05:06.078Z */
#define NOW_MS  (SLOT_MS + 1500)

struct rig {
    struct arena *arena;
    struct arena *zones; /* the other is reset for each request */
    struct source source;
    struct run run;
    struct draft draft;
};

static struct rig start(void)
{
    struct rig rig = {
        .arena = arena_create(0), .zones = arena_create(0), .source = {.url = "https://e.org/"}};

    assert_non_null(rig.arena);
    assert_non_null(rig.zones);
    rig.run = (struct run){.scheduled_at_ms = SLOT_MS, .previous_scheduled_at_ms = SLOT_MS - 60000};
    return rig;
}

static void end(struct rig *rig)
{
    arena_free(rig->arena);
    arena_free(rig->zones);
}

static void build(struct rig *rig)
{
    rig->run.source = &rig->source;
    build_request(&rig->run, NOW_MS, rig->arena, &rig->draft);
    assert_false(rig->draft.failed);
}

static void assert_url(struct rig *rig, const char *expected)
{
    struct text url = {0};

    draft_write_url(&rig->draft, &url);
    assert_string_equal(text_string(&url), expected);
    text_free(&url);
}

static void the_words_of_a_source_are_sent_as_they_are(void **state)
{
    static const struct name_value pairs[] = {{"a}", "b}c"}};
    struct rig rig = start();

    (void)state;
    rig.source.url = "https://e.org/x%20y?q=1";
    rig.source.params = rig.source.headers = pairs;
    rig.source.param_count = rig.source.header_count = 1;
    build(&rig);
    assert_url(&rig, "https://e.org/x%20y?q=1&a%7D=b%7Dc");
    assert_string_equal(rig.draft.headers.items[0].value, "b}c");
    end(&rig);
}

static void placeholders_become_the_values_of_the_run(void **state)
{
    static const struct name_value params[] = {
        {"since", "{previous_scheduled_at}"}, {"now", "{now:unix_ms}"}, {"{now}", "{{now}"}};
    static const struct name_value headers[] = {{"X-At", "at {scheduled_at:%H:%M}"}};
    struct rig rig = start();

    (void)state;
    rig.source.url = "https://e.org/{scheduled_at:%Y/%m}?day={scheduled_at:date}";
    rig.source.params = params;
    rig.source.param_count = 3;
    rig.source.headers = headers;
    rig.source.header_count = 1;
    build(&rig);
    assert_null(rig.draft.problem);
    assert_url(&rig, "https://e.org/2026%2F03?day=2026-03-09&since=2026-03-09T04%3A04%3A06Z"
                     "&now=1773029107578&%7Bnow%7D=%7Bnow%7D");
    assert_string_equal(rig.draft.headers.items[0].value, "at 04:05");
    end(&rig);
}

static void assert_body(const char *text, bool is_json, const char *type, const char *expected)
{
    struct request_body body = {text, is_json};
    struct name_value header = {"content-type", type};
    struct rig rig = start();

    rig.source.body = &body;
    rig.source.headers = &header;
    rig.source.header_count = type != NULL;
    build(&rig);
    assert_null(rig.draft.problem);
    assert_int_equal(rig.draft.body.length, strlen(expected));
    assert_memory_equal(rig.draft.body.data, expected, strlen(expected));
    end(&rig);
}

static void values_go_into_a_body_as_what_it_is_allows(void **state)
{
    (void)state;
    assert_body("{\"a\":\"{now:%d & %m}\"}", true, NULL, "{\"a\":\"09 & 03\"}");
    assert_body("{now:%d & %m}", false, NULL, "09 & 03");
    assert_body(" {\"n\": {now:unix}}", false, NULL, " {\"n\": 1773029107}");
    assert_body("a={now:%d & %m}&b=/../", false, "application/x-www-form-urlencoded",
                "a=09%20%26%2003&b=/../");
    assert_body("a={now:%d & %m}", false, "text/plain", "a=09 & 03");
}

static void values_go_into_a_form_as_values(void **state)
{
    static const struct name_value fields[] = {{"since", "{scheduled_at:%H:%M&x=y}"}};
    struct rig rig = start();

    (void)state;
    rig.source.form = fields;
    rig.source.form_count = 1;
    build(&rig);
    assert_int_equal(rig.draft.body.length, strlen("since=04%3A05%26x%3Dy"));
    assert_memory_equal(rig.draft.body.data, "since=04%3A05%26x%3Dy", rig.draft.body.length);
    end(&rig);
}

static void dates_and_patterns_are_told_in_the_time_zone_of_the_source(void **state)
{
    static const struct name_value params[] = {{"d", "{scheduled_at:date}"},
                                               {"p", "{previous_scheduled_at:%H:%M%:z}"},
                                               {"r", "{scheduled_at}"},
                                               {"u", "{now:unix}"}};
    struct rig rig = start();

    (void)state;
    assert_int_equal(zone_read("Asia/Kolkata", rig.zones, &rig.source.zone, NULL), 0);
    rig.run.scheduled_at_ms = SLOT_MS + 15 * 3600000; /* 19:05 in UTC is 00:35 there */
    rig.source.params = params;
    rig.source.param_count = 4;
    build(&rig);
    assert_url(&rig, "https://e.org/?d=2026-03-10&p=09%3A34%2B05%3A30&r=2026-03-09T19%3A05%3A06Z"
                     "&u=1773029107");
    end(&rig);
}

static void a_value_that_is_missing_is_a_problem_that_names_it_alone(void **state)
{
    static const struct name_value params[] = {{"key", "secret {cursor}"}};
    struct rig rig = start();

    (void)state;
    rig.source.params = params;
    rig.source.param_count = 1;
    build(&rig);
    assert_string_equal(rig.draft.problem, "{cursor}: has no value");
    end(&rig);
}

static void the_values_of_the_item_are_written_where_they_are_named(void **state)
{
    static const char *const names[] = {"id", "q"};
    static const struct name_value headers[] = {{"X-Item", "{item.q}"}};
    static const struct request_body body = {"{\"id\":\"{item.q}\"}", true};
    struct item_value values[] = {{.text = slice_of("a/b?c&d#e%f g")},
                                  {.text = slice_of("\"\xc3\xa9")}};
    struct items *items = items_create(names, 2);
    struct rig rig = start();

    (void)state;
    assert_int_equal(items_add(items, values, NULL), 0);
    rig.run.items = items;
    rig.run.item = &items->list[0];
    rig.source.url = "https://e.org/{item.id}/x";
    rig.source.headers = headers;
    rig.source.header_count = 1;
    rig.source.body = &body;
    build(&rig);
    assert_url(&rig, "https://e.org/a%2Fb%3Fc%26d%23e%25f%20g/x");
    assert_string_equal(draft_header(&rig.draft, "X-Item"), "\"\xc3\xa9");
    assert_memory_equal(rig.draft.body.data, "{\"id\":\"\\\"\xc3\xa9\"}", rig.draft.body.length);
    items_unref(items);
    end(&rig);
}

static void an_item_of_one_value_needs_no_name_and_may_be_long(void **state)
{
    static const char *const names[] = {"id"};
    static char id[8193];
    struct item_value value = {.text = {id, 8192}};
    struct items *items = items_create(names, 1);
    struct text url = {0};
    struct rig rig = start();

    (void)state;
    memset(id, 'x', 8192);
    assert_int_equal(items_add(items, &value, NULL), 0);
    rig.run.items = items;
    rig.run.item = &items->list[0];
    rig.source.url = "https://e.org/{item}";
    build(&rig);
    draft_write_url(&rig.draft, &url);
    assert_int_equal(url.length, strlen("https://e.org/") + 8192);
    text_free(&url);
    items_unref(items);
    end(&rig);
}

static void the_first_problem_is_kept(void **state)
{
    static const struct name_value params[] = {{"a", "{item.id}"}, {"b", "{cursor}"}};
    struct rig rig = start();

    (void)state;
    rig.source.params = params;
    rig.source.param_count = 2;
    build(&rig);
    assert_string_equal(rig.draft.problem, "{item.id}: has no value");
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_of_a_source_are_sent_as_they_are),
        cmocka_unit_test(placeholders_become_the_values_of_the_run),
        cmocka_unit_test(values_go_into_a_body_as_what_it_is_allows),
        cmocka_unit_test(values_go_into_a_form_as_values),
        cmocka_unit_test(dates_and_patterns_are_told_in_the_time_zone_of_the_source),
        cmocka_unit_test(a_value_that_is_missing_is_a_problem_that_names_it_alone),
        cmocka_unit_test(the_values_of_the_item_are_written_where_they_are_named),
        cmocka_unit_test(an_item_of_one_value_needs_no_name_and_may_be_long),
        cmocka_unit_test(the_first_problem_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
