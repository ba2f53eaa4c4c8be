/* Processing when memory runs out: at allocation 1, 2, 3 and so on, or for a large piece. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/computer.h"
#include "processing.h"
#include "scarce_arena.h"

static int setup(void **state)
{
    *state = processing_create();
    return 0;
}

static int teardown(void **state)
{
    scarce_arena_stop_failing();
    processing_free(*state);
    return 0;
}

/* Fails at the first allocation, the second, ... until it succeeds: the run is as before. */
static void fail_with(struct processing *p, struct computer *computer, const char *content_type,
                      const char *body)
{
    int rc = -1;
    size_t step = 0;

    run_clear_response(&p->run);
    p->run.response.status = 200;
    p->run.response.content_type = content_type == NULL ? NULL : strdup(content_type);
    p->run.response.body = strdup(body);
    p->run.response.body_bytes = strlen(body);
    for (; rc == -1; step++) {
        assert_true(step < 10000);
        arena_reset(p->arena);
        scarce_arena_fail_after(step);
        rc = process_response(&p->run, p->arena, computer, &p->result);
        scarce_arena_stop_failing();
        if (rc == -1) {
            assert_int_equal(p->run.failure, RUN_OK);
            assert_null(p->run.error);
        }
    }
    assert_true(step > 1);
}

static void fail_at_every_step(struct processing *p, const char *content_type, const char *body)
{
    fail_with(p, NULL, content_type, body);
}

static void rows_of_a_table(void **state)
{
    struct processing *p = *state;

    fail_at_every_step(p, "text/csv; charset=windows-1252",
                       "a,a,,b\n1,\"2\"\"\",3,caf\xe9\n1,2\n1,2,3,4\n1\n\"1\"x,2,3,4\n");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.rows.row_count, 2);
    assert_int_equal(p->result.dead_letter_count, 3);
}

static void records_of_any_members(void **state)
{
    struct processing *p = *state;
    struct text body = {0};

    for (int i = 0; i < 100; i++)
        text_format(&body, "%s\"m%d\":[%d]", i == 0 ? "[{" : ",", i, i);
    text_add(&body, "},null,{\"a\":\"\\u00e9\"}]");
    fail_at_every_step(p, NULL, text_string(&body));
    text_free(&body);
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.rows.row_count, 2);
    assert_int_equal(p->result.dead_letter_count, 1);
}

static void records_with_fields_of_every_kind(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.pages[*].items");
    processing_field(p, "id", "$.id", FIELD_INTEGER, TIME_UNIT_NONE);
    processing_field(p, "at", "$.at", FIELD_TIMESTAMP, TIME_UNIT_S);
    processing_field(p, "deep", "$.a.b", FIELD_UNDECLARED, TIME_UNIT_NONE);
    processing_field(p, "tags", "$.tags[*]", FIELD_JSON, TIME_UNIT_NONE);
    fail_at_every_step(p, NULL,
                       "{\"pages\":[{\"items\":[{\"id\":1,\"at\":1,\"x\":2,\"tags\":[1,2]},"
                       "{\"id\":\"x\"}]},{\"items\":[]}]}");
    assert_int_equal(p->result.rows.row_count, 1);
    assert_string_equal(processing_letters(p), "1@1:56 column \"id\": \"x\" is not an integer\n");
}

static bool any_column(void *context, const char *name, enum column_affinity *affinity)
{
    (void)context;
    (void)name;
    *affinity = AFFINITY_NONE;
    return true;
}

/* Of `where` and the fields a to d. */
static void check_expressions(struct expression list[4], struct arena *arena)
{
    static const char *const texts[] = {"a <> 2", "a || 'x'", "json_object('a', a)", "a / (a - 1)"};
    const struct column_finder finder = {NULL, any_column};
    struct expression_checker *checker = expression_checker_create();
    struct expression_mistake mistake;

    assert_non_null(checker);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            expression_check(checker, texts[i], i == 0, &finder, arena, &list[i], &mistake), 0);
    expression_checker_free(checker);
}

static void values_that_are_calculated(void **state)
{
    struct processing *p = *state;
    struct computer *computer = computer_create();
    struct arena *arena = arena_create(0);
    struct expression list[4];
    size_t fields[4] = {COMPUTED_WHERE, 1, 2, 3};
    struct computation computation = {{list, 4, {1, 2}}, fields};

    assert_true(computer != NULL && arena != NULL);
    check_expressions(list, arena);
    p->source.mapping.computation = &computation;
    processing_field(p, "a", "$.a", FIELD_UNDECLARED, TIME_UNIT_NONE);
    for (size_t i = 1; i < 4; i++)
        p->fields[i] = (struct field){.name = &"b\0c\0d"[2 * (i - 1)], .sql = "1"};
    p->fields[2].rule.type = FIELD_JSON;
    p->fields[3].rule.type = FIELD_DECIMAL;
    p->fields[3].required = true;
    p->source.mapping.field_count = 4;
    fail_with(p, computer, NULL, "[{\"a\":2},{\"a\":3},{\"a\":1},{\"a\":\"7\"}]");
    assert_int_equal(p->result.filtered, 1);
    assert_string_equal(processing_rows(p), "a,b,c,d\n3,'3x','{\"a\":3}','1'\n"
                                            "'7','7x','{\"a\":\"7\"}','1'\n");
    assert_string_equal(processing_letters(p),
                        "2@1:18 column \"d\" is required, and null is no value\n");
    computer_free(computer);
    arena_free(arena);
}

