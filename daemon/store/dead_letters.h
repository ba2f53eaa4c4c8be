/*
 * dead_letters.h - _gatherd_dead_letters: what could not become rows, whole, with the reason.
 *
 * The same content refused for the same reason again counts up the row that is there, so a source
 * that sends the same page of HTML every minute does not fill the disk.
 */
#ifndef GATHERD_STORE_DEAD_LETTERS_H
#define GATHERD_STORE_DEAD_LETTERS_H

#include "gatherd/error.h"
#include "gatherd/row.h"
#include "gatherd/text.h"
#include "store/outcome.h"
#include "store/sqlite.h"

struct dead_letters {
    sqlite3_stmt *insert;
    sqlite3_stmt *forget;
    sqlite3_stmt *remove;
    sqlite3_stmt *merge;
    sqlite3_stmt *refuse;
    struct text record; /* of one record, reused */
    struct text head;   /* both reused */
    struct text item;
};

int dead_letters_open(struct dead_letters *letters, sqlite3 *db, struct error *err);
void dead_letters_close(struct dead_letters *letters);

/* Writes one: letter->record, or the whole body of the run's response where that is NULL. */
int dead_letters_add(struct dead_letters *letters, const struct result *result,
                     const struct outcome *outcome, const struct dead_letter *letter,
                     const struct moment *moment, struct error *err);

/* The records that a response left, which is replayed: they are looked at anew. */
int dead_letters_forget(struct dead_letters *letters, const struct run *run, struct error *err);

/* The dead letter that the run replays: it has become rows, or it stays for this reason. */
int dead_letters_remove(struct dead_letters *letters, int64_t id, struct error *err);
int dead_letters_refuse(struct dead_letters *letters, const struct run *run, const char *reason,
                        const struct moment *moment, struct error *err);

/* A record as the dead letters hold it, in the form that its format has; and what that is. */
void dead_letters_write_record(const struct result *result, const struct node *record,
                               struct text *out);
const char *dead_letters_record_type(const struct result *result);

#endif
