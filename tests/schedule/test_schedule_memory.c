/*
 * What happens when memory is out: the files that allocate are compiled into this program with
 * allocators that fail at the n-th call, and stand in for those of the library.
 */
#include "test.h"

#include <stdlib.h>

static long calls_until_failure = -1; /* below 0: none fails */

static int fails_now(void)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

static void *faulty_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : calloc(count, size);
}

static void *faulty_reallocarray(void *pointer, size_t count, size_t size)
{
    return fails_now() ? NULL : reallocarray(pointer, count, size);
}

#define calloc       faulty_calloc
#define reallocarray faulty_reallocarray
#include "schedule/configure.c"
#include "schedule/entry.c"
#include "schedule/heap.c"
#include "schedule/line.c"
#include "schedule/line_make.c"
#include "schedule/map.c"
#include "schedule/schedule.c"
#undef calloc
#undef reallocarray

#include <stdio.h>

#include "config_builder.h"
#include "schedule_world.h"

enum { COUNT = 40 };

static int setup(void **state)
{
    calls_until_failure = -1;
    *state = world_create(2, false);
    return 0;
}

static int teardown(void **state)
{
    calls_until_failure = -1;
    world_free(*state);
    return 0;
}

/* `first` to `first` + COUNT - 1, each with a host of its own. */
static struct config *build(int first)
{
    static const struct rate_limit limits[] = {
        {"x", 1, 1, 1}, {"y", 1, 1, 1}, {"z", 1, 1, 1}, {"w", 1, 1, 1}};
    static char names[2 * COUNT][2][32];
    struct source sources[COUNT];

    for (int i = first; i < first + COUNT; i++) {
        snprintf(names[i][0], sizeof(names[i][0]), "source %d", i);
        snprintf(names[i][1], sizeof(names[i][1]), "host%d:80", i + first / 2);
        sources[i - first] = source_like(names[i][0], names[i][1], MINUTE);
        if (i % 3 != 0) /* other sources have it before and after a reload, and one goes */
            sources[i - first].rate_limit = &limits[i / 20];
    }
    return config_build(sources, COUNT, 2);
}

static int configure(struct world *w, struct config *config, struct error *err)
{
    struct source_state states[COUNT];

    for (int i = 0; i < COUNT; i++)
        states[i] = (struct source_state){.id = i, .next_due_ms = -1};
    return schedule_configure(w->schedule, config, states, NULL, 0, w->now, err);
}

static void check_unchanged(struct world *w, const struct config *config)
{
    assert_ptr_equal(w->schedule->config, config);
    assert_int_equal(w->schedule->entries.count, COUNT);
    assert_int_equal(w->schedule->lines.hosts.count, COUNT);
    assert_int_equal(schedule_stats(w->schedule, w->now).sources, COUNT);
    for (int i = 0; i < COUNT; i++) {
        struct entry *e = entry_of_node(map_find(&w->schedule->entries, config->sources[i].name));

        assert_ptr_equal(e->source, &config->sources[i]);
        assert_string_equal(e->line->host->name, config->sources[i].host);
        assert_int_equal(e->line->references, 1);
        assert_null(e->next_line);
    }
}

/* Half of the sources go, half stay but move to other hosts, and as many come. */
static void a_reload_without_memory_changes_nothing_at_whatever_step_it_fails(void **state)
{
    struct world *w = *state;
    struct config *old = build(0);
    struct config *new = build(COUNT / 2);
    long step = 0;
    int rc;

    assert_int_equal(configure(w, old, NULL), 0);
    assert_non_null(world_take(w, 0)); /* one is out */
    do {
        struct error err = {0};

        calls_until_failure = step++;
        rc = configure(w, new, &err);
        calls_until_failure = -1;
        if (rc == -1) {
            assert_int_equal(err.code, ERROR_NOMEM);
            assert_string_equal(err.text, "schedule: out of memory for 40 sources");
            check_unchanged(w, old);
        }
    } while (rc == -1);
    assert_true(step > COUNT);
    assert_ptr_equal(w->schedule->config, new);
    config_unref(old);
    config_unref(new);
    for (struct map_node *n = map_next(&w->schedule->entries, NULL), *next; n != NULL; n = next) {
        next = map_next(&w->schedule->entries, n);
        if (entry_of_node(n)->place == ENTRY_OUT)
            schedule_return(w->schedule, &entry_of_node(n)->run, true, w->now);
    }
    assert_int_equal(w->schedule->entries.count, COUNT);
}

static void other_lanes_without_memory_change_nothing(void **state)
{
    struct world *w = *state;
    struct config *config = build(0);
    long step = 0;
    int rc;

    assert_int_equal(configure(w, config, NULL), 0);
    do {
        struct error err = {0};

        calls_until_failure = step++;
        rc = schedule_set_lanes(w->schedule, 5, &err);
        calls_until_failure = -1;
        if (rc == -1) {
            assert_int_equal(err.code, ERROR_NOMEM);
            assert_int_equal(w->schedule->lane_count, 2);
            assert_int_equal(w->schedule->lines.lane_count, 2);
            check_unchanged(w, config);
        }
    } while (rc == -1);
    assert_true(step > 5);
    assert_int_equal(w->schedule->lane_count, 5);
    config_unref(config);
}

static void nobody(void *context, unsigned lane)
{
    (void)context;
    (void)lane;
}

static void a_schedule_that_cannot_be_made_leaves_nothing(void **state)
{
    const struct schedule_options options = {.lanes = 3, .wake = nobody};
    struct schedule *schedule;
    long step = 0;

    (void)state;
    do {
        struct error err = {0};

        calls_until_failure = step++;
        schedule = schedule_create(&options, &err);
        calls_until_failure = -1;
        assert_int_equal(err.code, schedule == NULL ? ERROR_NOMEM : ERROR_NONE);
    } while (schedule == NULL);
    assert_true(step > 3);
    schedule_free(schedule);
    schedule_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_reload_without_memory_changes_nothing_at_whatever_step_it_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(other_lanes_without_memory_change_nothing, setup, teardown),
        cmocka_unit_test(a_schedule_that_cannot_be_made_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
