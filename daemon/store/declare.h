/*
 * declare.h - tables as the configuration declares them, before there are rows.
 *
 * What a table will have is known of its key and of its fields; a field without a type waits for
 * its first values, and without fields only the key is known. What is not declared comes with the
 * rows, by the same way (schema.h).
 */
#ifndef GATHERD_STORE_DECLARE_H
#define GATHERD_STORE_DECLARE_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "store/outcome.h"
#include "store/schema.h"

/*
 * Makes the tables of the source fit what is declared. ERROR_FAILED: a table cannot; what was done
 * to the others stays in the transaction, for the caller to undo.
 */
int declare_tables(struct schema *schema, const struct source *source,
                   const struct outcome *outcome, const struct moment *moment, struct error *err);

#endif
