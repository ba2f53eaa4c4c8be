/* gatherd schema: what the configuration would change in the tables, shown and done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "gatherd/store.h"

/* What is on the way to standard output, and how it goes there. */
struct printer {
    const struct source *source;
    char table[256];  /* whose changes are being printed; longer names do not exist */
    unsigned lines;   /* printed of all sources ... */
    unsigned here;    /* ... and of this one */
    unsigned changes; /* among them */
    bool refused;
};

static const char *or_open(const struct schema_change *change, const char *type)
{
    return change->open ? "(the type of its first values)" : type;
}

/* The statement as it is in the database, each line set in. */
static void print_statement(const char *sql)
{
    for (const char *line = sql; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        int length = end == NULL ? (int)strlen(line) : (int)(end - line);

        printf("      %.*s\n", length, line);
        line = end == NULL ? NULL : end + 1;
    }
}

/* create_index, create_fts, ...: the change in words, and what it makes. */
static void print_other(const struct schema_change *c)
{
    fputs("  ", stdout);
    for (const char *p = c->what; *p != '\0'; p++)
        putchar(*p == '_' ? ' ' : *p);
    printf(" %s\n", c->to == NULL ? "" : c->to);
}

static void print_change(const struct schema_change *c)
{
    if (strcmp(c->what, "create_table") == 0) {
        printf("  create table \"%s\"\n", c->table);
        print_statement(c->to);
    } else if (strcmp(c->what, "add_column") == 0) {
        printf("  add column \"%s\" %s\n", c->column, or_open(c, c->to));
    } else if (strcmp(c->what, "settle") == 0 || strcmp(c->what, "widen") == 0) {
        printf("  change column \"%s\" from %s to %s\n", c->column, c->from, c->to);
    } else if (strcmp(c->what, "rekey") == 0) {
        printf("  change the key from %s to %s; the table is written anew\n", c->from, c->to);
    } else if (strcmp(c->what, "rename") == 0) {
        printf("  name the column of \"%s\" \"%s\"\n", c->from, c->to);
    } else if (strcmp(c->what, "unfilled") == 0) {
        printf("  column \"%s\" is filled by nothing any more; its values stay\n", c->column);
    } else if (strcmp(c->what, "refused") == 0) {
        printf("  refused: %s\n", c->to);
    } else {
        print_other(c);
    }
}

static void print_heading(struct printer *printer, const char *table)
{
    snprintf(printer->table, sizeof(printer->table), "%s", table);
    printf("%s: table \"%s\"\n", printer->source->name, table);
}

static void begin_source(void *context, const struct source *source)
{
    struct printer *printer = context;

    printer->source = source;
    printer->table[0] = '\0';
}

static int take_change(void *context, const struct schema_change *change)
{
    struct printer *printer = context;

    if (printer->here++ == 0 || strcmp(printer->table, change->table) != 0)
        print_heading(printer, change->table);
    printer->lines++;
    printer->changes += strcmp(change->what, "unfilled") != 0;
    printer->refused = printer->refused || strcmp(change->what, "refused") == 0;
    print_change(change);
    return ferror(stdout) ? -1 : 0;
}

static const char as_configured[] = "The tables are as the configuration has them.";

static int show(const struct config *config, const struct source *const *sources, size_t count)
{
    struct printer printer = {0};
    const struct schema_diff_hooks hooks = {&printer, begin_source, take_change};
    struct error err = {0};

    if (store_schema_diff(config->database, sources, count, &hooks, &err) == -1)
        return command_failed(&err);
    if (printer.changes == 0)
        printf("%s%s\n", printer.lines > 0 ? "\n" : "", as_configured);
    else if (!printer.refused)
        puts("\nA table changes with the next rows of its source; `gatherd schema apply`\n"
             "does all of it now, in one transaction.");
    return EX_OK;
}

static int apply(const struct config *config, const struct source *const *sources, size_t count)
{
    struct store_options store_options = {.synchronous = config->synchronous};
    struct error err = {0};
    struct store *store = store_open(config->database, &store_options, &err);
    int rc = store == NULL ? -1 : store_schema_apply(store, sources, count, &err);

    store_close(store);
    if (rc == -1 && store == NULL && err.code == ERROR_UNAVAILABLE)
        fputs("gatherd: a daemon that runs changes its tables itself, with the next rows after a "
              "reload\n",
              stderr);
    if (rc == -1)
        return command_failed(&err);
    puts(as_configured);
    return EX_OK;
}

/* The sources named, or all; those that are not enabled too, since their tables are there. */
static int choose(const struct command *self, const struct config *config, int count, char **names,
                  const struct source **sources, size_t *chosen)
{
    *chosen = 0;
    for (int i = 0; i < count; i++) {
        sources[*chosen] = config_find_source(config, names[i]);
        if (sources[*chosen] == NULL)
            return command_usage_error(self, "no source is named \"%s\"", names[i]);
        ++*chosen;
    }
    for (size_t i = 0; count == 0 && i < config->source_count; i++)
        sources[(*chosen)++] = &config->sources[i];
    return EX_OK;
}

static int carry_out(const struct command *self, const struct config *config, int count,
                     char **words)
{
    const struct source **sources =
        calloc(config->source_count + (size_t)count, sizeof(const struct source *));
    size_t chosen;
    int status;

    if (sources == NULL) {
        fputs("gatherd: out of memory\n", stderr);
        return EX_OSERR;
    }
    status = choose(self, config, count - 1, words + 1, sources, &chosen);
    if (status == EX_OK)
        status = strcmp(words[0], "diff") == 0 ? show(config, sources, chosen)
                                               : apply(config, sources, chosen);
    free(sources);
    return status;
}

static int check_words(const struct command *self, int count, char **words)
{
    if (count == 0)
        return command_usage_error(self, "say what to do: diff or apply");
    if (strcmp(words[0], "diff") == 0 || strcmp(words[0], "apply") == 0)
        return EX_OK;
    return command_usage_error(self, "unknown word \"%s\": diff and apply are known", words[0]);
}

static int run_schema(const struct command *self, int argc, char **argv)
{
    return command_run_words(self, argc, argv, check_words, carry_out);
}

const struct command command_schema = {
    .name = "schema",
    .summary = "show what the configuration would change in the tables, or do it",
    .help = "Usage: gatherd schema diff [SOURCE...] [-c FILE]\n"
            "       gatherd schema apply [SOURCE...] [-c FILE]\n"
            "\n"
            "diff says what the tables lack to be as the configuration has them: tables and\n"
            "columns that would be made, types and keys that would change, columns that\n"
            "nothing fills any more. It reads only, also while the daemon runs. What is not\n"
            "declared, a field without a type or a source without fields, comes with the\n"
            "rows.\n"
            "\n"
            "apply does it, in one transaction: all of it, or nothing. A daemon that runs\n"
            "does the same by itself, table by table, with the next rows after a reload;\n"
            "apply is for when it is stopped. Nothing is ever removed, and no column is\n"
            "renamed.\n"
            "\n"
            "Options:\n"
            "  -c, --config FILE  the configuration; default ./gatherd.yaml, else\n"
            "                     /etc/gatherd/gatherd.yaml\n"
            "  -h, --help         print this\n",
    .run = run_schema,
};
