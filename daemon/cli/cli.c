#include "gatherd/cli.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "gatherd/log.h"

static const struct command *const commands[] = {
    &command_run,    &command_check,    &command_query,
    &command_state,  &command_backfill, &command_failed_letters,
    &command_replay, &command_schema,   &command_version,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void print_overview(FILE *out)
{
    fputs("gatherd polls HTTP APIs and keeps what they say in a SQLite database.\n"
          "\n"
          "Usage: gatherd COMMAND [OPTIONS]\n"
          "\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-9s%s\n", commands[i]->name, commands[i]->summary);
    fputs("\n"
          "`gatherd COMMAND --help` says more about one.\n"
          "\n"
          "Exit status: 0 success, 1 work failed, 64 wrong usage, 69 something needed is\n"
          "not available, 70 internal error, 74 input or output failed, 77 no permission,\n"
          "78 wrong configuration.\n",
          out);
}

int command_print_help(const struct command *self)
{
    fputs(self->help, stdout);
    return EX_OK;
}

int command_usage_error(const struct command *self, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "gatherd %s: ", self->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry `gatherd %s --help`.\n", self->name);
    return EX_USAGE;
}

int command_option_error(const struct command *self, int option, char **argv)
{
    const char *word = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};

    /* Several letters may share one word, and only optopt says which it was. */
    if (strncmp(word, "--", 2) != 0 && optopt > 0 && optopt < 128)
        word = letter;
    if (option == ':')
        return command_usage_error(self, "option %s needs a value", word);
    if (strncmp(word, "--", 2) == 0 && optopt != 0)
        return command_usage_error(self, "option %s takes no value", word);
    return command_usage_error(self, "unknown option %s", word);
}

int command_failed(const struct error *err)
{
    fprintf(stderr, "gatherd: %s\n", err->text);
    return error_exit_status(err->code);
}

int command_output_failed(int os)
{
    if (os != EPIPE)
        fprintf(stderr, "gatherd: standard output: %s\n",
                os == 0 ? "cannot be written" : strerror(os));
    return EX_IOERR;
}

const char *command_config_path(const char *path)
{
    static const char *const defaults[] = {"gatherd.yaml", "/etc/gatherd/gatherd.yaml"};

    for (size_t i = 0; path == NULL && i < COUNT(defaults); i++) {
        /* What is there and cannot be read is for config_load() to report. */
        if (access(defaults[i], F_OK) == 0 || errno != ENOENT)
            path = defaults[i];
    }
    if (path == NULL)
        fprintf(stderr, "gatherd: no configuration: neither ./%s nor %s is there; name a file\n",
                defaults[0], defaults[1]);
    return path;
}

void command_print_report(const struct config_report *report)
{
    fputs(text_string(&report->text), stderr);
    fprintf(stderr, "%u error%s in the configuration\n", report->errors,
            report->errors == 1 ? "" : "s");
}

struct config *command_load_config(const char *path, struct text *warnings)
{
    struct config_report report = {0};
    struct config *config = config_load(path, &report);

    if (config == NULL)
        command_print_report(&report);
    else if (warnings != NULL)
        text_add(warnings, text_string(&report.text));
    config_report_free(&report);
    return config;
}

struct config *command_find_config(const char *path)
{
    path = command_config_path(path);
    return path == NULL ? NULL : command_load_config(path, NULL);
}

int command_run_words(const struct command *self, int argc, char **argv,
                      int (*check)(const struct command *self, int count, char **words),
                      int (*work)(const struct command *self, const struct config *config,
                                  int count, char **words))
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *path = NULL;
    struct config *config;
    int option;
    int status;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'h')
            return command_print_help(self);
        if (option != 'c')
            return command_option_error(self, option, argv);
        path = optarg;
    }
    status = check(self, argc - optind, argv + optind);
    if (status != EX_OK)
        return status;
    config = command_find_config(path);
    if (config == NULL)
        return EX_CONFIG;
    status = work(self, config, argc - optind, argv + optind);
    config_unref(config);
    return status;
}

/*
 * What was written to stdout may only fail to arrive when it is flushed: a full disk. A command
 * that failed because of it has said so.
 */
static int flush_output(int status)
{
    bool said = ferror(stdout) && status != EX_OK;

    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || said)
        return status;
    command_output_failed(errno);
    return status == EX_OK ? EX_IOERR : status;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown(const char *word)
{
    fprintf(stderr, "gatherd: unknown %s \"%s\"\nTry `gatherd --help`.\n",
            word[0] == '-' ? "option" : "command", word);
    return EX_USAGE;
}

/* `gatherd help`, or `gatherd help COMMAND`. */
static int help(const char *name)
{
    const struct command *command = name == NULL ? NULL : find_command(name);

    if (name != NULL && command == NULL)
        return unknown(name);
    if (command != NULL)
        return command_print_help(command);
    print_overview(stdout);
    return EX_OK;
}

int cli_main(int argc, char **argv)
{
    const struct command *command;

    setlocale(LC_CTYPE, "C.UTF-8"); /* the width of characters in tables */
    log_start();
    if (argc < 2) {
        print_overview(stderr);
        return EX_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h"))
        return flush_output(help(NULL));
    if (strcmp(argv[1], "help") == 0)
        return flush_output(help(argc > 2 ? argv[2] : NULL));
    if (is_one_of(argv[1], "--version", "-V"))
        return flush_output(command_version.run(&command_version, 1, argv + 1));
    command = find_command(argv[1]);
    if (command == NULL)
        return unknown(argv[1]);
    return flush_output(command->run(command, argc - 1, argv + 1));
}
