/*
 * RFC 9535 clause by clause, with the standard's own examples and what its text says around them.
 * Each test is named after its section; what is refused stands in test_jsonpath_refused.c.
 */
#include "test.h"

#include "selecting.h"

#define ASSERT_ALL(json, examples) \
    selecting_assert_all(json, examples, sizeof(examples) / sizeof((examples)[0]))

/* Which of the conditions are true: each becomes a filter over an array of one element. */
struct condition {
    const char *text;
    bool holds;
};

static void assert_conditions(const char *json, const struct condition *conditions, size_t count)
{
    struct document d = document_of(json);

    for (size_t i = 0; i < count; i++) {
        struct text path = {0};

        text_format(&path, "$.one[?%s]", conditions[i].text);
        selecting_assert(&d, text_string(&path), conditions[i].holds ? "0" : "");
        text_free(&path);
    }
    document_free(&d);
}

#define ASSERT_CONDITIONS(json, conditions) \
    assert_conditions(json, conditions, sizeof(conditions) / sizeof((conditions)[0]))

static void s1_5_the_bookstore(void **state)
{
    static const char store[] =
        "{\"store\":{\"book\":[{\"category\":\"reference\",\"author\":\"Nigel Rees\",\"title\":"
        "\"Sayings of the Century\",\"price\":8.95},{\"category\":\"fiction\",\"author\":\"Evelyn "
        "Waugh\",\"title\":\"Sword of Honour\",\"price\":12.99},{\"category\":\"fiction\","
        "\"author\":\"Herman Melville\",\"title\":\"Moby Dick\",\"isbn\":\"0-553-21311-3\","
        "\"price\":8.99},{\"category\":\"fiction\",\"author\":\"J. R. R. Tolkien\",\"title\":\"The "
        "Lord of the Rings\",\"isbn\":\"0-395-19395-8\",\"price\":22.99}],\"bicycle\":{\"color\":"
        "\"red\",\"price\":399}}}";
    static const struct selecting_example examples[] = {
        {"$.store.book[*].author",
         "\"Nigel Rees\" \"Evelyn Waugh\" \"Herman Melville\" \"J. R. R. Tolkien\""},
        {"$..author", "\"Nigel Rees\" \"Evelyn Waugh\" \"Herman Melville\" \"J. R. R. Tolkien\""},
        {"$.store.*.color", "\"red\""},
        {"$.store..price", "8.95 12.99 8.99 22.99 399"},
        {"$..book[2].title", "\"Moby Dick\""},
        {"$..book[2].author", "\"Herman Melville\""},
        {"$..book[2].publisher", ""},
        {"$..book[-1].title", "\"The Lord of the Rings\""},
        {"$..book[0,1].price", "8.95 12.99"},
        {"$..book[:2].price", "8.95 12.99"},
        {"$..book[?@.isbn].price", "8.99 22.99"},
        {"$..book[?@.price<10].title", "\"Sayings of the Century\" \"Moby Dick\""},
    };
    struct jsonpath *all = selecting_compile("$..*");
    struct document d = document_of(store);
    struct jsonpath_session session = selecting_session(&d);
    struct node_list list;

    (void)state;
    ASSERT_ALL(store, examples);
    assert_int_equal(jsonpath_select(all, d.root, &session, &list), JSONPATH_OK);
    assert_int_equal(list.count, 27);
    document_free(&d);
    jsonpath_free(all);
}

static void s2_1_1_blank_space_stands_between_segments_and_in_brackets(void **state)
{
    static const struct selecting_example examples[] = {
        {"$ .a\n..b", "1"},
        {"$..\t[ ?\r@ .b == 1 ]", ""},
        {"$\t[ ?\r@ .b == 1 ]", "{\"b\":1}"},
        {"$[?( @.b ==1&&! @.c )|| @.x ]", "{\"b\":1}"},
        {"$[? length( @ .b )==1 || count( @ .* )== 1]", "{\"b\":1}"},
        {"$[?match( 'x'\n,\t'x' )]", "{\"b\":1}"},
    };

    (void)state;
    selecting_assert_all("{\"a\":{\"b\":1}}", examples, 1);
    selecting_assert_all("{\"a\":{\"b\":1}}", examples + 2,
                         sizeof(examples) / sizeof(*examples) - 2);
}

static void s2_2_3_the_root_is_the_whole_document(void **state)
{
    static const struct selecting_example examples[] = {{"$", "{\"k\":\"v\"}"}};

    (void)state;
    ASSERT_ALL("{\"k\":\"v\"}", examples);
}

