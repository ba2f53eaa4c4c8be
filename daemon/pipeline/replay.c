#include "gatherd/replay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gatherd/arena.h"
#include "gatherd/computer.h"
#include "gatherd/hash.h"
#include "gatherd/processor.h"

/* What one step takes: more than one, since each commit waits for the disk; few enough that a live
 * answer hardly waits. */
#define STEP_ITEMS       64
#define STEP_BYTES       (512u * 1024)
#define STEP_ROWS        1000
#define ARENA_KEEP_BYTES (4u * 1024 * 1024)

/* One body or dead letter on its way. */
struct item {
    struct kept kept;
    struct source source; /* today's, made to fit */
    struct run run;
    char reason[640]; /* why it is not even tried; "": it is */
};

struct replay {
    struct store *store;   /* borrowed */
    struct config *config; /* owned reference */
    struct replay_wish wish;
    struct arena *names;        /* owned: of the tables that bodies go into */
    const struct mapping *into; /* in `names`; NULL: the source's own */
    struct kept_reader *reader;
    struct arena *arena;
    struct computer *computer;
    struct replay_report report;
    size_t most_items; /* of the next step */

    /* Of the run at hand: its pages come one after the other. */
    struct progress {
        int64_t run_id;
        bool run_is_whole; /* from its first page on */
        size_t records;
    } at, mark; /* now, and when the step began */

    /* Of the step at hand. */
    struct item items[STEP_ITEMS];
    size_t item_count;
    struct result results[STEP_ITEMS]; /* of those that are tried, in their order */
    size_t result_count;
};

/* A dead letter is a part of what its run brought: may the table take such a part? */
static bool takes_parts(enum write_mode mode)
{
    switch (mode) {
    case WRITE_APPEND:
    case WRITE_UPSERT:
    case WRITE_INSERT_ONLY:
        return true;
    case WRITE_REPLACE: /* it would be the whole set */
    case WRITE_HISTORY: /* it would be the newest version */
    case WRITE_VERSIONS:
        break;
    }
    return false;
}

/* --- Opening. --- */

static int no_memory(struct error *err)
{
    error_set(err, ERROR_NOMEM, "out of memory for the replay");
    return -1;
}

/* "old_" goes before each table's own name; "old" is the source's, and goes before the others. */
static const char *name_table(struct replay *r, const char *table, bool is_child)
{
    const char *into = r->wish.into;
    bool is_prefix = *into != '\0' && into[strlen(into) - 1] == '_';
    struct text name = {0};
    const char *copy;

    text_add(&name, into);
    if (is_prefix || is_child)
        text_format(&name, "%s%s", is_prefix ? "" : "_", table);
    copy = text_failed(&name) ? NULL : arena_copy(r->names, text_string(&name), name.length);
    text_free(&name);
    return copy;
}

/*
 * What a walk did not find is for the source's own table to ask. A set that is replaced with each
 * walk is there in all its states, one behind the other or by their key.
 */
static void collect(struct mapping *mapping)
{
    mapping->on_missing = MISSING_KEEP;
    if (mapping->write_mode == WRITE_REPLACE)
        mapping->write_mode = mapping->primary_key_count > 0 ? WRITE_UPSERT : WRITE_APPEND;
}

/* The same mapping into other tables. -1: out of memory. */
static int lead_into(struct replay *r, struct mapping *mapping, bool is_child)
{
    struct mapping *children =
        arena_alloc(r->names, (mapping->child_count + 1) * sizeof(*children));

    collect(mapping);
    if (mapping->history_table != NULL) {
        mapping->history_table = name_table(r, mapping->history_table, true);
        if (mapping->history_table == NULL)
            return -1;
    }
    mapping->table = name_table(r, mapping->table, is_child);
    if (mapping->table == NULL || children == NULL)
        return -1;
    for (size_t i = 0; i < mapping->child_count; i++) {
        children[i] = mapping->children[i];
        if (lead_into(r, &children[i], true) == -1)
            return -1;
    }
    mapping->children = children;
    return 0;
}

static bool has_table(const struct mapping *mapping, const char *table)
{
    bool has = strcasecmp(mapping->table, table) == 0 ||
               (mapping->history_table != NULL && strcasecmp(mapping->history_table, table) == 0);

    for (size_t i = 0; i < mapping->child_count && !has; i++)
        has = has_table(&mapping->children[i], table);
    return has;
}

