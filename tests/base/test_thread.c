#include "test.h"

#include <signal.h>
#include <string.h>

#include "gatherd/thread.h"

struct seen {
    char name[16];
    int sigterm_blocked;
};

static void *look_around(void *argument)
{
    struct seen *seen = argument;
    sigset_t mask;

    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name)); /* from its first moment */
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->sigterm_blocked = sigismember(&mask, SIGTERM);
    return NULL;
}

static void run_one(struct seen *seen, const char *stage, unsigned number)
{
    pthread_t thread;

    assert_int_equal(thread_start(&thread, stage, number, look_around, seen, NULL), 0);
    pthread_join(thread, NULL);
}

static void a_thread_has_its_name_and_takes_no_signals(void **state)
{
    struct seen seen;
    sigset_t mask;

    (void)state;
    run_one(&seen, "fetcher", 3);
    assert_string_equal(seen.name, "fetcher-3");
    assert_int_equal(seen.sigterm_blocked, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0); /* ours are as they were */
}

static void a_name_too_long_is_cut(void **state)
{
    struct seen seen;

    (void)state;
    run_one(&seen, "processor", 1234567890);
    assert_string_equal(seen.name, "processor-12345");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_and_takes_no_signals),
        cmocka_unit_test(a_name_too_long_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
