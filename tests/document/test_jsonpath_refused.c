/*
 * What RFC 9535 has no place for in filters and functions: each text is refused with the column of
 * the character that is wrong, and with what it may have been meant for.
 */
#include "test.h"

#include <stdlib.h>

#include "selecting.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct selecting_refusal refused[] = {
    /* 2.3.5.1: conditions */
    {"$[?]", 4,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[? ]", 5,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[?@.a", 7, "the bracket that closes is missing"},
    {"$[?(@.a]", 8, "the parenthesis that closes is missing"},
    {"$[?(@.a", 8, "the parenthesis that closes is missing"},
    {"$[?@.a)]", 7, "')' where an operator, ')' or ']' should stand"},
    {"$[?()]", 5,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[?@.a=1]", 7, "equality is written =="},
    {"$[?@.a===1]", 9, "'=' where a value should stand; equality is written =="},
    {"$[?@.a!==1]", 9, "'=' where a value should stand; equality is written =="},
    {"$[?@.a=~'x']", 7, "there is no =~; use match() or search()"},
    {"$[?@.a<>1]", 8, "'>' where a value should stand; inequality is written !="},
    {"$[?@.a==]", 9,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[?==1]", 4, "'=' where a value should stand; equality is written =="},
    {"$[?!=1]", 4, "a value is missing before !="},
    {"$[?@.a==1==1]", 10, "a comparison has two sides; join comparisons with && or ||"},
    {"$[?@.a<1<2]", 9, "a comparison has two sides; join comparisons with && or ||"},
    {"$[?@.a==1 and @.b]", 11, "and is written &&"},
    {"$[?@.a or @.b]", 8, "or is written ||"},
    {"$[?not @.a]", 4, "not is written !"},
    {"$[?@.a & @.b]", 8, "and is written &&"},
    {"$[?@.a | @.b]", 8, "or is written ||"},
    {"$[?@.a &&]", 10,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[?&& @.a]", 4, "'&' where a path from @ or $, a text, a number or a function should stand"},
    {"$[?@.a || || @.b]", 11,
     "'|' where a path from @ or $, a text, a number or a function should stand"},
    {"$[?@.a in [1,2]]", 8, "there is no in; compare with each value, joined with ||"},
    {"$[?@.a == [1]]", 11, "arrays and objects cannot be written in a path"},
    {"$[?@.a == {}]", 11, "arrays and objects cannot be written in a path"},
    {"$[?@.a == /x/]", 11, "a regular expression is given to match() or search() as a text"},
    {"$[?@.a == name]", 11, "a name alone; a member is written @.name, a text 'name'"},
    {"$[?name == 1]", 4, "a name alone; a member is written @.name, a text 'name'"},
    {"$[?@.a == True]", 11, "true is written in small letters"},
    {"$[?@.a == NULL]", 11, "null is written in small letters"},
    {"$[?@.a-b == 1]", 7,
     "'-' where an operator should stand: nothing is computed in a path, and a name with it stands "
     "in quotes, as in @['name']"},
    {"$[?@.a + 1 == 2]", 8,
     "'+' where an operator should stand: nothing is computed in a path, and a name with it stands "
     "in quotes, as in @['name']"},
    {"$[?@.a * 2 == 2]", 8,
     "'*' where an operator should stand: nothing is computed in a path, and a name with it stands "
     "in quotes, as in @['name']"},
    {"$[?!@.a == 1]", 4, "'!' before a comparison; put the comparison in parentheses"},
    {"$[?!!@.a]", 5, "'!' twice"},
    {"$[?!1]", 5, "a literal alone is no condition; compare it with something"},
    {"$[?!true]", 5, "a literal alone is no condition; compare it with something"},
    {"$[?!length(@)]", 5, "length() alone is no condition; compare it, as in length(@.name) > 3"},
    {"$[?(@.a) == 1]", 4, "what stands in parentheses is true or false; it cannot be compared"},
    {"$[?(@.a == 1) == true]", 4,
     "what stands in parentheses is true or false; it cannot be compared"},
    {"$[?true]", 4, "a literal alone is no condition; compare it with something"},
    {"$[?false || true]", 4, "a literal alone is no condition; compare it with something"},
    {"$[?'abc']", 4, "a literal alone is no condition; compare it with something"},
    {"$[?2.2]", 4, "a literal alone is no condition; compare it with something"},
    {"$[?@.a == 1 && 'x']", 16, "a literal alone is no condition; compare it with something"},

    /* 2.3.5.1: what may be compared */
    {"$[?@.* == 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?1 == @..a]", 10,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@.a[*].b == 1]", 7,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@[0,1] == 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@[0:1] < 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@['a','b'] == 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?$.* == 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@[?@.a] == 1]", 5,
     "a comparison takes one value, and from here the path may select many; write names and "
     "indexes only, or use value() or count()"},
    {"$[?@[ 'a' ] == 1]", 6, "white space in the brackets of a path that stands for one value"},
    {"$[?1 == @.b[0 ]]", 14, "white space in the brackets of a path that stands for one value"},
    {"$[?length(@[ 0 ]) == 1]", 13,
     "white space in the brackets of a path that stands for one value"},
    {"$[?@. a == 1]", 6, "white space between '.' and the name"},

    /* 2.3.5.1: literals */
    {"$[?@.a == +1]", 11, "a number has no '+' before it"},
    {"$[?@.a == - 1]", 12, "a digit must follow '-' in a number"},
    {"$[?@.a == --1]", 12, "a digit must follow '-' in a number"},
    {"$[?@.a == .1]", 11, "a number begins with a digit, a path with @ or $"},
    {"$[?@.a == -.1]", 12, "a digit must follow '-' in a number"},
    {"$[?@.a == 00]", 11, "a number cannot have a 0 before its first digit"},
    {"$[?@.a == 01]", 11, "a number cannot have a 0 before its first digit"},
    {"$[?@.a == -01]", 11, "a number cannot have a 0 before its first digit"},
    {"$[?@.a == 1.]", 13, "a digit must follow '.' in a number"},
    {"$[?@.a == 1.e1]", 13, "a digit must follow '.' in a number"},
    {"$[?@.a == 1e]", 13, "a digit must follow 'e' in a number"},
    {"$[?@.a == 1e-]", 14, "a digit must follow 'e' in a number"},
    {"$[?@.a == 1eE1]", 13, "a digit must follow 'e' in a number"},
    {"$[?@.a == 1e2.3]", 14, "'.' in a number"},
    {"$[?@.a == 1x]", 12, "'x' in a number"},
    {"$[?@.a == 1.2.3]", 14, "'.' in a number"},
    {"$[?@.a == 'x]", 14, "the quote that ends the text is missing"},
    {"$[?@.a == 'x\\y']", 13, "a backslash before 'y' in a text: there is no such escape"},
    {"$[?@.a == \"\\ud800\"]", 12, "\\ud800 is half of a surrogate pair, which is no character"},
    {"$[?@.a == 'x''y']", 14, "''' where an operator, ')' or ']' should stand"},

    /* 2.4.3: functions and their types */
    {"$[?length()==1]", 11, "length() takes one argument, as in length(@.name) > 3"},
    {"$[?length(@.a,@.b)==1]", 15, "length() takes one argument, as in length(@.name) > 3"},
    {"$[?length(@.*)<3]", 12,
     "length() takes one value, and from here the path may select many; write names and indexes "
     "only, or use value() or count()"},
    {"$[?length(@[1, 2])<3]", 12,
     "length() takes one value, and from here the path may select many; write names and indexes "
     "only, or use value() or count()"},
    {"$[?length(@.a)]", 4, "length() alone is no condition; compare it, as in length(@.name) > 3"},
    {"$[?length(@.a) && @.b]", 4,
     "length() alone is no condition; compare it, as in length(@.name) > 3"},
    {"$[?length(@.a==1)==1]", 11,
     "length() takes no condition; it is used as in length(@.name) > 3"},
    {"$[?length(!@.a)==1]", 11, "length() takes no condition; it is used as in length(@.name) > 3"},
    {"$[?length((@.a))==1]", 11,
     "length() takes no condition; it is used as in length(@.name) > 3"},
    {"$[?length(@.a || @.b)==1]", 11,
     "length() takes no condition; it is used as in length(@.name) > 3"},
    {"$[?length(match(@.a,'a'))==1]", 11, "match() is true or false; length() takes a value"},
    {"$[?count(1)>2]", 10, "count() takes a path, as in count(@.*) > 3"},
    {"$[?count('x')>2]", 10, "count() takes a path, as in count(@.*) > 3"},
    {"$[?count(true)>2]", 10, "count() takes a path, as in count(@.*) > 3"},
    {"$[?count(length(@))>2]", 10, "count() takes a path, as in count(@.*) > 3"},
    {"$[?count(@.a==1)>2]", 10, "count() takes no condition; it is used as in count(@.*) > 3"},
    {"$[?count(@..*)]", 4, "count() alone is no condition; compare it, as in count(@.*) > 3"},
    {"$[?count()==1]", 10, "count() takes one argument, as in count(@.*) > 3"},
    {"$[?count(@.a,@.b)==1]", 14, "count() takes one argument, as in count(@.*) > 3"},
    {"$[?count (@.*)==1]", 9, "white space between count and its '('"},
    {"$[?count(@.*]", 13, "']' where ',' or ')' should stand"},
    {"$[?count(@.*", 13, "the parenthesis that closes is missing"},
    {"$[?count(@.* @.a)==1]", 14, "'@' where ',' or ')' should stand"},
    {"$[?count(@.*]==1)]", 13, "']' where ',' or ')' should stand"},
    {"$[?value(@.a)]", 4, "value() alone is no condition; compare it, as in value(@..id) == 3"},
    {"$[?value(1)==1]", 10, "value() takes a path, as in value(@..id) == 3"},
    {"$[?value()==4]", 10, "value() takes one argument, as in value(@..id) == 3"},
    {"$[?match(@.a,'a')==true]", 4, "match() is true or false; a comparison takes a value"},
    {"$[?true==match(@.a,'a')]", 10, "match() is true or false; a comparison takes a value"},
    {"$[?match(@.a)]", 13, "match() takes two arguments, as in match(@.id, '[0-9]+')"},
    {"$[?match(@.a,'a','b')]", 18, "match() takes two arguments, as in match(@.id, '[0-9]+')"},
    {"$[?match(@.*,'a')]", 11,
     "match() takes one value, and from here the path may select many; write names and indexes "
     "only, or use value() or count()"},
    {"$[?search(@.a,@..b)]", 16,
     "search() takes one value, and from here the path may select many; write names and indexes "
     "only, or use value() or count()"},
    {"$[?search(@.a,'a')<1]", 4, "search() is true or false; a comparison takes a value"},
    {"$[?lenght(@.a)==1]", 4,
     "there is no such function; there are length(), count(), value(), match() and search()"},
    {"$[?foo(@.a)]", 4,
     "there is no such function; there are length(), count(), value(), match() and search()"},
    {"$[?Length(@.a)==1]", 4,
     "there is no such function; there are length(), count(), value(), match() and search()"},

    /* what else may be meant */
    {"$[?@.a.length()>1]", 14, "a function stands before what it is about, as in length(@.name)"},
    {"$[?@.length>1 @]", 15, "'@' where an operator, ')' or ']' should stand"},
    {"$[?@.a,]", 8, "a name, an index, a slice, a filter or * is missing before ']'"},
    {"$[?@.a,?]", 9,
     "the condition ends where a path from @ or $, a text, a number or a function should stand"},
    {"$[?@.a ?@.b]", 8, "'?' where an operator, ')' or ']' should stand"},
    {"$[?@@]", 5, "'@' where '.' or '[' should stand"},
    {"$[?@a]", 5, "'a' where '.' or '[' should stand"},
    {"$[?@.\xc3\xa9-]", 7,
     "'-' where an operator should stand: nothing is computed in a path, and a name with it stands "
     "in quotes, as in @['name']"},

    /* RFC 9485: regular expressions */
    {"$[?match(@.a,'(')]", 16, "no regular expression (I-Regexp): a ) that closes is missing"},
    {"$[?match(@.a,'a**')]", 17,
     "no regular expression (I-Regexp): a quantifier behind a quantifier; put the first in "
     "parentheses"},
    {"$[?match(@.\xc3\xa9, \"\\u00e9\\\\d\")]", 22,
     "no regular expression (I-Regexp): I-Regexp has no \\d; write [0-9]"},
    {"$[?search(@.a, '[z-a]')]", 18, "no regular expression (I-Regexp): the range runs backwards"},
    {"$[?match(@.a, '(ab){5000}')]", 16,
     "no regular expression (I-Regexp): regular expression is too large"},

    /* the end */
    {"$[?$]]", 6, "']' where '.' or '[' should stand"},
    {"$[?@.a==1].b.", 14, "a name or * must follow '.'"},
    {"$[?@[\"a\"b]==1]", 9, "'b' where ',' or ']' should stand"},
};

static void what_is_no_condition_is_refused_with_its_column(void **state)
{
    (void)state;
    selecting_assert_refused(refused, COUNT(refused));
}

/* Paths of `count` times a piece between a beginning and an end. */
static char *repeat(const char *before, const char *piece, size_t count, const char *after)
{
    struct text text = {0};

    text_add(&text, before);
    for (size_t i = 0; i < count; i++)
        text_add(&text, piece);
    text_add(&text, after);
    return text_take(&text);
}

static void assert_too_deep(char *path, size_t column)
{
    const struct selecting_refusal refusal = {
        path, column,
        "more than 200 parentheses, filters and segments that select many nodes, in or behind each "
        "other"};

    selecting_assert_refused(&refusal, 1);
    free(path);
}

static void what_nests_too_deep_is_refused(void **state)
{
    (void)state;
    assert_too_deep(repeat("$[?", "(", 100000, "@"), 4 + 199);
    assert_too_deep(repeat("$", "[?@", 100000, ""), 1 + 3 * 200 + 2);
    assert_too_deep(repeat("$", ".*", 100000, ""), 2 + 2 * 200);
    assert_too_deep(repeat("$", "..a", 201, ""), 2 + 3 * 200);
    assert_too_deep(repeat("$[?", "length(", 100000, ""), 4 + 7 * 199);
    assert_too_deep(repeat("$[?", "!(", 100000, ""), 5 + 2 * 199);
}

static void levels_that_have_ended_do_not_count(void **state)
{
    char *paths[] = {
        repeat("$[?(@.a)", "||(@.a)", 1000, "]"), repeat("$[?@.*", "&&count(@..a)==1", 1000, "]"),
        repeat("$[?@.a", ",?@.*", 1000, "]"),     repeat("$[0", ",0", 100000, "]"),
        repeat("$[?@.a", "||@.a", 100000, "]"),   repeat("$", ".*", 200, ""),
        repeat("$[?@", ".a", 100000, "==1]"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        jsonpath_free(selecting_compile(paths[i]));
        free(paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_condition_is_refused_with_its_column),
        cmocka_unit_test(what_nests_too_deep_is_refused),
        cmocka_unit_test(levels_that_have_ended_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
