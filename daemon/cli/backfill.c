/* gatherd backfill: walks a range of the past of a source, without touching its cursor. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "cli/remote.h"
#include "gatherd/cursor.h"
#include "gatherd/fetcher.h"
#include "gatherd/log.h"
#include "gatherd/pipeline.h"

#define LOOK_MS 100

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct range {
    const char *source;
    const char *from;
    const char *to;
};

/* --- Without a daemon: a pipeline of our own, for this source. --- */

struct progress {
    size_t runs;
    size_t inserted;
    size_t updated;
    size_t rejected;
    bool failed;
};

static void note(void *context, const struct result *result)
{
    struct progress *progress = context;
    const struct run *run = result->run;
    const struct position *position = run->state.position;

    progress->runs++;
    progress->inserted += result->total.inserted;
    progress->updated += result->total.updated;
    progress->rejected += result->total.rejected;
    progress->failed = run->failure != RUN_OK;
    if (progress->failed)
        printf("run %zu failed: %s\n", progress->runs,
               run->error != NULL ? run->error : run_failure_name(run->failure));
    else
        printf("%s: %zu run%s, %zu rows inserted, %zu updated\n",
               position->to != NULL ? position->to : "", progress->runs,
               progress->runs == 1 ? "" : "s", progress->inserted, progress->updated);
    fflush(stdout);
}

static bool is_told_to_stop(void)
{
    const struct timespec now = {0};
    sigset_t waited;

    sigemptyset(&waited);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    return sigtimedwait(&waited, NULL, &now) != -1;
}

static int walk(struct config *config, const struct range *range)
{
    struct progress progress = {0};
    struct pipeline_options pipeline_options = {
        .once = true,
        .only = &range->source,
        .only_count = 1,
        .backfill_from = range->from,
        .backfill_to = range->to,
        .committed = note,
        .context = &progress,
    };
    struct error err = {0};
    struct pipeline_stats stats;
    struct pipeline *pipeline = pipeline_start(config, &pipeline_options, &err);
    bool stopped = false;

    if (pipeline == NULL)
        return command_failed(&err);
    while (!stopped && err.code == ERROR_NONE && !pipeline_idle(pipeline, LOOK_MS)) {
        pipeline_tick(pipeline, &err);
        stopped = is_told_to_stop();
    }
    if (err.code != ERROR_NONE || pipeline_stop(pipeline, &stats, &err) == -1)
        return command_failed(&err);
    if (stopped)
        fputs("gatherd: stopped before the end of the range\n", stderr);
    if (progress.rejected > 0)
        printf("%zu record%s rejected; see gatherd failed list\n", progress.rejected,
               progress.rejected == 1 ? "" : "s");
    return stopped || progress.failed || progress.rejected > 0 ? 1 : EX_OK;
}

static int walk_here(struct config *config, const struct range *range)
{
    struct error err = {0};
    int status;

    if (fetcher_global_start(&err) == -1)
        return command_failed(&err);
    log_set_level(LOG_LEVEL_WARNING);
    status = walk(config, range);
    fetcher_global_stop();
    return status;
}

/* --- The command line. --- */

static int check_position(const struct command *self, const struct source *source,
                          const char *option, const char *value)
{
    if (cursor_is_valid(&source->incremental->rule, slice_of(value)))
        return EX_OK;
    return command_usage_error(
        self, "--%s \"%s\" is no position of the type that incremental says in source \"%s\"",
        option, value, source->name);
}

static int check_source(const struct command *self, const struct config *config,
                        const struct range *range)
{
    const struct source *source = config_find_source(config, range->source);
    int status;

    if (source == NULL)
        return command_usage_error(self, "no source is named \"%s\"", range->source);
    if (source->for_each != NULL)
        return command_usage_error(self,
                                   "source \"%s\" has items (for_each); a range is walked for a "
                                   "source that is one target",
                                   range->source);
    if (!source->enabled)
        return command_usage_error(self, "source \"%s\" is disabled (enabled: false)",
                                   range->source);
    if (source->incremental == NULL)
        return command_usage_error(self,
                                   "source \"%s\" has no range to walk: nothing says `incremental` "
                                   "in its configuration",
                                   range->source);
    if (source->mapping.primary_key_count == 0)
        return command_usage_error(self,
                                   "source \"%s\" has no primary_key: rows of the past would come "
                                   "twice",
                                   range->source);
    status = check_position(self, source, "from", range->from);
    return status == EX_OK ? check_position(self, source, "to", range->to) : status;
}

static int backfill(const struct command *self, const char *path, const struct range *range)
{
    const char *const words[] = {"backfill", range->source, range->from, range->to};
    struct config *config = command_find_config(path);
    int status;

    if (config == NULL)
        return EX_CONFIG;
    status = check_source(self, config, range);
    if (status == EX_OK && !remote_ask(config->database, 4, words, &status))
        status = walk_here(config, range);
    config_unref(config);
    return status;
}

static int run_backfill(const struct command *self, int argc, char **argv)
{
    const char *path = NULL;
    struct range range = {0};
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            path = optarg;
        else if (option == 'f')
            range.from = optarg;
        else if (option == 't')
            range.to = optarg;
        else if (option == 'h')
            return command_print_help(self);
        else
            return command_option_error(self, option, argv);
    }
    if (argc - optind != 1)
        return command_usage_error(self,
                                   argc == optind ? "name the source" : "one source at a time");
    if (range.from == NULL || range.to == NULL)
        return command_usage_error(self, "say the range with --from and --to");
    range.source = argv[optind];
    return backfill(self, path, &range);
}

const struct command command_backfill = {
    .name = "backfill",
    .summary = "fetch a range of the past of a source",
    .help = "Usage: gatherd backfill SOURCE --from POSITION --to POSITION [-c FILE]\n"
            "\n"
            "Walks a source with `incremental` from one position to another, a `step` at a\n"
            "time when it has one, and leaves its cursor where it is. A line is printed for\n"
            "each run.\n"
            "\n"
            "While the daemon runs it does the walking, and only its user and root may ask;\n"
            "the source's own polls go on between the steps. Ctrl-C ends it after the\n"
            "present step. What was fetched stays; walking the same range again changes\n"
            "nothing.\n"
            "\n"
            "Options:\n"
            "      --from POSITION  where to begin, in the form of the source's cursor\n"
            "      --to POSITION    where to end\n"
            "  -c, --config FILE    the configuration; default ./gatherd.yaml, else\n"
            "                       /etc/gatherd/gatherd.yaml\n"
            "  -h, --help           print this\n",
    .run = run_backfill,
};
