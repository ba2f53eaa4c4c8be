/* A replay for which memory runs out changes nothing, or all of what it says. */
#include "test.h"

#include "allocation.h"
#include "replay_rig.h"

#define YAML(field)                                                                                \
    "sources: [{name: s, url: 'http://h.example/x', store_raw: 1d, fields: {a: $.a, b: " field "}" \
    "}"                                                                                            \
    "]"

/* Each of the first steps, then every seventh. */
static size_t next_step(size_t step)
{
    return step + (step < 150 ? 1 : 7);
}

static void whatever_allocation_fails_the_replay_can_be_said_again(void **state)
{
    const struct letter_choice all = {0};
    struct replaying_rig *r = replaying_create(YAML("{path: $.b, type: integer}"));
    bool failed = true;

    (void)state;
    replaying_answer(r, 200, "application/json", "[{\"a\":1,\"b\":1},{\"a\":2,\"b\":\"x\"}]");
    replaying_configure(r, YAML("$.b"));
    for (size_t step = 0; failed; step = next_step(step)) {
        const struct replay_wish letters = {.letters = &all};
        const struct replay_wish bodies = {.source = "s", .until_ms = INT64_MAX};
        struct error err = {0};

        allocation_fail_after(step, true);
        if (replaying_do(r, letters, &err) == REPLAY_DONE)
            replaying_do(r, bodies, &err);
        failed = allocation_stop_failing();
        if (err.code != ERROR_NONE && err.code != ERROR_NOMEM)
            fail_msg("step %zu: %d %s", step, (int)err.code, err.text);
        rig_expect_sound(r->rig);
        assert_true(step < 5000);
    }
    replaying_bodies(r);
    rig_expect(r->rig, "SELECT a, b FROM s ORDER BY a", "1|1\n2|x");
    rig_expect(r->rig, "SELECT count(*) FROM _gatherd_dead_letters", "0");
    replaying_free(r);
}

static void a_body_for_which_there_is_no_memory_is_not_kept_and_its_rows_are(void **state)
{
    (void)state;
    for (size_t step = 0; step < 400; step = next_step(step)) {
        struct replaying_rig *r = replaying_create(YAML("$.b"));
        struct result result = {.run = &r->run, .body = "[{\"a\":1}]"};
        struct batch batch = {&result, 1};
        struct error err = {0};
        bool failed;

        r->run.response.status = 200;
        r->run.response.body = (char *)result.body;
        r->run.response.body_bytes = 9;
        allocation_fail_after(step, true);
        store_commit(r->rig->store, &batch, &err);
        failed = allocation_stop_failing();
        if (err.code != ERROR_NONE && err.code != ERROR_NOMEM)
            fail_msg("step %zu: %d %s", step, (int)err.code, err.text);
        rig_expect_sound(r->rig);
        r->run.response.body = NULL;
        replaying_free(r);
        if (!failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_allocation_fails_the_replay_can_be_said_again),
        cmocka_unit_test(a_body_for_which_there_is_no_memory_is_not_kept_and_its_rows_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
