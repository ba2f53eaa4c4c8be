/*
 * failed_show.h - `gatherd failed show ID`: one dead letter, for people to read.
 */
#ifndef GATHERD_CLI_FAILED_SHOW_H
#define GATHERD_CLI_FAILED_SHOW_H

#include <stdbool.h>
#include <stdint.h>

/* `raw`: its content alone, byte for byte unless standard output is a terminal. The exit status. */
int failed_show(const char *database, int64_t id, bool raw);

#endif
