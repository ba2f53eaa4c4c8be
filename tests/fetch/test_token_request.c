#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/response.h"
#include "fetch/token_request.h"

struct rig {
    struct arena *arena;
    struct token_request request;
    struct draft draft;
    struct token_result result;
    struct fault fault;
};

#define LITERAL(value) (&(const struct secret){SECRET_LITERAL, (value)})

static const struct auth oauth2 = {
    .type = AUTH_OAUTH2,
    .grant = GRANT_CLIENT_CREDENTIALS,
    .token_url = "https://login.example.org/token",
    .token_host = "login.example.org:443",
    .client_id = "a client",
    .client_secret = &(const struct secret){SECRET_LITERAL, "s3cret&"},
    .client_auth = CLIENT_AUTH_BODY,
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->arena = arena_create(0);
    assert_non_null(rig->arena);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    token_request_clear(&rig->request);
    token_result_clear(&rig->result);
    arena_free(rig->arena);
    free(rig);
    return 0;
}

static const char *header_of(const struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->draft.headers.count; i++) {
        if (strcasecmp(rig->draft.headers.items[i].name, name) == 0)
            return rig->draft.headers.items[i].value;
    }
    return NULL;
}

static void build(struct rig *rig, const struct auth *auth)
{
    assert_int_equal(
        token_request_build(&rig->request, NULL, auth, rig->arena, &rig->draft, &rig->fault), 0);
}

static void assert_body(const struct rig *rig, const char *expected)
{
    assert_int_equal(rig->draft.body.length, strlen(expected));
    assert_memory_equal(rig->draft.body.data, expected, strlen(expected));
}

/* Asking. */

static void a_client_asks_in_the_body(void **state)
{
    static const char *const scopes[] = {"a", "b:c"};
    struct auth auth = oauth2;

    auth.scopes = scopes;
    auth.scope_count = 2;
    auth.audience = "x";
    build(*state, &auth);
    assert_body(*state, "grant_type=client_credentials&client_id=a%20client&"
                        "client_secret=s3cret%26&scope=a%20b%3Ac&audience=x");
    assert_string_equal(((struct rig *)*state)->draft.method, "POST");
    assert_string_equal(header_of(*state, "Content-Type"), "application/x-www-form-urlencoded");
    assert_null(header_of(*state, "Authorization"));
}

/* RFC 6749, 2.3.1: both are encoded before they are joined. */
static void a_client_asks_in_the_header(void **state)
{
    struct auth auth = oauth2;

    auth.client_auth = CLIENT_AUTH_HEADER;
    build(*state, &auth);
    assert_body(*state, "grant_type=client_credentials");
    assert_string_equal(header_of(*state, "Authorization"),
                        "Basic YSUyMGNsaWVudDpzM2NyZXQlMjY="); /* a%20client:s3cret%26 */
}

static const struct login by_json = {.url = "https://api.example.org/login",
                                     .host = "api.example.org:443",
                                     .method = METHOD_PUT,
                                     .username_param = "user.name",
                                     .password_param = "pass"};

static void a_login_without_body_and_form_is_json(void **state)
{
    const struct auth auth = {.type = AUTH_SESSION,
                              .username = LITERAL("reader"),
                              .password = LITERAL("a\"b\\"),
                              .login = &by_json};

    build(*state, &auth);
    assert_body(*state, "{\"user\":{\"name\":\"reader\"},\"pass\":\"a\\\"b\\\\\"}");
    assert_string_equal(((struct rig *)*state)->draft.method, "PUT");
    assert_string_equal(header_of(*state, "Content-Type"), "application/json");
}

