/* Values of the calendar: cron lines and time zones. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/load.h"
#include "config/suggest.h"

/* Guessing walks over the whole zone database: enough mistakes, and nobody would read more. */
#define MOST_GUESSES 50

static void refuse_cron(struct load *load, const struct where *where, const struct scalar *scalar,
                        size_t column, const struct error *err)
{
    /* All before the column is ASCII: bytes are characters. */
    struct place place = scalar->substituted ? place_of(load, scalar->item)
                                             : place_in(load, scalar->item, column - 1);

    load_mistake(load, place, where, "%s is not a cron line: %s", load_quote_scalar(load, scalar),
                 scalar->substituted ? "look at what the variables hold" : err->text);
}

static struct cron *read_cron(struct load *load, const struct where *where,
                              const struct scalar *scalar)
{
    const char *text = load_keep(load, scalar->text, scalar->length);
    struct cron *cron = load_alloc(load, load->arena, sizeof(*cron));
    struct error err = {0};
    size_t column;

    if (text == NULL || cron == NULL)
        return NULL;
    if (cron_parse(text, cron, &column, &err) == -1) {
        refuse_cron(load, where, scalar, column, &err);
        return NULL;
    }
    if (config_map_put(&load->crons, (struct slice){text, scalar->length}, cron) == -1) {
        load_out_of_memory(load);
        return NULL;
    }
    return cron;
}

/* A line that thousands of sources share is read once. */
bool load_cron(struct load *load, const struct where *where, const struct key *key,
               struct item *item, void *target)
{
    struct scalar scalar;
    struct cron *cron;

    if (!load_text(load, where, item, "a cron line, as in \"0 6 * * *\"", &scalar))
        return false;
    cron = config_map_get(&load->crons, (struct slice){scalar.text, scalar.length});
    if (cron == NULL)
        cron = read_cron(load, where, &scalar);
    if (cron == NULL)
        return false;
    store_pointer(key, target, cron);
    return true;
}

/* --- Time zones. --- */

/* What became of a name. */
struct named_zone {
    const struct zone *zone;
    const char *name;
    const char *problem; /* why it was refused, with the way out; NULL: it was not */
};

struct guess {
    const char *written;
    size_t length;
    unsigned distance;
    char best[64]; /* the names that are offered do not last; "": none is near */
};

/* Between abbreviations two slips say nothing: PST is not a misspelt MST. */
static void offer(struct suggestion *near, const struct guess *guess, const char *word)
{
    if (guess->length > 4 || strcasecmp(word, guess->written) == 0)
        suggest_offer(near, word, guess->written, guess->length);
}

/* Of two that are as near the shorter, then by the alphabet: in whichever order they come. */
static bool is_better(const struct guess *guess, const struct suggestion *near, const char *name)
{
    size_t length = strlen(name);
    size_t best_length = strlen(guess->best);

    if (near->word == NULL || length >= sizeof(guess->best))
        return false;
    if (best_length == 0 || near->distance != guess->distance)
        return best_length == 0 || near->distance < guess->distance;
    if (length != best_length)
        return length < best_length;
    return strcmp(name, guess->best) < 0;
}

/* The whole name, or what stands behind its last /: who writes "paris" means Europe/Paris. */
static void offer_zone(void *context, const char *name)
{
    struct guess *guess = context;
    const char *city = strrchr(name, '/');
    struct suggestion near = {0};

    offer(&near, guess, name);
    if (city != NULL)
        offer(&near, guess, city + 1);
    if (!is_better(guess, &near, name))
        return;
    strcpy(guess->best, name);
    guess->distance = near.distance;
}

static void write_problem(struct load *load, const struct scalar *scalar, const struct error *err,
                          struct text *out)
{
    struct guess guess = {.written = scalar->text, .length = scalar->length};

    if (err->code == ERROR_UNAVAILABLE || (err->code != ERROR_CONFIG && !scalar->substituted)) {
        text_add(out, err->text);
        return;
    }
    if (load->mistake_count < MOST_GUESSES && !scalar->substituted)
        zone_each_name(offer_zone, &guess);
    text_format(out, "%s is not a time zone; ", load_quote_scalar(load, scalar));
    if (guess.best[0] != '\0')
        text_format(out, "did you mean \"%s\"?", guess.best);
    else
        text_add(out, "write an IANA name, as in Europe/Paris");
}

/* Why a name was refused, for all the places it stands in. NULL: out of memory. */
static const char *keep_problem(struct load *load, const struct scalar *scalar,
                                const struct error *err)
{
    struct text problem = {0};
    const char *kept = NULL;

    write_problem(load, scalar, err, &problem);
    if (!text_failed(&problem))
        kept = arena_copy(load->notes, text_string(&problem), problem.length);
    text_free(&problem);
    return kept;
}

static struct named_zone *read_zone(struct load *load, const struct scalar *scalar)
{
    struct named_zone *named = load_alloc(load, load->notes, sizeof(*named));
    const char *name = load_keep(load, scalar->text, scalar->length);
    struct error err = {0};

    if (named == NULL || name == NULL)
        return NULL;
    named->name = name;
    if (zone_read(name, load->arena, &named->zone, &err) == -1 && err.code != ERROR_NOMEM)
        named->problem = keep_problem(load, scalar, &err);
    if ((err.code != ERROR_NONE && named->problem == NULL) ||
        config_map_put(&load->zones, (struct slice){name, scalar->length}, named) == -1) {
        load_out_of_memory(load);
        return NULL;
    }
    return named;
}

/* A zone that thousands of sources share is read once. */
bool load_timezone(struct load *load, const struct where *where, const struct key *key,
                   struct item *item, void *target)
{
    struct named_zone *named;
    struct scalar scalar;

    if (!load_text(load, where, item, "a time zone, as in Europe/Paris", &scalar))
        return false;
    named = config_map_get(&load->zones, (struct slice){scalar.text, scalar.length});
    if (named == NULL)
        named = read_zone(load, &scalar);
    if (named == NULL)
        return false;
    if (named->problem != NULL) {
        load_mistake(load, place_of(load, item), where, "%s", named->problem);
        return false;
    }
    memcpy((char *)target + key->count_offset, &named->zone, sizeof(named->zone));
    store_pointer(key, target, named->name);
    return true;
}
