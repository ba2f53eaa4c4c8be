#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/response.h"

static const struct status_range success[] = {{200, 299}};

static const struct source small = {.max_body_bytes = 10, .success = success, .success_count = 1};

static const struct source large = {
    .max_body_bytes = 64 * 1024 * 1024, .success = success, .success_count = 1};

struct taking {
    struct receiver receiver;
    struct response response;
};

static void start(struct taking *t, const struct source *source)
{
    memset(t, 0, sizeof(*t));
    receiver_start(&t->receiver, source, &t->response);
}

static void end(struct taking *t)
{
    receiver_clear(&t->receiver);
    response_clear(&t->response);
}

/* Feeds header lines one by one; false when one was refused. */
static bool heads(struct taking *t, const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        char copy[512];
        size_t length = (size_t)snprintf(copy, sizeof(copy), "%s\r\n", *lines);

        if (receiver_on_header(copy, 1, length, &t->receiver) != length)
            return false;
    }
    return true;
}

static bool body(struct taking *t, const char *bytes)
{
    size_t length = strlen(bytes);

    return receiver_on_body((char *)bytes, 1, length, &t->receiver) == length;
}

static void the_answer_is_kept_with_a_nul_behind_it(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Type:  text/x \t",
                                       "Content-Length: 6", "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_true(body(&t, "abc"));
    assert_true(body(&t, "def"));
    receiver_finish(&t.receiver, 6);
    assert_int_equal(t.receiver.fault.kind, RUN_OK);
    assert_int_equal(t.response.status, 200);
    assert_string_equal(t.response.content_type, "text/x");
    assert_string_equal(t.response.body, "abcdef");
    assert_int_equal(t.response.body_bytes, 6);
    end(&t);
}

static void a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_true(body(&t, "0123456789"));
    assert_false(body(&t, "x"));
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_LIMIT);
    assert_string_equal(t.receiver.fault.text, "body larger than max_body_size (10B)");
    end(&t);
}

static void a_content_length_above_the_limit_fails_before_the_body(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Length: 11", "", NULL};
    static const char *const huge[] = {"HTTP/1.1 200 OK", "Content-Length: 99999999999999999999999",
                                       "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_false(heads(&t, head));
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_LIMIT);
    end(&t);
    start(&t, &small);
    assert_false(heads(&t, huge));
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_LIMIT);
    end(&t);
}

static void the_content_length_of_a_compressed_body_is_not_that_of_the_body(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Encoding: gzip",
                                       "Content-Length: 25", "", NULL};
    char packed[] = "\037\213\010\000\000\000\000\000\002\003\063\060\064\062\066\001\000\044\160"
                    "\244\335\005\000\000\000";
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_int_equal(receiver_on_body(packed, 1, 25, &t.receiver), 25);
    receiver_finish(&t.receiver, 25);
    assert_int_equal(t.receiver.fault.kind, RUN_OK);
    assert_string_equal(t.response.body, "01234");
    end(&t);
}

static void a_compressed_body_that_is_cut_off_is_not_taken_for_whole(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Encoding: gzip",
                                       "Content-Length: 24", "", NULL};
    char packed[] = "\037\213\010\000\000\000\000\000\002\003\063\060\064\062\066\001\000\044\160"
                    "\244\335\005\000\000\000";
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_int_equal(receiver_on_body(packed, 1, 24, &t.receiver), 24);
    receiver_finish(&t.receiver, 24);
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_NETWORK);
    assert_true(t.receiver.fault.retryable);
    assert_string_equal(t.receiver.fault.text,
                        "the compressed body cannot be decoded: it is cut off");
    end(&t);
}

static void headers_are_bounded_over_all_interim_responses(void **state)
{
    static const char *const head[] = {"HTTP/1.1 103 Early Hints", "X-A: b", "", NULL};
    struct taking t;
    unsigned n = 0;

    (void)state;
    start(&t, &small);
    while (heads(&t, head))
        n++;
    assert_in_range(n, 5000, 8000);
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_LIMIT);
    assert_string_equal(t.receiver.fault.text, "headers larger than 256 KiB");
    end(&t);
}

