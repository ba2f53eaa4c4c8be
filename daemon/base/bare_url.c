#include "gatherd/bare_url.h"

#include <string.h>

void bare_url(struct text *out, const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *host = scheme == NULL ? url : scheme + 3;
    size_t authority = strcspn(host, "/?#");

    text_append(out, url, (size_t)(host - url));
    for (size_t i = authority; i > 0; i--) {
        if (host[i - 1] == '@') {
            host += i;
            break;
        }
    }
    text_append(out, host, strcspn(host, "?#"));
}
