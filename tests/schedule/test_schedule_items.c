/* Sources with for_each in the schedule: rounds, and the runs of their items. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_builder.h"
#include "gatherd/items.h"
#include "schedule_world.h"

static const struct for_each for_each = {.sql = "SELECT id FROM parents"};
static const struct for_each another = {.sql = "SELECT id FROM others"};

static struct source children(void)
{
    struct source source = source_like("children", "h:80", MINUTE);

    source.for_each = &for_each;
    return source;
}

static int setup(void **state)
{
    *state = world_create(1, false);
    return 0;
}

static int setup_once(void **state)
{
    *state = world_create(1, true);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* --- Lists. --- */

static void add(struct items *items, const char *text)
{
    struct item_value value = {.type = ITEM_VALUE_TEXT, .text = slice_of(text)};

    assert_int_equal(items_add(items, &value, NULL), 0);
}

static struct found_items *found_of(struct items *items)
{
    struct found_items *found = calloc(1, sizeof(*found));

    items_seal(items);
    assert_non_null(found);
    found->items = items;
    found->states = calloc(items->count + 1, sizeof(found->states[0]));
    assert_non_null(found->states);
    return found;
}

/* Items by their letters: "abc" are three. */
static struct found_items *letters(const char *text)
{
    static const char *const names[] = {"id"};
    struct items *items = items_create(names, 1);

    for (; *text != '\0'; text++)
        add(items, (char[]){*text, '\0'});
    return found_of(items);
}

static struct found_items *numbers(size_t from, size_t count)
{
    static const char *const names[] = {"id"};
    struct items *items = items_create(names, 1);
    char text[24];

    for (size_t i = from; i < from + count; i++) {
        snprintf(text, sizeof(text), "%zu", i);
        add(items, text);
    }
    return found_of(items);
}

/* The round has found these, and is committed. */
static void finish_round(struct world *w, struct run *round, struct found_items *found)
{
    assert_true(run_is_round(round));
    round->found = found;
    schedule_plan(w->schedule, round, w->now);
    assert_int_equal(schedule_set_items(w->schedule, round, found, w->now), 0);
    schedule_return(w->schedule, round, true, w->now);
}

/* The next one, which must be an item's. */
static struct run *take_item(struct world *w, const char *key)
{
    struct run *run = world_take(w, 0);

    assert_non_null(run);
    assert_non_null(run->item);
    assert_string_equal(run->item->key, key);
    return run;
}

/* Takes the next round, finds these items, and lets them all succeed. */
static void pass_round(struct world *w, const char *items)
{
    struct run *round = world_take_next(w);

    finish_round(w, round, letters(items));
    for (; *items != '\0'; items++)
        world_finish(w, take_item(w, (char[]){*items, '\0'}), RUN_OK);
}

/* --- Rounds. --- */

static void a_round_makes_its_items_due(void **state)
{
    struct world *w = *state;
    struct run *round;
    struct run *run;

    world_configure_one(w, children(), -1);
    round = world_take(w, 0);
    assert_true(run_is_round(round));
    assert_null(world_take(w, 0));
    finish_round(w, round, letters("ab"));
    run = take_item(w, "a");
    assert_false(run_is_round(run));
    assert_ptr_equal(run->source, run->config->sources);
    assert_int_equal(run->source_id, 1);
    world_finish(w, run, RUN_OK);
    world_finish(w, take_item(w, "b"), RUN_OK);
    assert_null(world_take(w, 0));
}

static void the_slot_of_an_item_is_that_of_its_round(void **state)
{
    struct world *w = *state;
    struct run *round;
    struct run *run;
    int64_t slot;

    world_configure_one(w, children(), -1);
    pass_round(w, "a");
    round = world_take_next(w);
    slot = round->scheduled_at_ms;
    finish_round(w, round, letters("a"));
    world_pass(w, 3 * SECOND);
    run = take_item(w, "a");
    assert_int_equal(run->scheduled_at_ms, slot);
    assert_int_equal(run->previous_scheduled_at_ms < slot, 1);
    world_finish(w, run, RUN_OK);
    finish_round(w, world_take_next(w), letters("a"));
    run = take_item(w, "a");
    assert_int_equal(run->previous_scheduled_at_ms, slot);
    world_finish(w, run, RUN_OK);
}

