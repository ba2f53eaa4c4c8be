#include "test.h"

#include <string.h>

#include "fetch/sigv4.h"

/* 2013-05-24T00:00:00Z: the day of the examples in the S3 API reference, "Signature calculations
 * for the Authorization header". */
#define DAY_MS 1369353600000

static const struct sigv4_keys keys = {
    .access_key_id = "AKIAIOSFODNN7EXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "s3",
};

static const char *header_of(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->headers.count; i++) {
        if (strcasecmp(draft->headers.items[i].name, name) == 0)
            return draft->headers.items[i].value;
    }
    return NULL;
}

/* The Authorization header for a GET. */
static const char *sign(const struct sigv4_keys *with, const char *url, struct draft *draft)
{
    struct fault fault = {0};

    assert_int_equal(sigv4_sign(with, url, DAY_MS, draft, &fault), 0);
    assert_false(draft->failed);
    return header_of(draft, "Authorization");
}

static void assert_signed(const struct sigv4_keys *with, const char *url, const char *expected)
{
    struct arena *arena = arena_create(0);
    struct draft draft;

    draft_start(&draft, arena, url);
    assert_string_equal(sign(with, url, &draft), expected);
    arena_free(arena);
}

static void assert_same_signature(const struct sigv4_keys *with, const char *a, const char *b)
{
    struct arena *arena = arena_create(0);
    struct draft first;
    struct draft second;

    draft_start(&first, arena, a);
    draft_start(&second, arena, b);
    assert_string_equal(sign(with, a, &first), sign(with, b, &second));
    arena_free(arena);
}

#define SIGNED(names, signature)                                                            \
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " \
    "SignedHeaders=" names ", Signature=" signature

static void the_examples_of_amazon_come_out(void **state)
{
    (void)state;
    assert_signed(&keys, "https://examplebucket.s3.amazonaws.com/?lifecycle",
                  SIGNED("host;x-amz-content-sha256;x-amz-date",
                         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
    assert_signed(&keys, "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
                  SIGNED("host;x-amz-content-sha256;x-amz-date",
                         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

static void the_time_and_the_hash_of_the_body_are_headers(void **state)
{
    struct arena *arena = arena_create(0);
    struct draft draft;

    (void)state;
    draft_start(&draft, arena, "https://h/");
    sign(&keys, "https://h/", &draft);
    assert_string_equal(header_of(&draft, "X-Amz-Date"), "20130524T000000Z");
    assert_string_equal(header_of(&draft, "X-Amz-Content-Sha256"),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    arena_free(arena);
}

static void the_query_is_sorted_and_encoded_by_one_rule(void **state)
{
    (void)state;
    assert_same_signature(&keys, "https://h/?b=2&a=1&a=0", "https://h/?a=0&a=1&b=2");
    assert_same_signature(&keys, "https://h/?t=a:b", "https://h/?t=a%3ab");
    assert_same_signature(&keys, "https://h/?flag", "https://h/?flag=");
}

static void a_path_is_encoded_once_for_s3_and_once_more_for_others(void **state)
{
    struct sigv4_keys other = keys;

    (void)state;
    other.service = "execute-api";
    assert_same_signature(&keys, "https://h/a:b", "https://h/a%3Ab");
    assert_same_signature(&other, "https://h//a//b", "https://h/a/b");
    assert_same_signature(&other, "https://h/x/../a", "https://h/a");
}

static void a_session_token_and_the_type_of_the_body_are_signed(void **state)
{
    struct arena *arena = arena_create(0);
    struct sigv4_keys temporary = keys;
    struct draft draft;
    const char *header;

    (void)state;
    temporary.session_token = "session";
    draft_start(&draft, arena, "https://h/");
    draft_set_method(&draft, "POST");
    draft_set_body(&draft, DRAFT_JSON, "{}");
    draft_add_header(&draft, "X-Amz-Target", "A.B");
    draft_add_header(&draft, "Accept", "text/plain");
    draft_finish(&draft);
    header = sign(&temporary, "https://h/", &draft);
    assert_non_null(strstr(header, "SignedHeaders=content-type;host;x-amz-content-sha256;"
                                   "x-amz-date;x-amz-security-token;x-amz-target, "));
    assert_string_equal(header_of(&draft, "X-Amz-Security-Token"), "session");
    arena_free(arena);
}

static void the_port_is_part_of_the_host_but_for_the_usual_one(void **state)
{
    (void)state;
    assert_same_signature(&keys, "https://h:443/", "https://h/");
}

static void what_is_no_url_is_a_fault(void **state)
{
    struct arena *arena = arena_create(0);
    struct fault fault = {0};
    struct draft draft;

    (void)state;
    draft_start(&draft, arena, "");
    assert_int_equal(sigv4_sign(&keys, "", DAY_MS, &draft, &fault), -1);
    assert_int_equal(fault.kind, RUN_FAILED_AUTH);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_amazon_come_out),
        cmocka_unit_test(the_time_and_the_hash_of_the_body_are_headers),
        cmocka_unit_test(the_query_is_sorted_and_encoded_by_one_rule),
        cmocka_unit_test(a_path_is_encoded_once_for_s3_and_once_more_for_others),
        cmocka_unit_test(a_session_token_and_the_type_of_the_body_are_signed),
        cmocka_unit_test(the_port_is_part_of_the_host_but_for_the_usual_one),
        cmocka_unit_test(what_is_no_url_is_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
