/*
 * build.h - which request a run makes now: from its source and from where the run has come to.
 */
#ifndef GATHERD_FETCH_BUILD_H
#define GATHERD_FETCH_BUILD_H

#include <stdint.h>

#include "fetch/draft.h"
#include "gatherd/arena.h"
#include "gatherd/auth.h"
#include "gatherd/run.h"

/*
 * Makes the draft in `arena`, which is reset first; `now_ms` is what {now} stands for, Unix time.
 * draft->failed says that memory ran out, draft->problem that there is no such request.
 */
void build_request(const struct run *run, int64_t now_ms, struct arena *arena, struct draft *draft);

/*
 * Begins the draft of a login in the arena, which is not reset; without name and password, and
 * without draft_finish().
 */
void build_login(const struct login *login, struct arena *arena, struct draft *draft);

#endif