static int check_name(const struct replay *r, const char *table, struct error *err)
{
    const char *problem = table_name_problem(table);

    if (problem != NULL) {
        error_set(err, ERROR_USAGE, "--into: \"%.200s\" %s", table, problem);
        return -1;
    }
    for (size_t i = 0; i < r->config->source_count; i++) {
        const struct source *source = &r->config->sources[i];

        if (!has_table(&source->mapping, table))
            continue;
        error_set(err, ERROR_USAGE,
                  "--into: table \"%s\" is one of source \"%s\"; choose another, or leave --into "
                  "out to replay into the source's own",
                  table, source->name);
        return -1;
    }
    return 0;
}

static int check_tables(const struct replay *r, const struct mapping *mapping, struct error *err)
{
    if (check_name(r, mapping->table, err) == -1 ||
        (mapping->history_table != NULL && check_name(r, mapping->history_table, err) == -1))
        return -1;
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (check_tables(r, &mapping->children[i], err) == -1)
            return -1;
    }
    return 0;
}

static int choose_tables(struct replay *r, const struct source *source, struct error *err)
{
    struct mapping *into;

    if (r->wish.into == NULL)
        return 0;
    into = arena_alloc(r->names, sizeof(*into));
    if (into == NULL)
        return no_memory(err);
    *into = source->mapping;
    r->into = into;
    return lead_into(r, into, false) == -1 ? no_memory(err) : check_tables(r, into, err);
}

/* Versions begin in new tables. */
static int check_new(const struct replay *r, const char *table, struct error *err)
{
    bool exists = false;

    if (kept_has_table(r->reader, table, &exists, err) == -1)
        return -1;
    if (exists)
        error_set(err, ERROR_USAGE,
                  "--into: table \"%s\" is there already, and versions begin in a new one; drop it "
                  "with its history, or choose another",
                  table);
    return exists ? -1 : 0;
}

static int check_all_new(const struct replay *r, const struct mapping *mapping, struct error *err)
{
    if (check_new(r, mapping->table, err) == -1 ||
        (mapping->history_table != NULL && check_new(r, mapping->history_table, err) == -1))
        return -1;
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (check_all_new(r, &mapping->children[i], err) == -1)
            return -1;
    }
    return 0;
}

/* A table of what is there now cannot take what was there once, but a new one can begin with it. */
static int check_mode(const struct replay *r, const struct source *source, struct error *err)
{
    if (takes_parts(source->mapping.write_mode))
        return 0;
    if (r->into == NULL) {
        error_set(err, ERROR_USAGE,
                  "source \"%s\": a table of this write_mode holds what is there now, and the next "
                  "poll brings it by the mapping of today; for what was there, replay --into other "
                  "tables",
                  source->name);
        return -1;
    }
    return r->into->write_mode == WRITE_HISTORY ? check_all_new(r, r->into, err) : 0;
}

/*
 * Where rows have a key, what was fetched later stays. But of children that have vanished since,
 * nothing is there that says so: only the answers after them do.
 */
static int check_range(const struct replay *r, const struct source *source, struct error *err)
{
    if (r->wish.until_ms == INT64_MAX || r->into != NULL ||
        source->mapping.write_mode != WRITE_UPSERT || source->mapping.child_count == 0)
        return 0;
    error_set(err, ERROR_USAGE,
              "source \"%s\" has children: with --until those that vanished later would come back; "
              "leave it out, or replay --into other tables",
              source->name);
    return -1;
}

static int open_bodies(struct replay *r, struct error *err)
{
    const struct source *source = config_find_source(r->config, r->wish.source);

    if (source == NULL) {
        error_set(err, ERROR_USAGE, "no source is named \"%s\"", r->wish.source);
        return -1;
    }
    if (choose_tables(r, source, err) == -1 || check_range(r, source, err) == -1)
        return -1;
    r->reader = kept_open_bodies(r->store, source->name, r->wish.since_ms, r->wish.until_ms, err);
    return r->reader == NULL ? -1 : check_mode(r, source, err);
}

static int open_letters(struct replay *r, struct error *err)
{
    r->reader = kept_open_letters(r->store, r->wish.letters, err);
    return r->reader == NULL ? -1 : 0;
}