static void a_round_without_items_is_a_round(void **state)
{
    struct world *w = *state;
    struct schedule_stats stats;

    world_configure_one(w, children(), -1);
    pass_round(w, "");
    assert_null(world_take(w, 0));
    assert_true(w->wait_ms > 0);
    stats = schedule_stats(w->schedule, w->now);
    assert_int_equal(stats.items, 0);
    assert_int_equal(stats.sources, 1);
    pass_round(w, "a");
}

static void a_round_asks_no_host(void **state)
{
    struct world *w = *state;
    struct source sources[] = {source_like("a", "h:80", MINUTE), children()};
    struct run *run;
    struct run *round;

    world_configure(w, sources, 2, 1, -1);
    run = world_take(w, 0);
    round = world_take(w, 0); /* though the host has one request and no room for more */
    if (run_is_round(run)) {
        struct run *other = round;

        round = run;
        run = other;
    }
    finish_round(w, round, letters("a"));
    assert_null(world_take(w, 0)); /* the item waits for the host */
    world_finish(w, run, RUN_OK);
    world_finish(w, take_item(w, "a"), RUN_OK);
}

static void a_round_that_fails_polls_nothing_and_backs_off(void **state)
{
    struct world *w = *state;
    struct run *round;

    world_configure_one(w, children(), -1);
    pass_round(w, "a");
    round = world_take_next(w);
    world_finish(w, round, RUN_FAILED_ITEMS);
    assert_null(world_take(w, 0));
    assert_true(w->wait_ms > 61 * SECOND);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
    pass_round(w, "a");
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 0);
}

/* --- Items that come, go and stay. --- */

static void an_item_that_is_busy_is_left_to_its_run(void **state)
{
    struct world *w = *state;
    struct run *slow;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    slow = take_item(w, "a");
    world_finish(w, take_item(w, "b"), RUN_OK);
    finish_round(w, world_take_next(w), letters("ab"));
    world_finish(w, take_item(w, "b"), RUN_OK);
    assert_null(world_take(w, 0));
    world_finish(w, slow, RUN_OK);
    assert_int_equal(slow->skipped, 1); /* the round that it missed */
    finish_round(w, world_take_next(w), letters("ab"));
    world_finish(w, take_item(w, "a"), RUN_OK);
    world_finish(w, take_item(w, "b"), RUN_OK);
}

static void an_item_that_waits_is_not_due_twice(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *first;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    first = take_item(w, "a");
    finish_round(w, world_take_next(w), letters("abc"));
    world_finish(w, first, RUN_OK);
    world_finish(w, take_item(w, "b"), RUN_OK);
    world_finish(w, take_item(w, "c"), RUN_OK);
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_stats(w->schedule, w->now).overdue, 0);
}

static void a_list_that_shrinks_and_grows_again_is_followed(void **state)
{
    struct world *w = *state;

    world_configure_one(w, children(), -1);
    pass_round(w, "abc");
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 3);
    pass_round(w, "b");
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 1);
    pass_round(w, "cba");
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 3);
}

static void an_item_that_is_gone_while_it_waits_is_not_polled(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    finish_round(w, world_take_next(w), letters("ac"));
    world_finish(w, run, RUN_OK);
    world_finish(w, take_item(w, "c"), RUN_OK);
    assert_null(world_take(w, 0));
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 2);
}

static void an_item_that_is_gone_while_it_is_out_ends_with_its_run(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    run = take_item(w, "a");
    world_finish(w, take_item(w, "b"), RUN_OK);
    finish_round(w, world_take_next(w), letters("b"));
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 1);
    assert_string_equal(run->item->key, "a"); /* its list is still there */
    world_finish(w, run, RUN_FAILED_STATUS);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 0);
    world_finish(w, take_item(w, "b"), RUN_OK);
}

static void an_item_that_comes_back_while_it_is_out_stays(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("a"));
    run = take_item(w, "a");
    pass_round(w, "");
    finish_round(w, world_take_next(w), letters("a"));
    assert_null(world_take(w, 0)); /* never two requests for one item */
    world_finish(w, run, RUN_OK);
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 1);
    pass_round(w, "a");
}

static void a_retry_of_an_item_that_is_gone_is_dropped(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("a"));
    run = take_item(w, "a");
    schedule_retry(w->schedule, run, w->now, HOUR);
    pass_round(w, "b");
    world_pass(w, HOUR);
    pass_round(w, "b");
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 1);
}

