/* Any bytes as a Link header: what is found lies inside of them, and what is broken is explained.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "process/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = {(const char *)data, size};
    struct slice target = {0};
    const char *problem = NULL;

    switch (link_find_next(value, &target, &problem)) {
    case LINK_NONE:
        break;
    case LINK_FOUND:
        if (target.length == 0 || target.data < value.data ||
            target.data + target.length > value.data + size)
            abort();
        break;
    case LINK_BROKEN:
        if (problem == NULL)
            abort();
        break;
    }
    return 0;
}
