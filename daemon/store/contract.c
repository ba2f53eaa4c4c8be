#include "store/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/text.h"

/* What becomes of the values of one column that the contract is about. */
struct ruling {
    enum contract contract;
    uint32_t against; /* bits (1 << enum value_type) of the values it is about */
    bool is_new;      /* the table has no such column */
    char *reason;     /* owned; NULL: nothing in this column is against it */
};

#define ANY_VALUE (UINT32_MAX & ~(1u << VALUE_NULL))

static const char *const value_names[] = {"NULL", "INTEGER", "REAL", "TEXT", "BLOB"};

static const char *first_name(uint32_t types)
{
    unsigned type = VALUE_INTEGER;

    while ((types & 1u << type) == 0)
        type++;
    return value_names[type];
}

static char *new_reason(struct slice name)
{
    struct text text = {0};

    text_add(&text, "the table has no column ");
    text_visible(&text, name.data, name.length);
    text_add(&text, ", and schema_contract keeps its columns as they are");
    return text_take(&text);
}

static char *type_reason(const struct table_column *column, uint32_t types)
{
    struct text text = {0};

    text_format(&text, "column \"%s\" is %s, and schema_contract keeps it from taking %s",
                column->name, column_kind_name(column->kind), first_name(types));
    return text_take(&text);
}

static int rule(const struct table *table, const struct schema_contract *contract,
                const struct column *came, struct ruling *ruling)
{
    const struct table_column *column = table_find_member(table, came->name);

    *ruling = (struct ruling){0};
    if (came->type != FIELD_UNDECLARED)
        return 0;
    if (column == NULL) {
        ruling->is_new = true;
        ruling->contract = came->is_key ? CONTRACT_EVOLVE : contract->columns;
        ruling->against = ANY_VALUE;
    } else if (column->settled) {
        ruling->contract = contract->types;
        ruling->against = ~column_accepts(column);
    }
    ruling->against &= came->seen;
    if (ruling->contract == CONTRACT_EVOLVE || ruling->against == 0) {
        ruling->contract = CONTRACT_EVOLVE;
        return 0;
    }
    ruling->reason = column == NULL ? new_reason(came->name) : type_reason(column, ruling->against);
    return ruling->reason == NULL ? -1 : 0;
}

/* A column of fields is the operator's, whatever its records hold. */
static bool is_declared(const struct mapping *mapping, const struct column *column)
{
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (slice_equals(column->name, mapping->fields[i].name))
            return true;
    }
    return false;
}

static int rule_all(const struct table *table, const struct mapping *mapping,
                    const struct row_set *set, struct contract_view *view, bool *any)
{
    view->rulings = calloc(set->column_count + 1, sizeof(view->rulings[0]));
    if (view->rulings == NULL)
        return -1;
    view->ruling_count = set->column_count;
    for (size_t i = 0; i < set->column_count; i++) {
        struct schema_contract contract = *mapping->schema_contract;

        if (is_declared(mapping, &set->columns[i]))
            contract.columns = CONTRACT_EVOLVE;
        if (rule(table, &contract, &set->columns[i], &view->rulings[i]) == -1)
            return -1;
        *any = *any || view->rulings[i].reason != NULL;
    }
    return 0;
}

static int freeze(const struct table *table, const struct contract_view *view, struct error *err)
{
    for (size_t i = 0; i < view->ruling_count; i++) {
        if (view->rulings[i].contract != CONTRACT_FREEZE)
            continue;
        error_set(err, ERROR_FAILED,
                  "table \"%s\": %s (freeze); set it to evolve, or name the columns with fields",
                  table->name, view->rulings[i].reason);
        return -1;
    }
    return 0;
}

/* --- The view --- */

static bool is_against(const struct ruling *ruling, const struct value *value)
{
    return ruling->reason != NULL && (ruling->against & 1u << value->type) != 0;
}

/* A new column of which no value is let through does not come into being. */
static bool is_dropped(const struct ruling *ruling)
{
    return ruling->reason != NULL && ruling->is_new;
}

static const char *refusal_of(const struct ruling *rulings, const struct row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (rulings[i].contract == CONTRACT_DISCARD_ROW && is_against(&rulings[i], &row->values[i]))
            return rulings[i].reason;
    }
    return row->refused;
}

static void fill_row(struct row_set *own, const struct ruling *rulings, const struct row *from,
                     struct value *values, struct row *row)
{
    size_t column = 0;