static void fields_of_the_types_that_need_memory(void **state)
{
    static const struct constant nothing = {.value = {.type = VALUE_TEXT, .text = ""}};
    struct processing *p = *state;
    struct null_value null;

    null_value_set(&null, "n/a", 3);
    p->source.mapping.null_values = &null;
    p->source.mapping.null_value_count = 1;
    processing_field(p, "price", "$.price", FIELD_DECIMAL, TIME_UNIT_NONE);
    processing_field(p, "at", "$.at", FIELD_TIMESTAMP, TIME_UNIT_NONE);
    processing_field(p, "bytes", "$.bytes", FIELD_BLOB, TIME_UNIT_NONE);
    processing_field(p, "id", "$.id", FIELD_UNDECLARED, TIME_UNIT_NONE);
    p->fields[1].rule.format = "%d.%m.%Y";
    p->fields[2].rule.encoding = BINARY_BASE64;
    p->fields[2].fallback = &nothing;
    p->fields[3].required = true;
    fail_at_every_step(p, NULL,
                       "[{\"price\":1.50e3,\"at\":\"02.01.2026\",\"bytes\":\"AAEC\",\"id\":1},"
                       "{\"id\":\"n/a\"},{\"at\":\"soon\"},{\"id\":2}]");
    assert_int_equal(p->result.rows.row_count, 2);
    assert_string_equal(processing_letters(p),
                        "1@1:59 column \"id\" is required, and \"n/a\" stands for none\n"
                        "2@1:72 column \"at\": \"soon\" is not a timestamp of the format "
                        "%d.%m.%Y\n");
}

static void records_with_children(void **state)
{
    static const char *const key[] = {"id"};
    static const char *const links[] = {"_parent_id", LINK_INDEX};
    struct processing *p = *state;
    struct mapping child = {.records = jsonpath_compile("$.l[*]", &(size_t){0}, NULL),
                            .table = "child",
                            .primary_key = links,
                            .primary_key_count = 2,
                            .links = links,
                            .link_count = 2};

    p->source.mapping.primary_key = key;
    p->source.mapping.primary_key_count = 1;
    p->source.mapping.children = &child;
    p->source.mapping.child_count = 1;
    fail_at_every_step(p, NULL,
                       "[{\"id\":1,\"l\":[{\"a\":1},null,{\"_index\":2}]},{\"id\":2,\"l\":[5]}]");
    assert_int_equal(p->result.child_count, 1);
    assert_int_equal(p->result.children[0].row_count, 2);
    assert_string_equal(processing_letters(p),
                        "1@1:23 the record is null\n"
                        "2@1:28 the record has a member _index, which is a column by which parents "
                        "and children know each other; name the ones to keep with fields\n");
    p->source.mapping.children = NULL;
    p->source.mapping.child_count = 0;
    jsonpath_free(child.records);
}

static void lines_with_a_path(void **state)
{
    struct processing *p = *state;

    processing_records(p, "$.items[*]");
    fail_at_every_step(p, "application/x-ndjson",
                       "{\"items\":[{\"a\":1}]}\n{\"b\":1}\n{\"items\":[]}\n");
    assert_int_equal(p->result.rows.row_count, 1);
    assert_int_equal(p->result.dead_letter_count, 1);
}

static void bodies_that_fail_the_run(void **state)
{
    struct processing *p = *state;

    fail_at_every_step(p, NULL, "<html>");
    assert_int_equal(p->run.failure, RUN_FAILED_DECODE);
    processing_records(p, "$.items");
    fail_at_every_step(p, NULL, "{\"items\":1}");
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
    processing_records(p, "$.items[*]");
    fail_at_every_step(p, NULL, "{\"data\":1}");
    assert_int_equal(p->run.failure, RUN_FAILED_RECORDS);
}

