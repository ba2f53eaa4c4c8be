#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/once.h"
#include "cli/remote.h"
#include "gatherd/clock.h"
#include "gatherd/fetcher.h"
#include "gatherd/log.h"
#include "gatherd/notify.h"
#include "gatherd/pipeline.h"

#define TICK_MS       500
#define SHORT_TICK_MS 20   /* upkeep goes on; between its steps others write */
#define STATUS_MS     5000 /* how often systemctl status learns something new */
#define ONCE_WAIT_MS  100

/* Loops note a heartbeat once a second: a shorter limit would take a busy machine for a hang. */
#define LEAST_HANG_MS 5000

struct service {
    const char *path; /* of the configuration */
    struct pipeline *pipeline;
    struct control *control; /* NULL: commands cannot reach us */
    int64_t watchdog_ms;     /* between two WATCHDOG=1; 0: nobody listens */
    int64_t fed_at_ms;
    bool hang_logged;
    int64_t status_at_ms;
};

/* The next signal among those main() blocked, or 0 when `timeout_ms` passed. */
static int next_signal(int64_t timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    sigset_t waited;
    int signal_number;

    sigemptyset(&waited);
    sigaddset(&waited, SIGHUP);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    signal_number = sigtimedwait(&waited, NULL, &timeout);
    return signal_number == -1 ? 0 : signal_number;
}

/* From now on a further SIGTERM or SIGINT ends the process at once. */
static void let_signals_kill(void)
{
    sigset_t fatal;

    sigemptyset(&fatal);
    sigaddset(&fatal, SIGTERM);
    sigaddset(&fatal, SIGINT);
    sigprocmask(SIG_UNBLOCK, &fatal, NULL);
}

/* --- The service: runs until it is told to stop. --- */

static void log_lines(const struct text *lines, bool are_warnings)
{
    struct text line = {0};

    for (const char *p = text_string(lines); *p != '\0';) {
        size_t length = strcspn(p, "\n");

        text_clear(&line);
        text_append(&line, p, length);
        if (are_warnings)
            log_warning("configuration", LOG_STR("warning", text_string(&line)));
        else
            log_error("configuration", LOG_STR("error", text_string(&line)));
        p += length + (p[length] == '\n');
    }
    text_free(&line);
}

/* The protocol of Type=notify-reload services: sd_notify(3), RELOADING and MONOTONIC_USEC. */
static void reload(struct service *service)
{
    struct config_report report = {0};
    struct error err = {0};
    struct config *config;

    notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
    config = config_load(service->path, &report);
    log_lines(&report.text, config != NULL);
    if (config == NULL) {
        log_error("reload refused; going on with the configuration as it was",
                  LOG_INT("errors", report.errors));
    } else if (pipeline_reload(service->pipeline, config, &err) == -1) {
        log_error("reload failed; going on with the configuration as it was",
                  LOG_STR("error", err.text));
    } else {
        log_info("configuration reloaded", LOG_STR("file", service->path),
                 LOG_INT("sources", config->source_count));
    }
    config_unref(config);
    config_report_free(&report);
    notify_send("READY=1");
    service->status_at_ms = 0; /* it may have changed much */
}

static void feed_watchdog(struct service *service, int64_t now)
{
    int64_t limit_ms =
        2 * service->watchdog_ms > LEAST_HANG_MS ? 2 * service->watchdog_ms : LEAST_HANG_MS;

    if (service->watchdog_ms == 0 || now - service->fed_at_ms < service->watchdog_ms)
        return;
    if (!pipeline_is_alive(service->pipeline, limit_ms)) {
        if (!service->hang_logged)
            log_error("a thread hangs; the watchdog is not fed, so that systemd restarts gatherd",
                      LOG_INT("limit_ms", limit_ms));
        service->hang_logged = true;
        return;
    }
    service->hang_logged = false;
    notify_send("WATCHDOG=1");
    service->fed_at_ms = now;
}

static void send_status(struct service *service, int64_t now)
{
    struct pipeline_stats stats;

    if (now - service->status_at_ms < STATUS_MS)
        return;
    service->status_at_ms = now;
    stats = pipeline_stats(service->pipeline);
    notify_send("STATUS=%zu sources, %zu failing, %zu held up, %zu in flight, %" PRIu64
                " queued, %" PRIu64 " runs, %" PRIu64 " rows",
                stats.sources, stats.failing, stats.held_up, stats.in_flight,
                stats.queued + stats.in_work, stats.committed, stats.rows);
}

