/*
 * scan.h - a look at the text of an expression before SQLite reads it.
 *
 * The text is put between brackets in a statement of ours. Here it is made sure that it cannot end
 * them, and that it does not ask for the time, which SQLite would not mind.
 */
#ifndef GATHERD_SQL_SCAN_H
#define GATHERD_SQL_SCAN_H

#include <stddef.h>

/* NULL: nothing is wrong; else what is, and where in the text. */
const char *scan_expression(const char *text, size_t *offset);

#endif
