#include "gathering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/processor.h"
#include "gatherd/text.h"

#include "test.h"

static struct config *parse(const char *source)
{
    struct config_report report = {0};
    struct text yaml = {0};
    struct config *config;

    text_add(&yaml, "sources:\n  - name: t\n    url: http://example.org/t\n");
    while (*source != '\0') {
        size_t length = strcspn(source, "\n");

        text_format(&yaml, "    %.*s\n", (int)length, source);
        source += length + (source[length] == '\n');
    }
    config = config_parse(text_string(&yaml), yaml.length, "test.yaml", "", &report);
    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    config_report_free(&report);
    text_free(&yaml);
    return config;
}

static void forget_run(struct run *run)
{
    run_clear_response(run);
    run_state_clear(&run->state);
    pages_free(run->pages);
    free(run->error);
}

void gathering_configure(struct gathering *g, const char *source)
{
    struct config *config = parse(source);
    struct source_state saved;
    struct error err = {0};

    config_unref(g->config);
    g->config = config;
    forget_run(&g->run);
    g->run = (struct run){.source = &config->sources[0]};
    assert_int_equal(store_register(g->rig->store, config, &saved, &err), 0);
    g->run.source_id = saved.id;
    g->run.state = saved.state;
    if (config->sources[0].pagination != NULL)
        g->run.pages = pages_create(config->sources[0].pagination);
}

struct gathering *gathering_create(const char *source)
{
    struct gathering *g = calloc(1, sizeof(*g));

    assert_non_null(g);
    g->rig = rig_make();
    rig_open(g->rig);
    g->arena = arena_create(1 << 20);
    assert_non_null(g->arena);
    g->computer = computer_create();
    assert_non_null(g->computer);
    gathering_configure(g, source);
    return g;
}

void gathering_free(struct gathering *g)
{
    if (g == NULL)
        return;
    forget_run(&g->run);
    config_unref(g->config);
    arena_free(g->arena);
    computer_free(g->computer);
    rig_free(g->rig);
    free(g);
}

void gathering_answer(struct gathering *g, const char *body)
{
    struct run *run = &g->run;

    run_clear_response(run);
    free(run->error);
    run->error = NULL;
    run->failure = RUN_OK;
    arena_reset(g->arena);
    run->response.status = 200;
    run->response.body = strdup(body);
    assert_non_null(run->response.body);
    run->response.body_bytes = strlen(body);
    run->requests++;
    assert_int_equal(process_response(run, g->arena, g->computer, &g->result), 0);
}

enum store_status gathering_commit(struct gathering *g, struct error *err)
{
    struct batch batch = {&g->result, 1};

    return store_commit(g->rig->store, &batch, err);
}

enum store_status gathering_try(struct gathering *g, const char *body, struct error *err)
{
    gathering_answer(g, body);
    return gathering_commit(g, err);
}

static void expect_success(struct gathering *g)
{
    struct error err = {0};

    assert_int_equal(gathering_commit(g, &err), STORE_OK);
    assert_string_equal(err.text, "");
    assert_string_equal(g->run.error == NULL ? "" : g->run.error, "");
    assert_int_equal(g->run.failure, RUN_OK);
}

void gathering_take(struct gathering *g, const char *body)
{
    gathering_answer(g, body);
    expect_success(g);
}

void gathering_take_page(struct gathering *g, const char *body)
{
    gathering_answer(g, body);
    assert_true(g->result.more);
    expect_success(g);
    pages_advance(g->run.pages);
}

void gathering_fail_page(struct gathering *g)
{
    struct error err = {0};

    run_clear_response(&g->run);
    g->result = (struct result){.run = &g->run};
    run_fail(&g->run, RUN_FAILED_STATUS, "HTTP 500");
    g->run.failures = 1;
    assert_int_equal(gathering_commit(g, &err), STORE_OK);
}
