/*
 * The SQL of one mapping: `where` and the fields that are calculated. Each expression is checked
 * against the columns there are, and all are put into the order in which they can be calculated.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/load.h"
#include "config/suggest.h"
#include "gatherd/expression.h"

enum mark { MARK_NONE, MARK_UNDER_WAY, MARK_DONE };

/* One expression, `where` or that of a field. */
struct formula {
    size_t field; /* or COMPUTED_WHERE */
    const char *text;
    struct item *item; /* NULL: it is a default */
    struct expression expression;
    enum mark mark;
};

struct sql_check {
    struct load *load;
    const struct where *where;
    const struct item *item; /* that the mapping was read from */
    const struct source *source;
    struct mapping *mapping;
    struct formula *list; /* fields in their order, then `where` */
    size_t count;
    struct computation *out;
};

/* --- Where it stands. --- */

/* The value of a key of a mapping that was read; NULL: it is not there. */
static struct item *find_value(const struct item *mapping, const char *name)
{
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        if (slice_equals((struct slice){e->key->text, e->key->length}, name))
            return e->value;
    }
    return NULL;
}

/* The value of key `sql` of the field; NULL: it stands in defaults. */
static struct item *item_of_field(const struct sql_check *s, size_t field)
{
    const struct item *fields = find_value(s->item, child_key_set.keys[MAPPING_FIELDS].name);
    const struct entry *e = fields == NULL ? NULL : fields->first;

    for (; e != NULL && field > 0; field--)
        e = e->next;
    return e == NULL || e->value->kind != ITEM_MAPPING
               ? NULL
               : find_value(e->value, field_key_set.keys[FIELD_KEY_SQL].name);
}

/* Of a default: where what uses it stands. */
static struct place place_of_formula(const struct sql_check *s, const struct formula *f)
{
    return place_of(s->load, f->item != NULL ? f->item : s->item);
}

static void report(const struct sql_check *s, const struct formula *f, struct place place,
                   bool is_warning, const char *words)
{
    const struct mapping *mapping = s->mapping;
    struct where fields = where_key(s->where, child_key_set.keys[MAPPING_FIELDS].name);
    struct where here = where_key(s->where, child_key_set.keys[MAPPING_WHERE].name);
    struct where field;

    if (f->field != COMPUTED_WHERE) {
        field = where_text(&fields, mapping->fields[f->field].name,
                           strlen(mapping->fields[f->field].name));
        here = where_key(&field, field_key_set.keys[FIELD_KEY_SQL].name);
    }
    if (is_warning)
        load_warning(s->load, place, &here, "%s", words);
    else
        load_mistake(s->load, place, &here, "%s", words);
}

/* --- What is wrong. --- */

static void put_suggestion(struct text *words, const struct suggestion *near, const char *otherwise)
{
    if (near->word != NULL)
        text_format(words, "; did you mean \"%s\"?", near->word);
    else
        text_format(words, "; %s", otherwise);
}

