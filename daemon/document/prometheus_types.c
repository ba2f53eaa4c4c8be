#include <stdlib.h>
#include <string.h>

#include "document/prometheus_parts.h"
#include "gatherd/hash.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define FIRST_SLOTS 256

/* The second row is OpenMetrics'. */
static const char *const types[] = {
    "counter", "gauge", "histogram",      "summary",  "untyped",
    "unknown", "info",  "gaugehistogram", "stateset",
};

/* What the samples of one family have behind its name. */
static const char *const suffixes[] = {"_bucket",  "_count",  "_sum",  "_total",
                                       "_created", "_gcount", "_gsum", "_info"};

static struct prometheus_family *slot_of(const struct prometheus_reader *r, struct slice name)
{
    size_t at = hash_bytes(name.data, name.length) & (r->family_slots - 1);

    while (r->families[at].name.data != NULL && !slice_same(r->families[at].name, name))
        at = (at + 1) & (r->family_slots - 1);
    return &r->families[at];
}

static int make_room(struct prometheus_reader *r)
{
    struct prometheus_family *old = r->families;
    size_t count = r->family_slots;

    if (2 * r->family_count < count)
        return 0;
    r->family_slots = count == 0 ? FIRST_SLOTS : 2 * count;
    r->families = calloc(r->family_slots, sizeof(*r->families));
    if (r->families == NULL) {
        r->families = old;
        r->family_slots = count;
        prometheus_fail_memory(r);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (old[i].name.data != NULL)
            *slot_of(r, old[i].name) = old[i];
    }
    free(old);
    return 0;
}

static const char *known_type(struct slice word)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        if (slice_equals(word, types[i]))
            return types[i];
    }
    return NULL;
}

const char *prometheus_read_type(struct prometheus_reader *r, const char *p)
{
    struct prometheus_family *family;
    struct slice name;
    struct slice word;
    const char *type;

    p = prometheus_read_metric(r, p, &name);
    if (p == NULL)
        return NULL;
    p += strspn(p, " \t");
    word = (struct slice){p, strcspn(p, " \t\r\n")};
    type = known_type(word);
    if (type == NULL)
        return prometheus_fail(r, p,
                               "expected a type: counter, gauge, histogram, summary or "
                               "untyped");
    if (make_room(r) == -1)
        return NULL;
    family = slot_of(r, name);
    r->family_count += family->name.data == NULL;
    *family = (struct prometheus_family){name, type};
    r->last_type = NULL;
    p += word.length;
    return p + strspn(p, " \t");
}

static const char *find_type(const struct prometheus_reader *r, struct slice name)
{
    return r->family_slots == 0 ? NULL : slot_of(r, name)->type;
}

const char *prometheus_type_of(struct prometheus_reader *r, struct slice sample)
{
    const char *type;

    if (r->last_type != NULL && slice_same(r->last_name, sample))
        return r->last_type;
    type = find_type(r, sample);
    for (size_t i = 0; i < COUNT(suffixes) && type == NULL; i++) {
        size_t length = strlen(suffixes[i]);

        if (sample.length > length &&
            memcmp(sample.data + sample.length - length, suffixes[i], length) == 0)
            type = find_type(r, (struct slice){sample.data, sample.length - length});
    }
    r->last_name = sample;
    r->last_type = type == NULL ? "untyped" : type;
    return r->last_type;
}

void prometheus_free_parts(struct prometheus_reader *r)
{
    free(r->labels.items);
    free(r->families);
}
