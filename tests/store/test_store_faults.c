/* Disks that fail or fill up, processes that die: nothing half-done, nothing lost. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_vfs.h"
#include "store_rig.h"

static int install(void **state)
{
    (void)state;
    fault_vfs_install();
    return 0;
}

static int remove_again(void **state)
{
    (void)state;
    fault_vfs_remove();
    return 0;
}

static int make_rig(void **state)
{
    fault_vfs_fail(0, 0, false); /* what a failed test before may have left */
    *state = rig_make();
    return 0;
}

/*
 * A database with rows in an upserted table `t` and an appended table `log`, and a batch for both
 * that does a bit of everything: a new table, a new column, a widened REAL, a new key, a dead
 * letter.
 */
struct scene {
    struct feed *feeds[3];
    struct result results[3];
    struct batch batch;
};

static void scene_prepare(struct rig *rig)
{
    struct feed *t = feed_create(rig, "t", WRITE_UPSERT);
    struct feed *log = feed_create(rig, "log", WRITE_APPEND);

    feed_columns(t, "id,r");
    for (int i = 0; i < 50; i++)
        ROW(t, INT(i), REAL(i));
    feed_save(rig, t);
    feed_columns(log, "id,text");
    for (int i = 0; i < 50; i++)
        ROW(log, INT(i), TEXT("old"));
    feed_save(rig, log);
    feed_free(t);
    feed_free(log);
}

static void scene_build(struct scene *scene, struct rig *rig)
{
    struct feed *t = scene->feeds[0] = feed_create(rig, "t", WRITE_UPSERT);
    struct feed *log = scene->feeds[1] = feed_create(rig, "log", WRITE_UPSERT);
    struct feed *fresh = scene->feeds[2] = feed_create(rig, "fresh", WRITE_APPEND);

    feed_columns(t, "id,r,extra");
    ROW(t, INT(1), TEXT("wide"), INT(1));
    ROW(t, INT(100), REAL(2), INT(1));
    ROW(t, NUL, REAL(2), INT(1));
    feed_columns(log, "id,text");
    ROW(log, INT(1), TEXT("changed"));
    feed_columns(fresh, "a");
    for (int i = 0; i < 40; i++)
        ROW(fresh, TEXT("some text that is long enough for several pages of rows in the file, "
                        "so that more than one page is written to the log for this table"));
    for (size_t i = 0; i < 3; i++)
        scene->results[i] = feed_result(scene->feeds[i]);
    scene->batch = (struct batch){scene->results, 3};
}

static void scene_free(struct scene *scene)
{
    for (size_t i = 0; i < 3; i++) {
        scene->feeds[i]->run.response.body = NULL;
        feed_free(scene->feeds[i]);
    }
}

#define SUMMARY                                                                        \
    "SELECT (SELECT group_concat(type) FROM pragma_table_info('t')),"                  \
    " (SELECT count(*) || ' ' || count(DISTINCT _run_id) FROM t),"                     \
    " (SELECT group_concat(DISTINCT typeof(r)) FROM t),"                               \
    " (SELECT sum(pk) FROM pragma_table_info('log')),"                                 \
    " (SELECT count(*) || ' ' || sum(text = 'changed') FROM log),"                     \
    " (SELECT count(*) FROM sqlite_schema WHERE name = 'fresh'),"                      \
    " (SELECT count(*) FROM _gatherd_runs), (SELECT sum(runs) FROM _gatherd_sources)," \
    " (SELECT count(*) FROM _gatherd_dead_letters), (SELECT count(*) FROM "            \
    "_gatherd_schema_changes)"

static const char before[] = "INT,REAL,INTEGER,TEXT|50 1|real|0|50 0|0|2|2|0|2";
static const char after[] = "INT,ANY,INTEGER,TEXT,INTEGER|51 2|real,text|1|50 1|1|5|5|1|6";

static void expect_committed(struct rig *rig, const struct scene *scene)
{
    assert_int_equal(scene->results[0].inserted, 1);
    assert_int_equal(scene->results[0].updated, 1);
    assert_int_equal(scene->results[0].rejected, 1);
    assert_int_equal(scene->results[1].updated, 1);
    assert_int_equal(scene->results[2].inserted, 40);
    rig_expect(rig, SUMMARY, after);
    rig_expect(rig, "SELECT group_concat(id) FROM _gatherd_runs", "1,2,3,4,5");
    rig_expect_sound(rig);
}

static void expect_untouched(const struct scene *scene)
{
    for (size_t i = 0; i < 3; i++) {
        const struct result *result = &scene->results[i];

        assert_int_equal(result->inserted + result->updated + result->unchanged, 0);
        assert_int_equal(result->rejected, 0);
        assert_int_equal(result->run->failure, RUN_OK);
        assert_null(result->run->error);
    }
}

