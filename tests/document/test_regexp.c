/* I-Regexp (RFC 9485): its grammar, rule by rule, and what matching may take. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/regexp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define STEPS UINT64_C(1000000)

static struct regexp *compile(const char *text, enum regexp_extent extent)
{
    struct error err = {0};
    size_t offset;
    struct regexp *regexp = regexp_compile(slice_of(text), extent, &offset, &err);

    if (regexp == NULL)
        fail_msg("%s: %zu: %s", text, offset, err.text);
    return regexp;
}

static enum regexp_result run(const char *text, enum regexp_extent extent, struct slice subject,
                              uint64_t *steps)
{
    struct arena *arena = arena_create(0);
    struct regexp *regexp = compile(text, extent);
    enum regexp_result result = regexp_run(regexp_runner_create(arena), regexp, subject, steps);

    regexp_free(regexp);
    arena_free(arena);
    return result;
}

struct example {
    const char *regexp;
    const char *matched[4];   /* as a whole */
    const char *unmatched[4]; /* as a whole */
};

static void assert_result(const char *regexp, const char *subject, enum regexp_result expected)
{
    uint64_t steps = STEPS;

    if (run(regexp, REGEXP_WHOLE, slice_of(subject), &steps) != expected)
        fail_msg("%s %s %s", regexp, expected == REGEXP_MATCH ? "does not match" : "matches",
                 subject);
}

static void assert_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 4 && examples[i].matched[k] != NULL; k++)
            assert_result(examples[i].regexp, examples[i].matched[k], REGEXP_MATCH);
        for (size_t k = 0; k < 4 && examples[i].unmatched[k] != NULL; k++)
            assert_result(examples[i].regexp, examples[i].unmatched[k], REGEXP_NO_MATCH);
    }
}

