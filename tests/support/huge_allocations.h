/*
 * huge_allocations.h - for a test that asks for more memory than there can be.
 *
 * The sanitizers end the program at such a request unless told to return NULL as malloc(3) does.
 * They look these functions up by name in the program.
 */
#ifndef GATHERD_TEST_HUGE_ALLOCATIONS_H
#define GATHERD_TEST_HUGE_ALLOCATIONS_H

const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

#endif
