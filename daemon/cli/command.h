/*
 * command.h - what the commands in this folder share.
 */
#ifndef GATHERD_CLI_COMMAND_H
#define GATHERD_CLI_COMMAND_H

#include "gatherd/config.h"
#include "gatherd/error.h"
#include "gatherd/text.h"

struct command {
    const char *name;
    const char *summary; /* one line in `gatherd --help` */
    const char *help;    /* what `gatherd NAME --help` prints */
    /* argv[0] is the command's name; returns the exit status. */
    int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_check;
extern const struct command command_query;
extern const struct command command_state;
extern const struct command command_backfill;
extern const struct command command_schema;
extern const struct command command_failed_letters;
extern const struct command command_replay;
extern const struct command command_version;

/*
 * The file that is the configuration: `path`, or when that is NULL ./gatherd.yaml, else
 * /etc/gatherd/gatherd.yaml. NULL: nobody says and neither is there, which is said on stderr; the
 * exit status for that is 78.
 */
const char *command_config_path(const char *path);

/*
 * Loads the configuration and prints every mistake on stderr. NULL: there were some, and the exit
 * status for that is 78. Otherwise `warnings` gets a line for each warning; NULL: who asks has
 * nothing to do with them.
 */
struct config *command_load_config(const char *path, struct text *warnings);

/* The same of the file that command_config_path() gives. NULL: that has been said; exit status 78.
 */
struct config *command_find_config(const char *path);

/*
 * Runs a command that is words and takes -c and -h only: `check` says whether the words will do, or
 * prints why not, and `work` does what they say. Returns the exit status, as both do.
 */
int command_run_words(const struct command *self, int argc, char **argv,
                      int (*check)(const struct command *self, int count, char **words),
                      int (*work)(const struct command *self, const struct config *config,
                                  int count, char **words));

/* Prints the mistakes that stand in the way of a configuration, and their number, on stderr. */
void command_print_report(const struct config_report *report);

/* Prints "gatherd NAME: MESSAGE" and where help is; returns the exit status for wrong usage, 64. */
int command_usage_error(const struct command *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The same for what getopt_long() refused, which has just returned `option`: ':' for a missing
 * value (the option string begins with ':'), or '?'.
 */
int command_option_error(const struct command *self, int option, char **argv);

/* Prints "gatherd: TEXT" on stderr; returns the exit status of the error. */
int command_failed(const struct error *err);

/*
 * Says why stdout could not be written, by the errno of it, 0 where that is not known; a reader
 * that has seen enough (`| head`) knows. Returns the exit status for that, 74.
 */
int command_output_failed(int os);

/* Prints the command's help on stdout; returns 0. */
int command_print_help(const struct command *self);

#endif
