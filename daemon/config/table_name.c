#include "config/table_name.h"

#include <string.h>
#include <strings.h>

#include "gatherd/config.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS  "0123456789"

static bool begins_with(const char *name, const char *prefix)
{
    return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static const char *form_problem(const char *name)
{
    if (*name == '\0')
        return "is empty; use letters, digits and _";
    if (strspn(name, LETTERS) == 0 || strspn(name, LETTERS DIGITS) < strlen(name))
        return "is not a name here: letters, digits and _, no digit first";
    if (strlen(name) > MOST_NAME_BYTES)
        return "is too long; use at most 128 characters";
    return NULL;
}

const char *table_name_problem(const char *name)
{
    if (begins_with(name, "sqlite_"))
        return "is reserved: tables that begin with sqlite_ are SQLite's own; choose another table";
    if (begins_with(name, "_gatherd"))
        return "is reserved: tables that begin with _gatherd are gatherd's own; choose another "
               "table";
    return form_problem(name);
}

const char *column_name_problem(const char *name)
{
    static const char *const own[] = {"_missing_since", "_valid_from", "_valid_to", "_changed"};

    if (begins_with(name, "_run_id") || begins_with(name, "_fetched_at"))
        return "is reserved: every table has a _run_id and a _fetched_at of gatherd's own; choose "
               "another column";
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcasecmp(name, own[i]) == 0)
            return "is reserved: history and on_missing have columns of that name; choose another "
                   "column";
    }
    return form_problem(name);
}

void table_name_make(struct text *out, const char *name)
{
    if (strchr(DIGITS, *name) != NULL)
        text_char(out, '_');
    while (*name != '\0') {
        size_t good = strspn(name, LETTERS DIGITS);

        text_append(out, name, good);
        name += good;
        good = strcspn(name, LETTERS DIGITS);
        if (good > 0)
            text_char(out, '_');
        name += good;
    }
}
