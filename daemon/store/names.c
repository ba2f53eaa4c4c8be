#include "store/names.h"

#include "gatherd/hash.h"

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool name_is_own(const char *name)
{
    static const char *const own[] = {COLUMN_RUN_ID,     COLUMN_FETCHED_AT, COLUMN_MISSING_SINCE,
                                      COLUMN_VALID_FROM, COLUMN_VALID_TO,   COLUMN_CHANGED};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (name_same(name, own[i]))
            return true;
    }
    return false;
}

uint64_t name_hash(const char *name)
{
    char folded[NAME_SIZE];
    uint64_t hash = 0;

    while (*name != '\0') {
        size_t n = 0;

        while (n < sizeof(folded) && *name != '\0')
            folded[n++] = (char)fold(*name++);
        hash = hash * 31 + hash_bytes(folded, n);
    }
    return hash;
}

void name_quote(struct text *sql, const char *name)
{
    text_char(sql, '"');
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '"')
            text_char(sql, '"');
        text_char(sql, *p);
    }
    text_char(sql, '"');
}
