/*
 * lock.h - the file beside the database that keeps a second gatherd away.
 *
 * SQLite would let two daemons write in turns; each would poll every source. The lock belongs to
 * the open file and goes with the process, however it ends; the file itself stays, because removing
 * it would let a third process lock a new file while a second still holds the old one.
 */
#ifndef GATHERD_STORE_LOCK_H
#define GATHERD_STORE_LOCK_H

#include <stdbool.h>

#include "gatherd/error.h"

struct lock; /* opaque */

/* Locks `database` (its file need not exist). NULL: in use by another gatherd, or not possible. */
struct lock *lock_acquire(const char *database, struct error *err);

/*
 * Unlocks. With `unused` the file goes too when this lock made it: the database turned out not to
 * be ours, and its folder is left as it was. NULL is allowed.
 */
void lock_release(struct lock *lock, bool unused);

#endif