static void only_the_final_head_counts(void **state)
{
    static const char *const head[] = {"HTTP/1.1 103 Early Hints",
                                       "Content-Type: text/early",
                                       "Content-Length: 5",
                                       "Retry-After: 1",
                                       "",
                                       "HTTP/1.1 503 Busy",
                                       "Content-Type: text/late",
                                       "Retry-After: 2",
                                       "Retry-After: 3",
                                       "",
                                       NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_int_equal(t.response.status, 503);
    assert_string_equal(t.response.content_type, "text/late");
    assert_string_equal(t.receiver.retry_after, "2"); /* the first of several */
    assert_string_equal(text_string(&t.response.head),
                        "Content-Type: text/late\nRetry-After: 2\nRetry-After: 3\n");
    assert_true(t.receiver.length == -1);
    end(&t);
}

static void a_trailer_changes_nothing(void **state)
{
    static const char *const head[] = {"HTTP/2 200", "content-type: a/b", "", NULL};
    static const char *const trailer[] = {"content-type: c/d",
                                          "Location: http://x/",
                                          "HTTP/1.1 404 Gone",
                                          "Content-Length: 99",
                                          "",
                                          NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_true(body(&t, "1"));
    assert_true(heads(&t, trailer));
    receiver_finish(&t.receiver, 1);
    assert_int_equal(t.receiver.fault.kind, RUN_OK);
    assert_int_equal(t.response.status, 200);
    assert_string_equal(t.response.content_type, "a/b");
    assert_null(t.receiver.location);
    end(&t);
}

static void assert_head_refused(const char *const *head, const char *text)
{
    struct taking t;

    start(&t, &small);
    assert_false(heads(&t, head));
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_NETWORK);
    assert_string_equal(t.receiver.fault.text, text);
    end(&t);
}

static void framing_that_contradicts_itself_is_refused(void **state)
{
    static const char *const twice[] = {"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6",
                                        "", NULL};
    static const char *const both[] = {"HTTP/1.1 200 OK", "Content-Length: 5",
                                       "Transfer-Encoding: gzip, Chunked", "", NULL};
    static const char *const word[] = {"HTTP/1.1 200 OK", "Content-Length: 5, 5", "", NULL};
    static const char *const negative[] = {"HTTP/1.1 200 OK", "Content-Length: -5", "", NULL};

    (void)state;
    assert_head_refused(twice, "the answer has two Content-Length headers that disagree");
    assert_head_refused(both, "the answer has both Content-Length and Transfer-Encoding: chunked");
    assert_head_refused(word, "the Content-Length in the answer is not a number");
    assert_head_refused(negative, "the Content-Length in the answer is not a number");
}

static void the_same_content_length_twice_is_accepted(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Length: 5", "content-length:5",
                                       "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    end(&t);
}

static void a_body_that_is_not_as_long_as_said_is_refused(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Length: 5", "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_true(body(&t, "1234"));
    receiver_finish(&t.receiver, 4);
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_NETWORK);
    assert_string_equal(t.receiver.fault.text, "4 bytes of body came where Content-Length says 5");
    end(&t);
}

static void an_answer_without_a_body_may_name_a_length(void **state)
{
    static const char *const head[] = {"HTTP/1.1 304 Not Modified", "Content-Length: 5000", "",
                                       NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    receiver_finish(&t.receiver, 0);
    assert_int_equal(t.receiver.fault.kind, RUN_OK);
    end(&t);
}

static void the_body_of_a_redirect_is_counted_and_not_kept(void **state)
{
    static const char *const head[] = {"HTTP/1.1 302 Found", "Location: /x", "", NULL};
    struct taking t;

    (void)state;
    start(&t, &small);
    assert_true(heads(&t, head));
    assert_string_equal(t.receiver.location, "/x");
    assert_true(body(&t, "01234"));
    assert_null(t.response.body);
    assert_false(body(&t, "567890"));
    assert_int_equal(t.receiver.fault.kind, RUN_FAILED_LIMIT);
    end(&t);
}

static void a_content_length_is_believed_up_to_one_mebibyte(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "Content-Length: 67108864", "", NULL};
    struct taking t;

    (void)state;
    start(&t, &large);
    assert_true(heads(&t, head));
    assert_true(body(&t, "abc"));
    assert_int_equal(t.response.body_capacity, 1024 * 1024 + 1);
    end(&t);
}

static void memory_asked_for_in_vain_is_given_back(void **state)
{
    static const char *const head[] = {"HTTP/1.1 200 OK", "", NULL};
    char block[100001];
    struct taking t;

    (void)state;
    memset(block, 'x', sizeof(block) - 1);
    block[sizeof(block) - 1] = '\0';
    start(&t, &large);
    assert_true(heads(&t, head));
    for (int i = 0; i < 5; i++)
        assert_true(body(&t, block));
    assert_true(t.response.body_capacity > 500000);
    t.response.body_bytes = 1000;
    t.response.body[1000] = '\0';
    receiver_finish(&t.receiver, 10);
    assert_int_equal(t.response.body_capacity, 1001);
    assert_int_equal(strlen(t.response.body), 1000);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_kept_with_a_nul_behind_it),
        cmocka_unit_test(a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not),
        cmocka_unit_test(a_content_length_above_the_limit_fails_before_the_body),
        cmocka_unit_test(the_content_length_of_a_compressed_body_is_not_that_of_the_body),
        cmocka_unit_test(a_compressed_body_that_is_cut_off_is_not_taken_for_whole),
        cmocka_unit_test(headers_are_bounded_over_all_interim_responses),
        cmocka_unit_test(only_the_final_head_counts),
        cmocka_unit_test(a_trailer_changes_nothing),
        cmocka_unit_test(framing_that_contradicts_itself_is_refused),
        cmocka_unit_test(the_same_content_length_twice_is_accepted),
        cmocka_unit_test(a_body_that_is_not_as_long_as_said_is_refused),
        cmocka_unit_test(an_answer_without_a_body_may_name_a_length),
        cmocka_unit_test(the_body_of_a_redirect_is_counted_and_not_kept),
        cmocka_unit_test(a_content_length_is_believed_up_to_one_mebibyte),
        cmocka_unit_test(memory_asked_for_in_vain_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
