/*
 * processing.h - one response through process_response(), and its rows as text to compare with.
 */
#ifndef GATHERD_TEST_PROCESSING_H
#define GATHERD_TEST_PROCESSING_H

#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/processor.h"
#include "gatherd/row.h"
#include "gatherd/text.h"

#define PROCESSING_MAX_FIELDS 16

struct processing {
    struct source source;
    struct field fields[PROCESSING_MAX_FIELDS];
    struct run run;
    struct arena *arena;
    struct result result; /* of the last processing_run() */
    struct text text;     /* of the last processing_rows() or processing_letters() */
};

/* A source named "test" without fields, records or declared format. */
struct processing *processing_create(void);
void processing_free(struct processing *p);

void processing_records(struct processing *p, const char *path);
void processing_field(struct processing *p, const char *name, const char *path,
                      enum field_type type, enum time_unit unit);

/* Processes a 200 with this body and Content-Type (NULL: none); forgets the response before. */
void processing_run(struct processing *p, const char *content_type, const char *body);
void processing_run_bytes(struct processing *p, const char *content_type, const char *body,
                          size_t length);

/* "a,b\n1,'x'\n~1.5,null\n": columns, then rows; text in quotes, reals behind a ~. */
const char *processing_rows(struct processing *p);

/* "0@1:2 the record is null\n": position@line:column reason; "body" for the whole body. */
const char *processing_letters(struct processing *p);

#endif
