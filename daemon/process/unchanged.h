/*
 * unchanged.h - bodies that need no reading because they were read before, and what may be
 * remembered of those that were read.
 */
#ifndef GATHERD_PROCESS_UNCHANGED_H
#define GATHERD_PROCESS_UNCHANGED_H

#include "gatherd/row.h"

/*
 * With skip_unchanged: notes the hash of the body in run->learned, and in run->not_modified whether
 * it is that of the last one committed. 0, or -1: out of memory.
 */
int unchanged_compare(struct run *run);

/*
 * Forgets what was learned of an answer which could stay as it is although there is news: one of
 * several pages. What is remembered therefore says that there is nothing else.
 */
void unchanged_check_pages(struct run *run, const struct result *result);

#endif
