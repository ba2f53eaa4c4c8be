/*
 * item.h - a YAML document as a tree of items that know where they stand.
 *
 * yaml.c makes the tree from libyaml's events. An alias is the same item in a second place, never a
 * copy, so a small file cannot become a large tree. Items live in an arena that is dropped when the
 * file has been loaded. Lines and columns count from 1, columns in characters.
 */
#ifndef CONFIG_ITEM_H
#define CONFIG_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"

/* Limits that act while the events of a file arrive. */
#define YAML_MAX_BYTES (1024u * 1024)
#define YAML_MAX_DEPTH 32
#define YAML_MAX_ITEMS 1000000u /* after aliases are followed; 1 MiB without any stays below */

enum item_kind { ITEM_SCALAR, ITEM_LIST, ITEM_MAPPING };

struct item;
struct key;

struct entry {
    struct item *key; /* always a scalar; NULL in a list */
    struct item *value;
    struct entry *next;
};

struct item {
    uint8_t kind;  /* enum item_kind */
    uint8_t depth; /* levels of lists and mappings, aliases followed; a scalar has 0 */
    bool plain;    /* scalar without quotes or tag: it may be a number, a boolean or nothing */
    bool exact;    /* character n of the text (from 0) stands at text_column + n */
    bool resolved; /* mapping: load_resolve() has been here */
    bool tainted;  /* it was read, and a variable brought some of it */
    unsigned line;
    unsigned column;
    unsigned text_column;
    uint32_t weight; /* items in this one, aliases followed */
    union {
        struct {
            const char *text; /* with a NUL behind it, and maybe others inside */
            size_t length;
        };
        struct {
            struct entry *first;
            struct entry *last;
        };
    };
    /* A list-like value that was read once for a key serves every place an alias brings it to. */
    const struct key *parsed_by;
    const void *parsed;
    size_t parsed_count;
};

/* Why a file is no document; line 0: a position makes no sense. */
struct yaml_problem {
    unsigned line;
    unsigned column;
    bool out_of_memory;
    char text[320];
};

/*
 * Checks that `text` is UTF-8 that YAML allows. Returns the bytes to skip (a byte order mark), or
 * -1 with the problem.
 */
int encoding_check(const char *text, size_t length, struct yaml_problem *problem);

/* Characters, not bytes. */
size_t count_characters(const char *text, size_t length);

/*
 * Reads the only document of `text` into `arena`; `*root` is NULL when there is none. The text must
 * have passed encoding_check(). 0, or -1 with the problem.
 */
int yaml_read(const char *text, size_t length, struct arena *arena, struct item **root,
              struct yaml_problem *problem);

#endif