static void pages_that_follow_and_pages_that_fail(void **state)
{
    struct processing *p = *state;
    struct pagination pagination = {.type = PAGINATION_CURSOR, .max_pages = 9};

    pagination.cursor_path = jsonpath_compile("$.next", &(size_t){0}, NULL);
    p->source.pagination = &pagination;
    p->run.pages = pages_create(&pagination);
    processing_records(p, "$.items");
    fail_at_every_step(p, NULL, "{\"items\":[1],\"next\":\"x\"}");
    assert_true(p->result.more);
    assert_string_equal(p->run.pages->next_text, "x");
    fail_at_every_step(p, NULL, "{\"items\":[1],\"next\":{}}");
    assert_int_equal(p->run.failure, RUN_FAILED_PAGES);
    fail_at_every_step(p, NULL, "{\"other\":[1],\"next\":null}");
    assert_int_equal(p->run.failure, RUN_OK);
    assert_int_equal(p->result.records, 0);
    pages_free(p->run.pages);
    jsonpath_free(pagination.cursor_path);
}

/* --- In a processor --- */

struct seen {
    size_t batches;
    size_t sizes[4];
    size_t rows;
    enum run_failure failures[4];
    char reasons[4][128]; /* of dead letters */
    size_t committed;
};

static void on_plan(void *context, struct run *run)
{
    (void)context;
    (void)run;
}

static enum store_status on_commit(void *context, struct batch *batch, struct error *err)
{
    struct seen *seen = context;

    (void)err;
    seen->sizes[seen->batches++] = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        const struct result *result = &batch->results[i];

        seen->rows += result->rows.row_count;
        if (result->dead_letter_count > 0)
            strncpy(seen->reasons[seen->committed], result->dead_letters->reason, 127);
        seen->failures[seen->committed++] = result->run->failure;
    }
    return STORE_OK;
}

static void on_committed(void *context, const struct result *result)
{
    (void)context;
    (void)result;
}

static void on_finished(void *context, struct run *run)
{
    (void)context;
    (void)run;
}

static void on_fatal(void *context, const struct error *err)
{
    (void)context;
    fail_msg("fatal: %s", err->text);
}

static void put(struct queue *queue, struct run *run, const struct source *source, char *body)
{
    assert_non_null(body);
    *run = (struct run){.source = source};
    run->response.status = 200;
    run->response.body = body;
    run->response.body_bytes = strlen(body);
    assert_int_equal(queue_put(queue, run, run->response.body_bytes, QUEUE_NO_WAIT), QUEUE_OK);
}

/* "[1,1,...]": its nodes need one large piece. */
static char *large_body(size_t count)
{
    char *body = malloc(2 * count + 2);

    assert_non_null(body);
    for (size_t i = 0; i < count; i++)
        memcpy(body + 2 * i, i == 0 ? "[1" : ",1", 2);
    memcpy(body + 2 * count, "]", 2);
    return body;
}

static void a_response_too_large_for_memory_fails_alone_and_keeps_its_body(void **state)
{
    struct processing *p = *state;
    struct queue *queue = queue_create(0, 0);
    struct run runs[3];
    struct seen seen = {0};
    struct processor_options options = {.number = 1, .batch_max_rows = 1000};
    struct processor_hooks hooks = {.context = &seen,
                                    .plan = on_plan,
                                    .commit = on_commit,
                                    .committed = on_committed,
                                    .finished = on_finished,
                                    .next_page = on_finished,
                                    .fatal = on_fatal};
    struct processor *processor;

    assert_non_null(queue);
    put(queue, &runs[0], &p->source, strdup("{\"a\":1}"));
    put(queue, &runs[1], &p->source, large_body(100000));
    put(queue, &runs[2], &p->source, strdup("{\"a\":2}"));
    queue_shutdown(queue, QUEUE_DRAIN, NULL, NULL);
    scarce_arena_fail_above(200000);
    processor = processor_start(&options, queue, &hooks, NULL);
    assert_non_null(processor);
    processor_free(processor);
    assert_int_equal(seen.batches, 2); /* the first; then the large one, alone, and what follows */
    assert_int_equal(seen.sizes[0], 1);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(seen.failures[0], RUN_OK);
    assert_int_equal(seen.failures[1], RUN_FAILED_LIMIT);
    assert_int_equal(seen.failures[2], RUN_OK);
    assert_string_equal(seen.reasons[1], "out of memory while reading a body of 200001 bytes; "
                                         "lower max_body_size, or give the process more memory");
    assert_int_equal(queue_stats(queue).unfinished, 0);
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(rows_of_a_table),
        TEST(records_of_any_members),
        TEST(records_with_fields_of_every_kind),
        TEST(values_that_are_calculated),
        TEST(fields_of_the_types_that_need_memory),
        TEST(records_with_children),
        TEST(lines_with_a_path),
        TEST(bodies_that_fail_the_run),
        TEST(pages_that_follow_and_pages_that_fail),
        TEST(a_response_too_large_for_memory_fails_alone_and_keeps_its_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
