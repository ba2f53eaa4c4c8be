/*
 * replay_rig.h - a source from YAML with a store, answers committed as if they had just come, and
 * replays of what became of them.
 */
#ifndef GATHERD_TEST_REPLAY_RIG_H
#define GATHERD_TEST_REPLAY_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/arena.h"
#include "gatherd/replay.h"
#include "gatherd/text.h"
#include "store_rig.h"

struct replaying_rig {
    struct rig *rig;
    struct config *config;
    struct arena *arena;
    struct run run;   /* of the first source */
    struct text said; /* a line for each failure of the last replay */
    struct replay_report report;
};

struct replaying_rig *replaying_create(const char *yaml);
void replaying_free(struct replaying_rig *r);

/* Another configuration, as after a reload. */
void replaying_configure(struct replaying_rig *r, const char *yaml);

/* An answer of the first source, processed and committed. Its run is forgotten afterwards. */
void replaying_answer(struct replaying_rig *r, int status, const char *content_type,
                      const char *body);

/* Carries the wish out. The status of its last step. */
enum replay_status replaying_do(struct replaying_rig *r, struct replay_wish wish,
                                struct error *err);

/* All dead letters, or the bodies of the first source; it must succeed. */
void replaying_letters(struct replaying_rig *r);
void replaying_bodies(struct replaying_rig *r);

#endif
