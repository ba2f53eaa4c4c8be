/* The door to PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "document/regexp.h"

#include <pcre2.h>
#include <stdbool.h>
#include <stdlib.h>

#define MOST_MATCH_KIB  (32u * 1024) /* what PCRE2 may keep in order to go back */
#define STEPS_AN_ITEM   4u           /* counting costs as much as looking at a few nodes */
#define STEPS_A_PATTERN 5000u        /* to compile one that came with the data, */
#define STEPS_A_BYTE    100u         /* and for each byte of it */
#define BYTES_A_STEP    8u           /* where bytes are only passed over */
#define KEPT_TEXTS      8u

struct regexp {
    pcre2_code *code;                 /* owned */
    pcre2_general_context *allocator; /* borrowed: what made this; NULL: malloc() */
};

/* An expression that came with the data. */
struct kept {
    struct slice text; /* borrowed: of the document, which outlives its arena's use */
    enum regexp_extent extent;
    struct regexp *regexp; /* NULL: no I-Regexp */
};

struct regexp_runner {
    struct arena *arena; /* borrowed */
    pcre2_general_context *allocator;
    pcre2_match_context *context;
    pcre2_match_data *data;
    struct kept kept[KEPT_TEXTS];
    size_t kept_count; /* ever put there */

    /* Of the match that is under way. */
    uint64_t *steps;
    size_t position; /* in the subject, of the last item */
};

/* --- Compiling --- */

/* \A and \z make an expression match as a whole; alternatives need the group. */
static void write_pattern(struct text *pattern, enum regexp_extent extent, bool end)
{
    if (extent == REGEXP_WHOLE)
        text_add(pattern, end ? ")\\z" : "\\A(?:");
}

static pcre2_code *compile_pattern(const struct text *pattern, pcre2_general_context *allocator,
                                   struct error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(allocator);
    PCRE2_UCHAR message[128];
    PCRE2_SIZE offset;
    pcre2_code *code;
    int problem = 0;

    if (context == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return NULL;
    }
    code = pcre2_compile((PCRE2_SPTR)text_string(pattern), pattern->length,
                         PCRE2_UTF | PCRE2_AUTO_CALLOUT, &problem, &offset, context);
    pcre2_compile_context_free(context);
    if (code != NULL)
        return code;
    if (problem == PCRE2_ERROR_HEAP_FAILED) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return NULL;
    }
    pcre2_get_error_message(problem, message, sizeof(message));
    error_set(err, ERROR_CONFIG, "%s", (const char *)message);
    return NULL;
}

static int read_and_compile(struct slice text, enum regexp_extent extent, struct regexp *regexp,
                            size_t *offset, struct error *err)
{
    struct text pattern = {0};
    int rc;

    *offset = 0;
    write_pattern(&pattern, extent, false);
    rc = regexp_translate(text, &pattern, offset, err);
    write_pattern(&pattern, extent, true);
    if (text_failed(&pattern)) {
        error_set(err, ERROR_NOMEM, "out of memory");
        rc = -1;
    }
    if (rc == 0) {
        regexp->code = compile_pattern(&pattern, regexp->allocator, err);
        rc = regexp->code == NULL ? -1 : 0;
    }
    text_free(&pattern);
    return rc;
}

struct regexp *regexp_compile(struct slice text, enum regexp_extent extent, size_t *offset,
                              struct error *err)
{
    struct regexp *regexp = calloc(1, sizeof(*regexp));

    if (regexp == NULL) {
        *offset = 0;
        error_set(err, ERROR_NOMEM, "out of memory");
        return NULL;
    }
    if (read_and_compile(text, extent, regexp, offset, err) == -1) {
        regexp_free(regexp);
        return NULL;
    }
    return regexp;
}

void regexp_free(struct regexp *regexp)
{
    if (regexp == NULL)
        return;
    pcre2_code_free(regexp->code);
    free(regexp);
}

/* --- Running --- */

static bool take_steps(uint64_t *steps, uint64_t cost)
{
    bool enough = *steps >= cost;

    *steps -= enough ? cost : *steps;
    return enough;
}

static void *arena_malloc(size_t size, void *arena)
{
    return arena_alloc(arena, size);
}

static void leave(void *pointer, void *arena)
{
    (void)pointer; /* the arena takes everything back at once */
    (void)arena;
}

