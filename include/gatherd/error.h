/*
 * error.h - what went wrong, as a code to branch on and a text to read.
 *
 * Functions that can fail return 0 or -1 (or NULL, or a small enum) and fill a struct error that is
 * their last parameter; NULL is accepted where the caller does not want to know. The first report
 * is kept: a later error_set() on the same struct is its echo and changes nothing. A struct error
 * is a plain value of one thread.
 */
#ifndef GATHERD_ERROR_H
#define GATHERD_ERROR_H

enum error_code {
    ERROR_NONE = 0,
    ERROR_FAILED,      /* the work itself failed; nothing below fits better */
    ERROR_USAGE,       /* the command line is wrong */
    ERROR_CONFIG,      /* the configuration is wrong */
    ERROR_UNAVAILABLE, /* something we need is not there, or is taken by another process */
    ERROR_NOMEM,       /* out of memory */
    ERROR_INTERNAL,    /* our own promise was broken */
    ERROR_IO,          /* disk or descriptor failed */
    ERROR_PERMISSION,  /* the operating system forbids it */
    ERROR_SPACE,       /* no space left at present: worth another try */
    ERROR_BUSY,        /* locked by another at present: worth another try */
};

struct error {
    enum error_code code; /* ERROR_NONE in {0} */
    char text[512];       /* where, what, what to do; too long: cut behind a whole character */
};

/* Sets code and text, unless `err` is NULL or holds an earlier report. */
void error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " before the text of an error that is set. */
void error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The process exit status for `code`, as sysexits.h has them: 0, 1, 64, 69, 70, 74, 77 or 78. */
int error_exit_status(enum error_code code);

#endif
