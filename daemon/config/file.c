#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"

/* Reads until the end or one byte above the limit. -1 with errno. */
static int read_all(int fd, char *buffer, size_t *length)
{
    *length = 0;
    while (*length <= YAML_MAX_BYTES) {
        ssize_t n = read(fd, buffer + *length, YAML_MAX_BYTES + 1 - *length);

        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -1;
        *length += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

char *file_read(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *buffer = NULL;
    int saved;

    if (fd == -1)
        return NULL;
    buffer = malloc(YAML_MAX_BYTES + 2);
    if (buffer != NULL && read_all(fd, buffer, length) == -1) {
        saved = errno;
        free(buffer);
        buffer = NULL;
        errno = saved;
    }
    if (buffer != NULL)
        buffer[*length] = '\0';
    saved = errno;
    close(fd);
    errno = saved;
    return buffer;
}

bool load_begin_file(struct load *load, const char *name)
{
    const char *kept;

    if (!load_room(load, &load->files, load->file_count, &load->file_capacity,
                   sizeof(load->files[0])))
        return false;
    kept = load_keep(load, name, strlen(name));
    if (kept == NULL)
        return false;
    load->file = (unsigned)load->file_count;
    load->files[load->file_count++] = kept;
    return true;
}

static struct item *refuse(struct load *load, const struct yaml_problem *problem)
{
    load->file_failed = true;
    if (problem->out_of_memory)
        load_out_of_memory(load);
    else
        load_mistake(load, (struct place){load->file, problem->line, problem->column}, NULL, "%s",
                     problem->text);
    return NULL;
}

struct item *load_document(struct load *load, const char *text, size_t length)
{
    static const struct yaml_problem too_large = {
        .text = "larger than 1 MiB; split it into several files and include them"};
    static const struct yaml_problem empty = {
        1, 1, false, "the file is empty; write at least one source under sources:"};
    static const struct yaml_problem no_mapping = {
        1, 1, false, "not a mapping of keys such as sources:; see the example gatherd.yaml"};
    struct yaml_problem problem;
    struct item *root = NULL;
    int skip;

    if (length > YAML_MAX_BYTES)
        return refuse(load, &too_large);
    skip = encoding_check(text, length, &problem);
    if (skip == -1 ||
        yaml_read(text + skip, length - (size_t)skip, load->items, &root, &problem) == -1)
        return refuse(load, &problem);
    if (root == NULL || (root->kind == ITEM_SCALAR && root->plain && root->length == 0))
        return refuse(load, &empty);
    if (root->kind != ITEM_MAPPING)
        return refuse(load, &no_mapping);
    return root;
}