    *row = *from;
    row->refused = refusal_of(rulings, from);
    row->values = values;
    row->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (is_dropped(&rulings[i]))
            continue;
        values[column] = is_against(&rulings[i], &from->values[i])
                             ? (struct value){.type = VALUE_NULL}
                             : from->values[i];
        if (row->refused == NULL)
            own->columns[column].seen |= 1u << values[column].type;
        row->count = ++column;
    }
}

static size_t value_count(const struct row_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < set->row_count; i++)
        count += set->rows[i].count;
    return count;
}

static int make_view(const struct row_set *set, struct contract_view *view)
{
    struct row_set *own = &view->own;
    struct value *values;

    *own = *set;
    own->column_count = 0;
    own->columns = calloc(set->column_count + 1, sizeof(own->columns[0]));
    own->rows = calloc(set->row_count + 1, sizeof(own->rows[0]));
    values = view->values = calloc(value_count(set) + 1, sizeof(values[0]));
    if (own->columns == NULL || own->rows == NULL || values == NULL)
        return -1;
    for (size_t i = 0; i < set->column_count; i++) {
        if (is_dropped(&view->rulings[i]))
            continue;
        own->columns[own->column_count] = set->columns[i];
        own->columns[own->column_count++].seen = 0;
    }
    for (size_t i = 0; i < set->row_count; i++) {
        fill_row(own, view->rulings, &set->rows[i], values, &own->rows[i]);
        values += own->rows[i].count;
    }
    view->set = own;
    return 0;
}

/* --- What is left out of rows that are stored --- */

static int note(sqlite3_stmt *stmt, const struct table *table, struct slice column, int64_t run_id,
                const struct moment *moment, const struct ruling *ruling, struct error *err)
{
    sqlite_bind_string(stmt, 1, moment->text);
    sqlite_bind_string(stmt, 2, table->name);
    sqlite_bind_bytes(stmt, 3, column.data, column.length);
    sqlite_bind_string(stmt, 4, ruling->is_new ? NULL : first_name(ruling->against));
    sqlite3_bind_int64(stmt, 5, run_id);
    return sqlite_run(stmt, "_gatherd_schema_changes", err);
}

static int note_all(sqlite3 *db, const struct table *table, const struct row_set *set,
                    const struct contract_view *view, int64_t run_id, const struct moment *moment,
                    struct error *err)
{
    static const char sql[] =
        "INSERT INTO _gatherd_schema_changes (at, table_name, column_name, change, new_value, "
        "run_id)"
        " SELECT ?1, ?2, ?3, 'discard_value', ?4, ?5 WHERE NOT EXISTS (SELECT 1"
        " FROM _gatherd_schema_changes WHERE table_name = ?2 AND column_name = ?3"
        " AND change = 'discard_value' AND new_value IS ?4)";
    sqlite3_stmt *stmt = NULL;
    int rc = 0;

    for (size_t i = 0; i < view->ruling_count && rc == 0; i++) {
        if (view->rulings[i].contract != CONTRACT_DISCARD_VALUE)
            continue;
        if (stmt == NULL)
            rc = sqlite_prepare(db, sql, &stmt, err);
        if (rc == 0)
            rc = note(stmt, table, set->columns[i].name, run_id, moment, &view->rulings[i], err);
    }
    sqlite3_finalize(stmt);
    return rc;
}

int contract_apply(sqlite3 *db, const struct table *table, const struct mapping *mapping,
                   const struct row_set *set, const struct outcome *outcome,
                   const struct moment *moment, struct contract_view *view, struct error *err)
{
    bool any = false;

    *view = (struct contract_view){.set = set};
    if (mapping->schema_contract == NULL || !table->exists || !table->known)
        return 0;
    if (rule_all(table, mapping, set, view, &any) == -1)
        return schema_no_memory(err);
    if (!any)
        return 0;
    if (freeze(table, view, err) == -1)
        return -1;
    if (make_view(set, view) == -1)
        return schema_no_memory(err);
    return note_all(db, table, set, view, outcome->run_id, moment, err);
}

void contract_view_free(struct contract_view *view)
{
    for (size_t i = 0; i < view->ruling_count; i++)
        free(view->rulings[i].reason);
    free(view->rulings);
    free(view->values);
    free(view->own.columns);
    free(view->own.rows);
    *view = (struct contract_view){0};
}
