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

/* Keys that only some formats have a use for; with format auto the answer decides. */
static const struct {
    unsigned row;
    enum body_format formats[2];
    const char *advice;
} format_keys[] = {
    {SOURCE_CSV, {FORMAT_CSV, FORMAT_TSV}, "write format: csv or tsv, or remove it"},
    {SOURCE_XML, {FORMAT_XML, FORMAT_XML}, "write format: xml, or remove it"},
};

static void check_format_keys(struct load *load, const struct where *where,
                              const struct source *source, const struct given *given)
{
    for (size_t i = 0; i < sizeof(format_keys) / sizeof(format_keys[0]); i++) {
        unsigned row = format_keys[i].row;
        struct where here = where_key(where, source_key_set.keys[row].name);

        if (given->at[row] == NULL || !is_sound(given, SOURCE_FORMAT) ||
            source->format == FORMAT_AUTO || source->format == format_keys[i].formats[0] ||
            source->format == format_keys[i].formats[1])
            continue;
        load_mistake(load, place_of(load, given->at[row]), &here, "has no use with this format; %s",
                     format_keys[i].advice);
    }
}

/* Of arrays that belong together the lack is a fault in any case. */
static void check_lack(struct load *load, const struct where *where, const struct source *source,
                       const struct given *given)
{
    struct where here = where_key(where, source_key_set.keys[SOURCE_ON_NO_RECORDS].name);

    if (source->may_lack_records && given->at[SOURCE_MAPPING + MAPPING_ZIP] != NULL)
        load_mistake(load, place_of(load, given->at[SOURCE_ON_NO_RECORDS]), &here,
                     "goes with records, and zip is there in their place; remove it");
}

void check_format(struct load *load, const struct where *where, const struct source *source,
                  const struct given *given)
{
    check_encoding(load, where, source, given);
    check_format_keys(load, where, source, given);
    check_lack(load, where, source, given);
}
