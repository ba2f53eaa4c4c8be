/*
 * letter_choice.h - a choice of dead letters (gatherd/kept.h) in SQL.
 */
#ifndef GATHERD_STORE_LETTER_CHOICE_H
#define GATHERD_STORE_LETTER_CHOICE_H

#include "gatherd/kept.h"
#include "store/sqlite.h"

/* Binds choice->before_ms as the text that last_at compares with; 0 as NULL. */
void letter_choice_bind_before(sqlite3_stmt *stmt, int index, const struct letter_choice *choice);

#endif
