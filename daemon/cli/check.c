#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/command.h"

enum { OPTION_DUMP = 256, OPTION_SCHEMA, OPTION_REFERENCE };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"dump", no_argument, NULL, OPTION_DUMP},
    {"schema", no_argument, NULL, OPTION_SCHEMA},
    {"reference", no_argument, NULL, OPTION_REFERENCE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int print_text(const struct text *text)
{
    if (text_failed(text)) {
        fputs("gatherd: out of memory\n", stderr);
        return EX_SOFTWARE;
    }
    return fputs(text_string(text), stdout) == EOF ? command_output_failed(errno) : EX_OK;
}

static int print_document(void (*write)(struct text *))
{
    struct text text = {0};
    int status;

    write(&text);
    status = print_text(&text);
    text_free(&text);
    return status;
}

static int dump_file(const char *path)
{
    struct config_report report = {0};
    struct text text = {0};
    int status = EX_CONFIG;

    path = command_config_path(path);
    if (path == NULL)
        return EX_CONFIG;
    if (config_dump(path, &text, &report) == 0)
        status = print_text(&text);
    else
        command_print_report(&report);
    config_report_free(&report);
    text_free(&text);
    return status;
}

static int check_file(const char *path)
{
    struct text warnings = {0};
    struct config *config;
    size_t disabled = 0;

    path = command_config_path(path);
    config = path == NULL ? NULL : command_load_config(path, &warnings);
    if (config == NULL)
        return EX_CONFIG;
    fputs(text_string(&warnings), stderr);
    text_free(&warnings);
    for (size_t i = 0; i < config->source_count; i++)
        disabled += !config->sources[i].enabled;
    printf("%s: ok, %zu source%s", path, config->source_count,
           config->source_count == 1 ? "" : "s");
    if (disabled > 0)
        printf(" (%zu disabled)", disabled);
    printf(", database %s\n", config->database);
    config_unref(config);
    return EX_OK;
}

static int run_check(const struct command *self, int argc, char **argv)
{
    const char *path = NULL;
    bool dump = false;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case OPTION_DUMP:
            dump = true;
            break;
        case OPTION_SCHEMA:
            return print_document(config_write_schema);
        case OPTION_REFERENCE:
            return print_document(config_write_reference);
        case 'h':
            return command_print_help(self);
        default:
            return command_option_error(self, option, argv);
        }
    }
    if (optind < argc)
        path = argv[optind++];
    if (optind < argc)
        return command_usage_error(self, "one file at a time; \"%s\" is one too many",
                                   argv[optind]);
    return dump ? dump_file(path) : check_file(path);
}

const struct command command_check = {
    .name = "check",
    .summary = "report every mistake in a configuration, or print what is in force",
    .help = "Usage: gatherd check [--dump] [FILE]\n"
            "       gatherd check --schema | --reference\n"
            "\n"
            "Reads the configuration and reports every mistake as FILE:LINE:COLUMN, without\n"
            "starting anything. Exits 0 when it is good, 78 when it is not.\n"
            "\n"
            "FILE is ./gatherd.yaml, else /etc/gatherd/gatherd.yaml, when it is not given.\n"
            "\n"
            "Options:\n"
            "  -c, --config FILE  the same as FILE\n"
            "      --dump         print what is in force as YAML: defaults filled in,\n"
            "                     included files in their place, *** for secrets and for\n"
            "                     what variables brought\n"
            "      --schema       print the JSON Schema of the configuration, for editors\n"
            "      --reference    print the reference of all keys as Markdown\n"
            "  -h, --help         print this\n",
    .run = run_check,
};
