/*
 * control.h - how a command reaches the daemon that has the database: a socket beside the file.
 *
 * A command that would change what only the daemon may change (it is the one writer) sends its
 * words over a Unix socket; the daemon carries them out and answers with text and an exit status,
 * which the command prints and returns as its own. Only the daemon's user and root may ask.
 *
 * On the wire a frame is one byte of kind, four bytes of length (of the host's order: it never
 * leaves the machine), and so many bytes. The question is one frame 'q' of words, a NUL behind
 * each; the answer is any number of 'o' (for stdout) and 'e' (for stderr), then one 'x' with the
 * exit status as one byte.
 */
#ifndef GATHERD_CONTROL_H
#define GATHERD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gatherd/error.h"

#define CONTROL_MAX_QUESTION_BYTES (64u * 1024)

/* --- The daemon's side. --- */

struct control;      /* the socket and the threads behind it */
struct control_call; /* one question that is being answered; one thread's */

/* Answers `words` and returns the exit status. Called from one of the threads of the control. */
typedef int control_answer_fn(void *context, struct control_call *call, size_t count,
                              const char *const *words);

/* Beside which the socket stands: DATABASE-control. The caller frees; NULL: out of memory. */
char *control_path(const char *database);

/*
 * Listens at `path`; whatever stood there is replaced, so the caller holds the database's lock.
 * NULL: ERROR_UNAVAILABLE, ERROR_PERMISSION or ERROR_NOMEM.
 */
struct control *control_start(const char *path, control_answer_fn *answer, void *context,
                              struct error *err);

/* Removes the socket, lets answers under way see control_is_over(), waits for them. NULL allowed.
 */
void control_stop(struct control *control);

/* Sends text to the caller's stdout or stderr. A caller that has gone is no error. */
void control_say(struct control_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void control_complain(struct control_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Waits up to `timeout_ms`; true at once when the caller has gone or the daemon stops. */
bool control_is_over(struct control_call *call, int64_t timeout_ms);

/* The same, but only for the daemon's stop. */
bool control_is_stopping(struct control_call *call, int64_t timeout_ms);

/* --- The command's side. --- */

enum control_outcome {
    CONTROL_ANSWERED, /* `*status` is the exit status; what was said has been written */
    CONTROL_NOBODY,   /* no daemon listens there */
    CONTROL_FAILED,   /* see the error */
};

enum control_outcome control_ask(const char *path, size_t count, const char *const *words,
                                 FILE *out, FILE *complaints, int *status, struct error *err);

#endif
