#include "cli/show.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/command.h"
#include "gatherd/store.h"

/* In characters; 0: standard output is no terminal. */
static size_t terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1)
        return 0;
    return size.ws_col;
}

/*
 * What came before an error of the SQL is shown. -1 without a text in `err`: the output failed, and
 * that has been said.
 */
static int run_statements(struct store_reader *reader, const char *sql, enum format format,
                          struct error *err)
{
    struct formatter *formatter = formatter_create(format, stdout, terminal_width());
    struct store_query_hooks hooks = {formatter, formatter_columns, formatter_row};
    int rc = -1;

    if (formatter == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return -1;
    }
    if (store_query(reader, sql, &hooks, err) == -1)
        formatter_break_off(formatter);
    else
        rc = formatter_end(formatter);
    if (rc == -1 && formatter_errno(formatter) != 0)
        command_output_failed(formatter_errno(formatter));
    else if (rc == -1)
        error_set(err, ERROR_NOMEM, "out of memory"); /* unless the SQL failed */
    formatter_free(formatter);
    return rc;
}

int show_query(const char *database, const char *sql, enum format format)
{
    struct error err = {0};
    struct store_reader *reader = store_reader_open(database, &err);
    int status = EX_OK;

    if (reader == NULL || run_statements(reader, sql, format, &err) == -1)
        status = err.code == ERROR_NONE ? EX_IOERR : command_failed(&err);
    store_reader_close(reader);
    return status;
}
