/*
 * unpack.h - a body that is itself a gzip file or a zip archive to the text in it.
 *
 * Which it is, its first bytes say. gzip may have several members (RFC 1952, 2.2) and zeros behind
 * the last. Of an archive one file is read. Everything is checked: a sum that does not fit, an end
 * that is missing, and a size above the limit are failures, and nothing of such a body is used.
 */
#ifndef GATHERD_UNPACK_H
#define GATHERD_UNPACK_H

#include <stddef.h>

#include "gatherd/arena.h"
#include "gatherd/text.h"

enum unpack_status {
    UNPACK_PLAIN, /* the body is not packed */
    UNPACK_OK,
    UNPACK_BROKEN,    /* see the reason */
    UNPACK_TOO_LARGE, /* more than `most` bytes */
    UNPACK_NOMEM,
};

struct unpacked {
    struct slice text; /* in the arena, with a NUL behind it */
    const char *name;  /* of the file in the archive; NULL: gzip */
    char reason[256];  /* what is wrong, in words for people */
};

/*
 * Unpacks one layer. `member`: which file of an archive is meant, a name or a pattern with * and ?;
 * NULL: its only one.
 */
enum unpack_status unpack(struct slice body, const char *member, size_t most, struct arena *arena,
                          struct unpacked *unpacked);

#endif
