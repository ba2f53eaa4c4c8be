#include "allocation.h"

#include <sqlite3.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_reallocarray(void *pointer, size_t count, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_reallocarray(void *pointer, size_t count, size_t size);
char *__wrap_strdup(const char *string);

/* One test runs at a time, in one thread. */
static bool failing;
static bool only_once;
static bool has_failed;
static size_t left;

void allocation_fail_after(size_t count, bool once)
{
    failing = true;
    only_once = once;
    has_failed = false;
    left = count;
}

bool allocation_stop_failing(void)
{
    failing = false;
    return has_failed;
}

static bool is_refused(void)
{
    if (!failing || (only_once && has_failed))
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return is_refused() ? NULL : __real_realloc(pointer, size);
}

void *__wrap_reallocarray(void *pointer, size_t count, size_t size)
{
    return is_refused() ? NULL : __real_reallocarray(pointer, count, size);
}

char *__wrap_strdup(const char *string)
{
    return is_refused() ? NULL : __real_strdup(string);
}

/* --- SQLite --- */

static sqlite3_mem_methods real_memory;

static void *sqlite_malloc(int size)
{
    return is_refused() ? NULL : real_memory.xMalloc(size);
}

static void *sqlite_realloc(void *pointer, int size)
{
    return is_refused() ? NULL : real_memory.xRealloc(pointer, size);
}

int allocation_include_sqlite(void **state)
{
    sqlite3_mem_methods ours;

    (void)state;
    sqlite3_shutdown(); /* the rig of a test may have used it */
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK)
        return -1;
    ours = real_memory;
    ours.xMalloc = sqlite_malloc;
    ours.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK ? sqlite3_initialize() : -1;
}