/* Returns when a signal or an error ends the service; `err` says which it was. */
static void serve(struct service *service, struct error *err)
{
    for (;;) {
        int signal_number =
            next_signal(pipeline_wants_tick(service->pipeline) ? SHORT_TICK_MS : TICK_MS);
        int64_t now = clock_monotonic_ms();

        if (signal_number == SIGTERM || signal_number == SIGINT) {
            log_info("stopping", LOG_STR("signal", sigabbrev_np(signal_number)));
            return;
        }
        if (signal_number == SIGHUP)
            reload(service);
        if (pipeline_tick(service->pipeline, err) == -1)
            return;
        feed_watchdog(service, now);
        send_status(service, now);
    }
}

static void log_totals(const struct pipeline_stats *stats)
{
    log_info("stopped", LOG_INT("runs", stats->committed), LOG_INT("failed", stats->failed),
             LOG_INT("requests", stats->requests), LOG_INT("rows", stats->rows),
             LOG_INT("rejected", stats->rejected),
             LOG_INT("peak_queue_items", stats->peak_queue_items),
             LOG_INT("peak_queue_bytes", stats->peak_queue_bytes));
}

/* Threads may still be inside the store: the process ends without tidying, and loses nothing. */
static _Noreturn void end_at_once(const struct error *err)
{
    log_error("stopped with an error", LOG_STR("error", err->text));
    _exit(error_exit_status(err->code));
}

static int stop(struct service *service, struct error *err)
{
    struct error stop_err = {0};
    struct pipeline_stats stats;

    notify_send("STOPPING=1\nSTATUS=committing what has been received");
    let_signals_kill();
    if (err->code != ERROR_NONE)
        end_at_once(err);
    control_stop(service->control);
    if (pipeline_stop(service->pipeline, &stats, &stop_err) == -1)
        end_at_once(&stop_err);
    log_totals(&stats);
    return EX_OK;
}

/* Polling goes before commands: without the socket the daemon does its work. */
static void listen_to_commands(struct service *service, const char *database)
{
    char *path = control_path(database);
    struct error err = {0};

    if (path != NULL)
        service->control =
            control_start(path, remote_answer, pipeline_steer(service->pipeline), &err);
    if (service->control == NULL)
        log_warning("commands such as `gatherd state` cannot reach the daemon",
                    LOG_STR("error", path == NULL ? "out of memory" : err.text));
    free(path);
}

static int run_service(struct config *config, const char *path)
{
    struct service service = {.path = path, .watchdog_ms = notify_watchdog_interval_ms()};
    struct pipeline_options options = {0};
    struct error err = {0};

    service.pipeline = pipeline_start(config, &options, &err);
    if (service.pipeline == NULL) {
        log_error("cannot start", LOG_STR("error", err.text));
        config_unref(config);
        return error_exit_status(err.code);
    }
    listen_to_commands(&service, config->database);
    log_info("ready", LOG_STR("version", GATHERD_VERSION), LOG_STR("config", path),
             LOG_STR("database", config->database), LOG_INT("sources", config->source_count),
             LOG_INT("fetchers", config->fetchers), LOG_INT("processors", config->processors));
    notify_send("READY=1\nSTATUS=polling %zu sources", config->source_count);
    config_unref(config);
    serve(&service, &err);
    return stop(&service, &err);
}

/* --- Once: every source one time, then a table. --- */

static void show_progress(const struct once_table *table, size_t total)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %zu sources polled", once_table_length(table), total);
}

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* Waits for all runs to be over. 0, or the signal that ended the wait. */
static int wait_for_runs(struct pipeline *pipeline, const struct once_table *table, size_t total,
                         struct error *err)
{
    int signal_number = 0;

    while (!pipeline_idle(pipeline, ONCE_WAIT_MS)) {
        show_progress(table, total);
        if (pipeline_tick(pipeline, err) == -1)
            break;
        signal_number = next_signal(0);
        if (signal_number == SIGTERM || signal_number == SIGINT)
            break;
        signal_number = 0; /* SIGHUP has nothing to reload here */
    }
    clear_progress();
    return signal_number;
}

