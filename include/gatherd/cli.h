/*
 * cli.h - the command line: `gatherd COMMAND ...`, one file a command in daemon/cli/.
 */
#ifndef GATHERD_CLI_H
#define GATHERD_CLI_H

/*
 * Runs the command that the arguments name and returns the process's exit status: 0, 1 (work
 * failed) or one of sysexits.h: 64 usage, 69 unavailable, 70 internal, 74 I/O, 77 permission, 78
 * configuration.
 */
int cli_main(int argc, char **argv);

#endif
