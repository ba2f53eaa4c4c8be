#include "allocation.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_reallocarray(void *pointer, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_reallocarray(void *pointer, size_t count, size_t size);

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