struct replay *replay_open(struct store *store, struct config *config,
                           const struct replay_wish *wish, struct error *err)
{
    struct replay *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        no_memory(err);
        return NULL;
    }
    r->store = store;
    r->config = config_ref(config);
    r->wish = *wish;
    r->most_items = STEP_ITEMS;
    r->arena = arena_create(ARENA_KEEP_BYTES);
    r->names = arena_create(0);
    r->computer = computer_create();
    if (r->arena == NULL || r->names == NULL || r->computer == NULL) {
        no_memory(err);
        replay_close(r);
        return NULL;
    }
    if ((wish->letters != NULL ? open_letters(r, err) : open_bodies(r, err)) == -1) {
        replay_close(r);
        return NULL;
    }
    r->report.total = kept_count(r->reader);
    return r;
}

static void item_clear(struct item *item)
{
    kept_clear(&item->kept);
    run_clear_response(&item->run);
    pages_free(item->run.pages);
    run_state_clear(&item->run.state);
    items_unref(item->run.items);
    *item = (struct item){0};
}

static void clear_step(struct replay *r)
{
    for (size_t i = 0; i < r->item_count; i++)
        item_clear(&r->items[i]);
    r->item_count = 0;
    r->result_count = 0;
    if (r->arena != NULL)
        arena_reset(r->arena);
}

void replay_close(struct replay *r)
{
    if (r == NULL)
        return;
    clear_step(r);
    kept_close(r->reader);
    arena_free(r->arena);
    arena_free(r->names);
    computer_free(r->computer);
    config_unref(r->config);
    free(r);
}

const struct replay_report *replay_report(const struct replay *r)
{
    return &r->report;
}

const char *replay_table(const struct replay *r)
{
    if (r->into != NULL)
        return r->into->table;
    return r->wish.source == NULL ? NULL
                                  : config_find_source(r->config, r->wish.source)->mapping.table;
}

/* --- What cannot be replayed. --- */

static void refuse(struct item *item, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse(struct item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(item->reason, sizeof(item->reason), format, args);
    va_end(args);
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

/* An answer that says no holds no records, unless the configuration has come to see it otherwise.
 */
static void check_status(struct item *item, const struct source *source)
{
    if (source->response_count > 0)
        refuse(item,
               "by its status or by `responses` the answer (HTTP %d) is none with records; "
               "drop it",
               item->kept.response.status);
    else if (!source_is_success(source, item->kept.response.status))
        refuse(item,
               "HTTP %d is none of success_status_codes: the answer holds no records; drop it",
               item->kept.response.status);
}

/* Why the run of a body failed, where it was for what the mapping says. */
static const char *const mapping_failures[] = {"", "decode", "records", "store", "limit", NULL};

/* The next run asked for the same again: in a table without a key its rows would come twice. */
static bool was_asked_again(const struct source *source, const struct kept *kept)
{
    return source->mapping.write_mode == WRITE_APPEND &&
           (source->incremental != NULL || kept->facts.page > 1);
}

static void check_body(struct item *item, const struct source *source)
{
    const struct kept *kept = &item->kept;

    if (strcmp(kept->failure, "status") == 0)
        check_status(item, source);
    else if (!is_one_of(kept->failure, mapping_failures))
        refuse(item, "its run failed for another reason than the mapping (%s); drop it",
               kept->failure);
    if (item->reason[0] == '\0' && was_asked_again(source, kept))
        refuse(item, "later runs asked for the same again, and the table appends: its rows would "
                     "come twice; drop it");
}

static bool has_document_fields(const struct mapping *mapping)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (mapping->fields[i].document != NULL)
            return true;
    }
    for (size_t i = 0; i < mapping->child_count; i++) {
        if (has_document_fields(&mapping->children[i]))
            return true;
    }
    return false;
}

static bool needs_its_answer(const struct kept *kept, const struct source *source)
{
    return kept->is_zip || has_document_fields(&source->mapping);
}

