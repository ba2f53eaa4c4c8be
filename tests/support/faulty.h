/*
 * faulty.h - the shared server with one fault a path, started beside a test.
 */
#ifndef GATHERD_TEST_FAULTY_H
#define GATHERD_TEST_FAULTY_H

#include <stdbool.h>

struct faulty {
    struct server *process;
    unsigned http;   /* its port */
    char info[2000]; /* the JSON that it prints: ports and files */
};

/* False: it is not on this machine, or does not start; the caller skips, and says so. */
bool faulty_start(struct faulty *faulty, bool tls);
void faulty_stop(struct faulty *faulty);

/* The port of a TLS listener ("good", "expired", ...). */
unsigned faulty_tls_port(const struct faulty *faulty, const char *kind);

/* The file of the authority that signed "good", with `name` in place of "ca.pem" when given. */
const char *faulty_file(const struct faulty *faulty, const char *name, char *path, int size);

#endif
