#include "gatherd/select.h"

#include <sqlite3.h>
#include <string.h>

#include "gatherd/text.h"

static const char before[] = "CREATE VIEW v AS ";

/* The place of what SQLite complains of, in our text. */
static size_t place_of(sqlite3 *db, const char *text)
{
    int offset = sqlite3_error_offset(db);
    size_t length = strlen(text);

    if (offset < (int)strlen(before))
        return 0;
    offset -= (int)strlen(before);
    return (size_t)offset > length ? length : (size_t)offset;
}

/* Blanks, semicolons and comments may stand behind the statement: they make none. */
static bool is_end(sqlite3 *db, const char *rest)
{
    sqlite3_stmt *stmt = NULL;
    bool end;

    while (*rest != '\0') {
        if (sqlite3_prepare_v2(db, rest, -1, &stmt, &rest) != SQLITE_OK)
            return false;
        end = stmt == NULL;
        sqlite3_finalize(stmt);
        if (!end)
            return false;
    }
    return true;
}

static int check(sqlite3 *db, const char *text, const char *statement, size_t *offset,
                 struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";
    int rc = sqlite3_prepare_v2(db, statement, -1, &stmt, &rest);

    sqlite3_finalize(stmt);
    *offset = 0;
    if (rc == SQLITE_NOMEM) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return -1;
    }
    if (rc != SQLITE_OK) {
        *offset = place_of(db, text);
        error_set(err, ERROR_CONFIG, "%s", sqlite3_errmsg(db));
        return -1;
    }
    if (is_end(db, rest))
        return 0;
    *offset = (size_t)(rest - statement) - strlen(before);
    error_set(err, ERROR_CONFIG, "a view is one SELECT, and something follows it");
    return -1;
}

int select_check(const char *text, size_t *offset, struct error *err)
{
    struct text statement = {0};
    sqlite3 *db = NULL;
    int rc = -1;

    text_add(&statement, before);
    text_add(&statement, text);
    if (text_failed(&statement) || sqlite3_open(":memory:", &db) != SQLITE_OK)
        error_set(err, ERROR_NOMEM, "out of memory");
    else
        rc = check(db, text, text_string(&statement), offset, err);
    sqlite3_close(db);
    text_free(&statement);
    return rc;
}