static void s2_3_1_3_name_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.o['j j']", "{\"k.k\":3}"},
        {"$.o['j j']['k.k']", "3"},
        {"$.o[\"j j\"][\"k.k\"]", "3"},
        {"$[\"'\"][\"@\"]", "2"},
    };

    (void)state;
    ASSERT_ALL("{\"o\":{\"j j\":{\"k.k\":3}},\"'\":{\"@\":2}}", examples);
}

static void s2_3_1_2_names_are_compared_by_code_points_without_normalization(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.\xc3\xa9", "1"}, {"$['e\\u0301']", "2"}, {"$['\\u00E9']", "1"}};

    (void)state;
    ASSERT_ALL("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}", examples);
}

static void s2_3_2_3_wildcard_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[*]", "{\"j\":1,\"k\":2} [5,3]"},
        {"$.o[*]", "1 2"},
        {"$.o[*, *]", "1 2 1 2"},
        {"$.a[*]", "5 3"},
    };

    (void)state;
    ASSERT_ALL("{\"o\":{\"j\":1,\"k\":2},\"a\":[5,3]}", examples);
}

static void s2_3_3_3_index_selectors(void **state)
{
    static const struct selecting_example examples[] = {{"$[1]", "\"b\""}, {"$[-2]", "\"a\""}};

    (void)state;
    ASSERT_ALL("[\"a\",\"b\"]", examples);
}

static void s2_3_4_3_slice_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[1:3]", "\"b\" \"c\""},
        {"$[5:]", "\"f\" \"g\""},
        {"$[1:5:2]", "\"b\" \"d\""},
        {"$[5:1:-2]", "\"f\" \"d\""},
        {"$[::-1]", "\"g\" \"f\" \"e\" \"d\" \"c\" \"b\" \"a\""},
    };

    (void)state;
    ASSERT_ALL("[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]", examples);
}

