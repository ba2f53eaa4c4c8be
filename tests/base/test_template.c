#include "test.h"

#include <string.h>

#include "gatherd/template.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 2026-03-09T04:05:06.078Z, a Monday. */
#define SCHEDULED_MS 1773029106078LL
#define HOUR_MS      3600000LL

struct pair {
    const char *text;
    const char *expected;
};

/* Values that try to be more than values. */
static const struct pair items[] = {
    {"id", "42"},
    {"quote", "\"a\\b\n\x01\""},
    {"url", "a/b?c=d&e#f %\xc3\xa9"},
    {"line", "x\r\nY: z"},
    {"brace", "{now}"},
    {"user-id", "-_.~"},
    {"a.b", "deep"},
    {"empty", ""},
    {"dot", "."},
    {"dots", ".."},
};

static bool find(const void *context, const struct placeholder *p, struct template_value *value)
{
    const int64_t *offset_ms = context;

    value->offset_ms = offset_ms == NULL ? 0 : *offset_ms;
    value->is_time = true;
    switch (p->name) {
    case TEMPLATE_SCHEDULED_AT:
        value->at_ms = SCHEDULED_MS;
        return true;
    case TEMPLATE_PREVIOUS_SCHEDULED_AT:
        value->at_ms = SCHEDULED_MS - HOUR_MS;
        return true;
    case TEMPLATE_NOW:
        value->at_ms = SCHEDULED_MS + 1;
        return true;
    case TEMPLATE_CURSOR:
    case TEMPLATE_CURSOR_END:
        *value = (struct template_value){.text = {"nul\0here", 8}};
        return true;
    default:
        break;
    }
    value->is_time = false;
    for (size_t i = 0; i < COUNT(items); i++) {
        if (slice_equals(p->member, items[i].text)) {
            value->text = slice_of(items[i].expected);
            return true;
        }
    }
    return false;
}

static void assert_renders(const char *text, enum template_escape escape, const int64_t *offset_ms,
                           const char *expected)
{
    struct text out = {0};
    struct error err = {0};

    if (template_render(slice_of(text), escape, find, offset_ms, &out, &err) == -1)
        fail_msg("%s: %s", text, err.text);
    assert_string_equal(text_string(&out), expected);
    assert_false(text_failed(&out));
    text_free(&out);
}

static void assert_refuses(const char *text, enum template_escape escape, const char *message)
{
    struct text out = {0};
    struct error err = {0};

    assert_int_equal(template_render(slice_of(text), escape, find, NULL, &out, &err), -1);
    assert_string_equal(err.text, message);
    text_free(&out);
}

static void text_without_placeholders_is_rendered_as_it_is(void **state)
{
    static const char *const texts[] = {
        "",
        "plain",
        "}",
        "}}",
        "{}",
        "{ }",
        "{",
        "a{",
        "{\"a\":{\"b\":[{}]}}",
        "query { viewer { login } }",
        "{viewer(first:10)}",
        "{first:10}",
        "{id: 5}",
        "{ids:[1,2]}",
        "{name:\"x\"}",
        "{name:'x'}",
        "{state: OPEN}",
        "{now",
        "{now }",
        "{ now}",
        "{1}",
        "{unknown:open",
        "{-}",
        "\xc3\xa9{\xc3\xa9}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct placeholder found;
        size_t place = 0;

        assert_renders(texts[i], TEMPLATE_URL, NULL, texts[i]);
        assert_false(template_next(slice_of(texts[i]), &place, &found));
    }
}

