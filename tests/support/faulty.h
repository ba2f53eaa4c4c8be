/*
 * faulty.h - the shared server with one fault a path, started beside a test.
 */
#ifndef GATHERD_TEST_FAULTY_H
#define GATHERD_TEST_FAULTY_H

#include <stdbool.h>
#include <stddef.h>

struct CMUnitTest;

struct faulty {
    struct server *process;
    unsigned http;   /* its port */
    char info[2000]; /* the JSON that it prints: ports and files */
};

/* False: it is not on this machine, or does not start; the caller skips, and says so. */
bool faulty_start(struct faulty *faulty, bool tls);
void faulty_stop(struct faulty *faulty);

/*
 * A whole main(): starts the server, runs the tests with it as their state, stops it. Returns
 * main's result: the number of failures, or 77, which ctest takes for skipped, where it does not
 * start.
 */
int faulty_run_tests(const struct CMUnitTest *tests, size_t count, bool tls);

/* The port of a TLS listener ("good", "expired", ...). */
unsigned faulty_tls_port(const struct faulty *faulty, const char *kind);

/* The file of the authority that signed "good", with `name` in place of "ca.pem" when given. */
const char *faulty_file(const struct faulty *faulty, const char *name, char *path, int size);

#endif
