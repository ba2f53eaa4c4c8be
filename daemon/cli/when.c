#include "cli/when.h"

#include "gatherd/text.h"
#include "gatherd/timestamp.h"
#include "gatherd/units.h"

int when_parse(const char *text, int64_t now_ms, int64_t *ms)
{
    int64_t ago_ms;

    if (timestamp_from_text(slice_of(text), ms))
        return 0;
    if (units_parse_duration(text, &ago_ms) == -1)
        return -1;
    *ms = now_ms - ago_ms;
    return 0;
}