static void check(const struct replay *r, struct item *item, const struct source *source)
{
    if (item->kept.problem[0] != '\0')
        refuse(item, "%s", item->kept.problem);
    else if (source == NULL)
        refuse(item, "source \"%s\" is not in the configuration any more", item->kept.source);
    else if (item->kept.facts.is_record && needs_its_answer(&item->kept, source))
        refuse(item, "what its row is made of was in the answer around it; poll again, or replay "
                     "the body if it is kept (`gatherd replay`)");
    else if (item->kept.is_child)
        refuse(item, "a record in a list of another has no parent by itself; poll again, or replay "
                     "the body if it is kept (`gatherd replay`)");
    else if (item->kept.facts.letter_id == 0 && item->kept.facts.page > 1 && !r->at.run_is_whole &&
             source->mapping.link_count > 0)
        refuse(item, "the first pages of its run are not kept any more, and the rows are numbered "
                     "through a run");
    else if (item->kept.facts.letter_id != 0 && !takes_parts(source->mapping.write_mode))
        refuse(item, "a table of this write_mode takes what is there now, and the next poll brings "
                     "it; drop it");
    else if (item->kept.facts.letter_id != 0 && !item->kept.facts.is_record)
        check_body(item, source);
}

/* --- One run. --- */

/* What finds records in an answer has found this one. */
static void fit_to_record(struct source *source)
{
    source->mapping.zip = NULL;
    source->mapping.key_as = NULL;
    source->pagination = NULL;
    source->incremental = NULL;
    source->mapping.records = NULL;
}

static int make_pages(struct run *run, unsigned page)
{
    if (run->source->pagination == NULL)
        return 0;
    run->pages = pages_create(run->source->pagination);
    if (run->pages != NULL && page > 0)
        run->pages->number = page;
    return run->pages == NULL ? -1 : 0;
}

/* What `incremental` knew; nothing that it learns here is kept. */
static int make_position(struct item *item)
{
    struct run *run = &item->run;

    if (item->source.incremental == NULL)
        return 0;
    run->state.position = item->kept.position != NULL ? item->kept.position : position_create(NULL);
    item->kept.position = NULL;
    return run->state.position == NULL ? -1 : 0;
}

/* -1: out of memory. */
static int make_run(struct replay *r, struct item *item, const struct source *source)
{
    struct run *run = &item->run;

    item->source = *source;
    item->source.mapping.on_missing = MISSING_KEEP; /* no walk is made here */
    if (r->into != NULL)
        item->source.mapping = *r->into;
    item->kept.facts.aside = r->into != NULL;
    run->config = r->config;
    run->source = &item->source;
    run->replayed = &item->kept.facts;
    run->scheduled_at_ms = item->kept.scheduled_ms;
    run->response = item->kept.response;
    item->kept.response = (struct response){0};
    run->items = item->kept.items;
    item->kept.items = NULL;
    run->item = run->items == NULL ? NULL : &run->items->list[0];
    if (item->kept.facts.is_record)
        fit_to_record(&item->source);
    if (item->kept.facts.letter_id != 0)
        item->source.incremental = NULL;
    if (make_pages(run, item->kept.facts.page) == -1)
        return -1;
    return make_position(item);
}

/* --- A step. --- */

enum taken { TAKEN, TAKEN_NONE, TAKEN_NO_MEMORY, TAKEN_FAILED };

static void go_back(struct replay *r)
{
    kept_go_back(r->reader);
    r->at = r->mark;
}

static void count_page(struct replay *r, struct item *item)
{
    struct replayed *facts = &item->kept.facts;

    if (facts->run_id != r->at.run_id) {
        r->at.run_id = facts->run_id;
        r->at.run_is_whole = facts->page <= 1;
        r->at.records = 0;
    }
    facts->records_before = r->at.records;
}

static enum taken take_one(struct replay *r, struct error *err)
{
    struct item *item = &r->items[r->item_count];
    const struct source *source;
    int rc = kept_next(r->reader, &item->kept, err);

    if (rc != 1)
        return rc == 0 ? TAKEN_NONE : TAKEN_FAILED;
    r->item_count++;
    source = config_find_source(r->config, item->kept.source);
    if (item->kept.facts.letter_id == 0)
        count_page(r, item);
    check(r, item, source);
    if (item->reason[0] != '\0')
        return TAKEN;
    if (make_run(r, item, source) == -1 ||
        process_response(&item->run, r->arena, r->computer, &r->results[r->result_count]) == -1)
        return TAKEN_NO_MEMORY;
    r->at.records += r->results[r->result_count].records;
    r->result_count++;
    return TAKEN;
}

