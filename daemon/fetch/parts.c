#include "fetch/parts.h"

#include <strings.h>

static void get_part(CURLU *url, CURLUPart what, unsigned flags, char **part)
{
    if (curl_url_get(url, what, part, flags) != CURLUE_OK)
        *part = NULL;
}

void parts_get(CURLU *url, struct parts *parts)
{
    get_part(url, CURLUPART_SCHEME, 0, &parts->scheme);
    get_part(url, CURLUPART_HOST, 0, &parts->host);
    get_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &parts->port);
    get_part(url, CURLUPART_USER, 0, &parts->user);
    get_part(url, CURLUPART_PASSWORD, 0, &parts->password);
}

void parts_free(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->user);
    curl_free(parts->password);
}

bool part_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

bool parts_are_http(const struct parts *parts)
{
    return part_same(parts->scheme, "http") || part_same(parts->scheme, "https");
}

bool parts_same_origin(const struct parts *a, const struct parts *b)
{
    return part_same(a->scheme, b->scheme) && part_same(a->host, b->host) &&
           part_same(a->port, b->port);
}

bool parts_resolve(CURLU *url, const char *reference)
{
    if (curl_url_set(url, CURLUPART_USER, NULL, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) != CURLUE_OK)
        return false;
    /* The same document, by RFC 3986, 5.2.2; libcurl 7.88 would drop its query and last segment. */
    return reference[0] == '#' ||
           curl_url_set(url, CURLUPART_URL, reference,
                        CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
}

CURLUcode parts_restore_user(CURLU *url, const struct parts *from)
{
    CURLUcode code = CURLUE_OK;

    if (from->user != NULL)
        code = curl_url_set(url, CURLUPART_USER, from->user, 0);
    if (code == CURLUE_OK && from->password != NULL)
        code = curl_url_set(url, CURLUPART_PASSWORD, from->password, 0);
    return code;
}
