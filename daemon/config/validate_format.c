/* What a source says of the format of its answers. */
#include "config/load.h"
#include "gatherd/charset.h"

static void check_encoding(struct load *load, const struct where *where,
                           const struct source *source, const struct given *given)
{
    struct where here = where_key(where, source_key_set.keys[SOURCE_ENCODING].name);

    if (given->at[SOURCE_ENCODING] == NULL || !is_sound(given, SOURCE_ENCODING) ||
        charset_by_name(source->encoding) != NULL)
        return;
    load_mistake(load, place_of(load, given->at[SOURCE_ENCODING]), &here,
                 "is no character set that iconv knows; write a name as in windows-1252 (iconv "
                 "--list shows them)");
}

void check_format(struct load *load, const struct where *where, const struct source *source,
                  const struct given *given)
{
    check_encoding(load, where, source, given);
}
