#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/command.h"

static int run_version(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    int option;

    optind = 0; /* a fresh scan: glibc's way of saying so */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (option == 'h')
            return command_print_help(self);
        return command_option_error(self, option, argv);
    }
    if (optind < argc)
        return command_usage_error(self, "unexpected argument \"%s\"", argv[optind]);
    puts("gatherd " GATHERD_VERSION);
    return EX_OK;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version",
    .help = "Usage: gatherd version\n"
            "\n"
            "Prints the version of this program.\n",
    .run = run_version,
};
