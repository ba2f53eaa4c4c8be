/* What a source remembers is its entry's from the first configuration on. */
#include "test.h"

#include "config_builder.h"
#include "schedule_world.h"

static struct validators *tagged(const char *etag)
{
    struct validators *v = validators_create(slice_of(etag), slice_of(NULL));

    assert_non_null(v);
    return v;
}

static void configure(struct world *w, const char *name, struct source_state *saved)
{
    struct source source = source_like(name, "h:80", MINUTE);
    struct config *config = config_build(&source, 1, 2);

    assert_int_equal(schedule_configure(w->schedule, config, saved, NULL, 0, w->now, NULL), 0);
    config_unref(config);
}

static void a_new_source_takes_what_was_saved_of_it(void **state)
{
    struct world *w = world_create(1, false);
    struct source_state saved = {.id = 1, .next_due_ms = -1, .state.validators = tagged("\"a\"")};
    struct run *run;

    (void)state;
    configure(w, "a", &saved);
    assert_null(saved.state.validators);
    run = world_take(w, 0);
    assert_string_equal(run->state.validators->etag, "\"a\"");
    world_finish(w, run, RUN_OK);
    run = world_take_next(w);
    assert_string_equal(run->state.validators->etag, "\"a\"");
    world_finish(w, run, RUN_FAILED_TIMEOUT);
    run = world_take_next(w);
    assert_string_equal(run->state.validators->etag, "\"a\"");
    world_finish(w, run, RUN_OK);
    world_free(w);
}

static void a_source_that_goes_on_knows_better_than_what_was_saved(void **state)
{
    struct world *w = world_create(1, false);
    struct source_state saved = {.id = 1, .next_due_ms = -1, .state.validators = tagged("\"a\"")};
    struct source_state later = {.id = 1, .next_due_ms = -1, .state.validators = tagged("\"b\"")};
    struct run *run;

    (void)state;
    configure(w, "a", &saved);
    configure(w, "a", &later);
    assert_string_equal(later.state.validators->etag, "\"b\"");
    run = world_take(w, 0);
    assert_string_equal(run->state.validators->etag, "\"a\"");
    world_finish(w, run, RUN_OK);
    run_state_clear(&later.state);
    world_free(w);
}

static void what_an_answer_taught_goes_with_a_run_that_is_given_up(void **state)
{
    struct world *w = world_create(1, false);
    struct source_state saved = {.id = 1, .next_due_ms = -1};
    struct run *run;

    (void)state;
    configure(w, "a", &saved);
    run = world_take(w, 0);
    run->learned = tagged("\"a\"");
    run->not_modified = run->conditional = true;
    schedule_return(w->schedule, run, false, w->now);
    run = world_take(w, 0);
    assert_null(run->learned);
    assert_null(run->state.validators);
    assert_false(run->not_modified);
    assert_false(run->conditional);
    world_finish(w, run, RUN_OK);
    world_free(w);
}

static void a_source_that_is_removed_takes_its_memory_along(void **state)
{
    struct world *w = world_create(1, false);
    struct source_state saved = {.id = 1, .next_due_ms = -1, .state.validators = tagged("\"a\"")};
    struct source_state other = {.id = 2, .next_due_ms = -1};
    struct run *run;

    (void)state;
    configure(w, "a", &saved);
    run = world_take(w, 0);
    configure(w, "b", &other); /* `a` goes when its run is back: ASan would see what is left */
    world_finish(w, run, RUN_OK);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_source_takes_what_was_saved_of_it),
        cmocka_unit_test(a_source_that_goes_on_knows_better_than_what_was_saved),
        cmocka_unit_test(what_an_answer_taught_goes_with_a_run_that_is_given_up),
        cmocka_unit_test(a_source_that_is_removed_takes_its_memory_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
