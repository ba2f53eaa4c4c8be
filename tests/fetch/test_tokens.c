#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch/tokens.h"

struct rig {
    char folder[64];
    char path[96];
    struct token_cache *cache;
    struct token_listener listener;
    unsigned wakes;
    struct token token;
    struct fault fault;
    bool early;
};

static const struct secret first = {SECRET_LITERAL, "first"};
static const struct auth auth = {.type = AUTH_OAUTH2, .id = {1, 1}, .refresh_token = &first};
static const struct auth other = {.type = AUTH_OAUTH2, .id = {257, 1}, .refresh_token = &first};

static void wake(void *context)
{
    ((struct rig *)context)->wakes++;
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    strcpy(rig->folder, "/tmp/gatherd-tokens-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/db-tokens", rig->folder);
    rig->cache = token_cache_create(rig->path, NULL);
    assert_non_null(rig->cache);
    rig->listener = (struct token_listener){.wake = wake, .context = rig};
    tokens_listen(rig->cache, &rig->listener);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    tokens_ignore(rig->cache, &rig->listener);
    token_cache_free(rig->cache);
    text_free(&rig->token.value);
    unlink(rig->path);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

static enum token_status get_of(struct rig *rig, const struct auth *of, int64_t now_ms)
{
    rig->fault = (struct fault){0};
    return tokens_get(rig->cache, of, now_ms, &rig->token, &rig->early, &rig->fault);
}

static enum token_status get(struct rig *rig, int64_t now_ms)
{
    return get_of(rig, &auth, now_ms);
}

static void store(struct rig *rig, const char *token, int64_t lifetime_ms, int64_t now_ms)
{
    struct token_grant grant = {.token = token, .lifetime_ms = lifetime_ms};

    assert_int_equal(tokens_store(rig->cache, &auth, &grant, now_ms, &rig->fault), 0);
}

static void fail_at(struct rig *rig, bool retryable, int64_t retry_after_ms, int64_t now_ms)
{
    struct fault fault = {RUN_FAILED_AUTH, retryable, "why"};

    tokens_fail(rig->cache, &auth, &fault, retry_after_ms, now_ms);
}

static void one_gets_the_token_and_the_others_wait(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    assert_false(rig->early);
    assert_int_equal(get(rig, 1), TOKEN_WAIT);
    assert_int_equal(get_of(rig, &other, 1), TOKEN_FETCH); /* of the same bucket, and not shared */
    tokens_abandon(rig->cache, &other);
    rig->wakes = 0;
    store(rig, "a", 1000000, 2);
    assert_int_equal(rig->wakes, 1);
    assert_int_equal(get(rig, 3), TOKEN_READY);
    assert_string_equal(text_string(&rig->token.value), "a");
}

static void what_is_given_up_is_begun_by_another(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    tokens_abandon(rig->cache, &auth);
    assert_int_equal(rig->wakes, 1);
    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    tokens_abandon(rig->cache, &auth);
}

static void a_token_is_renewed_early_by_one_while_the_others_use_it(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    store(rig, "a", 3600000, 0);
    assert_int_equal(get(rig, 3600000 - 60001), TOKEN_READY);
    assert_int_equal(get(rig, 3600000 - 60000), TOKEN_FETCH);
    assert_true(rig->early);
    assert_int_equal(get(rig, 3600000 - 59999), TOKEN_READY);
    assert_int_equal(get(rig, 3600000), TOKEN_WAIT); /* it has expired meanwhile */
    store(rig, "b", 10000, 3600001);
    assert_int_equal(get(rig, 3600001 + 8999), TOKEN_READY);
    assert_int_equal(get(rig, 3600001 + 9000), TOKEN_FETCH); /* a tenth of a short life */
    tokens_abandon(rig->cache, &auth);
}

static void a_token_without_a_lifetime_serves_until_it_is_refused(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    store(rig, "a", -1, 0);
    assert_int_equal(get(rig, INT64_C(30) * 24 * 3600 * 1000), TOKEN_READY);
    assert_int_equal(rig->token.generation, 1);
    assert_true(tokens_refuse(rig->cache, &auth, 1, 5));
    assert_int_equal(get(rig, 6), TOKEN_FETCH);
    store(rig, "b", INT64_MAX, 6);
    assert_true(tokens_refuse(rig->cache, &auth, 1, 7)); /* an old one: nothing to drop */
    assert_int_equal(get(rig, 8), TOKEN_READY);
    assert_string_equal(text_string(&rig->token.value), "b");
}

static void after_a_failure_everybody_gets_the_reason_for_a_while(void **state)
{
    static const int64_t passing[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    static const int64_t lasting[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000};
    struct rig *rig = *state;
    int64_t now = 0;

    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        assert_int_equal(get(rig, now), TOKEN_FETCH);
        fail_at(rig, true, -1, now);
        now += passing[i];
        assert_int_equal(get(rig, now - 1), TOKEN_FAILED);
        assert_int_equal(rig->fault.kind, RUN_FAILED_AUTH);
        assert_true(rig->fault.retryable);
        assert_string_equal(rig->fault.text, "why");
    }
    assert_int_equal(get(rig, now), TOKEN_FETCH);
    store(rig, "a", 0, now); /* it is well again, and has expired at once */
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        assert_int_equal(get(rig, now), TOKEN_FETCH);
        fail_at(rig, false, -1, now);
        now += lasting[i];
        assert_int_equal(get(rig, now - 1), TOKEN_FAILED);
    }
}