/*
 * Called before each item of a pattern. PCRE2 moves over any number of characters within one item,
 * so the way from the item before counts too.
 */
static int count_steps(pcre2_callout_block *block, void *data)
{
    struct regexp_runner *runner = data;
    size_t here = block->current_position;
    size_t way = here > runner->position ? here - runner->position : runner->position - here;

    runner->position = here;
    return take_steps(runner->steps, STEPS_AN_ITEM + way) ? 0 : PCRE2_ERROR_MATCHLIMIT;
}

struct regexp_runner *regexp_runner_create(struct arena *arena)
{
    struct regexp_runner *runner = arena_alloc(arena, sizeof(*runner));

    if (runner == NULL)
        return NULL;
    *runner = (struct regexp_runner){.arena = arena};
    runner->allocator = pcre2_general_context_create(arena_malloc, leave, arena);
    if (runner->allocator == NULL)
        return NULL;
    runner->context = pcre2_match_context_create(runner->allocator);
    runner->data = pcre2_match_data_create(1, runner->allocator);
    if (runner->context == NULL || runner->data == NULL)
        return NULL;
    pcre2_set_heap_limit(runner->context, MOST_MATCH_KIB);
    pcre2_set_callout(runner->context, count_steps, runner);
    return runner;
}

enum regexp_result regexp_run(struct regexp_runner *runner, const struct regexp *regexp,
                              struct slice subject, uint64_t *steps)
{
    int rc;

    /* PCRE2 checks that it is UTF-8, and may look for a character before it begins. */
    if (!take_steps(steps, STEPS_AN_ITEM + subject.length / BYTES_A_STEP))
        return REGEXP_TOO_LONG;
    runner->steps = steps;
    runner->position = 0;
    rc = pcre2_match(regexp->code, (PCRE2_SPTR)subject.data, subject.length, 0, 0, runner->data,
                     runner->context);
    switch (rc) {
    case PCRE2_ERROR_NOMEMORY:
        return REGEXP_NOMEM;
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return REGEXP_TOO_LONG;
    default:
        return rc >= 0 ? REGEXP_MATCH : REGEXP_NO_MATCH;
    }
}

/* --- Expressions that come with the data --- */

static struct kept *find_kept(struct regexp_runner *runner, struct slice text,
                              enum regexp_extent extent)
{
    size_t count = runner->kept_count < KEPT_TEXTS ? runner->kept_count : KEPT_TEXTS;

    for (size_t i = 0; i < count; i++) {
        struct kept *kept = &runner->kept[i];

        if (kept->extent == extent && slice_same(kept->text, text))
            return kept;
    }
    return NULL;
}

/* Takes the place of the oldest. */
static enum regexp_result keep(struct regexp_runner *runner, struct slice text,
                               enum regexp_extent extent, struct kept **result)
{
    struct kept *kept = &runner->kept[runner->kept_count % KEPT_TEXTS];
    struct regexp *regexp = arena_alloc(runner->arena, sizeof(*regexp));
    struct error err = {0};
    size_t offset;

    if (regexp == NULL)
        return REGEXP_NOMEM;
    *regexp = (struct regexp){.allocator = runner->allocator};
    if (read_and_compile(text, extent, regexp, &offset, &err) == -1) {
        if (err.code == ERROR_NOMEM)
            return REGEXP_NOMEM;
        regexp = NULL;
    }
    *kept = (struct kept){text, extent, regexp};
    runner->kept_count++;
    *result = kept;
    return REGEXP_MATCH;
}

enum regexp_result regexp_run_text(struct regexp_runner *runner, struct slice text,
                                   enum regexp_extent extent, struct slice subject, uint64_t *steps)
{
    struct kept *kept = find_kept(runner, text, extent);
    enum regexp_result made;

    if (!take_steps(steps, text.length / BYTES_A_STEP))
        return REGEXP_TOO_LONG;
    if (kept == NULL) {
        if (!take_steps(steps, STEPS_A_PATTERN + (uint64_t)STEPS_A_BYTE * text.length))
            return REGEXP_TOO_LONG;
        made = keep(runner, text, extent, &kept);
        if (made != REGEXP_MATCH)
            return made;
    }
    return kept->regexp == NULL ? REGEXP_NO_MATCH
                                : regexp_run(runner, kept->regexp, subject, steps);
}