static int run_once(struct config *config, const char *const *only, size_t only_count)
{
    struct once_table *table = once_table_create(config);
    struct pipeline_options options = {
        .once = true,
        .only = only_count == 0 ? NULL : only, /* none named: all of them */
        .only_count = only_count,
        .committed = once_table_add,
        .context = table,
    };
    struct error err = {0};
    struct pipeline_stats stats;
    struct pipeline *pipeline;
    size_t total;
    size_t failed;
    int ended_by;

    if (table == NULL) {
        error_set(&err, ERROR_NOMEM, "out of memory");
        return command_failed(&err);
    }
    pipeline = pipeline_start(config, &options, &err);
    if (pipeline == NULL) {
        once_table_free(table);
        return command_failed(&err);
    }
    total = pipeline_stats(pipeline).sources;
    ended_by = wait_for_runs(pipeline, table, total, &err);
    let_signals_kill();
    if (err.code != ERROR_NONE || pipeline_stop(pipeline, &stats, &err) == -1)
        end_at_once(&err);
    failed = once_table_print(table, stdout);
    if (total == 0)
        fputs("gatherd: every source is disabled: nothing was polled\n", stderr);
    if (ended_by != 0)
        fprintf(stderr, "gatherd: stopped by SIG%s after %zu of %zu sources\n",
                sigabbrev_np(ended_by), once_table_length(table), total);
    once_table_free(table);
    return failed > 0 || ended_by != 0 ? 1 : EX_OK;
}

/* --- The command line. --- */

enum { OPTION_ONCE = 256 };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"once", no_argument, NULL, OPTION_ONCE},
    {"verbose", no_argument, NULL, 'v'},      {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},         {0},
};

/* Each named source must exist and be enabled: a typing error is not a successful run of nothing.
 */
static int check_names(const struct command *self, const struct config *config, char **names,
                       int count)
{
    for (int i = 0; i < count; i++) {
        const struct source *source = config_find_source(config, names[i]);

        if (source == NULL)
            return command_usage_error(self, "no source is named \"%s\"", names[i]);
        if (!source->enabled)
            return command_usage_error(self, "source \"%s\" is disabled (enabled: false)",
                                       names[i]);
    }
    return EX_OK;
}

static int start(const struct command *self, const char *path, bool once, char **names, int count)
{
    struct text warnings = {0};
    struct config *config;
    struct error err = {0};
    int status;

    path = command_config_path(path);
    config = path == NULL ? NULL : command_load_config(path, &warnings);
    if (config == NULL)
        return EX_CONFIG;
    if (once)
        fputs(text_string(&warnings), stderr);
    else
        log_lines(&warnings, true);
    text_free(&warnings);
    status = check_names(self, config, names, count);
    if (status == EX_OK && fetcher_global_start(&err) == -1)
        status = command_failed(&err);
    if (status != EX_OK) {
        config_unref(config);
        return status;
    }
    if (once) {
        status = run_once(config, (const char *const *)names, (size_t)count);
        config_unref(config);
    } else {
        status = run_service(config, path);
    }
    fetcher_global_stop();
    return status;
}

static int run_run(const struct command *self, int argc, char **argv)
{
    const char *path = NULL;
    bool once = false;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:vqh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case OPTION_ONCE:
            once = true;
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'q':
            log_set_level(LOG_LEVEL_WARNING);
            break;
        case 'h':
            return command_print_help(self);
        default:
            return command_option_error(self, option, argv);
        }
    }
    if (optind < argc && !once)
        return command_usage_error(self, "\"%s\": sources can be named with --once only",
                                   argv[optind]);
    return start(self, path, once, argv + optind, argc - optind);
}

const struct command command_run = {
    .name = "run",
    .summary = "poll the sources of a configuration until stopped",
    .help = "Usage: gatherd run [-c FILE]\n"
            "       gatherd run --once [SOURCE ...] [-c FILE]\n"
            "\n"
            "Polls every enabled source at its interval and commits what they answer, in the\n"
            "foreground, until SIGTERM or SIGINT; SIGHUP reloads the configuration.\n"
            "\n"
            "With --once every source (or those named) is polled one time, now; then a table\n"
            "says what became of each. The exit status is 1 if a run failed or a record was\n"
            "rejected.\n"
            "\n"
            "Options:\n"
            "  -c, --config FILE  the configuration; default ./gatherd.yaml, else\n"
            "                     /etc/gatherd/gatherd.yaml\n"
            "      --once         poll once and exit\n"
            "  -v, --verbose      log each run, each request that is tried again, and what a\n"
            "                     reload changes\n"
            "  -q, --quiet        log warnings and errors only\n"
            "  -h, --help         print this\n",
    .run = run_run,
};
