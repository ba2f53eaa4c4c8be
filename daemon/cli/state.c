/* gatherd state: what sources remember from one run to the next, shown, set and reset. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/remote.h"
#include "cli/show.h"
#include "gatherd/cursor.h"
#include "gatherd/store.h"

static int show(const struct config *config, const struct source *source)
{
    struct text sql = {0};
    int status;

    text_add(&sql, "SELECT s.name AS source, nullif(t.item, '') AS item, t.cursor, t.etag, "
                   "t.last_modified, s.last_success_at,"
                   " s.next_due_at, coalesce(t.consecutive_failures, s.consecutive_failures) AS"
                   " failures FROM _gatherd_sources AS s"
                   " LEFT JOIN _gatherd_state AS t ON t.source_id = s.id");
    if (source != NULL)
        text_format(&sql, " WHERE s.name = '%s'", source->name); /* a name has no quotes */
    text_add(&sql, " ORDER BY s.name, t.item");
    status = show_query(config->database, text_string(&sql), FORMAT_TABLE);
    text_free(&sql);
    return status;
}

/* With no daemon to ask, the database is ours for the moment. */
static int change_here(const struct config *config, const struct source *source, const char *cursor)
{
    struct store_options store_options = {.synchronous = config->synchronous};
    struct error err = {0};
    struct store *store = NULL;
    int64_t id = 0;
    int rc = -1;

    if (access(config->database, F_OK) == -1)
        error_set(&err, ERROR_UNAVAILABLE, "%s is not there yet: nothing has been polled",
                  config->database);
    else
        store = store_open(config->database, &store_options, &err);
    if (store != NULL && store_source_id(store, source->name, &id, &err) == 0)
        rc = cursor != NULL ? store_set_cursor(store, id, cursor, &err)
                            : store_forget_state(store, id, &err);
    store_close(store);
    return rc == -1 ? command_failed(&err) : EX_OK;
}

static int change(const struct config *config, const struct source *source, const char *cursor)
{
    const char *const words[] = {cursor != NULL ? "set" : "reset", source->name, cursor};
    int status;

    if (remote_ask(config->database, cursor != NULL ? 3 : 2, words, &status))
        return status;
    return change_here(config, source, cursor);
}

static int check_cursor(const struct command *self, const struct source *source, const char *cursor)
{
    if (source->for_each != NULL)
        return command_usage_error(self,
                                   "source \"%s\" has a cursor for each of its items (for_each); "
                                   "only all of them can be reset",
                                   source->name);
    if (source->incremental == NULL)
        return command_usage_error(self,
                                   "source \"%s\" has no cursor: nothing says `incremental` in its "
                                   "configuration",
                                   source->name);
    if (!cursor_is_valid(&source->incremental->rule, slice_of(cursor)))
        return command_usage_error(
            self, "\"%s\" is no position of the type that incremental says in source \"%s\"",
            cursor, source->name);
    return EX_OK;
}

/* `words` are those behind the options: what to do, the source, the cursor. */
static int carry_out(const struct command *self, const struct config *config, int count,
                     char **words)
{
    const struct source *source = NULL;
    int status;

    if (count > 1) {
        source = config_find_source(config, words[1]);
        if (source == NULL)
            return command_usage_error(self, "no source is named \"%s\"", words[1]);
    }
    if (strcmp(words[0], "show") == 0)
        return show(config, source);
    assert(source != NULL); /* check_words(): the other two name one */
    if (strcmp(words[0], "reset") == 0)
        return change(config, source, NULL);
    status = check_cursor(self, source, words[2]);
    return status == EX_OK ? change(config, source, words[2]) : status;
}

static int check_words(const struct command *self, int count, char **words)
{
    if (count == 0)
        return command_usage_error(self, "say what to do: show, set or reset");
    if (strcmp(words[0], "show") == 0)
        return count <= 2 ? EX_OK : command_usage_error(self, "show takes one source, or none");
    if (strcmp(words[0], "set") == 0)
        return count == 3 ? EX_OK : command_usage_error(self, "set takes a source and a cursor");
    if (strcmp(words[0], "reset") == 0)
        return count == 2 ? EX_OK : command_usage_error(self, "reset takes one source");
    return command_usage_error(self, "unknown word \"%s\": show, set and reset are known",
                               words[0]);
}

static int run_state(const struct command *self, int argc, char **argv)
{
    return command_run_words(self, argc, argv, check_words, carry_out);
}

const struct command command_state = {
    .name = "state",
    .summary = "show, set or reset what sources remember between runs",
    .help = "Usage: gatherd state show [SOURCE] [-c FILE]\n"
            "       gatherd state set SOURCE CURSOR [-c FILE]\n"
            "       gatherd state reset SOURCE [-c FILE]\n"
            "\n"
            "show prints the cursor of each source with `incremental`, the validators that\n"
            "say whether an answer is new, and when it is due. set puts the cursor where\n"
            "you say: the next run asks from there. reset forgets cursor and validators:\n"
            "the next run asks for everything, from initial_value on. Rows stay as they\n"
            "are.\n"
            "\n"
            "Works while the daemon runs, as its user or as root, and when it is stopped. A\n"
            "run that is under way is waited for.\n"
            "\n"
            "Options:\n"
            "  -c, --config FILE  the configuration; default ./gatherd.yaml, else\n"
            "                     /etc/gatherd/gatherd.yaml\n"
            "  -h, --help         print this\n",
    .run = run_state,
};
