/* gatherd replay: bodies that were kept, through today's mapping. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/here.h"
#include "cli/remote.h"
#include "cli/when.h"
#include "gatherd/clock.h"

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"since", required_argument, NULL, 's'},
    {"until", required_argument, NULL, 'u'},  {"into", required_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},         {0},
};

/* The daemon is told which mapping we have in mind. */
static bool ask_daemon(const struct config *config, const struct replay_wish *wish, int *status)
{
    char fingerprint[24];
    char since[24];
    char until[24];
    const char *words[] = {"replay",
                           wish->source,
                           fingerprint,
                           since,
                           until,
                           wish->into == NULL ? "" : wish->into,
                           isatty(STDERR_FILENO) ? "terminal" : ""};

    snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64,
             replay_fingerprint(config, wish->source));
    snprintf(since, sizeof(since), "%" PRId64, wish->since_ms);
    snprintf(until, sizeof(until), "%" PRId64, wish->until_ms);
    return remote_ask(config->database, 7, words, status);
}

static int replay(const struct command *self, const char *path, struct replay_wish *wish)
{
    struct config *config = command_find_config(path);
    int status;

    if (config == NULL)
        return EX_CONFIG;
    if (config_find_source(config, wish->source) == NULL)
        status = command_usage_error(self, "no source is named \"%s\"", wish->source);
    else if (!ask_daemon(config, wish, &status))
        status = here_replay(config, wish);
    config_unref(config);
    return status;
}

static int check_time(const struct command *self, const char *option, const char *text, int64_t *ms)
{
    if (text == NULL || when_parse(text, clock_wall_ms(), ms) == 0)
        return EX_OK;
    return command_usage_error(self, "--%s \"%s\" is no time; write " WHEN_FORMS, option, text);
}

static int run_replay(const struct command *self, int argc, char **argv)
{
    struct replay_wish wish = {.until_ms = INT64_MAX};
    const char *path = NULL;
    const char *since = NULL;
    const char *until = NULL;
    int option;
    int status;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            path = optarg;
        else if (option == 's')
            since = optarg;
        else if (option == 'u')
            until = optarg;
        else if (option == 'i')
            wish.into = optarg;
        else if (option == 'h')
            return command_print_help(self);
        else
            return command_option_error(self, option, argv);
    }
    if (argc - optind != 1)
        return command_usage_error(self,
                                   argc == optind ? "name the source" : "one source at a time");
    if (since == NULL)
        return command_usage_error(self, "say with --since from when on");
    wish.source = argv[optind];
    status = check_time(self, "since", since, &wish.since_ms);
    if (status == EX_OK)
        status = check_time(self, "until", until, &wish.until_ms);
    return status == EX_OK ? replay(self, path, &wish) : status;
}

const struct command command_replay = {
    .name = "replay",
    .summary = "make rows again of bodies that were kept",
    .help = "Usage: gatherd replay SOURCE --since TIME [--until TIME] [--into TABLE]\n"
            "                      [-c FILE]\n"
            "\n"
            "Runs the bodies that `store_raw` kept through the mapping of today, in their\n"
            "order, without asking the API. A TIME is 2026-01-31, 2026-01-31T12:00:00Z, or\n"
            "how long ago: 7d, 1h30m.\n"
            "\n"
            "Rows keep the _run_id and _fetched_at of their response. With a primary key a\n"
            "row is updated unless a later answer changed it; without one, and with\n"
            "insert_only, the rows that a response had made are replaced by those it makes\n"
            "now. So the same replay again changes nothing, and one that was interrupted is\n"
            "said again. What the source remembers, its schedule and _gatherd_runs stay as\n"
            "they are.\n"
            "\n"
            "Tables with write_mode replace or history hold what is there now and are left\n"
            "alone; --into new tables they give all that was there, with history version by\n"
            "version.\n"
            "\n"
            "While the daemon runs it does the work, in small steps, and only its user and\n"
            "root may ask. Ctrl-C ends it after the present step.\n"
            "\n"
            "Options:\n"
            "      --since TIME   from what was fetched then\n"
            "      --until TIME   to what was fetched before then; default: to the end\n"
            "      --into TABLE   into this table; a name that ends in _ goes before the\n"
            "                     source's own. Dead letters stay as they are\n"
            "  -c, --config FILE  the configuration; default ./gatherd.yaml, else\n"
            "                     /etc/gatherd/gatherd.yaml\n"
            "  -h, --help         print this\n",
    .run = run_replay,
};
