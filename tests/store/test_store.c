/* The store as a whole: opening, refusing, locking, registering, and what is recorded of runs. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "store_rig.h"

static const struct store_options full = {SYNCHRONOUS_FULL};

/* Each migration is on record, and the last one gives the database its version. */
static const char is_newest_version[] =
    "SELECT user_version = (SELECT count(*) FROM _gatherd_migrations) FROM pragma_user_version";

static int make_rig(void **state)
{
    *state = rig_make();
    return 0;
}

static void expect_open_fails(const char *path, enum error_code code, const char *text)
{
    struct error err = {0};

    assert_null(store_open(path, &full, &err));
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, code);
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    fclose(file);
}

/* Opening */

static void a_new_database_is_marked_as_ours(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    rig_expect(rig, "PRAGMA application_id", "1735682148"); /* "gthd" */
    rig_expect(rig, is_newest_version, "1");
    rig_expect(rig, "PRAGMA journal_mode", "wal");
    rig_expect(rig, "SELECT version, name FROM _gatherd_migrations WHERE version = 1",
               "1|internal tables");
    rig_expect(rig,
               "SELECT name FROM pragma_table_list WHERE name LIKE '\\_gatherd%' ESCAPE '\\'"
               " AND strict = 1 ORDER BY 1",
               "_gatherd_columns\n_gatherd_dead_letters\n_gatherd_dictionaries\n"
               "_gatherd_generations\n_gatherd_migrations\n_gatherd_raw\n_gatherd_runs\n"
               "_gatherd_schema_changes\n_gatherd_sources\n_gatherd_state\n_gatherd_views");
}

static void opening_again_finds_everything_and_migrates_nothing(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    rig_close(rig);
    rig_open(rig);
    rig_expect(rig, is_newest_version, "1");
    rig_expect(rig, "SELECT a FROM t", "1");
    feed_free(feed);
}

