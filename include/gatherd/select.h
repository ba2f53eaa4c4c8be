/*
 * select.h - whether a text is one SELECT, as a view is made of.
 */
#ifndef GATHERD_SELECT_H
#define GATHERD_SELECT_H

#include <stddef.h>

#include "gatherd/error.h"

/*
 * 0: it is. -1 with ERROR_CONFIG: it is not, and `*offset` is where in the text, in bytes. What it
 * reads from need not be there: SQLite asks for that when the view is read.
 */
int select_check(const char *text, size_t *offset, struct error *err);

#endif
