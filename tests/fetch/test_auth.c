#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/auth.h"

struct rig {
    struct arena *arena;
    struct draft draft;
    struct hidden hidden;
    struct fault fault;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->arena = arena_create(0);
    assert_non_null(rig->arena);
    draft_start(&rig->draft, rig->arena, "https://example.org/");
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    hidden_clear(&rig->hidden);
    arena_free(rig->arena);
    free(rig);
    return 0;
}

#define LITERAL(value) (&(struct secret){SECRET_LITERAL, (value)})

static const char *header_of(const struct rig *rig, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < rig->draft.headers.count; i++) {
        if (strcasecmp(rig->draft.headers.items[i].name, name) == 0) {
            assert_null(found);
            found = rig->draft.headers.items[i].value;
        }
    }
    return found;
}

static void apply(struct rig *rig, const struct auth *auth)
{
    assert_int_equal(auth_apply(auth, NULL, &rig->draft, &rig->hidden, &rig->fault), 0);
    assert_false(rig->draft.failed);
}

static void assert_refused(struct rig *rig, const struct auth *auth, const char *text)
{
    assert_int_equal(auth_apply(auth, NULL, &rig->draft, &rig->hidden, &rig->fault), -1);
    assert_int_equal(rig->fault.kind, RUN_FAILED_AUTH);
    assert_false(rig->fault.retryable);
    assert_string_equal(rig->fault.text, text);
    assert_int_equal(rig->draft.headers.count, 0);
}

static void nothing_is_sent_without_auth(void **state)
{
    struct rig *rig = *state;

    apply(rig, NULL);
    apply(rig, &(struct auth){.type = AUTH_NONE});
    assert_int_equal(rig->draft.headers.count, 0);
}

/* RFC 7617, 2: the example of the standard. */
static void basic_sends_name_and_password_in_base64(void **state)
{
    struct rig *rig = *state;

    apply(rig, &(struct auth){.type = AUTH_BASIC,
                              .username = LITERAL("Aladdin"),
                              .password = LITERAL("open sesame")});
    assert_string_equal(header_of(rig, "Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

static void basic_without_a_password_sends_an_empty_one(void **state)
{
    struct rig *rig = *state;

    apply(rig, &(struct auth){.type = AUTH_BASIC, .username = LITERAL("sk_key")});
    assert_string_equal(header_of(rig, "Authorization"), "Basic c2tfa2V5Og==");
}

static void basic_refuses_a_name_with_a_colon(void **state)
{
    assert_refused(*state, &(struct auth){.type = AUTH_BASIC, .username = LITERAL("hunter:2")},
                   "auth: a username with a colon cannot be sent by basic");
}

static void bearer_replaces_what_the_source_says_itself(void **state)
{
    struct rig *rig = *state;

    draft_add_header(&rig->draft, "authorization", "old");
    apply(rig, &(struct auth){.type = AUTH_BEARER, .token = LITERAL("abc")});
    assert_string_equal(header_of(rig, "Authorization"), "Bearer abc");
}

static void an_api_key_goes_where_it_is_told(void **state)
{
    struct rig *rig = *state;
    struct auth auth = {.type = AUTH_API_KEY,
                        .key = LITERAL("k&y"),
                        .in = AUTH_IN_HEADER,
                        .name = "X-Api-Key",
                        .prefix = "token "};
    struct text url = {0};

    apply(rig, &auth);
    assert_string_equal(header_of(rig, "X-Api-Key"), "token k&y");
    auth.in = AUTH_IN_QUERY;
    auth.name = "api key";
    auth.prefix = "";
    apply(rig, &auth);
    draft_write_url(&rig->draft, &url);
    assert_string_equal(text_string(&url), "https://example.org/?api%20key=k%26y");
    text_free(&url);
}

static void a_key_in_a_cookie_joins_the_cookies_there_are(void **state)
{
    struct rig *rig = *state;
    struct auth auth = {.type = AUTH_API_KEY,
                        .key = LITERAL("k"),
                        .in = AUTH_IN_COOKIE,
                        .name = "sid",
                        .prefix = ""};

    draft_add_header(&rig->draft, "cookie", "a=1");
    apply(rig, &auth);
    assert_string_equal(header_of(rig, "Cookie"), "a=1; sid=k");
}

static void what_a_server_repeats_of_it_is_hidden(void **state)
{
    struct rig *rig = *state;
    char words[] = "no a&key9, a%26key9, QWxhZGRpbjpvcGVuIHNlc2FtZQ==, open sesame; a&key";

    apply(rig, &(struct auth){.type = AUTH_BASIC,
                              .username = LITERAL("Aladdin"),
                              .password = LITERAL("open sesame")});
    apply(rig, &(struct auth){.type = AUTH_BEARER, .token = LITERAL("a&key9")});
    hidden_overwrite(&rig->hidden, words, strlen(words));
    assert_string_equal(words,
                        "no ******, ********, ****************************, ***********; a&key");
    assert_int_equal(hidden_at(&rig->hidden, "a&key9", 5), 0);
    assert_int_equal(hidden_at(&rig->hidden, "a&key9", 6), 6);
}

static void digest_is_left_to_libcurl(void **state)
{
    struct rig *rig = *state;

    apply(rig, &(struct auth){
                   .type = AUTH_DIGEST, .username = LITERAL("name"), .password = LITERAL("a:b")});
    assert_string_equal(rig->draft.username, "name");
    assert_string_equal(rig->draft.password, "a:b");
    assert_int_equal(rig->draft.headers.count, 0);
}

static void a_secret_of_two_lines_is_refused_and_not_shown(void **state)
{
    assert_refused(*state,
                   &(struct auth){.type = AUTH_BEARER, .token = LITERAL("hunter2\nX-Other: 1")},
                   "auth: the token holds a line break or another control character; write it on "
                   "one line");
}

static void a_secret_that_cannot_be_read_is_a_fault(void **state)
{
    struct secret secret = {SECRET_FILE, "/nowhere/token"};

    assert_refused(*state, &(struct auth){.type = AUTH_BEARER, .token = &secret},
                   "auth: the file with the secret, /nowhere/token, cannot be read: No such file "
                   "or directory");
}

static void a_redirect_that_drops_the_key_gets_it_back(void **state)
{
    static const char *const cases[][2] = {
        {"https://h/b", "https://h/b?key=k%26y"},
        {"https://h/b?x=1#part", "https://h/b?x=1&key=k%26y"},
        {"https://h/b?key=other", "https://h/b?key=other"},
        {"https://h/b?a=1&key=other", "https://h/b?a=1&key=other"},
        {"https://h/b?monkey=1", "https://h/b?monkey=1&key=k%26y"},
    };
    struct rig *rig = *state;
    struct auth auth = {.type = AUTH_API_KEY,
                        .key = LITERAL("k&y"),
                        .in = AUTH_IN_QUERY,
                        .name = "key",
                        .prefix = ""};

    apply(rig, &auth);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text url = {0};

        text_add(&url, cases[i][0]);
        auth_keep_param(&auth, &rig->draft, &url);
        assert_string_equal(text_string(&url), cases[i][1]);
        text_free(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_sent_without_auth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(basic_sends_name_and_password_in_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(basic_without_a_password_sends_an_empty_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(basic_refuses_a_name_with_a_colon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bearer_replaces_what_the_source_says_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_api_key_goes_where_it_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_in_a_cookie_joins_the_cookies_there_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_server_repeats_of_it_is_hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(digest_is_left_to_libcurl, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_of_two_lines_is_refused_and_not_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_secret_that_cannot_be_read_is_a_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_redirect_that_drops_the_key_gets_it_back, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
