/*
 * members.h - which cell of the row a member of a record belongs to, by its name.
 *
 * The records of one response mostly have the same members in the same order. So each name
 * remembers which one followed it last time, and one comparison finds the next; a hash table finds
 * the others. Everything is in the arena of the response.
 */
#ifndef GATHERD_PROCESS_MEMBERS_H
#define GATHERD_PROCESS_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/text.h"

#define MEMBER_UNWANTED UINT32_MAX /* a target: the member becomes no cell */
#define MEMBER_NONE     UINT32_MAX

struct member {
    struct slice name; /* borrowed */
    uint64_t hash;
    uint32_t next;   /* the name that followed this one last time; may be stale */
    uint32_t target; /* a column or field, or MEMBER_UNWANTED */
};

struct members {
    struct arena *arena;
    struct member *list; /* in the order of members_add() */
    uint32_t count;
    uint32_t capacity;
    uint32_t *slots; /* place in list + 1; 0: free. Open addressing, at most half full */
    uint32_t slot_count;
    uint32_t first;    /* the name that began the last record; may be stale */
    uint32_t previous; /* the name found last in this record, or MEMBER_NONE */
};

/* 0, or -1: out of memory. */
int members_init(struct members *members, struct arena *arena);

/* A record begins. */
void members_begin(struct members *members);

/* The entry of `name`, or NULL; the next call expects the name that followed it last time. */
struct member *members_find(struct members *members, struct slice name);

/* Adds a name that members_find() has just not found. NULL: out of memory. */
struct member *members_add(struct members *members, struct slice name, uint32_t target);

/* Forgets all but the first `count` names. */
void members_truncate(struct members *members, uint32_t count);

#endif
