#include "gatherd/cli.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "gatherd/log.h"

static const struct command *const commands[] = {
    &command_run,
    &command_check,
    &command_query,
    &command_version,
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
          "Exit status: 0 success, 1 work failed, 64 wrong usage, 69 something needed is not\n"
          "available, 70 internal error, 74 input or output failed, 77 no permission,\n"
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

int command_failed(const struct error *err)
{
    fprintf(stderr, "gatherd: %s\n", err->text);
    return error_exit_status(err->code);
}

const char *command_default_config(void)
{
    return access("gatherd.yaml", F_OK) == 0 ? "gatherd.yaml" : "/etc/gatherd/gatherd.yaml";
}

struct config *command_load_config(const char *path)
{
    struct config_report report = {0};
    struct config *config = config_load(path, &report);

    if (config == NULL) {
        fputs(text_string(&report.text), stderr);
        fprintf(stderr, "%u error%s in the configuration\n", report.errors,
                report.errors == 1 ? "" : "s");
    }
    config_report_free(&report);
    return config;
}

/* What was written to stdout may only fail to arrive when it is flushed: a full disk, a closed
 * pipe. */
static int flush_output(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (status == EX_OK) {
            perror("gatherd: standard output");
            return EX_IOERR;
        }
    }
    return status;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int cli_main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* the width of characters in tables */
    log_start();
    if (argc < 2) {
        print_overview(stderr);
        return EX_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return flush_output(EX_OK);
    }
    if (is_one_of(argv[1], "--version", "-V"))
        return flush_output(command_version.run(&command_version, 1, argv + 1));
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i]->name) == 0)
            return flush_output(commands[i]->run(commands[i], argc - 1, argv + 1));
    }
    fprintf(stderr, "gatherd: unknown command \"%s\"\nTry `gatherd --help`.\n", argv[1]);
    return EX_USAGE;
}