static void two_opening_braces_are_one(void **state)
{
    static const struct pair pairs[] = {
        {"{{", "{"},
        {"{{now}", "{now}"},
        {"{{now}}", "{now}}"},
        {"{{{{", "{{"},
        {"{{{", "{{"},
        {"{{{item.id}", "{42"},
        {"{{{{item.id}", "{{item.id}"},
        {"a{{b{item.id}c", "a{b42c"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_renders(pairs[i].text, TEMPLATE_PLAIN, NULL, pairs[i].expected);
}

static void times_are_rendered_in_every_format(void **state)
{
    static const struct pair pairs[] = {
        {"{scheduled_at}", "2026-03-09T04:05:06Z"},
        {"{scheduled_at:rfc3339}", "2026-03-09T04:05:06Z"},
        {"{previous_scheduled_at}", "2026-03-09T03:05:06Z"},
        {"{scheduled_at:unix}", "1773029106"},
        {"{scheduled_at:unix_ms}", "1773029106078"},
        {"{now:unix_ms}", "1773029106079"},
        {"{scheduled_at:date}", "2026-03-09"},
        {"{scheduled_at:%Y%m%d}", "20260309"},
        {"{scheduled_at:%F %T}", "2026-03-09 04:05:06"},
        {"{scheduled_at:%H:%M:%S.%3N}", "04:05:06.078"},
        {"{scheduled_at:%-d/%-m/%y}", "9/3/26"},
        {"{scheduled_at:%s}", "1773029106"},
        {"{scheduled_at:%z %:z}", "+0000 +00:00"},
        {"{scheduled_at:100%%}", "100%"},
        {"{scheduled_at:%a %A %b %B %h %d %e %j}", "Mon Monday Mar March Mar 09  9 068"},
        {"{scheduled_at:%I %l %p %P %k %r %R}", "04  4 AM am  4 04:05:06 AM 04:05"},
        {"{scheduled_at:%u %w %U %V %W %G %g %C %D}", "1 1 10 11 10 2026 26 20 03/09/26"},
        {"{scheduled_at:%Y\xe5\xb9\xb4}", "2026\xe5\xb9\xb4"},
        {"from={previous_scheduled_at:unix}&to={scheduled_at:unix}",
         "from=1773025506&to=1773029106"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_renders(pairs[i].text, TEMPLATE_PLAIN, NULL, pairs[i].expected);
}

static void local_time_counts_for_dates_and_patterns_only(void **state)
{
    static const struct pair west[] = {
        {"{scheduled_at:date}", "2026-03-08"},
        {"{scheduled_at:%F %T%z}", "2026-03-08 22:35:06-0530"},
        {"{scheduled_at:%:z %s}", "-05:30 1773029106"},
        {"{scheduled_at} {scheduled_at:unix}", "2026-03-09T04:05:06Z 1773029106"},
    };
    static const int64_t offset_ms = -5 * HOUR_MS - HOUR_MS / 2;

    (void)state;
    for (size_t i = 0; i < COUNT(west); i++)
        assert_renders(west[i].text, TEMPLATE_PLAIN, &offset_ms, west[i].expected);
}

static bool find_at(const void *context, const struct placeholder *p, struct template_value *value)
{
    (void)p;
    *value = (struct template_value){.is_time = true, .at_ms = *(const int64_t *)context};
    return true;
}

static void a_moment_before_1970_is_cut_downwards(void **state)
{
    static const int64_t at_ms = -1;
    struct text out = {0};

    (void)state;
    assert_int_equal(template_render(slice_of("{now} {now:unix} {now:%3N} {now:unix_ms}"),
                                     TEMPLATE_PLAIN, find_at, &at_ms, &out, NULL),
                     0);
    assert_string_equal(text_string(&out), "1969-12-31T23:59:59Z -1 999 -1");
    text_free(&out);
}

static void a_year_that_no_calendar_has_does_no_harm(void **state)
{
    static const int64_t extremes[] = {INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < COUNT(extremes); i++) {
        struct text out = {0};

        assert_int_equal(template_render(slice_of("{now} {now:date} {now:unix} {now:%3N%:z}"),
                                         TEMPLATE_URL, find_at, &extremes[i], &out, NULL),
                         0);
        text_free(&out);
    }
}

static void in_a_url_values_are_percent_encoded_and_text_is_not(void **state)
{
    static const struct pair pairs[] = {
        {"/a b/{item.url}", "/a b/a%2Fb%3Fc%3Dd%26e%23f%20%25%C3%A9"},
        {"/{item.user-id}", "/-_.~"},
        {"?at={scheduled_at}", "?at=2026-03-09T04%3A05%3A06Z"},
        {"?at={scheduled_at:%d %b}", "?at=09%20Mar"},
        {"/{item.line}", "/x%0D%0AY%3A%20z"},
        {"/{cursor}", "/nul%00here"},
        {"/{item.empty}/", "//"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_renders(pairs[i].text, TEMPLATE_URL, NULL, pairs[i].expected);
}

static void no_value_makes_a_part_of_the_path_lead_elsewhere(void **state)
{
    static const char message[] = "a value made a part of the path . or .., which leads elsewhere";
    static const char *const refused[] = {
        "https://e.org/a/{item.dots}/b",
        "https://e.org/{item.dots}",
        "https://e.org/.{item.dot}?x=1",
        "/{item.dot}/",
        "/{item.dot}{item.dot}",
        "/%2e{item.dot}",
        "/%2E{item.empty}",
    };
    static const struct pair fine[] = {
        {"https://e.org/v1.{item.id}/...", "https://e.org/v1.42/..."},
        {"https://e.org/a?b={item.dots}/{item.dots}", "https://e.org/a?b=../.."},
        {"https://e.org?b=/{item.dots}", "https://e.org?b=/.."},
        {"/{item.dots}{item.dot}", "/..."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_refuses(refused[i], TEMPLATE_URL, message);
    for (size_t i = 0; i < COUNT(fine); i++)
        assert_renders(fine[i].text, TEMPLATE_URL, NULL, fine[i].expected);
}

static void in_json_values_stay_inside_their_string(void **state)
{
    (void)state;
    assert_renders("{\"q\":\"{item.quote}\",\"c\":\"{cursor}\",\"b\":\"{item.brace}\"}",
                   TEMPLATE_JSON, NULL,
                   "{\"q\":\"\\\"a\\\\b\\n\\u0001\\\"\",\"c\":\"nul\\u0000here\","
                   "\"b\":\"{now}\"}");
}

static void a_value_is_not_read_as_a_template(void **state)
{
    (void)state;
    assert_renders("{item.brace}", TEMPLATE_PLAIN, NULL, "{now}");
    assert_renders("{{item.brace} {item.a.b}", TEMPLATE_PLAIN, NULL, "{item.brace} deep");
}

static void a_value_that_cannot_stand_in_its_place_is_refused(void **state)
{
    (void)state;
    assert_renders("a={item.dots}/../&b={item.line}", TEMPLATE_QUERY, NULL,
                   "a=../../&b=x%0D%0AY%3A%20z");
    assert_refuses("X {item.line}", TEMPLATE_HEADER,
                   "{item.line}: holds a control character and cannot stand in a header");
    assert_refuses("X {cursor}", TEMPLATE_HEADER,
                   "{cursor}: holds a control character and cannot stand in a header");
    assert_refuses("X {cursor}", TEMPLATE_PLAIN,
                   "{cursor}: holds a NUL character and cannot be sent");
}

static void a_value_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_refuses("{item.nothing}", TEMPLATE_URL, "{item.nothing}: has no value");
}

static void placeholders_are_found_with_their_parts(void **state)
{
    struct slice text = slice_of("a{now}{{b}{item.user-id}{cursor:x}{what}");
    struct placeholder p;
    size_t place = 0;

    (void)state;
    assert_true(template_next(text, &place, &p));
    assert_int_equal(p.name, TEMPLATE_NOW);
    assert_int_equal(p.offset, 1);
    assert_null(p.member.data);
    assert_null(p.format.data);
    assert_true(template_next(text, &place, &p));
    assert_int_equal(p.name, TEMPLATE_ITEM);
    assert_int_equal(p.offset, 10);
    assert_true(slice_equals(p.member, "user-id"));
    assert_true(template_next(text, &place, &p));
    assert_int_equal(p.name, TEMPLATE_CURSOR);
    assert_true(slice_equals(p.format, "x"));
    assert_true(template_next(text, &place, &p));
    assert_int_equal(p.name, TEMPLATE_UNKNOWN);
    assert_true(slice_equals(p.word, "what"));
    assert_true(slice_equals(p.whole, "{what}"));
    assert_false(template_next(text, &place, &p));
}

static void every_mistake_has_its_words(void **state)
{
    static const char format[] =
        "has no format that is understood; write unix, unix_ms, rfc3339, date, or a pattern as in "
        "%Y-%m-%d";
    static const char no_format[] =
        "is not a time and takes no format; remove the colon and what follows it";
    static const char no_item[] = "does not say what of the item; write its name, as in {item.id}";
    static const char characters[] =
        "holds a control character, a quote or a backslash in its format; remove it";
    static const char open[] = "is not closed; write } behind it";
    static const struct pair mistakes[] = {
        {"{time}", "is not a run-time value"},
        {"{Now}", "is not a run-time value"},
        {"{time:%Y}", "is not a run-time value"},
        {"{time:unix}", "is not a run-time value"},
        {"{time.of.day}", "is not a run-time value"},
        {"{now:%Y", open},
        {"{now:%Y{now}", open},
        {"{now.x}", "has nothing behind a dot; write {now}"},
        {"{cursor.x}", "has nothing behind a dot; write {cursor}"},
        {"{item.}", no_item},
        {"{item.id:date}", no_format},
        {"{cursor:%Y}", no_format},
        {"{now:}", format},
        {"{now:iso}", format},
        {"{now: date}", format},
        {"{now:%}", "has % in its format, which is not understood; use the conversions of "
                    "strftime(3), as in %Y-%m-%dT%H:%M:%S"},
        {"{now:%Y-%Q}", "has %Q in its format, which is not understood; use the conversions of "
                        "strftime(3), as in %Y-%m-%dT%H:%M:%S"},
        {"{now:%Y%\n}", "has % in its format, which is not understood; use the conversions of "
                        "strftime(3), as in %Y-%m-%dT%H:%M:%S"},
        {"{now:%n}", "has %n in its format, which is not understood; use the conversions of "
                     "strftime(3), as in %Y-%m-%dT%H:%M:%S"},
        {"{now:%Z}", "has %Z in its format, which is not understood; use the conversions of "
                     "strftime(3), as in %Y-%m-%dT%H:%M:%S"},
        {"{now:%Y\n}", characters},
        {"{now:%Y\"}", characters},
        {"{now:%Y\\}", characters},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct placeholder p;
        struct error err = {0};
        size_t place = 0;

        assert_true(template_next(slice_of(mistakes[i].text), &place, &p));
        assert_int_equal(template_check(&p, &err), -1);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_string_equal(err.text, mistakes[i].expected);
    }
}

static void dates_and_patterns_are_local_and_nothing_else(void **state)
{
    static const char text[] =
        "{now:date}{now:%s}{now}{now:unix}{now:rfc3339}{now:unix_ms}{item.id}";
    struct placeholder p;
    size_t place = 0;

    (void)state;
    for (size_t i = 0; template_next(slice_of(text), &place, &p); i++)
        assert_int_equal(template_is_local(&p), i < 2);
}

static void what_is_right_passes_the_check(void **state)
{
    static const char text[] = "{scheduled_at}{previous_scheduled_at:date}{now:unix_ms}{now:%F}"
                               "{cursor}{item.id}{item.user-id.x}";
    struct placeholder p;
    size_t place = 0;
    size_t count = 0;

    (void)state;
    for (; template_next(slice_of(text), &place, &p); count++)
        assert_int_equal(template_check(&p, NULL), 0);
    assert_int_equal(count, 7);
}

static void text_of_others_is_given_back_as_it_is(void **state)
{
    static const char foreign[] = "{now} {{ {a:b} } {";
    struct text template = {0};

    (void)state;
    template_add_literal(&template, foreign, strlen(foreign));
    text_add(&template, "{item.id}");
    assert_renders(text_string(&template), TEMPLATE_PLAIN, NULL, "{now} {{ {a:b} } {42");
    text_free(&template);
}

static void a_seam_inside_a_placeholder_is_seen(void **state)
{
    static const char *const open[] = {
        "{",     "a{",      "{{{",  "{n",       "{now",     "{item.",   "{item.i",
        "{now:", "{now:%Y", "{id:", "{id:OPEN", "{what:%Y", "x {{{now",
    };
    static const char *const closed[] = {
        "",        "a",     "{{",    "{{now",    "{now}",        "{now:%Y}", "{ ",
        "{\"a\":", "{id: ", "{id:[", "{viewer(", "{viewer {n{{", "}",        "{a}b",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(open); i++) {
        if (!template_is_open(slice_of(open[i])))
            fail_msg("%s counts as closed", open[i]);
    }
    for (size_t i = 0; i < COUNT(closed); i++) {
        if (template_is_open(slice_of(closed[i])))
            fail_msg("%s counts as open", closed[i]);
    }
}

static void only_text_without_a_brace_is_constant(void **state)
{
    (void)state;
    assert_true(template_is_constant(""));
    assert_true(template_is_constant("a}b"));
    assert_false(template_is_constant("{{"));
    assert_false(template_is_constant("{now}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_placeholders_is_rendered_as_it_is),
        cmocka_unit_test(two_opening_braces_are_one),
        cmocka_unit_test(times_are_rendered_in_every_format),
        cmocka_unit_test(local_time_counts_for_dates_and_patterns_only),
        cmocka_unit_test(a_moment_before_1970_is_cut_downwards),
        cmocka_unit_test(a_year_that_no_calendar_has_does_no_harm),
        cmocka_unit_test(in_a_url_values_are_percent_encoded_and_text_is_not),
        cmocka_unit_test(no_value_makes_a_part_of_the_path_lead_elsewhere),
        cmocka_unit_test(in_json_values_stay_inside_their_string),
        cmocka_unit_test(a_value_is_not_read_as_a_template),
        cmocka_unit_test(a_value_that_cannot_stand_in_its_place_is_refused),
        cmocka_unit_test(a_value_that_is_not_there_is_an_error),
        cmocka_unit_test(placeholders_are_found_with_their_parts),
        cmocka_unit_test(every_mistake_has_its_words),
        cmocka_unit_test(dates_and_patterns_are_local_and_nothing_else),
        cmocka_unit_test(what_is_right_passes_the_check),
        cmocka_unit_test(text_of_others_is_given_back_as_it_is),
        cmocka_unit_test(a_seam_inside_a_placeholder_is_seen),
        cmocka_unit_test(only_text_without_a_brace_is_constant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
