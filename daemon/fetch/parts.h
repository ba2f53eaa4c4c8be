/*
 * parts.h - the parts of a URL that rules look at: where a redirect or a page may lead.
 */
#ifndef GATHERD_FETCH_PARTS_H
#define GATHERD_FETCH_PARTS_H

#include <curl/curl.h>
#include <stdbool.h>

/* Each owned by libcurl, NULL when it is not there. */
struct parts {
    char *scheme;
    char *host;
    char *port; /* the scheme's own where the URL has none */
    char *user;
    char *password;
};

void parts_get(CURLU *url, struct parts *parts);
void parts_free(struct parts *parts);

bool part_same(const char *a, const char *b); /* case ignored; false when one is NULL */
bool parts_are_http(const struct parts *parts);
bool parts_same_origin(const struct parts *a, const struct parts *b);

/*
 * Sets `url`, an absolute URL, to what `reference` means from there, without its user name and
 * password. false: `reference` is no URL.
 */
bool parts_resolve(CURLU *url, const char *reference);

/* Puts user name and password back into a URL of the same origin. */
CURLUcode parts_restore_user(CURLU *url, const struct parts *from);

#endif
