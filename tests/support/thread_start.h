/*
 * thread_start.h - threads that do not start when a test says so.
 *
 * Test programs whose name begins with test_pipeline are linked with --wrap for pthread_create:
 * calls from our own code come here, those inside of libraries do not.
 */
#ifndef GATHERD_TEST_THREAD_START_H
#define GATHERD_TEST_THREAD_START_H

/* Lets `count` threads start; the next one, and all behind it, fail with EAGAIN. */
void thread_start_fail_after(int count);

/* Lets all start again. */
void thread_start_stop_failing(void);

/* Threads of this process whose name begins with `prefix`. */
unsigned thread_count(const char *prefix);

#endif
