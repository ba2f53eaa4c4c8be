/*
 * table_name.h - which names tables and columns may have.
 */
#ifndef CONFIG_TABLE_NAME_H
#define CONFIG_TABLE_NAME_H

#include "gatherd/text.h"

/* Longest name of a table or column, in bytes. */
#define MOST_NAME_BYTES 128

/* As table_name_problem() of gatherd/config.h, for a column. */
const char *column_name_problem(const char *name);

/*
 * Writes the name that stands for `name`: letters, digits and _ are kept, any other run of
 * characters becomes one _, a leading digit gets one before it.
 */
void table_name_make(struct text *out, const char *name);

#endif
