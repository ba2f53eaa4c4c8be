/*
 * Reading TZif (RFC 9636): a header and a block with times of 32 bits, then, from version 2 on, the
 * same again with times of 64 bits and a footer with the rule for what comes after. A file is
 * checked as if it came from outside: it is the machine's, but it decides loops and lengths here.
 */
#include <string.h>

#include "calendar/zone_data.h"

#define HEADER_BYTES 44
#define MOST_BYTES   (256u * 1024)

/* Times further off (zic writes the age of the universe) would overflow as milliseconds. */
#define FURTHEST_S (1LL << 50)

struct header {
    char version;
    uint32_t utc_flags;
    uint32_t standard_flags;
    uint32_t leap_seconds;
    uint32_t times;
    uint32_t types;
    uint32_t name_bytes;
};

/* What is left of the file. */
struct input {
    const unsigned char *data;
    size_t length;
};

static int64_t big_endian(const unsigned char *p, size_t bytes)
{
    uint64_t value = p[0] < 0x80 ? 0 : UINT64_MAX;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

static const unsigned char *take(struct input *in, size_t bytes)
{
    const unsigned char *p = in->data;

    if (bytes > in->length)
        return NULL;
    in->data += bytes;
    in->length -= bytes;
    return p;
}

static int read_header(struct input *in, struct header *h)
{
    const unsigned char *p = take(in, HEADER_BYTES);
    uint32_t counts[6];

    if (p == NULL || memcmp(p, "TZif", 4) != 0)
        return -1;
    for (size_t i = 0; i < 6; i++) {
        counts[i] = (uint32_t)big_endian(p + 20 + 4 * i, 4);
        if (counts[i] > MOST_BYTES)
            return -1;
    }
    *h = (struct header){(char)p[4], counts[0], counts[1], counts[2],
                         counts[3],  counts[4], counts[5]};
    return h->types > 0 && h->types <= 256 ? 0 : -1;
}

/* Bytes of the block behind a header whose times have `width` bytes. */
static size_t block_bytes(const struct header *h, size_t width)
{
    return h->times * (width + 1) + h->types * 6 + h->name_bytes + h->leap_seconds * (width + 4) +
           h->standard_flags + h->utc_flags;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int read_offset(const unsigned char *types, size_t type, int64_t *offset_ms)
{
    *offset_ms = big_endian(types + 6 * type, 4) * 1000;
    return *offset_ms > ZONE_OFFSET_LOW_MS && *offset_ms < ZONE_OFFSET_HIGH_MS ? 0 : -1;
}

static int read_changes(const unsigned char *block, const struct header *h, size_t width,
                        struct zone *zone, struct zone_change *changes)
{
    const unsigned char *type = block + h->times * width;
    const unsigned char *types = type + h->times;

    if (read_offset(types, 0, &zone->first_offset_ms) == -1)
        return -1;
    for (size_t i = 0; i < h->times; i++) {
        int64_t at_s = clamp(big_endian(block + i * width, width), -FURTHEST_S, FURTHEST_S);
        struct zone_change change = {.at_ms = at_s * 1000};

        if (type[i] >= h->types || read_offset(types, type[i], &change.offset_ms) == -1)
            return -1;
        if (zone->count > 0 && change.at_ms <= changes[zone->count - 1].at_ms)
            return -1;
        changes[zone->count++] = change;
    }
    zone->changes = changes;
    return 0;
}

static int read_footer(struct input *in, struct zone *zone)
{
    const unsigned char *end;

    if (in->length == 0 || in->data[0] != '\n')
        return -1;
    end = memchr(in->data + 1, '\n', in->length - 1);
    if (end == NULL)
        return -1;
    if (end == in->data + 1) /* no rule: it stays as the last change left it */
        return 0;
    zone->has_rule = true;
    return zone_rule_parse((const char *)in->data + 1, (size_t)(end - in->data) - 1, &zone->rule);
}

static const struct zone *damaged(struct error *err, const char *what)
{
    error_set(err, ERROR_FAILED, "%s", what);
    return NULL;
}

const struct zone *zone_parse(const void *data, size_t length, struct arena *arena,
                              struct error *err)
{
    struct input in = {data, length};
    struct zone_change *changes;
    const unsigned char *block;
    struct zone *zone;
    struct header h;
    size_t width = 4;

    if (read_header(&in, &h) == -1)
        return damaged(err, "it is not a TZif file");
    if (h.version != '\0') {
        width = 8;
        if (take(&in, block_bytes(&h, 4)) == NULL || read_header(&in, &h) == -1)
            return damaged(err, "the file is cut short or damaged");
    }
    if (h.leap_seconds > 0)
        return damaged(err, "it counts leap seconds, which Unix time does not; use the zone of the "
                            "same name outside of right/");
    block = take(&in, block_bytes(&h, width));
    if (block == NULL)
        return damaged(err, "the file is cut short or damaged");
    zone = arena_alloc(arena, sizeof(*zone));
    changes = arena_alloc(arena, h.times * sizeof(*changes));
    if (zone == NULL || changes == NULL) {
        error_set(err, ERROR_NOMEM, "out of memory");
        return NULL;
    }
    *zone = (struct zone){0};
    if (read_changes(block, &h, width, zone, changes) == -1 ||
        (width == 8 && read_footer(&in, zone) == -1))
        return damaged(err, "the file is damaged");
    return zone;
}
