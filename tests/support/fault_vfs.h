/*
 * fault_vfs.h - a disk that fails on demand, between SQLite and the real one.
 *
 * While installed it is SQLite's default, for connections opened from then on. Each change of a
 * file (write, sync, truncation, growth of shared memory) is one step; the step chosen fails, and
 * with `stay` all that follow too, as on a disk that is full or gone. One connection at a time.
 */
#ifndef GATHERD_TEST_FAULT_VFS_H
#define GATHERD_TEST_FAULT_VFS_H

#include <stdbool.h>

void fault_vfs_install(void);
void fault_vfs_remove(void);

/* The `step`-th change from now, from 1, fails with `number` (ENOSPC, EIO). 0: none. */
void fault_vfs_fail(unsigned step, int number, bool stay);

/* Whether the step was reached. */
bool fault_vfs_failed(void);

#endif
