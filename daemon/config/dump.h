/*
 * dump.h - what the parts of the dump share: how values of each kind are written as YAML.
 */
#ifndef CONFIG_DUMP_H
#define CONFIG_DUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "config/keys.h"
#include "gatherd/text.h"

struct dump {
    const struct load *load;
    struct text *out;
    struct text scratch;
    char *folder; /* owned: the working directory, for relative paths; NULL: not known */
    unsigned depth;
    bool begun; /* the present line has its "- " already */
};

/* A value that is there, below its key. */
struct shown {
    const struct key *key;
    const char *target;
    bool tainted; /* a variable brought some of it */
};

typedef void write_value_fn(struct dump *d, const struct shown *shown);

/* --- dump.c --- */

/* A new line, unless the present one has only its "- ". */
void dump_begin_line(struct dump *d);

void dump_name(struct dump *d, const char *name); /* "name:" on a line of its own */

/* Text with *** for what is not to be shown; `tainted`: where nothing else is known, all of it. */
void dump_string(struct dump *d, const char *string, bool tainted);
void dump_mask(struct dump *d);

/* The keys of a mapping, or {} where none of them has a value. */
void dump_mapping(struct dump *d, const struct key_set *set, const char *target);

/* What stands in the struct that holds the value of a key. */
const void *dump_pointer(const struct key *key, const char *target);
size_t dump_count(const struct key *key, const char *target);

/* --- dump_values.c --- */

write_value_fn dump_write_names, dump_write_name_lists, dump_write_null_values, dump_write_constant,
    dump_write_status_codes, dump_write_pairs, dump_write_proxy, dump_write_body, dump_write_fields,
    dump_write_items;

#endif