static void s2_3_5_2_2_comparisons(void **state)
{
    static const struct condition conditions[] = {
        {"$.absent1 == $.absent2", true},
        {"$.absent1 <= $.absent2", true},
        {"$.absent1 >= $.absent2", true},
        {"$.absent1 < $.absent2", false},
        {"$.absent == 'g'", false},
        {"$.absent1 != $.absent2", false},
        {"$.absent != 'g'", true},
        {"$.absent == null", false},
        {"1 <= 2", true},
        {"1 > 2", false},
        {"13 == '13'", false},
        {"'a' <= 'b'", true},
        {"'a' > 'b'", false},
        {"$.obj == $.arr", false},
        {"$.obj != $.arr", true},
        {"$.obj == $.obj", true},
        {"$.obj != $.obj", false},
        {"$.arr == $.arr", true},
        {"$.arr != $.arr", false},
        {"$.obj == 17", false},
        {"$.obj != 17", true},
        {"$.obj <= $.arr", false},
        {"$.obj < $.arr", false},
        {"$.obj <= $.obj", true},
        {"$.arr <= $.arr", true},
        {"$.arr >= $.arr", true},
        {"1 <= $.arr", false},
        {"1 >= $.arr", false},
        {"1 > $.arr", false},
        {"1 < $.arr", false},
        {"true <= true", true},
        {"true > true", false},
        {"true == false", false},
        {"false < true", false},
        {"null == null", true},
        {"null <= null", true},
        {"null == false", false},
        {"'' < 'a'", true},
        {"'' == ''", true},
        {"'' < ''", false},
        {"'' <= ''", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"obj\":{\"x\":\"y\"},\"arr\":[2,3],\"one\":[0]}", conditions);
}

static void s2_3_5_2_2_numbers_compare_exactly(void **state)
{
    static const struct condition conditions[] = {
        {"$.big == 9007199254740993", true},
        {"$.big == 9007199254740992", false},
        {"$.big > 9007199254740992", true},
        {"$.big < 9007199254740994", true},
        {"$.huge == 1234567890123456789012345678901234567890", true},
        {"$.huge < 1234567890123456789012345678901234567891", true},
        {"$.huge > 1234567890123456789012345678901234567889.9", true},
        {"$.huge == 1234567890123456789012345678901234567890.000", true},
        {"$.huge == 123456789012345678901234567890123456789e1", true},
        {"$.tenth == 0.1", true},
        {"$.tenth == 0.1000000000000000055511151231257827021181583404541015625", false},
        {"$.tenth < 0.1000000000000000055511151231257827021181583404541015625", true},
        {"$.tenth == 1e-1", true},
        {"$.tenth == 10E-2", true},
        {"1e400 == 1e400", true},
        {"1e400 < 1e401", true},
        {"-1e400 < 1e-400", true},
        {"1e-400 > 0", true},
        {"-0 == 0", true},
        {"-0.0 == 0e5", true},
        {"-1 < 0", true},
        {"-2 < -1", true},
        {"1 == 1.0", true},
        {"100 == 1e2", true},
        {"100 == 1E+2", true},
        {"1.5 > 1.49999999999999999999999999", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"big\":9007199254740993,\"huge\":"
                      "1234567890123456789012345678901234567890,\"tenth\":0.1,\"one\":[0]}",
                      conditions);
}

static void s2_3_5_2_2_strings_compare_by_code_points(void **state)
{
    static const struct condition conditions[] = {
        {"'\\uffff' < '\\ud800\\udc00'", true}, /* the other way round in UTF-16 */
        {"'Z' < 'a'", true},
        {"'a' < 'aa'", true},
        {"'a\\u0000' > 'a'", true},
        {"'\\u00e9' == '\xc3\xa9'", true},
        {"'e\\u0301' == '\xc3\xa9'", false},
        {"'10' < '9'", true},
        {"\"it's\" == 'it\\'s'", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"one\":[0]}", conditions);
}

static void s2_3_5_2_2_arrays_and_objects_are_equal_in_depth(void **state)
{
    static const struct condition conditions[] = {
        {"$.a == $.b", true},         {"$.a == $.c", false},
        {"$.list == $.same", true},   {"$.list == $.longer", false},
        {"$.list == $.other", false}, {"$.empty == $.none", false},
        {"$.empty == $.empty", true}, {"$.twice == $.swapped", false},
        {"$.twice == $.twice", true}, {"$.twice == $.pair", false},
        {"$.pair == $.twice", false},
    };

    (void)state;
    ASSERT_CONDITIONS(
        "{\"a\":{\"x\":1,\"y\":[{\"z\":1e1}],\"w\":null},"
        "\"b\":{\"w\":null,\"y\":[{\"z\":10.0}],\"x\":1},"
        "\"c\":{\"w\":null,\"y\":[{\"z\":11}],\"x\":1},"
        "\"list\":[1,[2,\"3\"],{}],\"same\":[1.0,[2,\"3\"],{}],\"longer\":[1,[2,\"3\"],"
        "{},0],\"other\":[1,[2,3],{}],\"empty\":[],\"none\":{},"
        "\"twice\":{\"p\":1,\"p\":1},\"swapped\":{\"p\":1,\"q\":1},"
        "\"pair\":{\"p\":1,\"r\":1},\"one\":[0]}",
        conditions);
}

static const char filtered[] =
    "{\"a\":[3,5,1,2,4,6,{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}],"
    "\"o\":{\"p\":1,\"q\":2,\"r\":3,\"s\":5,\"t\":{\"u\":6}},\"e\":\"f\"}";

static void s2_3_5_3_filter_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.a[?@.b == 'kilo']", "{\"b\":\"kilo\"}"},
        {"$.a[?(@.b == 'kilo')]", "{\"b\":\"kilo\"}"},
        {"$.a[?@>3.5]", "5 4 6"},
        {"$.a[?@.b]", "{\"b\":\"j\"} {\"b\":\"k\"} {\"b\":{}} {\"b\":\"kilo\"}"},
        {"$[?@[?@.b]][0]", "3"},
        {"$.o[?@<3, ?@<3]", "1 2 1 2"},
        {"$.a[?@<2 || @.b == \"k\"]", "1 {\"b\":\"k\"}"},
        {"$.a[?match(@.b, \"[jk]\")]", "{\"b\":\"j\"} {\"b\":\"k\"}"},
        {"$.a[?search(@.b, \"[jk]\")]", "{\"b\":\"j\"} {\"b\":\"k\"} {\"b\":\"kilo\"}"},
        {"$.o[?@>1 && @<4]", "2 3"},
        {"$.o[?@.u || @.x]", "{\"u\":6}"},
        {"$.a[?@.b == $.x]", "3 5 1 2 4 6"},
        {"$.a[?@ == @]", "3 5 1 2 4 6 {\"b\":\"j\"} {\"b\":\"k\"} {\"b\":{}} {\"b\":\"kilo\"}"},
        {"$[?@.*]", "[3,5,1,2,4,6,{\"b\":\"j\"},{\"b\":\"k\"},{\"b\":{}},{\"b\":\"kilo\"}] "
                    "{\"p\":1,\"q\":2,\"r\":3,\"s\":5,\"t\":{\"u\":6}}"},
    };

    (void)state;
    ASSERT_ALL(filtered, examples);
}

static void s2_3_5_1_a_filter_selects_of_arrays_and_objects_only(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.e[?@]", ""}, {"$.o.p[?@]", ""}, {"$.o[?@ == 5]", "5"}, {"$.x[?@]", ""}};

    (void)state;
    ASSERT_ALL(filtered, examples);
}

static void s2_3_5_1_existence_is_not_truth(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[?@.a]", "{\"a\":null} {\"a\":false} {\"a\":0} {\"a\":\"\"} {\"a\":[]}"},
        {"$[?!@.a]", "{} {\"b\":1}"},
        {"$[?@.a[0]]", ""},
        {"$[?@.*]", "{\"a\":null} {\"a\":false} {\"a\":0} {\"a\":\"\"} {\"a\":[]} {\"b\":1}"},
        {"$[?@['a','b']]",
         "{\"a\":null} {\"a\":false} {\"a\":0} {\"a\":\"\"} {\"a\":[]} {\"b\":1}"},
        {"$[?@..b]", "{\"b\":1}"},
        {"$[?$[7]]", ""},
        {"$[?$[6].b].b", "1"},
    };

    (void)state;
    ASSERT_ALL("[{\"a\":null},{\"a\":false},{\"a\":0},{\"a\":\"\"},{\"a\":[]},{},{\"b\":1}]",
               examples);
}