/* What somebody resets: the items go, those that are out when they are back. */
static void items_that_are_forgotten_begin_anew_with_the_next_round(void **state)
{
    struct world *w = *state;
    struct run *out;
    struct run *round;
    bool known;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    out = take_item(w, "a");
    round = schedule_borrow(w->schedule, out->source->name, &known);
    assert_non_null(round);
    assert_int_equal(schedule_forget_items(w->schedule, round), 1);
    schedule_give_back(w->schedule, round, false, w->now);
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 0);
    assert_null(world_take(w, 0));
    world_finish(w, out, RUN_OK);
    round = schedule_borrow(w->schedule, "a", &known);
    assert_null(round); /* an item is no source */
    assert_false(known);
    round = schedule_borrow(w->schedule, children().name, &known);
    assert_int_equal(schedule_forget_items(w->schedule, round), 0);
    schedule_give_back(w->schedule, round, true, w->now);
    finish_round(w, world_take(w, 0), letters("ab"));
    world_finish(w, take_item(w, "a"), RUN_OK);
    world_finish(w, take_item(w, "b"), RUN_OK);
}

static void a_new_item_begins_with_its_saved_state(void **state)
{
    struct world *w = *state;
    struct found_items *found = letters("a");
    struct run *run;

    world_configure_one(w, children(), -1);
    found->states[0].failures = 3;
    found->states[0].success_slot_ms = w->now.wall_ms - DAY;
    finish_round(w, world_take(w, 0), found);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
    run = take_item(w, "a");
    assert_int_equal(run->failures, 3);
    assert_int_equal(run->previous_scheduled_at_ms, w->now.wall_ms - DAY);
    world_finish(w, run, RUN_OK);
    assert_int_equal(run->failures, 0);
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 0);
}

/* --- Failures. --- */

static void one_failing_item_sits_out_rounds_and_the_others_do_not(void **state)
{
    struct world *w = *state;
    unsigned polls[2] = {0};

    world_configure_one(w, children(), -1);
    for (int i = 0; i < 16; i++) {
        struct run *run;

        finish_round(w, world_take_next(w), letters("ab"));
        while ((run = world_take(w, 0)) != NULL) {
            bool bad = strcmp(run->item->key, "a") == 0;

            polls[!bad]++;
            world_finish(w, run, bad ? RUN_FAILED_STATUS : RUN_OK);
        }
    }
    assert_int_equal(polls[1], 16);
    assert_int_equal(polls[0], 4); /* after 2, 4 and 8 minutes */
    assert_int_equal(schedule_stats(w->schedule, w->now).failing, 1);
}

static void patience_asked_of_one_item_is_that_of_all_its_source(void **state)
{
    struct world *w = *state;
    struct run *run;
    int64_t until_ms;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    run->retry_after_ms = 30 * SECOND;
    run->retryable = true;
    run_fail(run, RUN_FAILED_STATUS, "HTTP 429");
    schedule_heed(w->schedule, run, w->now, &until_ms);
    run_clear_response(run);
    schedule_retry(w->schedule, run, w->now, 30 * SECOND);
    assert_null(world_take(w, 0));
    world_pass(w, 29 * SECOND);
    assert_null(world_take(w, 0));
    world_pass(w, SECOND);
    for (int i = 0; i < 3; i++)
        world_finish(w, world_take(w, 0), RUN_OK);
    assert_null(world_take(w, 0));
}

/* What the log says of a run that ends so. */
static enum trouble_line line_of(struct world *w, const char *item, enum run_failure failure,
                                 bool rejected, size_t failing)
{
    struct run *run = take_item(w, item);
    struct item_news news;

    if (failure != RUN_OK)
        run_fail(run, failure, "it did not work");
    schedule_plan(w->schedule, run, w->now);
    news = schedule_item_news(w->schedule, run, rejected, w->now);
    assert_int_equal(news.failing, failing);
    schedule_return(w->schedule, run, true, w->now);
    return news.line;
}

