/*
 * bare_insert.c - the limit of rows: one prepared statement inserts the same rows in transactions
 * of 5,000, with the settings that gatherd uses.
 *
 * Usage: bare_insert DATABASE ROWS; prints the seconds that the inserts took.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS_IN_TRANSACTION 5000

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "bare_insert: %s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
}

/* The record that bench/run.py has nginx serve, number `i`. */
static void bind_row(sqlite3_stmt *insert, long i)
{
    char name[40];

    snprintf(name, sizeof(name), "station number %03ld", i % 100);
    sqlite3_bind_int64(insert, 1, i);
    sqlite3_bind_text(insert, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(insert, 3, 48.1 + (double)(i % 100) / 1000);
    sqlite3_bind_double(insert, 4, 11.5 + (double)(i % 100) / 1000);
    sqlite3_bind_int64(insert, 5, 17 + i % 100);
    sqlite3_bind_int64(insert, 6, i % 2);
    sqlite3_bind_text(insert, 7, "2026-01-02T03:04:05Z", -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 8, "operational, no restrictions known", -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 9, i / 100);
    sqlite3_bind_text(insert, 10, "2026-01-02T03:04:05.678Z", -1, SQLITE_STATIC);
}

int main(int argc, char **argv)
{
    sqlite3_stmt *insert;
    sqlite3 *db;
    double start;
    long rows;

    if (argc != 3 || sqlite3_open(argv[1], &db) != SQLITE_OK)
        return 64;
    rows = atol(argv[2]);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = FULL");
    run(db, "CREATE TABLE items (id INTEGER, name TEXT, lat REAL, lon REAL, bikes INTEGER, "
            "open INTEGER, seen TEXT, note TEXT, _run_id INTEGER, _fetched_at TEXT) STRICT");
    if (sqlite3_prepare_v2(db, "INSERT INTO items VALUES (?,?,?,?,?,?,?,?,?,?)", -1, &insert,
                           NULL) != SQLITE_OK)
        return 70;
    start = now();
    for (long i = 0; i < rows; i++) {
        if (i % ROWS_IN_TRANSACTION == 0)
            run(db, i == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE");
        bind_row(insert, i);
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK)
            return 74;
    }
    run(db, "COMMIT");
    printf("%.3f\n", now() - start);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}