static void s2_3_5_1_not_binds_before_and_before_or(void **state)
{
    static const struct condition conditions[] = {
        {"1==1 || 1==2 && 1==2", true},
        {"(1==1 || 1==2) && 1==2", false},
        {"!(1==2) && 1==1", true},
        {"!(1==1 && 1==2)", true},
        {"!(1==1) || 1==1", true},
        {"!(!(1==1))", true},
        {"((1==1))", true},
        {"!@.x && !@.y || 1==2", true},
        {"1==2 || 1==2 || 1==1", true},
        {"1==1 && 1==1 && 1==2", false},
        {"!match('a','b')", true},
        {"! search('a','b')", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"one\":[0]}", conditions);
}

static void s2_3_5_filters_nest_with_an_at_of_their_own(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.teams[?@.members[?@.age > 40]].name", "\"b\""},
        {"$.teams[?@.members[?@.age > $.limit && @.team == 'a']].name", "\"a\""},
        {"$.teams[?count(@.members[?@.age < 40]) == 2].name", "\"a\""},
        {"$.teams[*].members[?@.age == 50].age", "50"},
        {"$.teams[?@['members'][?@['age']>40]]['name']", "\"b\""},
    };

    (void)state;
    ASSERT_ALL("{\"limit\":20,\"teams\":[{\"name\":\"a\",\"members\":[{\"age\":30,\"team\":\"a\"},"
               "{\"age\":20}]},{\"name\":\"b\",\"members\":[{\"age\":50}]}]}",
               examples);
}

