#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "cli/show.h"

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"database", required_argument, NULL, 'd'},
    {"format", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct request {
    const char *config;   /* NULL: the default one, unless a database is given */
    const char *database; /* NULL: the configuration's */
    const char *sql;
    enum format format;
};

static int query_configured(const struct request *request)
{
    struct config *config;
    int status;

    if (request->database != NULL)
        return show_query(request->database, request->sql, request->format);
    config = command_find_config(request->config);
    if (config == NULL)
        return EX_CONFIG;
    status = show_query(config->database, request->sql, request->format);
    config_unref(config);
    return status;
}

static int run_query(const struct command *self, int argc, char **argv)
{
    struct request request = {.format = FORMAT_TABLE};
    int option;
    int format;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:d:f:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            request.config = optarg;
            break;
        case 'd':
            request.database = optarg;
            break;
        case 'f':
            format = format_by_name(optarg);
            if (format == -1)
                return command_usage_error(
                    self, "unknown format \"%s\": table, csv, json and ndjson are known", optarg);
            request.format = (enum format)format;
            break;
        case 'h':
            return command_print_help(self);
        default:
            return command_option_error(self, option, argv);
        }
    }
    if (optind == argc || argv[optind][strspn(argv[optind], " \t\r\n;")] == '\0')
        return command_usage_error(
            self, "no SQL given, as in gatherd query \"SELECT * FROM _gatherd_sources\"");
    if (optind + 1 < argc)
        return command_usage_error(self, "one SQL argument expected; put it in quotes");
    request.sql = argv[optind];
    return query_configured(&request);
}

const struct command command_query = {
    .name = "query",
    .summary = "run SQL on the database, read-only",
    .help = "Usage: gatherd query SQL [-f FORMAT] [-c FILE | -d DATABASE]\n"
            "\n"
            "Runs the SQL read-only on the database of the configuration, also while gatherd\n"
            "polls into it, and prints the rows. Each source has a table of its own; what\n"
            "gatherd did stands in those that begin with _gatherd_:\n"
            "\n"
            "  gatherd query 'SELECT name, table_name, last_error FROM _gatherd_sources'\n"
            "  gatherd query 'SELECT * FROM _gatherd_runs ORDER BY id DESC LIMIT 10'\n"
            "\n"
            "Options:\n"
            "  -c, --config FILE      the configuration that names the database; default\n"
            "                         ./gatherd.yaml, else /etc/gatherd/gatherd.yaml\n"
            "  -d, --database FILE    the database itself\n"
            "  -f, --format FORMAT    table (default), csv, json or ndjson\n"
            "  -h, --help             print this\n",
    .run = run_query,
};