static bool is_excluded(const struct mapping *mapping, const char *name)
{
    for (size_t i = 0; i < mapping->exclude_count; i++) {
        if (strcasecmp(mapping->exclude[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_later(const char *name)
{
    return strcasecmp(name, "_run_id") == 0 || strcasecmp(name, "_fetched_at") == 0;
}

static void explain_column(const struct sql_check *s, const struct formula *f,
                           const struct expression_mistake *mistake, struct text *words)
{
    const struct mapping *mapping = s->mapping;
    struct suggestion near = {0};

    for (size_t i = 0; i < mapping->field_count; i++)
        suggest_offer(&near, mapping->fields[i].name, mistake->name, strlen(mistake->name));
    if (is_later(mistake->name))
        text_add(words, "; it is known when the row is stored, which is later");
    else if (is_excluded(mapping, mistake->name))
        text_add(words, "; it is excluded, remove it from exclude");
    else if (mistake->has_offset && f->text[mistake->offset] == '"')
        put_suggestion(words, &near, "a text stands in single quotes, as in 'text'");
    else
        put_suggestion(words, &near, "it has those of fields");
}

static void explain_function(const struct expression_mistake *mistake, struct text *words)
{
    struct suggestion near = {0};
    size_t count;
    const char *const *names = expression_functions(&count);

    for (size_t i = 0; i < count; i++)
        suggest_offer(&near, names[i], mistake->name, strlen(mistake->name));
    put_suggestion(words, &near, "remove it");
}

static void put_words(const struct sql_check *s, const struct formula *f,
                      const struct expression_mistake *mistake, struct text *words)
{
    text_visible(words, mistake->words, strlen(mistake->words));
    if (mistake->kind == MISTAKE_COLUMN)
        explain_column(s, f, mistake, words);
    else if (mistake->kind == MISTAKE_FUNCTION)
        explain_function(mistake, words);
}

/* What a variable brought is not shown, and SQLite shows what it does not understand. */
static void report_mistake(const struct sql_check *s, const struct formula *f,
                           const struct expression_mistake *mistake)
{
    bool as_written = f->item == NULL || strcmp(f->item->text, f->text) == 0;
    struct place place = place_of_formula(s, f);
    struct text words = {0};

    if (!as_written)
        text_add(&words,
                 "is not an expression with its variables filled in; why is not shown, since "
                 "that may show their values: try it without them");
    else
        put_words(s, f, mistake, &words);
    if (as_written && mistake->has_offset && f->item != NULL && f->item->exact)
        place = place_in(s->load, f->item, count_characters(f->text, mistake->offset));
    else if (as_written && mistake->has_offset && mistake->offset > 0)
        text_format(&words, " (character %zu)", count_characters(f->text, mistake->offset) + 1);
    if (text_failed(&words))
        load_out_of_memory(s->load);
    report(s, f, place, false, text_string(&words));
    text_free(&words);
}

static void report_warning(const struct sql_check *s, const struct formula *f, const char *warning)
{
    struct text words = {0};

    text_add(&words, "fails where every column is NULL: ");
    text_visible(&words, warning, strlen(warning));
    if (text_failed(&words))
        load_out_of_memory(s->load);
    else
        report(s, f, place_of_formula(s, f), true, text_string(&words));
    text_free(&words);
}

/* --- Columns. --- */

static enum column_affinity affinity_of(enum field_type type)
{
    switch (type) {
    case FIELD_INTEGER:
    case FIELD_BOOLEAN:
        return AFFINITY_INTEGER;
    case FIELD_REAL:
    case FIELD_DURATION:
        return AFFINITY_REAL;
    case FIELD_TEXT:
    case FIELD_DECIMAL:
    case FIELD_JSON:
    case FIELD_TIMESTAMP:
        return AFFINITY_TEXT;
    case FIELD_BLOB:
    case FIELD_UNDECLARED:
        break;
    }
    return AFFINITY_NONE;
}

static bool is_link(const struct mapping *mapping, const char *name)
{
    for (size_t i = 0; i < mapping->link_count; i++) {
        if (strcasecmp(mapping->links[i], name) == 0)
            return true;
    }
    return false;
}

/* Without fields any member may be a column; which there are, a response shows. */
static bool find_column(void *context, const char *name, enum column_affinity *affinity)
{
    const struct sql_check *s = context;
    const struct mapping *mapping = s->mapping;

    *affinity = AFFINITY_NONE;
    for (size_t i = 0; i < mapping->field_count; i++) {
        if (strcasecmp(mapping->fields[i].name, name) != 0)
            continue;
        *affinity = affinity_of(mapping->fields[i].rule.type);
        return true;
    }
    if (is_link(mapping, name) || is_item_column(s->source, name))
        return true; /* which there are of an item is known with the items */
    return mapping->field_count == 0 && !is_excluded(mapping, name) && !is_later(name);
}

/* --- Checking each. --- */

static struct expression_checker *checker_of(struct load *load)
{
    if (load->expressions == NULL)
        load->expressions = expression_checker_create();
    if (load->expressions == NULL)
        load_out_of_memory(load);
    return load->expressions;
}

static bool check_formula(struct sql_check *s, struct formula *f)
{
    const struct column_finder finder = {s, find_column};
    struct load *load = s->load;
    struct expression_checker *checker = checker_of(load);
    struct expression_mistake mistake;

    if (checker == NULL)
        return false;
    if (expression_check(checker, f->text, f->field == COMPUTED_WHERE, &finder, load->arena,
                         &f->expression, &mistake) == 0) {
        if (mistake.warning[0] != '\0')
            report_warning(s, f, mistake.warning);
        return true;
    }
    if (mistake.kind == MISTAKE_NOMEM)
        load_out_of_memory(load);
    else
        report_mistake(s, f, &mistake);
    return false;
}

static bool check_all(struct sql_check *s)
{
    bool good = true;

    for (size_t i = 0; i < s->count; i++)
        good = check_formula(s, &s->list[i]) && good;
    return good;
}

/* --- The order of calculation. --- */

/* The formula of the column of that name; NULL: the record brings it. */
static struct formula *formula_of(struct sql_check *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        struct formula *f = &s->list[i];

        if (f->field != COMPUTED_WHERE && strcasecmp(s->mapping->fields[f->field].name, name) == 0)
            return f;
    }
    return NULL;
}

static void report_circle(struct sql_check *s, const struct formula *f, const struct formula *other)
{
    const struct field *fields = s->mapping->fields;
    struct text words = {0};

    if (f == other)
        text_format(&words, "%s is calculated from itself", fields[f->field].name);
    else
        text_format(&words, "%s is calculated from %s, which is calculated from it",
                    fields[f->field].name, fields[other->field].name);
    text_add(&words, "; calculate it from what the record brings");
    if (text_failed(&words))
        load_out_of_memory(s->load);
    else
        report(s, f, place_of_formula(s, f), false, text_string(&words));
    text_free(&words);
}

/* What it needs comes first. As deep as fields need each other, 1,998 at most. */
static bool put_in_order(struct sql_check *s, struct formula *f)
{
    struct expression_set *set = &s->out->expressions;

    if (f->mark == MARK_DONE)
        return true;
    f->mark = MARK_UNDER_WAY;
    for (size_t i = 0; i < f->expression.column_count; i++) {
        struct formula *needed = formula_of(s, f->expression.columns[i].name);

        if (needed == NULL)
            continue;
        if (needed->mark == MARK_UNDER_WAY) {
            report_circle(s, needed, f);
            return false;
        }
        if (!put_in_order(s, needed))
            return false;
    }
    f->mark = MARK_DONE;
    s->out->fields[set->count] = f->field;
    ((struct expression *)set->list)[set->count++] = f->expression;
    return true;
}

/* `where` and what it needs come before all others: a row that is left out costs no more. */
static bool put_all_in_order(struct sql_check *s)
{
    struct formula *last = &s->list[s->count - 1];

    if (last->field == COMPUTED_WHERE && !put_in_order(s, last))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (!put_in_order(s, &s->list[i]))
            return false;
    }
    return true;
}

/* --- All of it. --- */

static size_t count_formulas(const struct mapping *mapping)
{
    size_t count = mapping->where != NULL;

    for (size_t i = 0; i < mapping->field_count; i++)
        count += mapping->fields[i].sql != NULL;
    return count;
}

static void list_formulas(struct sql_check *s)
{
    const struct mapping *mapping = s->mapping;
    size_t n = 0;

    for (size_t i = 0; i < mapping->field_count; i++) {
        if (mapping->fields[i].sql != NULL)
            s->list[n++] = (struct formula){
                .field = i, .text = mapping->fields[i].sql, .item = item_of_field(s, i)};
    }
    if (mapping->where != NULL)
        s->list[n] =
            (struct formula){.field = COMPUTED_WHERE,
                             .text = mapping->where,
                             .item = find_value(s->item, child_key_set.keys[MAPPING_WHERE].name)};
}

static bool make_room(struct sql_check *s)
{
    struct load *load = s->load;
    size_t count = s->count;

    s->list = load_alloc(load, load->notes, count * sizeof(s->list[0]));
    s->out = load_alloc(load, load->arena, sizeof(*s->out));
    if (s->list == NULL || s->out == NULL)
        return false;
    s->out->fields = load_alloc(load, load->arena, count * sizeof(s->out->fields[0]));
    s->out->expressions.list =
        load_alloc(load, load->arena, count * sizeof(s->out->expressions.list[0]));
    return s->out->fields != NULL && s->out->expressions.list != NULL;
}

void check_sql(struct load *load, const struct where *where, const struct item *item,
               const struct source *source, struct mapping *mapping)
{
    struct sql_check s = {load, where, item, source, mapping, .count = count_formulas(mapping)};
    struct text scratch = {0};

    mapping->computation = NULL;
    if (s.count == 0 || !make_room(&s))
        return;
    list_formulas(&s);
    if (!check_all(&s) || !put_all_in_order(&s))
        return;
    s.out->expressions.hash = expression_set_hash(&s.out->expressions, &scratch);
    if (text_failed(&scratch))
        load_out_of_memory(load);
    text_free(&scratch);
    mapping->computation = s.out;
}
