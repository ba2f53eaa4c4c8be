#include "replay_rig.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "gatherd/clock.h"
#include "gatherd/processor.h"

static struct config *load(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "/tmp", &report);

    assert_string_equal(text_string(&report.text), "");
    assert_non_null(config);
    config_report_free(&report);
    return config;
}

void replaying_configure(struct replaying_rig *r, const char *yaml)
{
    struct source_state *states;
    struct error err = {0};

    config_unref(r->config);
    r->config = load(yaml);
    states = calloc(r->config->source_count, sizeof(*states));
    assert_non_null(states);
    assert_int_equal(store_register(r->rig->store, r->config, states, &err), 0);
    r->run.source = &r->config->sources[0];
    r->run.source_id = states[0].id;
    run_state_clear(&r->run.state);
    r->run.state = states[0].state;
    states[0].state = (struct run_state){0};
    source_states_free(states, r->config->source_count);
}

struct replaying_rig *replaying_create(const char *yaml)
{
    struct replaying_rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->rig = rig_make();
    rig_open(r->rig);
    r->arena = arena_create(1 << 20);
    replaying_configure(r, yaml);
    return r;
}

void replaying_free(struct replaying_rig *r)
{
    run_clear_response(&r->run);
    run_state_clear(&r->run.state);
    pages_free(r->run.pages);
    arena_free(r->arena);
    config_unref(r->config);
    rig_free(r->rig);
    text_free(&r->said);
    free(r);
}

static void begin_position(struct run *run)
{
    struct error err = {0};

    if (run->source->incremental == NULL)
        return;
    if (run->state.position == NULL)
        run->state.position = position_create(NULL);
    assert_non_null(run->state.position);
    assert_int_equal(position_begin(run->state.position, run->source, clock_wall_ms(), &err), 0);
}

void replaying_answer(struct replaying_rig *r, int status, const char *content_type,
                      const char *body)
{
    struct run *run = &r->run;
    struct result result;
    struct batch batch = {&result, 1};

    run->scheduled_at_ms = 1000;
    run->response.status = status;
    run->response.content_type = strdup(content_type);
    run->response.body = strdup(body);
    run->response.body_bytes = strlen(body);
    if (!source_is_success(run->source, status))
        run_fail(run, RUN_FAILED_STATUS, "HTTP %d", status);
    begin_position(run);
    assert_int_equal(process_response(run, r->arena, NULL, &result), 0);
    assert_int_equal(store_commit(r->rig->store, &batch, NULL), STORE_OK);
    if (run->state.position != NULL) {
        if (run->failure == RUN_OK)
            position_page_committed(run->state.position, true);
        position_end(run->state.position);
    }
    run_clear_response(run);
    arena_reset(r->arena);
}

static void note_failure(void *context, const struct replay_failure *failure)
{
    struct replaying_rig *r = context;

    text_format(&r->said, "%lld %s: %s\n", (long long)failure->letter_id, failure->source,
                failure->reason);
}

enum replay_status replaying_do(struct replaying_rig *r, struct replay_wish wish, struct error *err)
{
    enum replay_status status = REPLAY_FAILED;
    struct replay *replay;

    text_clear(&r->said);
    wish.failed = note_failure;
    wish.context = r;
    replay = replay_open(r->rig->store, r->config, &wish, err);
    if (replay == NULL)
        return REPLAY_FAILED;
    do {
        status = replay_step(replay, err);
    } while (status == REPLAY_MORE);
    r->report = *replay_report(replay);
    replay_close(replay);
    return status;
}

void replaying_letters(struct replaying_rig *r)
{
    const struct letter_choice all = {0};
    struct error err = {0};

    assert_int_equal(replaying_do(r, (struct replay_wish){.letters = &all}, &err), REPLAY_DONE);
    assert_string_equal(err.text, "");
}

void replaying_bodies(struct replaying_rig *r)
{
    struct error err = {0};
    const struct replay_wish wish = {.source = r->config->sources[0].name, .until_ms = INT64_MAX};

    assert_int_equal(replaying_do(r, wish, &err), REPLAY_DONE);
    assert_string_equal(err.text, "");
}