static bool is_full(const struct replay *r)
{
    size_t bytes = 0;
    size_t rows = 0;

    for (size_t i = 0; i < r->result_count; i++) {
        bytes += r->results[i].run->response.body_bytes;
        rows += r->results[i].rows.row_count;
    }
    return r->item_count == r->most_items || bytes >= STEP_BYTES || rows >= STEP_ROWS;
}

/* As many as fit. One for which memory runs out is tried once more, alone. */
static enum taken take_some(struct replay *r, struct error *err)
{
    enum taken taken;

    do {
        taken = take_one(r, err);
    } while (taken == TAKEN && !is_full(r));
    if (taken != TAKEN_NO_MEMORY)
        return taken;
    if (r->most_items == 1) {
        refuse(&r->items[0], "out of memory while reading it");
        r->result_count = 0;
        return TAKEN;
    }
    clear_step(r);
    go_back(r);
    r->most_items = 1;
    return TAKEN;
}

static void tell_failure(struct replay *r, const struct item *item, const char *reason)
{
    const struct replayed *facts = &item->kept.facts;
    const struct replay_failure failure = {facts->letter_id, item->kept.source, facts->run_id,
                                           facts->page,      facts->fetched_ms, reason};

    r->report.failed++;
    if (r->wish.failed != NULL)
        r->wish.failed(r->wish.context, &failure);
}

static void report_one(struct replay *r, const struct item *item)
{
    const struct replayed *facts = &item->kept.facts;
    const struct run *run = &item->run;

    r->report.done++;
    if (item->reason[0] != '\0')
        tell_failure(r, item, item->reason);
    else if (run->failure != RUN_OK)
        tell_failure(r, item, run->error != NULL ? run->error : run_failure_name(run->failure));
    else if (facts->is_record && facts->reason[0] != '\0')
        tell_failure(r, item, facts->reason);
}

static void report_step(struct replay *r)
{
    for (size_t i = 0; i < r->item_count; i++)
        report_one(r, &r->items[i]);
    for (size_t i = 0; i < r->result_count; i++) {
        const struct result *result = &r->results[i];

        r->report.inserted += result->inserted;
        r->report.updated += result->updated;
        r->report.unchanged += result->unchanged;
        r->report.child_rows += result->child_rows;
        if (!result->run->replayed->is_record)
            r->report.rejected += result->rejected;
    }
}

static enum replay_status commit(struct replay *r, struct error *err)
{
    struct batch batch = {r->results, r->result_count};
    enum store_status status;

    if (r->result_count == 0)
        return REPLAY_MORE;
    status = store_commit(r->store, &batch, err);
    if (status == STORE_OK)
        return REPLAY_MORE;
    if (status == STORE_FATAL)
        return REPLAY_FAILED;
    go_back(r);
    return REPLAY_BUSY;
}

enum replay_status replay_step(struct replay *r, struct error *err)
{
    enum replay_status status = REPLAY_FAILED;
    size_t most = r->most_items;
    enum taken taken;

    clear_step(r);
    kept_mark(r->reader);
    r->mark = r->at;
    taken = take_some(r, err);
    if (taken != TAKEN_FAILED)
        status = commit(r, err);
    if (status != REPLAY_MORE)
        return status;
    report_step(r);
    if (most == 1)
        r->most_items = STEP_ITEMS;
    return taken == TAKEN_NONE ? REPLAY_DONE : REPLAY_MORE;
}

/* --- The same mapping? --- */

uint64_t replay_fingerprint(const struct config *config, const char *name)
{
    const struct source *source = name == NULL ? NULL : config_find_source(config, name);
    uint64_t sum = 0;

    if (name != NULL)
        return source == NULL ? 0 : source->mapping_fingerprint;
    /* The order of the sources does not matter. */
    for (size_t i = 0; i < config->source_count; i++) {
        const struct hash128 name_hash =
            hash128_bytes(config->sources[i].name, strlen(config->sources[i].name));
        const uint64_t both[2] = {name_hash.low, config->sources[i].mapping_fingerprint};

        sum += hash_bytes(both, sizeof(both));
    }
    return sum;
}
