/*
 * reader.h - what the readers of the formats get, and how they say what is wrong: private to
 * decode.c and the read_*.c files beside it.
 *
 * A reader sets decoded->root, or gives a reason by reader_refuse(). It returns 0, or -1: out of
 * memory.
 */
#ifndef GATHERD_PROCESS_READER_H
#define GATHERD_PROCESS_READER_H

#include "process/decode.h"

struct reader_input {
    const struct source *source;
    const char *text; /* unpacked, with a NUL behind it */
    size_t length;
    const char *charset; /* the text has been converted from it to UTF-8; NULL: nobody said what
                            it is in, so it is UTF-8 if the format has no say of its own */
    const char *content_type; /* NULL: none came */
    enum body_format format;  /* that the text is read as, never FORMAT_AUTO */
    bool is_record;           /* see decode_record(): the root is an array of the one */
};

void reader_refuse(struct decoded *decoded, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Notes where in the text something is wrong. */
void reader_point(const struct reader_input *in, size_t offset, struct decoded *decoded);

/* Where the text begins: behind a byte order mark and white space. */
size_t reader_start(const struct reader_input *in);

/* Appends to the reason what to do when the byte at the offset is not UTF-8. */
void reader_mind_charset(const struct reader_input *in, size_t offset, struct decoded *decoded);

/*
 * Converts in->text to UTF-8 from in->charset, where that is another. Refuses what cannot be
 * converted. -1: out of memory.
 */
int reader_convert(struct reader_input *in, struct arena *arena, struct decoded *decoded);

/* json and ndjson */
int read_json(const struct reader_input *in, struct arena *arena, struct decoded *decoded);

/* csv and tsv */
int read_csv(const struct reader_input *in, struct arena *arena, struct decoded *decoded);
int read_xml(const struct reader_input *in, struct arena *arena, struct decoded *decoded);
int read_prometheus(const struct reader_input *in, struct arena *arena, struct decoded *decoded);

#endif