static void s2_4_3_what_is_well_typed_is_taken(void **state)
{
    static const char *const paths[] = {
        "$[?length(@) < 3]",
        "$[?count(@.*) == 1]",
        "$[?match(@.timezone, 'Europe/.*')]",
        "$[?value(@..color) == \"red\"]",
        "$[?length(value(@.*)) == length('abc')]",
        "$[?match(value(@..a), value($..b))]",
        "$[?match(@.a, 1)]",
        "$[?length(1) == length(true)]",
        "$[?count(@) == 1]",
        "$[?count($[?count(@.*) > 1]) == 1]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        jsonpath_free(selecting_compile(paths[i]));
}

static void s2_4_4_length(void **state)
{
    static const struct condition conditions[] = {
        {"length('') == 0", true},
        {"length('abc') == 3", true},
        {"length('\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80') == 3", true},
        {"length('e\\u0301') == 2", true},
        {"length($.arr) == 2", true},
        {"length($.obj) == 1", true},
        {"length($.none) == 0", true},
        {"length(1) == 1", false},
        {"length(null) == $.absent", true},
        {"length(true) == 4", false},
        {"length($.absent) == $.absent", true},
        {"length($.absent) < 1", false},
        {"length($.arr) > 1.5", true},
        {"length(value($.arr[*])) == $.absent", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"arr\":[1,2],\"obj\":{\"a\":[1,2,3]},\"none\":{},\"one\":[0]}",
                      conditions);
}

static void s2_4_5_count(void **state)
{
    static const struct condition conditions[] = {
        {"count($.arr[*]) == 3", true},  {"count($.arr) == 1", true},
        {"count($.absent) == 0", true},  {"count($.arr[0,0,0]) == 3", true},
        {"count($.arr..*) == 4", true},  {"count($..*) >= 5", true},
        {"count(@) == 1", true},         {"count($.arr[?@ > 1]) == 1", true},
        {"count($.arr[5:]) == 0", true}, {"count($['arr','arr']) == 2", true},
        {"count($..absent) == 0", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"arr\":[1,2,[3]],\"one\":[0]}", conditions);
}

static void s2_4_6_match_takes_the_whole_text(void **state)
{
    static const struct condition conditions[] = {
        {"match('1974-05-01', '1974-05-..')", true},
        {"match('x1974-05-01', '1974-05-..')", false},
        {"match('abc', 'ab|abc')", true},
        {"match('abc', 'b')", false},
        {"match('', '')", true},
        {"match('a\\n', 'a')", false},
        {"match('a', 'A')", false},
        {"match(1, '1')", false},
        {"match('1', 1)", false},
        {"match($.absent, '.*')", false},
        {"match('a', $.absent)", false},
        {"match('a', $.pattern)", true},
        {"match('b', $.pattern)", false},
        {"match('(', $.broken)", false},
        {"match('\xf0\x9f\x98\x80', '.')", true},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"pattern\":\"[a]\",\"broken\":\"(\",\"one\":[0]}", conditions);
}

static void s2_4_7_search_takes_a_part_of_the_text(void **state)
{
    static const struct condition conditions[] = {
        {"search('The Bobs', '[Bb]ob')", true},
        {"search('The Robs', '[Bb]ob')", false},
        {"search('', '')", true},
        {"search('abc', '')", true},
        {"search('abc', '^b')", false},
        {"search('abc', '^a')", true},
        {"search('abc', 'c$')", true},
        {"search('abc\\n', 'c$')", false},
        {"search(1, '1')", false},
        {"search('xay', $.pattern)", true},
        {"search('(', $.broken)", false},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"pattern\":\"[a]\",\"broken\":\"(\",\"one\":[0]}", conditions);
}

static void s2_4_8_value_of_exactly_one_node(void **state)
{
    static const struct condition conditions[] = {
        {"value($..color) == 'red'", true},          {"value($..size) == $.absent", true},
        {"value($.absent) == $.absent", true},       {"value($.things[*]) == $.absent", true},
        {"value($.things[0]) == $.things[0]", true}, {"value($..color) != 'red'", false},
    };

    (void)state;
    ASSERT_CONDITIONS("{\"things\":[{\"color\":\"red\",\"size\":1},{\"size\":1}],\"one\":[0]}",
                      conditions);
}

static void s2_5_1_3_child_segments(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[0, 3]", "\"a\" \"d\""},
        {"$[0:2, 5]", "\"a\" \"b\" \"f\""},
        {"$[0, 0]", "\"a\" \"a\""},
    };

    (void)state;
    ASSERT_ALL("[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]", examples);
}

static void s2_5_2_3_descendant_segments(void **state)
{
    static const struct selecting_example examples[] = {
        {"$..j", "1 4"},
        {"$..[0]", "5 {\"j\":4}"},
        {"$..[*]", "{\"j\":1,\"k\":2} [5,3,[{\"j\":4},{\"k\":6}]] 1 2 5 3 [{\"j\":4},{\"k\":6}] "
                   "{\"j\":4} {\"k\":6} 4 6"},
        {"$..*", "{\"j\":1,\"k\":2} [5,3,[{\"j\":4},{\"k\":6}]] 1 2 5 3 [{\"j\":4},{\"k\":6}] "
                 "{\"j\":4} {\"k\":6} 4 6"},
        {"$..o", "{\"j\":1,\"k\":2}"},
        {"$.o..[*, *]", "1 2 1 2"},
        {"$.a..[0, 1]", "5 3 {\"j\":4} {\"k\":6}"},
        {"$..[?@.j].j", "1 4"},
        {"$..['j','k']", "1 2 4 6"},
        {"$..[-1:]", "[{\"j\":4},{\"k\":6}] {\"k\":6}"},
        {"$..a..k", "6"},
        {"$..x", ""},
        {"$.o.j..*", ""},
        {"$.a[2]..*", "{\"j\":4} {\"k\":6} 4 6"},
        {"$..[2]..[?@.k > 5]", "{\"k\":6}"},
    };

    (void)state;
    ASSERT_ALL("{\"o\":{\"j\":1,\"k\":2},\"a\":[5,3,[{\"j\":4},{\"k\":6}]]}", examples);
}

static void s2_5_2_2_a_name_is_no_descendant(void **state)
{
    static const struct selecting_example examples[] = {
        {"$..[?@ == 'a']", "\"a\""}, {"$..*", "\"x\" {\"c\":\"a\"} \"a\""}, {"$..a", "\"x\""}};

    (void)state;
    ASSERT_ALL("{\"a\":\"x\",\"b\":{\"c\":\"a\"}}", examples);
}

static void s2_5_2_2_nodes_come_as_often_as_they_are_reached(void **state)
{
    static const struct selecting_example examples[] = {{"$..*..*", "[[1]] [1] 1 [1] 1 1"},
                                                        {"$..[0]..[0]", "[1] 1 1"}};

    (void)state;
    selecting_assert_all("[[[1]]]", examples + 1, 1);
    selecting_assert_all("[[[[1]]]]", examples, 1);
}

static void s2_6_1_null_is_a_value(void **state)
{
    static const struct selecting_example examples[] = {
        {"$.a", "null"},           {"$.a[0]", ""},          {"$.a.d", ""},
        {"$.b[0]", "null"},        {"$.b[*]", "null"},      {"$.b[?@]", "null"},
        {"$.b[?@==null]", "null"}, {"$.c[?@.d==null]", ""}, {"$.null", "1"},
    };

    (void)state;
    ASSERT_ALL("{\"a\":null,\"b\":[null],\"c\":[{}],\"null\":1}", examples);
}

static void s2_3_5_a_filter_stands_beside_other_selectors(void **state)
{
    static const struct selecting_example examples[] = {
        {"$[?@ > 2, 0]", "3 4 1"},
        {"$[-1, ?@ == 1, 1:3]", "4 1 2 3"},
        {"$[?@ > 3,?@ < 2]", "4 1"},
    };

    (void)state;
    ASSERT_ALL("[1,2,3,4]", examples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s1_5_the_bookstore),
        cmocka_unit_test(s2_1_1_blank_space_stands_between_segments_and_in_brackets),
        cmocka_unit_test(s2_2_3_the_root_is_the_whole_document),
        cmocka_unit_test(s2_3_1_3_name_selectors),
        cmocka_unit_test(s2_3_1_2_names_are_compared_by_code_points_without_normalization),
        cmocka_unit_test(s2_3_2_3_wildcard_selectors),
        cmocka_unit_test(s2_3_3_3_index_selectors),
        cmocka_unit_test(s2_3_4_3_slice_selectors),
        cmocka_unit_test(s2_3_5_2_2_comparisons),
        cmocka_unit_test(s2_3_5_2_2_numbers_compare_exactly),
        cmocka_unit_test(s2_3_5_2_2_strings_compare_by_code_points),
        cmocka_unit_test(s2_3_5_2_2_arrays_and_objects_are_equal_in_depth),
        cmocka_unit_test(s2_3_5_3_filter_selectors),
        cmocka_unit_test(s2_3_5_1_a_filter_selects_of_arrays_and_objects_only),
        cmocka_unit_test(s2_3_5_1_existence_is_not_truth),
        cmocka_unit_test(s2_3_5_1_not_binds_before_and_before_or),
        cmocka_unit_test(s2_3_5_filters_nest_with_an_at_of_their_own),
        cmocka_unit_test(s2_3_5_a_filter_stands_beside_other_selectors),
        cmocka_unit_test(s2_4_3_what_is_well_typed_is_taken),
        cmocka_unit_test(s2_4_4_length),
        cmocka_unit_test(s2_4_5_count),
        cmocka_unit_test(s2_4_6_match_takes_the_whole_text),
        cmocka_unit_test(s2_4_7_search_takes_a_part_of_the_text),
        cmocka_unit_test(s2_4_8_value_of_exactly_one_node),
        cmocka_unit_test(s2_5_1_3_child_segments),
        cmocka_unit_test(s2_5_2_2_a_name_is_no_descendant),
        cmocka_unit_test(s2_5_2_2_nodes_come_as_often_as_they_are_reached),
        cmocka_unit_test(s2_5_2_3_descendant_segments),
        cmocka_unit_test(s2_6_1_null_is_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