static void the_server_may_ask_for_more_patience_within_reason(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    fail_at(rig, true, 30000, 0);
    assert_int_equal(get(rig, 29999), TOKEN_FAILED);
    assert_int_equal(get(rig, 30000), TOKEN_FETCH);
    fail_at(rig, true, INT64_MAX, 30000);
    assert_int_equal(get(rig, 30000 + 3600000), TOKEN_FETCH);
    tokens_abandon(rig->cache, &auth);
}

static void a_failure_before_the_end_harms_nobody(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    store(rig, "a", 100000, 0);
    assert_int_equal(get(rig, 90000), TOKEN_FETCH);
    fail_at(rig, true, -1, 90000);
    assert_int_equal(get(rig, 90001), TOKEN_READY);
    assert_int_equal(get(rig, 91000), TOKEN_FETCH);
    fail_at(rig, true, -1, 91000);
    assert_int_equal(get(rig, 91001), TOKEN_READY);
}

static void new_tokens_that_are_refused_too_are_not_asked_for_again_soon(void **state)
{
    struct rig *rig = *state;
    int64_t now = 0;

    assert_int_equal(get(rig, now), TOKEN_FETCH);
    store(rig, "a", -1, now);
    assert_true(tokens_refuse(rig->cache, &auth, 1, now));
    assert_int_equal(get(rig, now), TOKEN_FETCH);
    store(rig, "b", -1, now);
    tokens_judge(rig->cache, &auth, false, now);
    assert_false(tokens_refuse(rig->cache, &auth, 2, now + 59999));
    assert_int_equal(get(rig, now), TOKEN_READY);
    assert_true(tokens_refuse(rig->cache, &auth, 2, now + 60000));
    assert_int_equal(get(rig, now), TOKEN_FETCH);
    store(rig, "c", -1, now);
    tokens_judge(rig->cache, &auth, false, now);
    assert_false(tokens_refuse(rig->cache, &auth, 3, now + 119999));
    tokens_judge(rig->cache, &auth, true, now);
    assert_true(tokens_refuse(rig->cache, &auth, 3, now + 1));
}

static void assert_refresh_token(struct rig *rig, const char *expected)
{
    struct text token = {0};

    assert_int_equal(tokens_refresh_token(rig->cache, &auth, &token, &rig->fault), 0);
    assert_string_equal(text_string(&token), expected);
    text_free(&token);
}

