/*
 * build.h - which request a run makes now: from its source and from where the run has come to.
 */
#ifndef GATHERD_FETCH_BUILD_H
#define GATHERD_FETCH_BUILD_H

#include "fetch/draft.h"
#include "gatherd/arena.h"
#include "gatherd/run.h"

/* Makes the draft in `arena`, which is reset first. draft->failed says that memory ran out. */
void build_request(const struct run *run, struct arena *arena, struct draft *draft);

#endif
