/*
 * One pass over the text. A row is written as the next nodes while its cells are read, and taken
 * back when it does not have as many as the header. Most of the time goes into the nodes: the text
 * of a cell is found by looking at 16 bytes at once.
 */
#include "gatherd/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "document/csv_reader.h"

#define SAMPLE_BYTES 65536u

#define unlikely(condition) __builtin_expect(!!(condition), 0)

const struct csv_options csv_defaults = {.quote = "\"", .header_row = 1};

/* --- What is wrong. --- */

const char *csv_fail(struct csv_reader *r, const char *at, const char *format, ...)
{
    va_list args;

    r->status = CSV_INVALID;
    r->error->offset = (size_t)(at - r->text);
    va_start(args, format);
    vsnprintf(r->error->message, sizeof(r->error->message), format, args);
    va_end(args);
    return NULL;
}

const char *csv_fail_memory(struct csv_reader *r)
{
    csv_fail(r, r->text, "out of memory");
    r->status = CSV_NOMEM;
    return NULL;
}

/* --- Lines. --- */

static inline bool ends_row(const struct csv_reader *r, const char *p)
{
    return p == r->end || *p == '\n' || *p == '\r';
}

const char *csv_behind_break(const struct csv_reader *r, const char *p)
{
    if (p < r->end && *p == '\r')
        return p + 1 < r->end && p[1] == '\n' ? p + 2 : p + 1;
    return p < r->end ? p + 1 : p;
}

static const char *line_end(const struct csv_reader *r, const char *p)
{
    while (!ends_row(r, p))
        p++;
    return p;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const struct csv_reader *r, const char *p)
{
    while (p < r->end && is_blank(*p) && *p != r->delimiter)
        p++;
    return p;
}

static bool is_comment(const struct csv_reader *r, const char *p)
{
    return r->comment_length > 0 && (size_t)(r->end - p) >= r->comment_length &&
           memcmp(p, r->options->comment, r->comment_length) == 0;
}

const char *csv_skip_lines(const struct csv_reader *r, const char *p)
{
    while (p < r->end) {
        const char *first = r->options->trim ? skip_blanks(r, p) : p;

        if (is_comment(r, p))
            first = line_end(r, p);
        if (!ends_row(r, first))
            break;
        p = csv_behind_break(r, first);
    }
    return p;
}

/* --- Cells. --- */

static inline const char *scan_cell_bytes(const char *p, const char *end, char delimiter)
{
    while (p < end && *p != delimiter && *p != '\n' && *p != '\r')
        p++;
    return p;
}

#ifdef __SSE2__
/* The first byte from `p` that ends a cell without quotes, or `end`. */
static inline const char *scan_cell(const char *p, const char *end, char delimiter)
{
    while (end - p >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i breaks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
        __m128i found = _mm_or_si128(breaks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter)));
        int stops = _mm_movemask_epi8(found);

        if (stops != 0)
            return p + __builtin_ctz((unsigned)stops);
        p += 16;
    }
    return scan_cell_bytes(p, end, delimiter);
}
#else
static inline const char *scan_cell(const char *p, const char *end, char delimiter)
{
    return scan_cell_bytes(p, end, delimiter);
}
#endif

static inline void put_cell(struct node *node, const char *raw, const char *text, size_t length)
{
    *node = (struct node){
        .type = NODE_STRING, .length = (uint32_t)length, .span = 1, .text = text, .raw = raw};
}

/* The text of a quoted cell with each doubled quote made one. */
static bool put_unquoted(struct csv_reader *r, const char *text, const char *stop,
                         struct node *node)
{
    char *copy = arena_alloc(r->arena, (size_t)(stop - text));
    char *out = copy;

    if (copy == NULL) {
        csv_fail_memory(r);
        return false;
    }
    for (const char *p = text; p < stop;) {
        const char *quote = memchr(p, r->quote, (size_t)(stop - p));
        size_t length = quote == NULL ? (size_t)(stop - p) : (size_t)(quote + 1 - p);

        memcpy(out, p, length);
        out += length;
        p += length + (quote != NULL);
    }
    put_cell(node, text - 1, copy, (size_t)(out - copy));
    return true;
}

/* The quote that closes the cell whose text begins at `text`; NULL: there is none. */
static const char *closing_quote(const struct csv_reader *r, const char *text, bool *doubled)
{
    const char *p = text;

    while ((p = memchr(p, r->quote, (size_t)(r->end - p))) != NULL) {
        if (p + 1 == r->end || p[1] != r->quote)
            return p;
        *doubled = true;
        p += 2;
    }
    return NULL;
}