/* The scene on a sound disk: what the others compare with. */
static void the_scene_commits(void **state)
{
    struct rig *rig = *state;
    struct scene scene;

    rig_open(rig);
    scene_prepare(rig);
    scene_build(&scene, rig);
    rig_expect(rig, "SELECT count(*) FROM _gatherd_sources", "3");
    assert_int_equal(store_commit(rig->store, &scene.batch, NULL), STORE_OK);
    expect_committed(rig, &scene);
    scene_free(&scene);
}

/* A full disk at step n; then there is space, and the same batch goes in once. */
static bool survives_full_disk(struct rig *rig, unsigned step, bool stay)
{
    struct scene scene;
    struct error err = {0};
    enum store_status status;
    bool failed;

    rig_open(rig);
    scene_prepare(rig);
    scene_build(&scene, rig);
    rig_expect(rig, SUMMARY, before);
    fault_vfs_fail(step, ENOSPC, stay);
    status = store_commit(rig->store, &scene.batch, &err);
    failed = fault_vfs_failed();
    fault_vfs_fail(0, 0, false);
    if (status != STORE_OK) {
        assert_true(failed);
        assert_int_equal(status, STORE_RETRY);
        assert_int_equal(err.code, ERROR_SPACE);
        assert_non_null(strstr(err.text, "no space left on the disk; free some"));
        expect_untouched(&scene);
        rig_expect(rig, SUMMARY, before);
        rig_expect_sound(rig);
        assert_int_equal(store_commit(rig->store, &scene.batch, NULL), STORE_OK);
    }
    expect_committed(rig, &scene);
    rig_close(rig);
    rig_open(rig);
    rig_expect(rig, SUMMARY, after);
    rig_expect_sound(rig);
    rig_close(rig);
    scene_free(&scene);
    return failed;
}

/* An I/O error at step n; the process ends, starts again, and finds all or nothing. */
static bool survives_io_error(struct rig *rig, unsigned step, bool stay)
{
    struct scene scene;
    struct error err = {0};
    enum store_status status;
    bool failed;
    char *found;

    rig_open(rig);
    scene_prepare(rig);
    scene_build(&scene, rig);
    fault_vfs_fail(step, EIO, stay);
    status = store_commit(rig->store, &scene.batch, &err);
    if (status != STORE_OK) {
        assert_int_equal(status, STORE_FATAL);
        assert_int_equal(err.code, ERROR_IO);
        expect_untouched(&scene);
    }
    rig_close(rig); /* while the disk may still be failing */
    failed = fault_vfs_failed();
    fault_vfs_fail(0, 0, false);
    rig_open(rig);
    found = rig_query(rig, SUMMARY);
    if (strcmp(found, status == STORE_OK ? after : before) != 0)
        assert_string_equal(found, after); /* the log was whole before its sync failed */
    free(found);
    rig_expect_sound(rig);
    rig_close(rig);
    scene_free(&scene);
    return failed;
}

static void at_every_step(bool (*survives)(struct rig *rig, unsigned step, bool stay), bool stay)
{
    bool failed = true;

    for (unsigned step = 1; failed; step++) {
        struct rig *rig = rig_make();

        failed = survives(rig, step, stay);
        rig_free(rig);
        assert_true(step > 3 || failed); /* there are steps to fail at */
        assert_true(step < 1000);
    }
}

static void a_full_disk_at_any_write_is_tried_again_and_commits_once(void **state)
{
    (void)state;
    at_every_step(survives_full_disk, false);
}

static void a_disk_that_stays_full_is_tried_again_and_commits_once(void **state)
{
    (void)state;
    at_every_step(survives_full_disk, true);
}

static void an_io_error_at_any_write_leaves_all_or_nothing(void **state)
{
    (void)state;
    at_every_step(survives_io_error, false);
}

static void a_disk_that_is_gone_leaves_all_or_nothing(void **state)
{
    (void)state;
    at_every_step(survives_io_error, true);
}

static void opening_on_a_failing_disk_fails_or_works_whole(void **state)
{
    const struct store_options options = {SYNCHRONOUS_FULL};

    (void)state;
    for (unsigned step = 1;; step++) {
        struct rig *rig = rig_make();
        struct error err = {0};
        bool failed;

        fault_vfs_fail(step, step % 2 == 0 ? EIO : ENOSPC, true);
        rig->store = store_open(rig->path, &options, &err);
        failed = fault_vfs_failed();
        if (rig->store == NULL)
            assert_int_equal(err.code, step % 2 == 0 ? ERROR_IO : ERROR_SPACE);
        rig_close(rig);
        fault_vfs_fail(0, 0, false);
        rig_open(rig);
        rig_expect_sound(rig);
        rig_free(rig);
        if (!failed)
            break;
        assert_true(step < 200);
    }
}

