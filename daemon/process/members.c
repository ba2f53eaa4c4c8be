#include "process/members.h"

#include <assert.h>
#include <string.h>

#include "gatherd/hash.h"

#define FIRST_CAPACITY 32u

static int make_slots(struct members *m, uint32_t count)
{
    m->slots = arena_alloc(m->arena, count * sizeof(*m->slots));
    if (m->slots == NULL)
        return -1;
    memset(m->slots, 0, count * sizeof(*m->slots));
    m->slot_count = count;
    return 0;
}

int members_init(struct members *members, struct arena *arena)
{
    *members =
        (struct members){.arena = arena, .capacity = FIRST_CAPACITY, .previous = MEMBER_NONE};
    members->list = arena_alloc(arena, FIRST_CAPACITY * sizeof(*members->list));
    return members->list == NULL ? -1 : make_slots(members, 2 * FIRST_CAPACITY);
}

void members_begin(struct members *members)
{
    members->previous = MEMBER_NONE;
}

/* Where the place of the next name is expected, and noted. */
static uint32_t *link_of(struct members *m)
{
    return m->previous == MEMBER_NONE ? &m->first : &m->list[m->previous].next;
}

/* The slot that holds the name, or the free one where it would go. */
static uint32_t *find_slot(const struct members *m, struct slice name, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (m->slot_count - 1);

    for (; m->slots[at] != 0; at = (at + 1) & (m->slot_count - 1)) {
        const struct member *member = &m->list[m->slots[at] - 1];

        if (member->hash == hash && slice_same(member->name, name))
            break;
    }
    return &m->slots[at];
}

static struct member *follow(struct members *m, uint32_t place)
{
    *link_of(m) = place;
    m->previous = place;
    return &m->list[place];
}

struct member *members_find(struct members *members, struct slice name)
{
    uint32_t expected = *link_of(members);
    uint32_t *slot;

    if (expected < members->count && slice_same(members->list[expected].name, name))
        return follow(members, expected);
    slot = find_slot(members, name, hash_bytes(name.data, name.length));
    return *slot == 0 ? NULL : follow(members, *slot - 1);
}

/* Twice the room. Slots are filled again in the order of the list: members_truncate() needs it. */
static int grow(struct members *m)
{
    uint32_t *slots = m->slots;
    size_t bytes = m->capacity * sizeof(*m->list);
    struct member *list = arena_grow(m->arena, m->list, bytes, 2 * bytes);

    if (list == NULL)
        return -1;
    m->list = list;
    if (make_slots(m, 2 * m->slot_count) == -1) {
        m->slots = slots;
        return -1;
    }
    m->capacity *= 2;
    for (uint32_t i = 0; i < m->count; i++)
        *find_slot(m, list[i].name, list[i].hash) = i + 1;
    return 0;
}

struct member *members_add(struct members *members, struct slice name, uint32_t target)
{
    uint64_t hash = hash_bytes(name.data, name.length);
    uint32_t place = members->count;
    uint32_t *slot;

    if (place == members->capacity && grow(members) == -1)
        return NULL;
    slot = find_slot(members, name, hash);
    assert(*slot == 0);
    *slot = place + 1;
    members->list[place] = (struct member){name, hash, place + 1, target};
    members->count++;
    return follow(members, place);
}

/* The newest name stands behind all others of its probe sequence: removing it leaves no gap. */
void members_truncate(struct members *members, uint32_t count)
{
    while (members->count > count) {
        const struct member *newest = &members->list[members->count - 1];

        *find_slot(members, newest->name, newest->hash) = 0;
        members->count--;
    }
    members->previous = MEMBER_NONE;
}