/* `p` is at the opening quote. */
static const char *read_quoted(struct csv_reader *r, const char *p, struct node *node, bool *odd)
{
    bool doubled = false;
    const char *stop = closing_quote(r, p + 1, &doubled);

    if (stop == NULL)
        return csv_fail(r, p,
                        "the quote that begins this cell is not closed before the end of the "
                        "body, which may be cut off; if quotes mean nothing, set csv: "
                        "{quote: \"\"}");
    if (!doubled)
        put_cell(node, p, p + 1, (size_t)(stop - p - 1));
    else if (!put_unquoted(r, p + 1, stop, node))
        return NULL;
    stop++;
    if (r->options->trim)
        stop = skip_blanks(r, stop);
    if (ends_row(r, stop) || *stop == r->delimiter)
        return stop;
    *odd = true;
    return scan_cell(stop, r->end, r->delimiter);
}

static const char *read_trimmed(struct csv_reader *r, const char *p, struct node *node)
{
    const char *stop = scan_cell(p, r->end, r->delimiter);
    const char *last = stop;

    while (last > p && is_blank(last[-1]))
        last--;
    put_cell(node, p, p, (size_t)(last - p));
    return stop;
}

/* The cell at `p`; returns where it ends. */
static inline const char *read_cell(struct csv_reader *r, const char *p, struct node *node,
                                    bool *odd)
{
    const char *stop;

    if (unlikely(r->options->trim))
        p = skip_blanks(r, p);
    if (p < r->end && *p == r->quote && r->quoted)
        return read_quoted(r, p, node, odd);
    if (unlikely(r->options->trim))
        return read_trimmed(r, p, node);
    stop = scan_cell(p, r->end, r->delimiter);
    put_cell(node, p, p, (size_t)(stop - p));
    return stop;
}

const char *csv_read_cells(struct csv_reader *r, const char *p, struct csv_cells *cells)
{
    const char *start = p;
    size_t capacity = 32;
    bool odd = false;

    cells->count = 0;
    cells->list = arena_alloc(r->arena, capacity * sizeof(*cells->list));
    if (cells->list == NULL)
        return csv_fail_memory(r);
    for (;; p++) {
        if (cells->count == CSV_MAX_COLUMNS)
            return csv_fail(r, start, "the row has more than %u cells", CSV_MAX_COLUMNS);
        if (cells->count == capacity) {
            cells->list = arena_grow(r->arena, cells->list, capacity * sizeof(*cells->list),
                                     2 * capacity * sizeof(*cells->list));
            if (cells->list == NULL)
                return csv_fail_memory(r);
            capacity *= 2;
        }
        p = read_cell(r, p, &cells->list[cells->count], &odd);
        if (p == NULL)
            return NULL;
        cells->count++;
        if (ends_row(r, p))
            return p;
    }
}

/* --- Rows. --- */

/* Room for `more` nodes. */
static bool reserve(struct csv_reader *r, size_t more)
{
    size_t capacity = r->capacity + r->capacity / 2 + more;
    struct node *nodes;

    if (r->capacity - r->used >= more)
        return true;
    if (capacity > UINT32_MAX) {
        csv_fail(r, r->text, "the body has more cells than can be counted");
        return false;
    }
    nodes = arena_grow(r->arena, r->nodes, r->capacity * sizeof(*nodes), capacity * sizeof(*nodes));
    if (nodes == NULL) {
        csv_fail_memory(r);
        return false;
    }
    r->nodes = nodes;
    r->capacity = capacity;
    return true;
}

static bool add_misfit(struct csv_reader *r, const char *start, const char *stop, uint32_t cells,
                       uint32_t odd)
{
    size_t capacity = r->misfit_capacity == 0 ? 16 : 2 * r->misfit_capacity;
    struct csv_misfit *list;

    if (r->misfit_count == CSV_MAX_MISFITS) {
        csv_fail(r, start, "more than %u rows do not have the %u cells they should have",
                 CSV_MAX_MISFITS, r->columns);
        return false;
    }
    if (r->misfit_count == r->misfit_capacity) {
        list = arena_grow(r->arena, r->misfits, r->misfit_capacity * sizeof(*list),
                          capacity * sizeof(*list));
        if (list == NULL) {
            csv_fail_memory(r);
            return false;
        }
        r->misfits = list;
        r->misfit_capacity = capacity;
    }
    list = &r->misfits[r->misfit_count++];
    put_cell(&list->row, start, start, (size_t)(stop - start));
    list->cells = cells;
    list->odd = odd;
    return true;
}