static int store_with_refresh(struct rig *rig, const char *token, const char *refresh)
{
    struct token_grant grant = {.token = token, .lifetime_ms = 0, .refresh_token = refresh};

    rig->fault = (struct fault){0};
    return tokens_store(rig->cache, &auth, &grant, 0, &rig->fault);
}

static void a_refresh_token_given_in_exchange_is_the_next_also_after_a_restart(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    assert_refresh_token(rig, "first");
    assert_int_equal(store_with_refresh(rig, "a", "second"), 0);
    tokens_ignore(rig->cache, &rig->listener);
    token_cache_free(rig->cache);
    rig->cache = token_cache_create(rig->path, NULL);
    tokens_listen(rig->cache, &rig->listener);
    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    assert_refresh_token(rig, "second");
    tokens_abandon(rig->cache, &auth);
}

static void a_refresh_token_that_cannot_be_saved_is_saved_before_the_next_request(void **state)
{
    struct rig *rig = *state;
    char blocked[128];
    struct text token = {0};

    snprintf(blocked, sizeof(blocked), "%s.new", rig->path);
    assert_int_equal(mkdir(blocked, 0700), 0);
    assert_int_equal(get(rig, 0), TOKEN_FETCH);
    assert_refresh_token(rig, "first");
    assert_int_equal(store_with_refresh(rig, "a", "second"), -1);
    assert_int_equal(rig->fault.kind, RUN_FAILED_AUTH);
    assert_int_equal(get(rig, 0), TOKEN_FAILED); /* the token that came with it is not given out */
    assert_int_equal(get(rig, 1000000), TOKEN_FETCH);
    rig->fault = (struct fault){0};
    assert_int_equal(tokens_refresh_token(rig->cache, &auth, &token, &rig->fault), -1);
    assert_int_equal(rmdir(blocked), 0);
    assert_refresh_token(rig, "second");
    tokens_abandon(rig->cache, &auth);
    text_free(&token);
}

/* Threads. */

struct race {
    struct rig *rig;
    pthread_barrier_t barrier;
    _Atomic unsigned fetches;
};

static void *run_racer(void *argument)
{
    struct race *race = argument;
    struct token token = {0};
    struct fault fault = {0};
    bool early;

    pthread_barrier_wait(&race->barrier);
    for (int64_t now = 0; now < 2000; now++) {
        if (tokens_get(race->rig->cache, &auth, now, &token, &early, &fault) == TOKEN_FETCH) {
            struct token_grant grant = {.token = "x", .lifetime_ms = 1000};

            race->fetches++;
            tokens_store(race->rig->cache, &auth, &grant, now, &fault);
        }
    }
    text_free(&token.value);
    return NULL;
}

static void threads_that_race_get_one_token(void **state)
{
    struct race race = {.rig = *state};
    pthread_t threads[4];

    tokens_ignore(race.rig->cache, &race.rig->listener);
    pthread_barrier_init(&race.barrier, NULL, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_racer, &race), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&race.barrier);
    tokens_listen(race.rig->cache, &race.rig->listener);
    /* Each thread has its own now; however they interleave, 2,000 ms need few tokens of 900 ms. */
    assert_in_range(race.fetches, 2, 4 * 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_gets_the_token_and_the_others_wait),
        TEST(what_is_given_up_is_begun_by_another),
        TEST(a_token_is_renewed_early_by_one_while_the_others_use_it),
        TEST(a_token_without_a_lifetime_serves_until_it_is_refused),
        TEST(after_a_failure_everybody_gets_the_reason_for_a_while),
        TEST(the_server_may_ask_for_more_patience_within_reason),
        TEST(a_failure_before_the_end_harms_nobody),
        TEST(new_tokens_that_are_refused_too_are_not_asked_for_again_soon),
        TEST(a_refresh_token_given_in_exchange_is_the_next_also_after_a_restart),
        TEST(a_refresh_token_that_cannot_be_saved_is_saved_before_the_next_request),
        TEST(threads_that_race_get_one_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