static void a_path_without_a_folder_is_in_the_working_directory(void **state)
{
    struct rig *rig = *state;
    char *before = getcwd(NULL, 0);
    struct store *store;

    assert_int_equal(chdir(rig->folder), 0);
    store = store_open("here.db", &full, NULL);
    assert_non_null(store);
    assert_int_equal(access("here.db-lock", F_OK), 0);
    store_close(store);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void an_empty_file_becomes_a_database(void **state)
{
    struct rig *rig = *state;

    write_file(rig->path, "", 0);
    rig_open(rig);
    rig_expect(rig, is_newest_version, "1");
}

static void a_database_of_another_program_is_refused_and_left_as_it_was(void **state)
{
    struct rig *rig = *state;
    char lock[128];
    char text[256];

    rig_exec(rig, "CREATE TABLE theirs (a)");
    snprintf(text, sizeof(text),
             "%s is not a gatherd database (it holds tables of another program); choose another "
             "path",
             rig->path);
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
    rig_expect(rig, "PRAGMA journal_mode", "delete");
    rig_expect(rig, "SELECT name FROM sqlite_schema", "theirs");
    snprintf(lock, sizeof(lock), "%s-lock", rig->path);
    assert_int_equal(access(lock, F_OK), -1);
}

static void a_database_of_a_newer_gatherd_is_refused_with_both_versions(void **state)
{
    struct rig *rig = *state;
    char text[256];
    char *version;

    rig_open(rig);
    rig_close(rig);
    version = rig_query(rig, "PRAGMA user_version");
    rig_exec(rig, "PRAGMA user_version = 99");
    snprintf(text, sizeof(text),
             "%s was written by a newer gatherd (database version 99, this program knows %s); "
             "upgrade gatherd, or choose another path",
             rig->path, version);
    free(version);
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct rig *rig = *state;
    char text[256];
    char data[4096];

    memset(data, 'x', sizeof(data));
    write_file(rig->path, data, sizeof(data));
    snprintf(text, sizeof(text), "%s is not a SQLite database; choose another path", rig->path);
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
}

static void a_damaged_database_is_refused_with_the_way_out(void **state)
{
    struct rig *rig = *state;
    char noise[8192];
    char text[320];
    FILE *file;

    rig_open(rig);
    rig_close(rig);
    memset(noise, 0x5a, sizeof(noise));
    file = fopen(rig->path, "r+b");
    fseek(file, 100, SEEK_SET); /* behind the header: the root of the schema */
    fwrite(noise, 1, sizeof(noise), file);
    fclose(file);
    snprintf(text, sizeof(text),
             "%s is damaged (database disk image is malformed); restore a backup, or move the file "
             "away to start anew",
             rig->path);
    expect_open_fails(rig->path, ERROR_IO, text);
}

static void missing_internal_tables_are_reported(void **state)
{
    struct rig *rig = *state;
    char text[320];

    rig_open(rig);
    rig_close(rig);
    rig_exec(rig, "DROP TABLE _gatherd_runs");
    snprintf(text, sizeof(text),
             "%s: its internal tables are damaged (no such table: _gatherd_runs); restore a "
             "backup, or choose another path",
             rig->path);
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
}

static void a_folder_and_a_pipe_are_no_database_files(void **state)
{
    struct rig *rig = *state;
    char text[256];

    snprintf(text, sizeof(text), "%s is a folder, not a database file; choose another path",
             rig->folder);
    expect_open_fails(rig->folder, ERROR_UNAVAILABLE, text);
    assert_int_equal(mkfifo(rig->path, 0600), 0);
    snprintf(text, sizeof(text), "%s is no ordinary file, not a database file; choose another path",
             rig->path);
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
}

static void a_missing_folder_is_reported(void **state)
{
    struct rig *rig = *state;
    char path[160];
    char text[512];

    snprintf(path, sizeof(path), "%s/none/x.db", rig->folder);
    snprintf(text, sizeof(text),
             "%s: folder %s/none: No such file or directory; create it, or choose another path",
             path, rig->folder);
    expect_open_fails(path, ERROR_UNAVAILABLE, text);
}

/* Runs `test` as a user who is not root, in a process of its own; its failures are exit codes. */
static void as_nobody(const struct rig *rig, int (*test)(const struct rig *rig))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(setgid(65534) == 0 && setuid(65534) == 0 ? test(rig) : 99);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int open_forbidden(const struct rig *rig)
{
    struct error err = {0};
    char expected[256];

    snprintf(expected, sizeof(expected), "%s-lock: cannot open: Permission denied", rig->path);
    if (store_open(rig->path, &full, &err) != NULL || err.code != ERROR_PERMISSION)
        return 1;
    return strcmp(err.text, expected) == 0 ? 0 : 2;
}

static int open_read_only(const struct rig *rig)
{
    struct error err = {0};
    char expected[256];

    snprintf(expected, sizeof(expected), "%s: no permission to write", rig->path);
    if (store_open(rig->path, &full, &err) != NULL || err.code != ERROR_PERMISSION)
        return 1;
    return strcmp(err.text, expected) == 0 ? 0 : 2;
}

static int count_row(void *context, const struct value *values, size_t count)
{
    (void)values;
    (void)count;
    ++*(int *)context;
    return 0;
}

static int no_columns(void *context, const char *const *names, size_t count)
{
    (void)context;
    (void)names;
    (void)count;
    return 0;
}

static int read_closed_database(const struct rig *rig)
{
    int rows = 0;
    const struct store_query_hooks hooks = {&rows, no_columns, count_row};
    struct store_reader *reader = store_reader_open(rig->path, NULL);

    if (reader == NULL || store_query(reader, "SELECT * FROM _gatherd_sources", &hooks, NULL) != 0)
        return 1;
    store_reader_close(reader);
    return rows == 1 ? 0 : 2;
}

static void missing_permissions_are_reported(void **state)
{
    struct rig *rig = *state;

    if (geteuid() != 0)
        skip();
    as_nobody(rig, open_forbidden); /* the folder is root's alone */
    rig_open(rig);
    rig_close(rig);
    chmod(rig->folder, 0777);
    chmod(rig->path, 0444);
    {
        char lock[128];

        snprintf(lock, sizeof(lock), "%s-lock", rig->path);
        chmod(lock, 0666);
    }
    as_nobody(rig, open_read_only);
}

static void who_may_only_read_can_query_while_the_daemon_is_down(void **state)
{
    struct rig *rig = *state;

    if (geteuid() != 0)
        skip();
    rig_open(rig);
    feed_free(feed_create(rig, "t", WRITE_APPEND));
    rig_close(rig);
    chmod(rig->folder, 0755);
    as_nobody(rig, read_closed_database);
}

static void a_file_system_that_is_read_only_is_reported(void **state)
{
    struct rig *rig = *state;
    char text[256];

    if (mount("none", rig->folder, "tmpfs", MS_RDONLY, "size=1m") == -1)
        skip(); /* needs CAP_SYS_ADMIN */
    snprintf(text, sizeof(text), "%s-lock: cannot open: Read-only file system", rig->path);
    expect_open_fails(rig->path, ERROR_PERMISSION, text);
    umount(rig->folder);
}

/* Locking */

static void a_second_gatherd_is_refused_and_told_who_has_it(void **state)
{
    struct rig *rig = *state;
    char text[256];

    rig_open(rig);
    snprintf(text, sizeof(text), "%s is in use by another gatherd (process %ld)", rig->path,
             (long)getpid());
    expect_open_fails(rig->path, ERROR_UNAVAILABLE, text);
}

static void the_lock_holds_through_a_symbolic_link(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    char other[128];

    rig_open(rig);
    snprintf(other, sizeof(other), "%s/link.db", rig->folder);
    assert_int_equal(symlink(rig->path, other), 0);
    assert_null(store_open(other, &full, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "is in use by another gatherd"));
}

static void the_lock_goes_with_the_process_that_held_it(void **state)
{
    struct rig *rig = *state;
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(store_open(rig->path, &full, NULL) == NULL); /* and never closed */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    rig_open(rig);
}

static void a_database_locked_by_another_program_is_worth_another_try(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;
    struct error err = {0};
    sqlite3 *other;
    char text[256];

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    assert_int_equal(sqlite3_open(rig->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(feed_commit(rig, feed, &err), STORE_RETRY);
    assert_int_equal(err.code, ERROR_BUSY);
    snprintf(text, sizeof(text), "%s: begin: another program has the database locked", rig->path);
    assert_string_equal(err.text, text);
    sqlite3_close(other);
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_expect(rig, "SELECT a, _run_id FROM t", "1|1");
    feed_free(feed);
}

/* Registering */

static void a_source_that_never_ran_has_no_due_time(void **state)
{
    struct rig *rig = *state;
    struct source sources[2] = {
        {.name = "b",
         .mapping.table = "tb",
         .url = "https://user:secret@example.org/x?key=secret#frag"},
        {.name = "a", .mapping.table = "ta", .url = "http://example.org/@x"},
    };
    struct config config = {.sources = sources, .source_count = 2};
    struct source_state states[2];

    rig_open(rig);
    assert_int_equal(store_register(rig->store, &config, states, NULL), 0);
    assert_int_equal(states[0].next_due_ms, -1);
    assert_int_equal(states[0].failures, 0);
    assert_in_range(states[0].added_ms, clock_wall_ms() - 3600000, clock_wall_ms());
    assert_int_not_equal(states[0].id, states[1].id);
    rig_expect(rig, "SELECT name, url, table_name, runs FROM _gatherd_sources ORDER BY id",
               "b|https://example.org/x|tb|0\na|http://example.org/@x|ta|0");
}

static void registering_again_gives_back_what_was_saved(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;
    struct config config = {.source_count = 1};
    struct source_state saved;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    config.sources = &feed->source;
    feed->run.failure = RUN_FAILED_TIMEOUT;
    feed->run.error = strdup("timed out");
    feed->run.failures = 3;
    feed->run.next_due_ms = 1700000000123;
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    rig_close(rig);
    rig_open(rig);
    feed->source.url = "http://example.org/moved";
    assert_int_equal(store_register(rig->store, &config, &saved, NULL), 0);
    assert_int_equal(saved.id, feed->run.source_id);
    assert_int_equal(saved.next_due_ms, 1700000000123);
    assert_int_equal(saved.failures, 3);
    rig_expect(rig, "SELECT url FROM _gatherd_sources", "http://example.org/moved");
    feed_free(feed);
}

static void sources_that_are_gone_keep_their_rows(void **state)
{
    struct rig *rig = *state;

    rig_open(rig);
    feed_free(feed_create(rig, "old", WRITE_APPEND));
    feed_free(feed_create(rig, "new", WRITE_APPEND));
    rig_expect(rig, "SELECT name FROM _gatherd_sources ORDER BY id", "old\nnew");
}

/* What is recorded */

static void a_run_is_recorded_with_all_that_is_known_of_it(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed->run.scheduled_at_ms = 1700000000000;
    feed->run.started_at_ms = 1700000000250;
    feed->run.requests = 2;
    feed->run.skipped = 4;
    feed->run.response.status = 200;
    feed->run.timing = (struct run_timing){1500, 0, 2500, 3000, 4250};
    feed->run.next_due_ms = 1700000060000;
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    rig_expect(
        rig,
        "SELECT id, source, source_id, scheduled_at, started_at, outcome, failure,"
        " http_status, requests, bytes, records, inserted, updated, unchanged, rejected,"
        " skipped_slots, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms, queue_ms, error,"
        " not_modified FROM _gatherd_runs",
        "1|t|1|2023-11-14T22:13:20.000Z|2023-11-14T22:13:20.250Z|success|NULL|200|2|10|1|1|0"
        "|0|0|4|1.5|NULL|2.5|3.0|4.25|NULL|NULL|0");
    rig_expect(rig,
               "SELECT next_due_at, last_run_id, last_run_at = last_success_at,"
               " last_run_at = (SELECT finished_at FROM _gatherd_runs), consecutive_failures, runs,"
               " failed_runs, rows_inserted, rows_updated, skipped_slots, last_error"
               " FROM _gatherd_sources",
               "2023-11-14T22:14:20.000Z|1|1|1|0|1|0|1|0|4|NULL");
    feed_free(feed);
}

static void the_time_of_fetching_leaves_out_the_wait_in_the_queue(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed->run.received_mono_us = clock_monotonic_us() - 3600 * 1000000LL;
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    rig_expect(rig,
               "SELECT round((julianday(finished_at) - julianday(_fetched_at)) * 24, 2),"
               " round(queue_ms / 3600000.0, 2) FROM t, _gatherd_runs",
               "1.0|1.0");
    feed_free(feed);
}

static void a_failed_run_without_a_body_is_recorded_alone(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed->run.failure = RUN_FAILED_NETWORK;
    feed->run.error = strdup("connection refused");
    feed->run.failures = 1;
    assert_int_equal(feed_commit(rig, feed, NULL), STORE_OK);
    feed_clear(feed);
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed->run.failures = 0;
    feed_save(rig, feed);
    rig_expect(rig, "SELECT outcome, failure, http_status, error FROM _gatherd_runs",
               "failed|network|NULL|connection refused\nsuccess|NULL|NULL|NULL");
    rig_expect(rig,
               "SELECT runs, failed_runs, consecutive_failures, last_error, last_success_at ="
               " last_run_at FROM _gatherd_sources",
               "2|1|0|connection refused|1");
    rig_expect(rig, "SELECT count(*) FROM _gatherd_dead_letters", "0");
    feed_free(feed);
}

static void run_ids_are_not_used_twice_when_old_runs_are_deleted(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    for (int i = 0; i < 3; i++) {
        feed_columns(feed, "a");
        ROW(feed, INT(i));
        feed_save(rig, feed);
    }
    rig_close(rig);
    rig_exec(rig, "DELETE FROM _gatherd_runs");
    rig_open(rig);
    feed_columns(feed, "a");
    ROW(feed, INT(3));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id FROM _gatherd_runs", "4");
    feed_free(feed);
}

static void a_source_whose_row_was_deleted_gets_it_back(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    rig_exec(rig, "DELETE FROM _gatherd_sources");
    feed_columns(feed, "a");
    ROW(feed, INT(1));
    feed_save(rig, feed);
    rig_expect(rig, "SELECT id, name, runs FROM _gatherd_sources", "1|t|1");
    feed_free(feed);
}

static void an_empty_batch_is_committed(void **state)
{
    struct rig *rig = *state;
    struct batch batch = {NULL, 0};

    rig_open(rig);
    assert_int_equal(store_commit(rig->store, &batch, NULL), STORE_OK);
}

static void a_checkpoint_moves_the_log_into_the_database(void **state)
{
    struct rig *rig = *state;
    struct feed *feed;
    struct stat before;
    struct stat after;

    rig_open(rig);
    feed = feed_create(rig, "t", WRITE_APPEND);
    feed_columns(feed, "a");
    for (int i = 0; i < 5000; i++)
        ROW(feed, TEXT("some text that takes room in the file"));
    feed_save(rig, feed);
    stat(rig->path, &before);
    assert_int_equal(store_checkpoint(rig->store, NULL), 0);
    stat(rig->path, &after);
    assert_true(after.st_size > before.st_size);
    feed_free(feed);
}

static void closing_leaves_the_log_empty_but_there(void **state)
{
    struct rig *rig = *state;
    struct stat st;
    char wal[128];

    rig_open(rig);
    rig_close(rig);
    snprintf(wal, sizeof(wal), "%s-wal", rig->path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void nothing_is_closed_without_complaint(void **state)
{
    (void)state;
    store_close(NULL);
    store_reader_close(NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_rig, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_database_is_marked_as_ours),
        T(opening_again_finds_everything_and_migrates_nothing),
        T(a_path_without_a_folder_is_in_the_working_directory),
        T(an_empty_file_becomes_a_database),
        T(a_database_of_another_program_is_refused_and_left_as_it_was),
        T(a_database_of_a_newer_gatherd_is_refused_with_both_versions),
        T(a_file_that_is_no_database_is_refused),
        T(a_damaged_database_is_refused_with_the_way_out),
        T(missing_internal_tables_are_reported),
        T(a_folder_and_a_pipe_are_no_database_files),
        T(a_missing_folder_is_reported),
        T(missing_permissions_are_reported),
        T(who_may_only_read_can_query_while_the_daemon_is_down),
        T(a_file_system_that_is_read_only_is_reported),
        T(a_second_gatherd_is_refused_and_told_who_has_it),
        T(the_lock_holds_through_a_symbolic_link),
        T(the_lock_goes_with_the_process_that_held_it),
        T(a_database_locked_by_another_program_is_worth_another_try),
        T(a_source_that_never_ran_has_no_due_time),
        T(registering_again_gives_back_what_was_saved),
        T(sources_that_are_gone_keep_their_rows),
        T(a_run_is_recorded_with_all_that_is_known_of_it),
        T(the_time_of_fetching_leaves_out_the_wait_in_the_queue),
        T(a_failed_run_without_a_body_is_recorded_alone),
        T(run_ids_are_not_used_twice_when_old_runs_are_deleted),
        T(a_source_whose_row_was_deleted_gets_it_back),
        T(an_empty_batch_is_committed),
        T(a_checkpoint_moves_the_log_into_the_database),
        T(closing_leaves_the_log_empty_but_there),
        T(nothing_is_closed_without_complaint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