/* The row at `p` to an object; returns where it ends. */
static const char *read_row(struct csv_reader *r, const char *p)
{
    const char *start = p;
    struct node *object;
    struct node *next;
    uint32_t count = 0;
    uint32_t first_odd = 0;

    if (!reserve(r, 1 + 2 * (size_t)r->columns))
        return NULL;
    object = r->nodes + r->used;
    next = object + 1;
    for (;; p++) {
        struct node surplus;
        bool odd = false;
        bool fits = count < r->columns;

        p = read_cell(r, p, fits ? next + 1 : &surplus, &odd);
        if (p == NULL)
            return NULL;
        if (fits) {
            *next = r->names[count];
            next += 2;
        }
        count++;
        if (unlikely(odd) && first_odd == 0)
            first_odd = count;
        if (ends_row(r, p))
            break;
    }
    if (unlikely(count != r->columns || first_odd != 0))
        return add_misfit(r, start, p, count, first_odd) ? p : NULL;
    *object = (struct node){.type = NODE_OBJECT,
                            .length = count,
                            .span = (uint32_t)(next - object),
                            .text = p,
                            .raw = start};
    r->used = (size_t)(next - r->nodes);
    r->rows++;
    return p;
}

static bool read_rows(struct csv_reader *r, const char *p)
{
    for (p = csv_skip_lines(r, p); p < r->end; p = csv_skip_lines(r, p)) {
        p = read_row(r, p);
        if (p == NULL)
            return false;
        p = csv_behind_break(r, p);
    }
    return true;
}

/* Nodes for a text that goes on as it begins, and somewhat more. */
static bool start_nodes(struct csv_reader *r, const char *p)
{
    size_t length = (size_t)(r->end - p);
    size_t sample = length < SAMPLE_BYTES ? length : SAMPLE_BYTES;
    size_t cells = 0;
    size_t all;

    for (size_t i = 0; i < sample; i++)
        cells += p[i] == r->delimiter || p[i] == '\n';
    all = length <= sample ? cells : (size_t)((double)cells * (double)length / (double)sample);
    r->capacity = 1 + 2 * (size_t)r->columns + all * 2 + all / 4 + 64;
    if (r->capacity > UINT32_MAX)
        r->capacity = UINT32_MAX;
    r->nodes = arena_alloc(r->arena, r->capacity * sizeof(*r->nodes));
    r->used = 1; /* the root comes last */
    if (r->nodes == NULL)
        csv_fail_memory(r);
    return r->nodes != NULL;
}

/* Behind the byte order mark and the lines that nobody looks at. */
static const char *begin(const struct csv_reader *r)
{
    const char *p = r->text;

    if (r->end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    for (unsigned i = 0; i < r->options->skip_rows && p < r->end; i++)
        p = csv_behind_break(r, line_end(r, p));
    return p;
}

static struct csv_reader reader_of(const char *text, size_t length,
                                   const struct csv_options *options, char delimiter)
{
    bool sure = options->delimiter != NULL;

    return (struct csv_reader){
        .text = text,
        .end = text + length,
        .options = options,
        .comment_length = options->comment == NULL ? 0 : strlen(options->comment),
        .delimiter = sure ? options->delimiter[0] : delimiter,
        .quote = options->quote[0],
        .quoted = options->quote[0] != '\0',
        .sure = sure,
    };
}

enum csv_status csv_read(const char *text, size_t length, const struct csv_options *options,
                         char delimiter, struct arena *arena, struct csv_table *table,
                         struct csv_error *error)
{
    struct csv_reader r = reader_of(text, length, options, delimiter);
    const char *p;

    *table = (struct csv_table){0};
    *error = (struct csv_error){0};
    r.arena = arena;
    r.error = error;
    if (length > UINT32_MAX) {
        csv_fail(&r, text, "the body has %zu bytes; the most that can be read is 4 GiB", length);
        return r.status;
    }
    p = csv_read_header(&r, begin(&r), &table->header);
    if (p == NULL || !start_nodes(&r, p) || !read_rows(&r, p))
        return r.status;
    r.nodes[0] = (struct node){.type = NODE_ARRAY, .length = r.rows, .span = (uint32_t)r.used};
    table->root = r.nodes;
    table->columns = r.columns;
    table->misfits = r.misfits;
    table->misfit_count = r.misfit_count;
    return CSV_OK;
}