static void a_login_without_params_goes_by_basic(void **state)
{
    struct login login = by_json;
    const struct auth auth = {.type = AUTH_SESSION,
                              .username = LITERAL("Aladdin"),
                              .password = LITERAL("open sesame"),
                              .login = &login};

    login.username_param = NULL;
    login.password_param = NULL;
    build(*state, &auth);
    assert_int_equal(((struct rig *)*state)->draft.body.length, 0);
    assert_string_equal(header_of(*state, "Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

static void a_secret_that_cannot_be_read_is_the_fault(void **state)
{
    struct auth auth = oauth2;
    struct rig *rig = *state;

    auth.client_secret = &(const struct secret){SECRET_FILE, "/nowhere/secret"};
    assert_int_equal(
        token_request_build(&rig->request, NULL, &auth, rig->arena, &rig->draft, &rig->fault), -1);
    assert_int_equal(rig->fault.kind, RUN_FAILED_AUTH);
    assert_string_equal(rig->fault.text, "auth: the file with the secret, /nowhere/secret, cannot "
                                         "be read: No such file or directory");
}

/* Answers. */

static int answer(struct rig *rig, const struct auth *auth, int status, const char *head,
                  const char *body)
{
    response_clear(&rig->request.response);
    token_result_clear(&rig->result);
    rig->fault = (struct fault){0};
    rig->request.response.status = status;
    text_add(&rig->request.response.head, head);
    rig->request.response.body = strdup(body);
    rig->request.response.body_bytes = strlen(body);
    return token_request_read(&rig->request, auth, &rig->result, &rig->fault);
}

static void assert_lifetime(struct rig *rig, const char *expires_in, int64_t expected_ms)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"access_token\": \"a\", \"expires_in\": %s}", expires_in);
    assert_int_equal(answer(rig, &oauth2, 200, "", body), 0);
    assert_true(rig->result.lifetime_ms == expected_ms);
}

static void a_lifetime_is_a_number_or_a_string_and_otherwise_not_known(void **state)
{
    assert_lifetime(*state, "3600", 3600000);
    assert_lifetime(*state, "\"3600\"", 3600000);
    assert_lifetime(*state, "1.5", 1500);
    assert_lifetime(*state, "3.6e3", 3600000);
    assert_lifetime(*state, "1e300", INT64_MAX);
    assert_lifetime(*state, "0", -1);
    assert_lifetime(*state, "-1", -1);
    assert_lifetime(*state, "null", -1);
    assert_lifetime(*state, "\"soon\"", -1);
    assert_lifetime(*state, "\"nan\"", -1);
    assert_lifetime(*state, "\"10 s\"", -1);
    assert_lifetime(*state, "[1]", -1);
    assert_lifetime(*state, "11111111111111111111111111111111111111111111111", -1);
}

static void a_refresh_token_counts_only_where_it_was_asked_with_another(void **state)
{
    static const char body[] = "{\"access_token\": \"a\", \"refresh_token\": \"next\"}";
    struct rig *rig = *state;
    struct auth auth = oauth2;

    assert_int_equal(answer(rig, &auth, 200, "", body), 0);
    assert_int_equal(rig->result.refresh_token.length, 0);
    auth.grant = GRANT_REFRESH_TOKEN;
    assert_int_equal(answer(rig, &auth, 200, "", body), 0);
    assert_string_equal(text_string(&rig->result.refresh_token), "next");
    text_add(&rig->request.refresh_token, "next");
    assert_int_equal(answer(rig, &auth, 200, "", body), 0);
    assert_int_equal(rig->result.refresh_token.length, 0);
}

static void what_a_server_says_of_its_error_is_cut_cleaned_and_without_secrets(void **state)
{
    struct rig *rig = *state;
    char body[600];
    char text[sizeof(rig->fault.text)];

    build(rig, &oauth2);
    assert_int_equal(answer(rig, &oauth2, 400, "",
                            "{\"error\": \"invalid_client\", \"error_description\": \"s3cret& or "
                            "s3cret%26\\u001b[2J\"}"),
                     -1);
    assert_false(rig->fault.retryable);
    assert_string_equal(rig->fault.text,
                        "auth: token request to login.example.org:443: HTTP 400 Bad Request: "
                        "invalid_client: *** or ***\\x1b[2J");
    snprintf(body, sizeof(body), "{\"error\": \"%0*d\"}", 500, 0);
    snprintf(text, sizeof(text),
             "auth: token request to login.example.org:443: HTTP 503 Service Unavailable: %0*d",
             160, 0);
    assert_int_equal(answer(rig, &oauth2, 503, "", body), -1);
    assert_true(rig->fault.retryable);
    assert_string_equal(rig->fault.text, text);
}

static void assert_cookie(struct rig *rig, const char *head, const char *expected)
{
    const struct auth auth = {.type = AUTH_SESSION, .login = &by_json, .cookie = "sid"};
    int rc = answer(rig, &auth, 302, head, "<html>");

    assert_int_equal(rc, expected == NULL ? -1 : 0);
    assert_string_equal(text_string(&rig->result.token), expected == NULL ? "" : expected);
}

static void a_cookie_is_found_by_its_whole_name_and_the_last_one_counts(void **state)
{
    assert_cookie(*state, "Set-Cookie: sid=abc; Path=/; HttpOnly\n", "abc");
    assert_cookie(*state, "set-cookie: sid=abc==\n", "abc==");
    assert_cookie(*state, "Set-Cookie: sid=one\nSet-Cookie: other=x\nSet-Cookie: sid=two ;a\n",
                  "two");
    assert_cookie(*state, "Set-Cookie: sidx=abc\nSet-Cookie: xsid=abc\nSet-Cookie: SID=abc\n",
                  NULL);
    assert_cookie(*state, "Set-Cookie: sid=; Max-Age=0\n", NULL);
    assert_cookie(*state, "Set-Cookie: sid\nSet-Cookie: \n", NULL);
}

static void a_session_without_a_lifetime_serves_until_it_is_refused(void **state)
{
    struct auth auth = {.type = AUTH_SESSION, .login = &by_json, .cookie = "sid"};
    struct rig *rig = *state;

    assert_int_equal(answer(rig, &auth, 200, "Set-Cookie: sid=a\n", ""), 0);
    assert_true(rig->result.lifetime_ms == -1);
    auth.lifetime_ms = 5000;
    assert_int_equal(answer(rig, &auth, 200, "Set-Cookie: sid=a\n", ""), 0);
    assert_true(rig->result.lifetime_ms == 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_asks_in_the_body),
        TEST(a_client_asks_in_the_header),
        TEST(a_login_without_body_and_form_is_json),
        TEST(a_login_without_params_goes_by_basic),
        TEST(a_secret_that_cannot_be_read_is_the_fault),
        TEST(a_lifetime_is_a_number_or_a_string_and_otherwise_not_known),
        TEST(a_refresh_token_counts_only_where_it_was_asked_with_another),
        TEST(what_a_server_says_of_its_error_is_cut_cleaned_and_without_secrets),
        TEST(a_cookie_is_found_by_its_whole_name_and_the_last_one_counts),
        TEST(a_session_without_a_lifetime_serves_until_it_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
