#include "test.h"

#include "gatherd/run_state.h"

#include <string.h>

static struct validators *make(const char *etag, const char *last_modified)
{
    struct validators *v = validators_create(slice_of(etag), slice_of(last_modified));

    assert_non_null(v);
    return v;
}

static void they_are_copies_and_what_is_empty_is_none(void **state)
{
    char etag[] = "\"a\"";
    struct validators *v = make(etag, "");

    (void)state;
    etag[1] = 'x';
    assert_string_equal(v->etag, "\"a\"");
    assert_null(v->last_modified);
    assert_false(v->has_body_hash);
    validators_free(v);
}

static void nothing_is_the_same_as_nothing_only(void **state)
{
    struct validators *v = make("\"a\"", NULL);

    (void)state;
    assert_true(validators_same(NULL, NULL));
    assert_false(validators_same(v, NULL));
    assert_false(validators_same(NULL, v));
    validators_free(v);
}

/* Changes one thing about `b`, and back. */
#define DIFFERS(change, back)                \
    do {                                     \
        change;                              \
        assert_false(validators_same(a, b)); \
        assert_false(validators_same(b, a)); \
        back;                                \
        assert_true(validators_same(a, b));  \
    } while (0)

static void each_of_their_parts_counts(void **state)
{
    struct validators *a = make("\"a\"", "date");
    struct validators *b = make("\"a\"", "date");
    struct validators *no_etag = make(NULL, "date");
    struct validators *no_date = make("\"a\"", NULL);

    (void)state;
    assert_true(validators_same(a, b));
    assert_false(validators_same(a, no_etag));
    assert_false(validators_same(a, no_date));
    DIFFERS(b->etag[1] = 'b', b->etag[1] = 'a');
    DIFFERS(b->last_modified[0] = 'D', b->last_modified[0] = 'd');
    DIFFERS(b->fingerprint = 1, b->fingerprint = 0);
    DIFFERS(b->request = 1, b->request = 0);
    DIFFERS(b->has_body_hash = true, b->has_body_hash = false);
    a->has_body_hash = b->has_body_hash = true;
    DIFFERS(b->body_hash.low = 1, b->body_hash.low = 0);
    DIFFERS(b->body_hash.high = 1, b->body_hash.high = 0);
    validators_free(a);
    validators_free(b);
    validators_free(no_etag);
    validators_free(no_date);
}

static void a_cleared_state_is_empty(void **state)
{
    struct run_state kept = {.validators = make("\"a\"", "date")};

    (void)state;
    run_state_clear(&kept);
    assert_null(kept.validators);
    run_state_clear(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_copies_and_what_is_empty_is_none),
        cmocka_unit_test(nothing_is_the_same_as_nothing_only),
        cmocka_unit_test(each_of_their_parts_counts),
        cmocka_unit_test(a_cleared_state_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
