#include "store/sqlite.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define WRITER_BUSY_MS 1000 /* then the batch waits outside, where it holds no mutex */
#define READER_BUSY_MS 5000

/*
 * A write-ahead log of this size is moved into the database by the commit that fills it. 4,000
 * pages are 16 MiB: large enough that pages written again and again (state, the ends of tables) are
 * moved once, small enough that the commit which pays is not felt.
 */
#define WAL_PAGES 4000

/* Upkeep must not hold the writer for so long, and writes much: it moves less at once. */
#define WAL_PAGES_OF_UPKEEP 500

/*
 * trusted_schema stays on: without it SQLite 3.40 takes json_extract() in a view, an index or a
 * generated column for unsafe, and that is how people read the JSON we store. SQLite as Debian
 * builds it has no function there that could do harm.
 */
static const char writer_settings[] =
    "PRAGMA auto_vacuum = INCREMENTAL;" /* counts for a database that is still empty */
    "PRAGMA journal_mode = WAL;"
    "PRAGMA journal_size_limit = 67108864;" /* what a burst left behind is given back */
    /* What walks keep for their end may be larger than memory; it is in SQLite's cache while it
       fits. */
    "PRAGMA temp_store = FILE;"
    "PRAGMA temp.auto_vacuum = FULL;" /* and gives its room back */
    /* KiB. With 16 MiB polling 200 sources took 36 MiB instead of 22 and was no faster: what is not
     * here is in the operating system's cache. */
    "PRAGMA cache_size = -4096;"
    "PRAGMA foreign_keys = OFF;"
    "PRAGMA secure_delete = OFF;"; /* Debian builds SQLite with it on; it rewrites freed pages */

static const char reader_settings[] = "PRAGMA wal_autocheckpoint = 0;"
                                      "PRAGMA temp_store = MEMORY;";

/*
 * What a failure means. errno tells a full disk from a broken one where SQLite says SQLITE_IOERR
 * for both, and is therefore cleared before each call that may fail. sqlite3_system_errno() does
 * not serve: SQLite 3.40 forgets to set it when a COMMIT fails, and it keeps that of an older
 * failure.
 */
static enum error_code error_code_of(int rc)
{
    int os = errno;

    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ERROR_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return ERROR_BUSY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (rc == SQLITE_IOERR_NOMEM)
            return ERROR_NOMEM;
        if (os == ENOSPC || os == EDQUOT)
            return ERROR_SPACE; /* growing the -shm or -wal file reports it so */
        if (os == ENOENT || os == ENOTDIR)
            return ERROR_UNAVAILABLE;
        return os == EACCES || os == EPERM || os == EROFS ? ERROR_PERMISSION : ERROR_IO;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ERROR_PERMISSION;
    case SQLITE_NOMEM:
        return ERROR_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERROR_IO;
    case SQLITE_MISUSE:
    case SQLITE_INTERNAL:
        return ERROR_INTERNAL;
    default:
        return ERROR_FAILED;
    }
}

void sqlite_fail(sqlite3 *db, int rc, const char *doing, struct error *err)
{
    int os = errno;
    enum error_code code = error_code_of(rc);
    const char *said = sqlite3_errmsg(db);
    const char *colon = *doing == '\0' ? "" : ": ";

    if (code == ERROR_SPACE)
        error_set(err, code, "%s%sno space left on the disk; free some", doing, colon);
    else if (code == ERROR_BUSY)
        error_set(err, code, "%s%sanother program has the database locked", doing, colon);
    else if (code == ERROR_NOMEM)
        error_set(err, code, "%s%sout of memory", doing, colon);
    else if (((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) && os != 0)
        error_set(err, code, "%s%s%s (%s)", doing, colon, said, strerror(os));
    else
        error_set(err, code, "%s%s%s", doing, colon, said);
}

/*
 * SQLite says that SAVEPOINT is done where it had no memory for it. We name none that we have not
 * made, so that it is not there says what happened.
 */
static bool lacked_memory(sqlite3 *db, int rc)
{
    static const char words[] = "no such savepoint";

    return rc == SQLITE_ERROR && strncmp(sqlite3_errmsg(db), words, sizeof(words) - 1) == 0;
}

int sqlite_exec(sqlite3 *db, const char *sql, struct error *err)
{
    int rc;

    errno = 0;
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return 0;
    if (lacked_memory(db, rc))
        rc = SQLITE_NOMEM;
    sqlite_fail(db, rc, "", err);
    return -1;
}

int sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt, struct error *err)
{
    int rc;

    errno = 0;
    rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    if (rc == SQLITE_OK)
        return 0;
    sqlite_fail(db, rc, "", err);
    return -1;
}