static void the_log_says_it_once_for_all_items_of_a_source(void **state)
{
    struct world *w = *state;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("abcd"));
    assert_int_equal(line_of(w, "a", RUN_OK, false, 0), TROUBLE_NO_LINE);
    assert_int_equal(line_of(w, "b", RUN_FAILED_STATUS, false, 1), TROUBLE_FAILING);
    assert_int_equal(line_of(w, "c", RUN_FAILED_STATUS, false, 2), TROUBLE_NO_LINE);
    assert_int_equal(line_of(w, "d", RUN_OK, true, 2), TROUBLE_REJECTING);
    world_pass(w, 10 * MINUTE);
    finish_round(w, world_take_next(w), letters("abcd"));
    assert_int_equal(line_of(w, "a", RUN_OK, true, 2), TROUBLE_NO_LINE);
    assert_int_equal(line_of(w, "b", RUN_OK, false, 1), TROUBLE_NO_LINE);
    assert_int_equal(line_of(w, "c", RUN_OK, false, 0), TROUBLE_WELL_AGAIN);
    assert_int_equal(line_of(w, "d", RUN_FAILED_STATUS, false, 1), TROUBLE_FAILING);
    world_pass(w, HOUR);
    finish_round(w, world_take_next(w), letters("d"));
    assert_int_equal(line_of(w, "d", RUN_FAILED_STATUS, false, 1), TROUBLE_FAILING);
}

/* --- Turns. --- */

static void items_take_turns_with_other_sources_of_their_host(void **state)
{
    struct world *w = *state;
    struct source sources[] = {children(), source_like("other", "h:80", 10 * SECOND)};
    unsigned waited = 0;
    unsigned most = 0;
    struct run *run;

    world_configure(w, sources, 2, 1, -1);
    while (!run_is_round(run = world_take_next(w)))
        world_finish(w, run, RUN_OK);
    finish_round(w, run, numbers(0, 1000));
    for (int i = 0; i < 500; i++) {
        world_pass(w, SECOND);
        run = world_take(w, 0);
        assert_non_null(run);
        if (run_is_round(run)) {
            finish_round(w, run, numbers(0, 1000));
            continue;
        }
        waited = run->item == NULL ? 0 : waited + 1;
        most = waited > most ? waited : most;
        world_finish(w, run, RUN_OK);
    }
    assert_true(most <= 12); /* in 10 seconds it is due, and one item is before it */
}

