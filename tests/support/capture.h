/*
 * capture.h - what the program writes on stderr, for tests of the log.
 */
#ifndef GATHERD_TEST_CAPTURE_H
#define GATHERD_TEST_CAPTURE_H

/* Calls emit(context) with stderr going to a file; what was written, to be freed. */
char *capture_stderr(void (*emit)(const void *context), const void *context);

#endif