int sqlite_step(sqlite3_stmt *stmt, const char *doing, struct error *err)
{
    int rc;

    errno = 0;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        sqlite_fail(sqlite3_db_handle(stmt), rc, doing, err);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

int sqlite_run(sqlite3_stmt *stmt, const char *doing, struct error *err)
{
    int rc;

    do {
        rc = sqlite_step(stmt, doing, err);
    } while (rc == 1);
    sqlite3_clear_bindings(stmt);
    return rc;
}

int sqlite_integer(sqlite3 *db, const char *sql, int64_t *value, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc;

    if (sqlite_prepare(db, sql, &stmt, err) == -1)
        return -1;
    rc = sqlite_step(stmt, "", err);
    if (rc == 1)
        *value = sqlite3_column_int64(stmt, 0);
    else if (rc == 0)
        error_set(err, ERROR_INTERNAL, "no row from: %s", sql);
    sqlite3_finalize(stmt);
    return rc == 1 ? 0 : -1;
}

void sqlite_bind_string(sqlite3_stmt *stmt, int index, const char *string)
{
    if (string == NULL)
        sqlite3_bind_null(stmt, index);
    else
        sqlite_bind_bytes(stmt, index, string, strlen(string));
}

void sqlite_bind_bytes(sqlite3_stmt *stmt, int index, const char *data, size_t length)
{
    sqlite3_bind_text64(stmt, index, length == 0 ? "" : data, length, SQLITE_STATIC, SQLITE_UTF8);
}

const char *sqlite_column_string(sqlite3_stmt *stmt, int index)
{
    const unsigned char *text = sqlite3_column_text(stmt, index);

    return text == NULL ? "" : (const char *)text;
}

/* Opening: each path ends with *db usable or closed. */

static int open_file(const char *path, int flags, sqlite3 **db, struct error *err)
{
    int rc;

    errno = 0;
    rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc == SQLITE_OK)
        return 0;
    if (*db == NULL)
        error_set(err, ERROR_NOMEM, "%s: out of memory", path);
    else
        sqlite_fail(*db, rc, path, err);
    sqlite3_close(*db);
    *db = NULL;
    return -1;
}

int sqlite_open_writer(const char *path, sqlite3 **db, struct error *err)
{
    if (open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, db, err) == -1)
        return -1;
    /* Without permission to write SQLite opens for reading, and says so only when written to. */
    if (sqlite3_db_readonly(*db, "main") == 1) {
        error_set(err, ERROR_PERMISSION, "%s: no permission to write", path);
        sqlite3_close(*db);
        *db = NULL;
        return -1;
    }
    sqlite3_busy_timeout(*db, WRITER_BUSY_MS);
    return 0;
}

int sqlite_configure_writer(sqlite3 *db, enum synchronous synchronous, struct error *err)
{
    int keep_wal = 1;

    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    /* Whoever may only read the file cannot create the -wal and -shm beside it: they stay. */
    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
    if (sqlite_exec(db, writer_settings, err) == -1)
        return -1;
    sqlite_end_upkeep(db);
    return sqlite_exec(db,
                       synchronous == SYNCHRONOUS_NORMAL ? "PRAGMA synchronous = NORMAL"
                                                         : "PRAGMA synchronous = FULL",
                       err);
}

void sqlite_begin_upkeep(sqlite3 *db)
{
    sqlite3_wal_autocheckpoint(db, WAL_PAGES_OF_UPKEEP);
}

void sqlite_end_upkeep(sqlite3 *db)
{
    sqlite3_wal_autocheckpoint(db, WAL_PAGES);
}

/* ATTACH and DETACH count among the statements that read. */
static int authorize(void *context, int action, const char *a, const char *b, const char *database,
                     const char *trigger)
{
    (void)context;
    (void)a;
    (void)b;
    (void)database;
    (void)trigger;
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

void sqlite_forbid_attach(sqlite3 *db)
{
    sqlite3_set_authorizer(db, authorize, NULL);
}

static int check_identity(sqlite3 *db, const char *path, struct error *err)
{
    struct error cause = {0};
    int64_t id;
    int rc;

    if (sqlite_integer(db, "PRAGMA application_id", &id, &cause) == -1) {
        if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOTADB)
            error_set(err, ERROR_UNAVAILABLE, "%s is not a SQLite database", path);
        else
            error_set(err, cause.code, "%s: %s", path, cause.text);
        return -1;
    }
    rc = id == SQLITE_APPLICATION_ID ? 0 : -1;
    if (rc == -1)
        error_set(err, ERROR_UNAVAILABLE, "%s is not a gatherd database", path);
    return rc;
}

int sqlite_open_reader(const char *path, sqlite3 **db, struct error *err)
{
    if (open_file(path, SQLITE_OPEN_READONLY, db, err) == -1)
        return -1;
    sqlite3_busy_timeout(*db, READER_BUSY_MS);
    sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    /* Exactly one connection checkpoints, and it is not this one. */
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    if (check_identity(*db, path, err) == 0 && sqlite_exec(*db, reader_settings, err) == 0)
        return 0;
    sqlite3_close(*db);
    *db = NULL;
    return -1;
}
