#include <stdlib.h>
#include <string.h>

#include "config/load.h"

void *load_alloc(struct load *load, struct arena *arena, size_t size)
{
    void *pointer = arena_alloc(arena, size);

    if (pointer == NULL)
        load_out_of_memory(load);
    else if (size > 0)
        memset(pointer, 0, size);
    return pointer;
}

/* Hosts, headers, files and tables repeat over thousands of sources: each text is kept once. */
const char *load_keep(struct load *load, const char *text, size_t length)
{
    char *copy = config_map_get(&load->texts, (struct slice){text, length});

    if (copy != NULL)
        return copy;
    copy = arena_copy(load->arena, text, length);
    if (copy == NULL || config_map_put(&load->texts, (struct slice){copy, length}, copy) == -1) {
        load_out_of_memory(load);
        return NULL;
    }
    return copy;
}

bool load_room(struct load *load, void *array_pointer, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *array;

    if (count < *capacity)
        return true;
    memcpy(&array, array_pointer, sizeof(array));
    array = realloc(array, wanted * size);
    if (array == NULL) {
        load_out_of_memory(load);
        return false;
    }
    memcpy(array_pointer, &array, sizeof(array));
    *capacity = wanted;
    return true;
}
