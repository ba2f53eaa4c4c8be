/* gatherd failed: dead letters, listed, shown, replayed and dropped. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/failed_show.h"
#include "cli/here.h"
#include "cli/remote.h"
#include "cli/show.h"
#include "cli/when.h"
#include "gatherd/clock.h"
#include "gatherd/kept.h"

/* They go to the daemon in one word. */
#define MOST_IDS 2000

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"source", required_argument, NULL, 's'},
    {"since", required_argument, NULL, 'S'},
    {"before", required_argument, NULL, 'b'},
    {"format", required_argument, NULL, 'f'},
    {"raw", no_argument, NULL, 'r'},
    {"all", no_argument, NULL, 'a'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct request {
    const char *path; /* of the configuration */
    const char *source;
    const char *since;
    const char *before;
    const char *format;
    bool raw;
    bool all;
    int64_t ids[MOST_IDS];
    size_t id_count;
};

/* One of the words behind `failed`, and which options go with it. */
struct action {
    const char *name;
    const char *options; /* the letters of those that it takes; 'a' and 'r': --all and --raw */
    bool takes_ids;
    bool needs_choice; /* what it is about has to be said */
    int (*run)(const struct command *self, struct config *config, const struct request *request);
};

/* --- list --- */

/* For people: what it is and where it stood in one column, so that there is room for the reason. */
static const char columns_to_look_at[] =
    "l.id, l.source || iif(l.item = '', '', ' ' || l.item) AS source,"
    " l.kind || coalesce(' ' || (l.position + 1), '') || coalesce(' of page ' || l.page, '')"
    " || coalesce(', line ' || l.line, '') AS what,"
    " l.occurrences AS times, strftime('%m-%d %H:%M', l.last_at) AS last_at, l.reason";

static const char columns[] =
    "l.id, l.source, nullif(l.item, '') AS item, l.kind, l.page, l.position + 1 AS record, l.line,"
    " l.column, l.generation, l.occurrences AS times, l.last_at, l.reason";

static void put_where(struct text *sql, const struct request *request, int64_t since_ms)
{
    char since[CLOCK_TEXT_SIZE];
    const char *word = " WHERE ";

    if (request->source != NULL) {
        text_format(sql, "%sl.source = ", word);
        text_char(sql, '\'');
        for (const char *p = request->source; *p != '\0'; p++)
            text_add(sql, *p == '\'' ? "''" : (const char[]){*p, '\0'});
        text_char(sql, '\'');
        word = " AND ";
    }
    if (request->since != NULL)
        text_format(sql, "%sl.last_at >= '%s'", word, clock_format(since_ms, since));
}

static int list(const struct command *self, struct config *config, const struct request *request)
{
    int format = request->format == NULL ? FORMAT_TABLE : format_by_name(request->format);
    struct text sql = {0};
    int64_t since_ms = 0;
    int status;

    if (format == -1)
        return command_usage_error(
            self, "unknown format \"%s\": table, csv, json and ndjson are known", request->format);
    if (request->since != NULL && when_parse(request->since, clock_wall_ms(), &since_ms) == -1)
        return command_usage_error(self, "--since \"%s\" is no time; write " WHEN_FORMS,
                                   request->since);
    text_format(&sql, "SELECT %s FROM _gatherd_dead_letters AS l",
                format == FORMAT_TABLE ? columns_to_look_at : columns);
    put_where(&sql, request, since_ms);
    text_add(&sql, " ORDER BY l.id");
    status = show_query(config->database, text_string(&sql), (enum format)format);
    text_free(&sql);
    return status;
}

/* --- show --- */

static int show(const struct command *self, struct config *config, const struct request *request)
{
    if (request->id_count != 1)
        return command_usage_error(self, "show takes one dead letter, by its id");
    return failed_show(config->database, request->ids[0], request->raw);
}

/* --- replay and drop --- */

/* -1: some would be missing, and no id means any; that has been said. */
static int put_ids(struct text *word, const struct request *request)
{
    for (size_t i = 0; i < request->id_count; i++)
        text_format(word, "%s%" PRId64, i == 0 ? "" : ",", request->ids[i]);
    if (!text_failed(word))
        return 0;
    text_free(word);
    fputs("gatherd: out of memory\n", stderr);
    return -1;
}

static struct letter_choice choice_of(const struct request *request, int64_t before_ms)
{
    return (struct letter_choice){.ids = request->ids,
                                  .id_count = request->id_count,
                                  .source = request->source,
                                  .before_ms = before_ms};
}

static int replay(const struct command *self, struct config *config, const struct request *request)
{
    const struct letter_choice choice = choice_of(request, 0);
    const char *terminal = isatty(STDERR_FILENO) ? "terminal" : "";
    struct replay_wish wish = {.letters = &choice};
    struct text ids = {0};
    char fingerprint[24];
    int status;

    (void)self;
    if (put_ids(&ids, request) == -1)
        return EX_OSERR;
    snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, replay_fingerprint(config, NULL));
    if (!remote_ask(config->database, 5,
                    (const char *const[]){"failed-replay", fingerprint, text_string(&ids),
                                          request->source == NULL ? "" : request->source, terminal},
                    &status))
        status = here_replay(config, &wish);
    text_free(&ids);
    return status;
}

static int drop(const struct command *self, struct config *config, const struct request *request)
{
    struct letter_choice choice;
    struct text ids = {0};
    int64_t before_ms = 0;
    char before[24];
    int status;

    if (request->before != NULL && when_parse(request->before, clock_wall_ms(), &before_ms) == -1)
        return command_usage_error(self, "--before \"%s\" is no time; write " WHEN_FORMS,
                                   request->before);
    choice = choice_of(request, before_ms);
    if (put_ids(&ids, request) == -1)
        return EX_OSERR;
    snprintf(before, sizeof(before), "%" PRId64, before_ms);
    if (!remote_ask(config->database, 4,
                    (const char *const[]){"failed-drop", text_string(&ids),
                                          request->source == NULL ? "" : request->source, before},
                    &status))
        status = here_drop(config, &choice);
    text_free(&ids);
    return status;
}