static void branches_pieces_and_quantifiers(void **state)
{
    static const struct example examples[] = {
        {"", {""}, {"a"}},
        {"abc", {"abc"}, {"ab", "abcd", "xabc", "ABC"}},
        {"a|bc|", {"a", "bc", ""}, {"ab", "c"}},
        {"a(b|c)d", {"abd", "acd"}, {"ad", "abcd"}},
        {"(a|ab)(c|bcd)", {"ac", "abc", "abcd", "abbcd"}, {"a"}},
        {"a*", {"", "a", "aaa"}, {"b", "aab"}},
        {"a+b?", {"a", "ab", "aab"}, {"", "b", "abb"}},
        {"a{2}", {"aa"}, {"a", "aaa"}},
        {"a{2,}", {"aa", "aaaa"}, {"a"}},
        {"a{1,3}", {"a", "aaa"}, {"", "aaaa"}},
        {"a{0}b", {"b"}, {"ab"}},
        {"(ab){2}", {"abab"}, {"ab", "ababab"}},
        {"(a*)*", {"", "aaa"}, {"b"}},
        {"(a*)+b", {"b", "aab"}, {"a"}},
        {"()", {""}, {"a"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void characters_that_stand_for_themselves(void **state)
{
    static const struct example examples[] = {
        {"a-b,c<>=!#%&'\"/:;@_`~", {"a-b,c<>=!#%&'\"/:;@_`~"}, {"a"}},
        {"a b", {"a b"}, {"ab"}},
        {"#x", {"#x"}, {""}},
        {"\xc3\xa9+", {"\xc3\xa9", "\xc3\xa9\xc3\xa9"}, {"\xc3", "e"}},
        {"\xf0\x9f\x98\x80{2}", {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80"}, {"\xf0\x9f\x98\x80"}},
        {"\n", {"\n"}, {"n"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void single_character_escapes(void **state)
{
    static const struct example examples[] = {
        {"\\(\\)\\*\\+\\-\\.\\?\\[\\\\\\]\\^\\{\\|\\}", {"()*+-.?[\\]^{|}"}, {""}},
        {"\\n\\r\\t", {"\n\r\t"}, {"nrt"}},
        {"[\\n\\r\\t]", {"\n", "\r", "\t"}, {"n", "\\"}},
        {"[\\]\\[\\-\\\\\\^]", {"]", "[", "-", "^"}, {"a"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void the_dot_is_all_but_line_breaks(void **state)
{
    static const struct example examples[] = {
        {".", {"a", "\t", "\xe2\x80\xa8", "\xf0\x9f\x98\x80"}, {"\n", "\r", "", "ab"}},
        {"[.]", {"."}, {"a"}},
        {".*", {"", "a b"}, {"a\nb"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void character_classes(void **state)
{
    static const struct example examples[] = {
        {"[abc]", {"a", "c"}, {"d", "", "ab"}},
        {"[^abc]", {"d", "\n", "\xc3\xa9"}, {"a", ""}},
        {"[a-c]", {"b"}, {"d", "-"}},
        {"[-a]", {"-", "a"}, {"b"}},
        {"[a-]", {"-", "a"}, {"b"}},
        {"[^-a]", {"b"}, {"-", "a"}},
        {"[--]", {"-"}, {"a"}},
        {"[-]", {"-"}, {"a"}},
        {"[a^]", {"a", "^"}, {"b"}},
        {"[$.*+?(){}|]", {"$", ".", "*", "|"}, {"a"}},
        {"[&~#!:]", {"&", ":"}, {"a"}},
        {"[\xc3\xa0-\xc3\xa9]", {"\xc3\xa3"}, {"\xc3\xaa", "a"}},
        {"[\\t-\\r]", {"\n", "\v"}, {" "}},
        {"[a-c\\p{Nd}]", {"b", "7"}, {"d"}},
        {"[^\\P{L}]", {"x"}, {"1"}},
        {"[0-9a-fA-F]+", {"dead01", "FF"}, {"g"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void categories_of_characters(void **state)
{
    static const struct example examples[] = {
        {"\\p{L}", {"a", "\xd0\x96", "\xe4\xb8\xad"}, {"1", " "}},
        {"\\p{Lu}", {"A", "\xd0\x96"}, {"a", "1"}},
        {"\\P{Lu}", {"a", "1"}, {"A"}},
        {"\\p{Nd}+", {"123", "\xd9\xa3"}, {"x"}},
        {"\\p{Sc}", {"\xe2\x82\xac", "$"}, {"a"}},
        {"\\p{Zs}", {" ", "\xc2\xa0"}, {"\n"}},
        {"\\p{Pd}\\p{Mn}\\p{Cc}\\p{Nl}\\p{So}", {"-\xcc\x81\n\xe2\x85\xa0\xc2\xa9"}, {"-"}},
    };
    static const char *const all[] = {"L",  "Ll", "Lm", "Lo", "Lt", "Lu", "M",  "Mc", "Me",
                                      "Mn", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Pe",
                                      "Pf", "Pi", "Po", "Ps", "Z",  "Zl", "Zp", "Zs", "S",
                                      "Sc", "Sk", "Sm", "So", "C",  "Cc", "Cf", "Cn", "Co"};

    (void)state;
    assert_examples(examples, COUNT(examples));
    for (size_t i = 0; i < COUNT(all); i++) {
        struct text text = {0};

        text_format(&text, "\\p{%s}\\P{%s}", all[i], all[i]);
        regexp_free(compile(text_string(&text), REGEXP_PART));
        text_free(&text);
    }
}

/* RFC 9485, 5.4: the mappings leave them as they are, and engines take them for places. */
static void caret_and_dollar_are_the_beginning_and_the_end(void **state)
{
    static const struct example examples[] = {
        {"^ab$", {"ab"}, {"^ab$", "ab\n"}},
        {"a^b", {NULL}, {"a^b", "ab"}},
        {"^a|b$", {"a", "b"}, {"ab"}},
        {"[$]1", {"$1"}, {"1"}},
        {"\\^1", {"^1"}, {"1"}},
    };

    (void)state;
    assert_examples(examples, COUNT(examples));
}

static void a_part_is_found_anywhere(void **state)
{
    static const struct {
        const char *regexp;
        const char *subject;
        enum regexp_result result;
    } examples[] = {
        {"b+", "abbc", REGEXP_MATCH},    {"b{3}", "abbc", REGEXP_NO_MATCH},
        {"a|c", "xxc", REGEXP_MATCH},    {"^b", "ab", REGEXP_NO_MATCH},
        {"^b", "a\nb", REGEXP_NO_MATCH}, {"a$", "a\nb", REGEXP_NO_MATCH},
        {"", "", REGEXP_MATCH},          {"\xc3\xa9", "caf\xc3\xa9", REGEXP_MATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        uint64_t steps = STEPS;

        assert_int_equal(
            run(examples[i].regexp, REGEXP_PART, slice_of(examples[i].subject), &steps),
            examples[i].result);
    }
}

static void a_nul_is_a_character(void **state)
{
    uint64_t steps = STEPS;

    (void)state;
    assert_int_equal(run("a.b", REGEXP_WHOLE, (struct slice){"a\0b", 3}, &steps), REGEXP_MATCH);
    assert_int_equal(run("a", REGEXP_WHOLE, (struct slice){"a\0b", 3}, &steps), REGEXP_NO_MATCH);
}

static void text_that_is_not_utf8_matches_nothing(void **state)
{
    uint64_t steps = STEPS;

    (void)state;
    assert_int_equal(run(".*", REGEXP_PART, slice_of("a\xff"), &steps), REGEXP_NO_MATCH);
}

static const struct {
    const char *regexp;
    size_t offset;
    const char *message;
} refused[] = {
    {"*", 0, "there is nothing before the * to repeat"},
    {"a|+", 2, "there is nothing before the + to repeat"},
    {"(?", 0, "I-Regexp has no (?...); a group is written (...)"},
    {"a(?:b)", 1, "I-Regexp has no (?...); a group is written (...)"},
    {"(?i)a", 0, "I-Regexp has no (?...); a group is written (...)"},
    {"(*UTF)a", 1, "there is nothing before the * to repeat"},
    {"{2}", 0, "there is nothing before the { to repeat"},
    {"a**", 2, "a quantifier behind a quantifier; put the first in parentheses"},
    {"a+?", 2, "a quantifier behind a quantifier; put the first in parentheses"},
    {"a*+", 2, "a quantifier behind a quantifier; put the first in parentheses"},
    {"a{2}{3}", 4, "a quantifier behind a quantifier; put the first in parentheses"},
    {"^*", 1,
     "a quantifier behind ^ or $, which stand for a place; the characters are written \\^ and [$]"},
    {"a$+", 2,
     "a quantifier behind ^ or $, which stand for a place; the characters are written \\^ and [$]"},
    {"a{", 2, "a number of repetitions is missing; { itself is written \\{"},
    {"a{,3}", 2, "a number of repetitions is missing; { itself is written \\{"},
    {"a{x}", 2, "a number of repetitions is missing; { itself is written \\{"},
    {"a{2", 1, "the } that closes is missing"},
    {"a{2,", 4, "a number of repetitions is missing; { itself is written \\{"},
    {"a{2,x}", 4, "a number of repetitions is missing; { itself is written \\{"},
    {"a{3,2}", 1, "the most repetitions are fewer than the least"},
    {"a{65536}", 2, "more than 65535 repetitions"},
    {"a{99999999999999999999}", 2, "more than 65535 repetitions"},
    {"(a", 2, "a ) that closes is missing"},
    {"a)", 1, "a ) without its (; the character is written \\)"},
    {"]", 0, "a ] alone is written \\]"},
    {"a}", 1, "a } alone is written \\}"},
    {"[", 0, "the ] that closes is missing"},
    {"[a", 0, "the ] that closes is missing"},
    {"[]", 0, "there is nothing in the brackets"},
    {"[^]", 0, "there is nothing in the brackets"},
    {"[]a]", 0, "there is nothing in the brackets"},
    {"[[a]]", 1, "a [ in brackets stands behind a backslash"},
    {"[[:alpha:]]", 1, "a [ in brackets stands behind a backslash"},
    {"[a-z-9]", 4, "a - in brackets stands first, last, or behind a backslash"},
    {"[+--]", 3, "a - in brackets stands first, last, or behind a backslash"},
    {"[z-a]", 1, "the range runs backwards"},
    {"[\xc3\xa9-a]", 1, "the range runs backwards"},
    {"[a-\\p{L}]", 3, "a range ends with a character"},
    {"[a-[b]]", 3, "a [ in brackets stands behind a backslash"},
    {"[a\\d]", 2, "I-Regexp has no \\d; write [0-9]"},
    {"\\d", 0, "I-Regexp has no \\d; write [0-9]"},
    {"\\w+", 0, "I-Regexp has no \\w; write [A-Za-z0-9_]"},
    {"\\s", 0, "I-Regexp has no \\s; write [ \\n\\r\\t]"},
    {"\\b", 0, "I-Regexp has no \\b"},
    {"a\\1", 1, "I-Regexp has no \\1"},
    {"\\Q", 0, "I-Regexp has no \\Q"},
    {"\\/", 0, "I-Regexp has no \\/"},
    {"\\$", 0, "I-Regexp has no \\$; write [$]"},
    {"\\\xc3\xa9", 0, "a backslash before a character that needs none"},
    {"a\\", 1, "a backslash with nothing behind it"},
    {"\\p", 0, "\\p must have a category behind it, as in \\p{L}"},
    {"\\pL", 0, "\\p must have a category behind it, as in \\p{L}"},
    {"\\p{", 0,
     "there is no such category of characters; there are L, Ll, Lm, Lo, Lt, Lu (letters), M, N, Nd "
     "(numbers), P, S, Z, C and their parts"},
    {"\\p{Cs}", 0,
     "there is no such category of characters; there are L, Ll, Lm, Lo, Lt, Lu (letters), M, N, Nd "
     "(numbers), P, S, Z, C and their parts"},
    {"\\p{IsBasicLatin}", 0,
     "there is no such category of characters; there are L, Ll, Lm, Lo, Lt, Lu (letters), M, N, Nd "
     "(numbers), P, S, Z, C and their parts"},
    {"\\P{^L}", 0,
     "there is no such category of characters; there are L, Ll, Lm, Lo, Lt, Lu (letters), M, N, Nd "
     "(numbers), P, S, Z, C and their parts"},
    {"a\xff", 1, "byte 0xff is not UTF-8"},
    {"[\xed\xa0\x80]", 1, "byte 0xed is not UTF-8"},
    {"a\xc3", 1, "byte 0xc3 is not UTF-8"},
};

static void what_is_no_i_regexp_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct error err = {0};
        size_t offset = 99;
        struct regexp *regexp =
            regexp_compile(slice_of(refused[i].regexp), REGEXP_WHOLE, &offset, &err);

        if (regexp != NULL)
            fail_msg("%s was taken", refused[i].regexp);
        if (strcmp(err.text, refused[i].message) != 0 || offset != refused[i].offset)
            fail_msg("%s: %zu: %s", refused[i].regexp, offset, err.text);
        assert_int_equal(err.code, ERROR_CONFIG);
    }
}

static void groups_nest_to_a_limit(void **state)
{
    struct text text = {0};
    struct error err = {0};
    size_t offset;

    (void)state;
    for (int i = 0; i < 100; i++)
        text_char(&text, '(');
    text_char(&text, 'a');
    for (int i = 0; i < 100; i++)
        text_char(&text, ')');
    regexp_free(compile(text_string(&text), REGEXP_WHOLE));
    text_clear(&text);
    for (int i = 0; i < 100000; i++)
        text_char(&text, '(');
    assert_null(regexp_compile(slice_of(text_string(&text)), REGEXP_WHOLE, &offset, &err));
    assert_string_equal(err.text, "more than 100 groups in each other");
    assert_int_equal(offset, 100);
    text_free(&text);
}

/*
 * --- Texts made to keep PCRE2 busy ---
 * Each expression ends in a class, because a single character that the text lacks is looked for
 * before anything else.
 */

static char *many(char c, size_t count, const char *end)
{
    struct text text = {0};

    for (size_t i = 0; i < count; i++)
        text_char(&text, c);
    text_add(&text, end);
    return text_take(&text);
}

static void assert_too_long(const char *regexp, enum regexp_extent extent, char *subject)
{
    uint64_t steps = STEPS;

    assert_int_equal(run(regexp, extent, slice_of(subject), &steps), REGEXP_TOO_LONG);
    free(subject);
}

static void a_match_that_goes_back_without_end_is_given_up(void **state)
{
    (void)state;
    assert_too_long("(a+)+", REGEXP_WHOLE, many('a', 64, "!"));
    assert_too_long("(a|aa)+", REGEXP_WHOLE, many('a', 64, "!"));
    assert_too_long("(.*)(.*)(.*)(.*)(.*)[xy]", REGEXP_WHOLE, many('a', 2000, ""));
    assert_too_long("(a*)*[bc]", REGEXP_PART, many('a', 64, ""));
}

static void a_search_that_goes_over_the_text_from_each_place_is_given_up(void **state)
{
    (void)state;
    assert_too_long("[^x]*[yz]", REGEXP_PART, many('a', 1000000, ""));
    assert_too_long("a+[bc]", REGEXP_PART, many('a', 1000000, ""));
    assert_too_long("a[a-z]*[0-9]", REGEXP_PART, many('a', 1000000, ""));
}

static void a_long_text_that_is_only_passed_over_is_cheap(void **state)
{
    static const struct {
        const char *regexp;
        enum regexp_extent extent;
        enum regexp_result result;
    } examples[] = {
        {"a*", REGEXP_WHOLE, REGEXP_MATCH},
        {"x.*", REGEXP_PART, REGEXP_NO_MATCH},
        {"xyz", REGEXP_PART, REGEXP_NO_MATCH},
        {"[ab]+", REGEXP_PART, REGEXP_MATCH},
    };
    char *subject = many('a', 1000000, "");

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        uint64_t steps = 3 * STEPS;

        assert_int_equal(run(examples[i].regexp, examples[i].extent, slice_of(subject), &steps),
                         examples[i].result);
    }
    free(subject);
}

static void a_match_that_needs_much_memory_is_given_up(void **state)
{
    uint64_t steps = UINT64_MAX;
    char *subject = many('a', 4000000, "");

    (void)state;
    assert_int_equal(run("(a|b)*[cd]", REGEXP_PART, slice_of(subject), &steps), REGEXP_TOO_LONG);
    free(subject);
}

static void steps_are_taken_from_what_is_left(void **state)
{
    uint64_t steps = STEPS;
    uint64_t none = 3;

    (void)state;
    assert_int_equal(run("a+", REGEXP_WHOLE, slice_of("aaa"), &steps), REGEXP_MATCH);
    assert_in_range(steps, STEPS - 100, STEPS - 1);
    assert_int_equal(run("a+", REGEXP_WHOLE, slice_of("aaa"), &none), REGEXP_TOO_LONG);
    assert_int_equal(none, 0);
}

/* --- Expressions that come with the data --- */

static void expressions_of_the_data_are_kept(void **state)
{
    struct arena *arena = arena_create(0);
    struct regexp_runner *runner = regexp_runner_create(arena);
    uint64_t steps = STEPS;
    uint64_t first;

    (void)state;
    assert_int_equal(regexp_run_text(runner, slice_of("[a]"), REGEXP_PART, slice_of("xay"), &steps),
                     REGEXP_MATCH);
    first = STEPS - steps;
    for (int i = 0; i < 10; i++) {
        uint64_t before = steps;

        assert_int_equal(
            regexp_run_text(runner, slice_of("[a]"), REGEXP_PART, slice_of("xay"), &steps),
            REGEXP_MATCH);
        assert_true(before - steps < first / 10);
    }
    assert_int_equal(
        regexp_run_text(runner, slice_of("[a]"), REGEXP_WHOLE, slice_of("xay"), &steps),
        REGEXP_NO_MATCH);
    arena_free(arena);
}

static void an_expression_of_the_data_that_is_none_matches_nothing(void **state)
{
    struct arena *arena = arena_create(0);
    struct regexp_runner *runner = regexp_runner_create(arena);
    uint64_t steps = STEPS;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            regexp_run_text(runner, slice_of("(a"), REGEXP_PART, slice_of("(a"), &steps),
            REGEXP_NO_MATCH);
    arena_free(arena);
}

static void many_expressions_of_the_data_use_up_the_steps(void **state)
{
    struct arena *arena = arena_create(0);
    struct regexp_runner *runner = regexp_runner_create(arena);
    enum regexp_result result = REGEXP_NO_MATCH;
    uint64_t steps = STEPS;
    unsigned count = 0;

    (void)state;
    while (result == REGEXP_NO_MATCH && count < 1000) {
        char text[32];
        char *kept;

        snprintf(text, sizeof(text), "a%u", count++);
        kept = arena_copy(arena, text, strlen(text));
        result = regexp_run_text(runner, slice_of(kept), REGEXP_PART, slice_of("x"), &steps);
    }
    assert_int_equal(result, REGEXP_TOO_LONG);
    assert_in_range(count, 100, 200);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branches_pieces_and_quantifiers),
        cmocka_unit_test(characters_that_stand_for_themselves),
        cmocka_unit_test(single_character_escapes),
        cmocka_unit_test(the_dot_is_all_but_line_breaks),
        cmocka_unit_test(character_classes),
        cmocka_unit_test(categories_of_characters),
        cmocka_unit_test(caret_and_dollar_are_the_beginning_and_the_end),
        cmocka_unit_test(a_part_is_found_anywhere),
        cmocka_unit_test(a_nul_is_a_character),
        cmocka_unit_test(text_that_is_not_utf8_matches_nothing),
        cmocka_unit_test(what_is_no_i_regexp_is_refused),
        cmocka_unit_test(groups_nest_to_a_limit),
        cmocka_unit_test(a_match_that_goes_back_without_end_is_given_up),
        cmocka_unit_test(a_search_that_goes_over_the_text_from_each_place_is_given_up),
        cmocka_unit_test(a_long_text_that_is_only_passed_over_is_cheap),
        cmocka_unit_test(a_match_that_needs_much_memory_is_given_up),
        cmocka_unit_test(steps_are_taken_from_what_is_left),
        cmocka_unit_test(expressions_of_the_data_are_kept),
        cmocka_unit_test(an_expression_of_the_data_that_is_none_matches_nothing),
        cmocka_unit_test(many_expressions_of_the_data_use_up_the_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