static void thousands_of_items_are_each_polled_once_a_round(void **state)
{
    struct world *w = *state;
    unsigned polls[10000] = {0};
    unsigned rounds = 0;
    struct run *run;

    world_configure_one(w, children(), -1);
    while (rounds < 4 || (run = world_take(w, 0)) != NULL) {
        if (rounds < 4)
            run = world_take_next(w);
        if (run_is_round(run)) {
            finish_round(w, run, numbers(0, 10000));
            rounds++;
            continue;
        }
        polls[atoi(run->item->key)]++;
        world_finish(w, run, RUN_OK);
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(polls[i], 4);
}

/* --- Parents. --- */

static const struct for_each of_parents = {.source = "parents"};

/* Parents every hour, children each day. */
static void configure_pair(struct world *w)
{
    struct source sources[] = {source_like("children", "h:80", DAY),
                               source_like("parents", "h:80", HOUR)};

    sources[0].for_each = &of_parents;
    world_configure(w, sources, 2, 2, -1);
}

static void a_round_follows_the_first_success_of_the_source_of_its_items(void **state)
{
    struct world *w = *state;
    struct run *parents;
    struct run *round;

    configure_pair(w);
    parents = world_take(w, 0);
    round = world_take(w, 0);
    if (run_is_round(parents)) {
        struct run *other = round;

        round = parents;
        parents = other;
    }
    finish_round(w, round, letters(""));
    world_finish(w, parents, RUN_FAILED_STATUS);
    assert_null(world_take(w, 0));
    world_finish(w, world_take_next(w), RUN_OK);
    finish_round(w, world_take(w, 0), letters("a"));
    world_finish(w, take_item(w, "a"), RUN_OK);
    assert_null(world_take(w, 0));
    world_finish(w, world_take_next(w), RUN_OK); /* from now on each has its own rhythm */
    assert_null(world_take(w, 0));
}

static void once_waits_for_the_source_of_the_items(void **state)
{
    struct world *w = *state;
    struct run *run;

    configure_pair(w);
    run = world_take(w, 0);
    assert_string_equal(run->source->name, "parents");
    assert_null(world_take(w, 0));
    world_finish(w, run, RUN_FAILED_STATUS); /* there may be items of another day */
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    finish_round(w, world_take(w, 0), letters("a"));
    world_finish(w, take_item(w, "a"), RUN_OK);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

static void once_waits_for_all_items_of_the_source_of_the_items(void **state)
{
    struct world *w = *state;
    struct source sources[] = {source_like("grandchildren", "h:80", DAY), children()};
    static const struct for_each of_children = {.source = "children"};
    struct run *a;

    sources[0].for_each = &of_children;
    world_configure(w, sources, 2, 2, -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    a = take_item(w, "a");
    world_finish(w, take_item(w, "b"), RUN_OK);
    assert_null(world_take(w, 0));
    world_finish(w, a, RUN_OK);
    finish_round(w, world_take(w, 0), letters("x"));
    world_finish(w, take_item(w, "x"), RUN_OK);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

/* --- Once, stop, reload. --- */

static void once_is_the_round_and_all_its_items(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, children(), -1);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    world_finish(w, take_item(w, "a"), RUN_OK);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), -1);
    run = take_item(w, "b");
    world_finish(w, run, RUN_FAILED_STATUS);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
}

static void a_stop_in_the_middle_gives_back_what_has_not_run(void **state)
{
    struct world *w = *state;
    struct run *run;

    world_configure_one(w, children(), -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    schedule_stop(w->schedule);
    assert_null(world_take(w, 0));
    schedule_return(w->schedule, run, false, w->now);
    assert_int_equal(schedule_wait_idle(w->schedule, 0), 0);
}

static void a_reload_that_changes_nothing_goes_on(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    world_configure(w, &source, 1, 1, -1);
    world_finish(w, run, RUN_OK);
    run = take_item(w, "b");
    assert_ptr_equal(run->source, run->config->sources); /* of the new configuration */
    world_finish(w, run, RUN_OK);
    world_finish(w, take_item(w, "c"), RUN_OK);
}

static void a_reload_that_changes_the_source_begins_a_round_at_once(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    source.for_each = &another;
    world_configure(w, &source, 1, 1, -1);
    world_finish(w, run, RUN_OK);
    finish_round(w, world_take(w, 0), letters("xa"));
    world_finish(w, take_item(w, "x"), RUN_OK);
    world_finish(w, take_item(w, "a"), RUN_OK);
    assert_null(world_take(w, 0));
}

static void a_list_found_under_another_configuration_is_not_taken_over(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *round;

    world_configure_one(w, source, -1);
    round = world_take(w, 0);
    source.for_each = &another;
    world_configure_one(w, source, -1);
    finish_round(w, round, letters("abc"));
    round = world_take(w, 0); /* at once */
    assert_true(run_is_round(round));
    assert_ptr_equal(round->source->for_each, &another);
    finish_round(w, round, letters("x"));
    world_finish(w, take_item(w, "x"), RUN_OK);
}

static void a_source_that_becomes_one_target_loses_its_items(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    source.for_each = NULL;
    world_configure(w, &source, 1, 1, -1);
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 0);
    world_finish(w, run, RUN_OK);
    run = world_take_next(w);
    assert_null(run->item);
    assert_false(run_is_round(run));
    world_finish(w, run, RUN_OK);
}

static void a_source_of_one_target_gets_items(void **state)
{
    struct world *w = *state;
    struct run *run = world_settled(w, source_like("children", "h:80", MINUTE));

    world_configure_one(w, children(), -1);
    world_finish(w, run, RUN_OK);
    pass_round(w, "ab");
}

static void items_move_with_their_source_to_another_host(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    pass_round(w, "abc");
    finish_round(w, world_take_next(w), letters("abc"));
    run = take_item(w, "a");
    source.host = "other:80";
    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    world_finish(w, take_item(w, "b"), RUN_OK); /* though the old host has still a request */
    world_finish(w, run, RUN_OK);
    world_finish(w, take_item(w, "c"), RUN_OK);
}

static void a_removed_source_goes_when_the_last_of_its_items_is_back(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *a;
    struct run *b;

    world_configure_one(w, source, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    a = take_item(w, "a");
    b = take_item(w, "b");
    world_configure(w, &source, 0, 2, -1);
    assert_int_equal(schedule_stats(w->schedule, w->now).sources, 0);
    assert_int_equal(schedule_stats(w->schedule, w->now).items, 0);
    world_finish(w, a, RUN_OK);
    schedule_return(w->schedule, b, false, w->now);
    assert_null(world_take(w, 0));
    assert_int_equal(w->wait_ms, -1);
}

static void a_source_that_comes_back_before_its_items_goes_on(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure_one(w, source, -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    run = take_item(w, "a");
    world_configure(w, &source, 0, 2, -1);
    world_configure_one(w, source, -1);
    finish_round(w, world_take(w, 0), letters("ab"));
    world_finish(w, take_item(w, "b"), RUN_OK);
    assert_null(world_take(w, 0)); /* a is still out */
    world_finish(w, run, RUN_OK);
    pass_round(w, "ab");
}

static void lanes_are_dealt_anew_with_items_in_them(void **state)
{
    struct world *w = *state;
    struct source source = children();
    struct run *run;

    world_configure(w, &source, 1, 1, -1);
    finish_round(w, world_take(w, 0), letters("abc"));
    run = take_item(w, "a");
    schedule_retry(w->schedule, run, w->now, SECOND);
    assert_int_equal(schedule_set_lanes(w->schedule, 3, NULL), 0);
    assert_int_equal(schedule_set_lanes(w->schedule, 1, NULL), 0);
    world_finish(w, take_item(w, "b"), RUN_OK);
    world_finish(w, take_item(w, "c"), RUN_OK);
    world_pass(w, SECOND);
    world_finish(w, take_item(w, "a"), RUN_OK);
}

#define ITEM_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ITEM_TEST(a_round_makes_its_items_due),
        ITEM_TEST(the_slot_of_an_item_is_that_of_its_round),
        ITEM_TEST(a_round_without_items_is_a_round),
        ITEM_TEST(a_round_asks_no_host),
        ITEM_TEST(a_round_that_fails_polls_nothing_and_backs_off),
        ITEM_TEST(an_item_that_is_busy_is_left_to_its_run),
        ITEM_TEST(an_item_that_waits_is_not_due_twice),
        ITEM_TEST(a_list_that_shrinks_and_grows_again_is_followed),
        ITEM_TEST(an_item_that_is_gone_while_it_waits_is_not_polled),
        ITEM_TEST(an_item_that_is_gone_while_it_is_out_ends_with_its_run),
        ITEM_TEST(an_item_that_comes_back_while_it_is_out_stays),
        ITEM_TEST(a_retry_of_an_item_that_is_gone_is_dropped),
        ITEM_TEST(items_that_are_forgotten_begin_anew_with_the_next_round),
        ITEM_TEST(a_new_item_begins_with_its_saved_state),
        ITEM_TEST(one_failing_item_sits_out_rounds_and_the_others_do_not),
        ITEM_TEST(patience_asked_of_one_item_is_that_of_all_its_source),
        ITEM_TEST(the_log_says_it_once_for_all_items_of_a_source),
        ITEM_TEST(items_take_turns_with_other_sources_of_their_host),
        ITEM_TEST(thousands_of_items_are_each_polled_once_a_round),
        ITEM_TEST(a_round_follows_the_first_success_of_the_source_of_its_items),
        cmocka_unit_test_setup_teardown(once_waits_for_the_source_of_the_items, setup_once,
                                        teardown),
        cmocka_unit_test_setup_teardown(once_waits_for_all_items_of_the_source_of_the_items,
                                        setup_once, teardown),
        cmocka_unit_test_setup_teardown(once_is_the_round_and_all_its_items, setup_once, teardown),
        ITEM_TEST(a_stop_in_the_middle_gives_back_what_has_not_run),
        ITEM_TEST(a_reload_that_changes_nothing_goes_on),
        ITEM_TEST(a_reload_that_changes_the_source_begins_a_round_at_once),
        ITEM_TEST(a_list_found_under_another_configuration_is_not_taken_over),
        ITEM_TEST(a_source_that_becomes_one_target_loses_its_items),
        ITEM_TEST(a_source_of_one_target_gets_items),
        ITEM_TEST(items_move_with_their_source_to_another_host),
        ITEM_TEST(a_removed_source_goes_when_the_last_of_its_items_is_back),
        ITEM_TEST(a_source_that_comes_back_before_its_items_goes_on),
        ITEM_TEST(lanes_are_dealt_anew_with_items_in_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