/* --- The command line. --- */

static const struct action actions[] = {
    {.name = "list", .options = "csSf", .run = list},
    {.name = "show", .options = "cr", .takes_ids = true, .run = show},
    {.name = "replay", .options = "csa", .takes_ids = true, .needs_choice = true, .run = replay},
    {.name = "drop", .options = "csb", .takes_ids = true, .needs_choice = true, .run = drop},
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

static int read_ids(const struct command *self, struct request *request, int count, char **words)
{
    for (int i = 0; i < count; i++) {
        char *end;
        int64_t id;

        errno = 0;
        id = strtoll(words[i], &end, 10);
        if (errno != 0 || *end != '\0' || end == words[i] || id <= 0)
            return command_usage_error(self,
                                       "\"%s\" is no id of a dead letter: `gatherd failed "
                                       "list` shows them",
                                       words[i]);
        if (request->id_count == MOST_IDS)
            return command_usage_error(self, "more than %d ids; choose them by --source", MOST_IDS);
        request->ids[request->id_count++] = id;
    }
    return EX_OK;
}

static int check_choice(const struct command *self, const struct action *action,
                        const struct request *request, int word_count)
{
    int chosen = (request->source != NULL || request->before != NULL) + request->all;

    if (!action->takes_ids && word_count > 0)
        return command_usage_error(self, "%s takes no ids", action->name);
    if (request->id_count > 0 && chosen > 0)
        return command_usage_error(self, "%s takes ids or options that choose, not both",
                                   action->name);
    if (chosen > 1)
        return command_usage_error(self, "--all and --source contradict each other");
    if (action->needs_choice && request->id_count == 0 && chosen == 0)
        return command_usage_error(self, "say which: their ids%s",
                                   action->run == drop ? ", --source or --before"
                                                       : ", --source or --all");
    return EX_OK;
}

static int carry_out(const struct command *self, const struct action *action,
                     const struct request *request)
{
    struct config *config = command_find_config(request->path);
    int status;

    if (config == NULL)
        return EX_CONFIG;
    status = action->run(self, config, request);
    config_unref(config);
    return status;
}

static bool set_option(struct request *request, int option)
{
    switch (option) {
    case 'c':
        request->path = optarg;
        return true;
    case 's':
        request->source = optarg;
        return true;
    case 'S':
        request->since = optarg;
        return true;
    case 'b':
        request->before = optarg;
        return true;
    case 'f':
        request->format = optarg;
        return true;
    case 'r':
        request->raw = true;
        return true;
    case 'a':
        request->all = true;
        return true;
    default:
        return false;
    }
}

static int run_failed(const struct command *self, int argc, char **argv)
{
    struct request request = {0};
    const struct action *action;
    bool given[128] = {false};
    int option;
    int status;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:f:h", options, NULL)) != -1) {
        if (option == 'h')
            return command_print_help(self);
        if (!set_option(&request, option))
            return command_option_error(self, option, argv);
        given[option] = true;
    }
    if (optind == argc)
        return command_usage_error(self, "say what to do: list, show, replay or drop");
    action = find_action(argv[optind]);
    if (action == NULL)
        return command_usage_error(
            self, "unknown word \"%s\": list, show, replay and drop are known", argv[optind]);
    for (int letter = 0; letter < 128; letter++) {
        if (given[letter] && strchr(action->options, letter) == NULL)
            return command_usage_error(self, "%s does not take all of these options", action->name);
    }
    optind++;
    status = read_ids(self, &request, action->takes_ids ? argc - optind : 0, argv + optind);
    if (status == EX_OK)
        status = check_choice(self, action, &request, argc - optind);
    return status == EX_OK ? carry_out(self, action, &request) : status;
}

const struct command command_failed_letters = {
    .name = "failed",
    .summary = "list, show, replay or drop what could not be stored",
    .help = "Usage: gatherd failed list [--source S] [--since TIME] [--format FMT] [-c FILE]\n"
            "       gatherd failed show ID [--raw] [-c FILE]\n"
            "       gatherd failed replay ID ... | --source S | --all [-c FILE]\n"
            "       gatherd failed drop ID ... | --source S | --before TIME [-c FILE]\n"
            "\n"
            "Dead letters are records that the mapping or the table refused, and bodies\n"
            "that could not be read or stored: whole, with the reason, the place and the\n"
            "generation of the mapping (_gatherd_generations). The same content with the\n"
            "same reason is one of them, and counted.\n"
            "\n"
            "show prints one for people to read, or with --raw its content as it came.\n"
            "replay runs them through the mapping of today, into the tables of their\n"
            "sources: what is stored is a dead letter no more, what is refused again stays\n"
            "with the new reason. drop removes them.\n"
            "\n"
            "A TIME is 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 7d, 1h30m. Works\n"
            "while the daemon runs and when it is stopped; while it runs, only its user and\n"
            "root may change things.\n"
            "\n"
            "Options:\n"
            "      --source S     those of this source\n"
            "      --since TIME   list: those that came since then\n"
            "      --before TIME  drop: those that came last before then\n"
            "      --all          replay: all of them\n"
            "      --raw          show: the content alone, byte for byte\n"
            "  -f, --format FMT   list: table, csv, json or ndjson\n"
            "  -c, --config FILE  the configuration; default ./gatherd.yaml, else\n"
            "                     /etc/gatherd/gatherd.yaml\n"
            "  -h, --help         print this\n",
    .run = run_failed,
};
