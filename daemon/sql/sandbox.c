#include "sql/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gatherd/computer.h"
#include "sql/functions.h"

#define TURN_INSTRUCTIONS 500 /* between two calls of the progress handler */
#define TURNS_PER_LOOK    16  /* at the CPU clock, which is a system call */
#define ROWS_PER_LOOK     64

/*
 * LIKE and GLOB compare each character of a text with each of the pattern in the worst case, within
 * a single instruction.
 */
#define MOST_PATTERN_BYTES 256
#define MOST_INSTRUCTIONS  100000 /* of a program, as it is compiled */

#define WORDS(number)    WORDS_OF(number)
#define WORDS_OF(number) #number

const char sandbox_over_budget[] = "the expression takes more than " WORDS(
    COMPUTER_MAX_INSTRUCTIONS) " instructions for this row; make it simpler";
const char sandbox_over_time[] =
    "the expressions of the source take more than 10 seconds for one response; make them simpler, "
    "or ask for smaller responses";
const char sandbox_no_time[] =
    "the present time is no part of a record, and the same record is to give the same row at any "
    "time; use _fetched_at in queries and views";
const char sandbox_too_long[] =
    "a value is longer than 4 MiB, the most that an expression works with";

_Static_assert(COMPUTER_MAX_CPU_MS == 10000 && COMPUTER_MAX_VALUE_BYTES == 4194304,
               "the words above");

/* --- What stops an expression. --- */

static int64_t cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_time_over(struct sandbox *s)
{
    if (s->cpu_end_ms != 0 && cpu_ms() > s->cpu_end_ms)
        s->over_time = true;
    return s->over_time;
}

static int make_turn(void *context)
{
    struct sandbox *s = context;

    s->turns++;
    if (s->turns > COMPUTER_MAX_INSTRUCTIONS / TURN_INSTRUCTIONS)
        s->over_budget = true;
    else if (s->turns % TURNS_PER_LOOK == 0)
        is_time_over(s);
    return s->over_budget || s->over_time;
}

void sandbox_begin_response(struct sandbox *s)
{
    s->cpu_end_ms = cpu_ms() + COMPUTER_MAX_CPU_MS;
    s->over_time = false;
    s->rows = 0;
}

bool sandbox_begin_row(struct sandbox *s)
{
    s->turns = 0;
    s->over_budget = false;
    s->asked_time = false;
    s->denied = DENIED_NOTHING;
    if (++s->rows >= ROWS_PER_LOOK) {
        s->rows = 0;
        is_time_over(s);
    }
    return !s->over_time;
}

/* --- What it cannot reach. --- */

static int deny(struct sandbox *s, enum denied denied, const char *name)
{
    s->denied = denied;
    snprintf(s->denied_name, sizeof(s->denied_name), "%s", name == NULL ? "" : name);
    return SQLITE_DENY;
}

static bool is_table(const struct sandbox *s, const char *name)
{
    static const char *const functions[] = {"json_each", "json_tree"};

    if (s->table != NULL && strcmp(name, s->table->name) == 0)
        return true;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (sqlite3_stricmp(name, functions[i]) == 0)
            return true;
    }
    return false;
}

static int authorize(void *context, int action, const char *a, const char *b, const char *database,
                     const char *trigger)
{
    struct sandbox *s = context;

    (void)database;
    (void)trigger;
    if (s->table != NULL && s->table->declaring)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
        return SQLITE_OK;
    case SQLITE_READ:
        return a != NULL && is_table(s, a) ? SQLITE_OK : deny(s, DENIED_TABLE, a);
    case SQLITE_FUNCTION:
        return b != NULL && functions_has(b) ? SQLITE_OK : deny(s, DENIED_FUNCTION, b);
    case SQLITE_RECURSIVE:
        return deny(s, DENIED_RECURSION, NULL);
    default:
        return deny(s, DENIED_OTHER, a);
    }
}

/* --- The clock. --- */

static struct sandbox *sandbox_of(sqlite3_vfs *vfs)
{
    return (struct sandbox *)(void *)((char *)vfs - offsetof(struct sandbox, vfs));
}

static int refuse_time(sqlite3_vfs *vfs, double *days)
{
    sandbox_of(vfs)->asked_time = true;
    *days = 0;
    return SQLITE_ERROR;
}

static int refuse_time_in_ms(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
    sandbox_of(vfs)->asked_time = true;
    *ms = 0;
    return SQLITE_ERROR;
}

/* SQLite finds it by name, and its list of them has a mutex. */
static int make_vfs(struct sandbox *s)
{
    sqlite3_vfs *system;

    if (sqlite3_initialize() != SQLITE_OK)
        return -1;
    system = sqlite3_vfs_find(NULL);
    if (system == NULL)
        return -1;
    s->vfs = *system;
    snprintf(s->vfs_name, sizeof(s->vfs_name), "no-clock-%p", (void *)s);
    s->vfs.zName = s->vfs_name;
    s->vfs.pNext = NULL;
    s->vfs.xCurrentTime = refuse_time;
    if (s->vfs.iVersion >= 2)
        s->vfs.xCurrentTimeInt64 = refuse_time_in_ms;
    return sqlite3_vfs_register(&s->vfs, 0) == SQLITE_OK ? 0 : -1;
}

/* --- Open and close. --- */

static void set_limits(sqlite3 *db)
{
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, COMPUTER_MAX_VALUE_BYTES);
    sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MOST_PATTERN_BYTES);
    sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, MOST_INSTRUCTIONS);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

/* A name in double quotes is a column, never a text because there is no such column. */
static void set_switches(sqlite3 *db)
{
    static const struct {
        int what;
        int value;
    } switches[] = {
        {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };

    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        sqlite3_db_config(db, switches[i].what, switches[i].value, (int *)NULL);
}

/* Their first use declares them, which the authorizer would not allow. */
static const char first_use[] = "SELECT 1 FROM json_each('1'), json_tree('1')";

static int prepare_connection(struct sandbox *s)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (make_vfs(s) == -1 || sqlite3_open_v2(":memory:", &s->db, flags, s->vfs_name) != SQLITE_OK ||
        sqlite3_exec(s->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, first_use, NULL, NULL, NULL) != SQLITE_OK ||
        functions_replace(s->db) != SQLITE_OK)
        return -1;
    set_limits(s->db);
    set_switches(s->db);
    sqlite3_set_authorizer(s->db, authorize, s);
    sqlite3_progress_handler(s->db, TURN_INSTRUCTIONS, make_turn, s);
    return 0;
}

int sandbox_open(struct sandbox *s, struct error *err)
{
    if (prepare_connection(s) == 0)
        return 0;
    error_set(err, ERROR_NOMEM, "sql: out of memory");
    sandbox_close(s);
    return -1;
}

void sandbox_close(struct sandbox *s)
{
    sqlite3_close(s->db);
    s->db = NULL;
    if (s->vfs.zName != NULL)
        sqlite3_vfs_unregister(&s->vfs);
    s->vfs.zName = NULL;
}
