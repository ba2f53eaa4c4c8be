/*
 * expected.h - text that a test compares with a file kept beside it.
 */
#ifndef GATHERD_TEST_EXPECTED_H
#define GATHERD_TEST_EXPECTED_H

/*
 * Fails the test when `actual` is not what the file at `path` holds, byte for byte. With
 * GATHERD_UPDATE_EXPECTED in the environment the file is written instead: read it with git diff.
 */
void assert_expected_file(const char *actual, const char *path);

/* The whole file with a NUL behind it; the caller frees. Fails the test when it cannot be read. */
char *read_test_file(const char *path);

#endif
