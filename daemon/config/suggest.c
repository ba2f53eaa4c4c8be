#include "config/suggest.h"

#include <ctype.h>
#include <string.h>

#define LONGEST     40
#define MOST_EDITS  2
#define NO_DISTANCE 99u

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int lower(const char *text, size_t i)
{
    return tolower((unsigned char)text[i]);
}

/*
 * Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions,
 * deletions, replacements and swaps of neighbours count one each. Three rows of the table suffice.
 */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0];
    unsigned *above = rows[1];
    unsigned *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *oldest = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned cost = lower(a, i - 1) != lower(b, j - 1);

            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && lower(a, i - 1) == lower(b, j - 2) &&
                lower(a, i - 2) == lower(b, j - 1))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

void suggest_offer(struct suggestion *best, const char *word, const char *written, size_t length)
{
    size_t word_length = strlen(word);
    size_t longer = word_length > length ? word_length : length;
    size_t shorter = word_length + length - longer;
    /* So few edits that they do not make any short word of any other; case is not an edit. */
    unsigned most = longer < 3 ? 0 : longer < 4 ? 1 : MOST_EDITS;
    unsigned edits = NO_DISTANCE;

    if (longer <= LONGEST && longer - shorter <= most)
        edits = distance(word, word_length, written, length);
    if (edits <= most && (best->word == NULL || edits < best->distance))
        *best = (struct suggestion){word, edits};
}