static void fill_disk(const char *folder, char *path, size_t size)
{
    static const char block[4096];
    int fd;

    snprintf(path, size, "%s/filler", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_not_equal(fd, -1);
    while (write(fd, block, sizeof(block)) > 0)
        continue;
    close(fd);
}

static void a_full_file_system_holds_the_batch_until_there_is_space(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    struct scene scene;
    char filler[128];

    if (mount("none", rig->folder, "tmpfs", 0, "size=2m") == -1)
        skip(); /* needs CAP_SYS_ADMIN */
    rig_open(rig);
    scene_prepare(rig);
    scene_build(&scene, rig);
    fill_disk(rig->folder, filler, sizeof(filler));
    for (int i = 0; i < 3; i++) {
        err = (struct error){0};
        assert_int_equal(store_commit(rig->store, &scene.batch, &err), STORE_RETRY);
        assert_int_equal(err.code, ERROR_SPACE);
        expect_untouched(&scene);
    }
    unlink(filler);
    assert_int_equal(store_commit(rig->store, &scene.batch, NULL), STORE_OK);
    expect_committed(rig, &scene);
    rig_close(rig);
    scene_free(&scene);
    assert_int_equal(umount(rig->folder), 0);
}

/* Commits numbered batches for ever, and says so after each. */
static void write_until_killed(struct rig *rig, int fd)
{
    struct feed *feeds[2];
    struct result results[2];
    struct batch batch = {results, 2};

    rig_open(rig);
    feeds[0] = feed_create(rig, "a", WRITE_APPEND);
    feeds[1] = feed_create(rig, "b", WRITE_UPSERT);
    for (int64_t n = 1;; n++) {
        for (size_t i = 0; i < 2; i++) {
            char column[32];

            snprintf(column, sizeof(column), "id,c%lld", (long long)n % 50);
            feed_columns(feeds[i], column);
            for (int64_t row = 0; row < 20; row++)
                ROW(feeds[i], INT(n * 20 + row), n % 3 == 0 ? TEXT("x") : REAL((double)n));
            results[i] = feed_result(feeds[i]);
        }
        if (store_commit(rig->store, &batch, NULL) != STORE_OK ||
            write(fd, &n, sizeof(n)) != sizeof(n))
            _exit(1);
        for (size_t i = 0; i < 2; i++) {
            feeds[i]->run.response.body = NULL;
            feed_clear(feeds[i]);
        }
    }
}

/* Starts the writer, lets it commit at least `batches`, kills it; returns the last one it told. */
static int64_t write_and_kill(struct rig *rig, int batches)
{
    int64_t n = 0;
    int64_t last = 0;
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0)
        write_until_killed(rig, fds[1]);
    close(fds[1]);
    while (last < batches && read(fds[0], &n, sizeof(n)) == sizeof(n))
        last = n;
    kill(pid, SIGKILL);
    while (read(fds[0], &n, sizeof(n)) == sizeof(n))
        last = n;
    close(fds[0]);
    waitpid(pid, NULL, 0);
    assert_true(last >= batches);
    return last;
}

static void a_killed_process_loses_nothing_that_was_committed(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct rig *rig = rig_make();
        int64_t last = write_and_kill(rig, 10 + 7 * round);
        char sql[512];

        rig_open(rig);
        rig_expect_sound(rig);
        /* Both tables of a batch, its runs and the states of its sources: all or nothing. */
        snprintf(sql, sizeof(sql),
                 "SELECT max(id) >= %lld, max(id) %% 20, max(id) = (SELECT max(id) FROM b),"
                 " max(_run_id) + 1 = (SELECT max(id) FROM _gatherd_runs),"
                 " (SELECT max(last_run_id) = max(runs) * 2 FROM _gatherd_sources) FROM a",
                 (long long)last * 20 + 19);
        rig_expect(rig, sql, "1|19|1|1|1");
        rig_expect(rig, "SELECT count(*) FROM _gatherd_runs WHERE records <> inserted", "0");
        rig_free(rig);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_rig, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_scene_commits),
        T(a_full_disk_at_any_write_is_tried_again_and_commits_once),
        T(a_disk_that_stays_full_is_tried_again_and_commits_once),
        T(an_io_error_at_any_write_leaves_all_or_nothing),
        T(a_disk_that_is_gone_leaves_all_or_nothing),
        T(opening_on_a_failing_disk_fails_or_works_whole),
        T(a_full_file_system_holds_the_batch_until_there_is_space),
        T(a_killed_process_loses_nothing_that_was_committed),
    };

    return cmocka_run_group_tests(tests, install, remove_again);
}
