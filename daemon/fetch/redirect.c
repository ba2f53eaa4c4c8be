#include "fetch/redirect.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The parts of a URL that rules look at; each owned by libcurl, NULL when it is not there. */
struct parts {
    char *scheme;
    char *host;
    char *port;
    char *user;
    char *password;
};

static void get_part(CURLU *url, CURLUPart what, unsigned flags, char **part)
{
    if (curl_url_get(url, what, part, flags) != CURLUE_OK)
        *part = NULL;
}

static void get_parts(CURLU *url, struct parts *parts)
{
    get_part(url, CURLUPART_SCHEME, 0, &parts->scheme);
    get_part(url, CURLUPART_HOST, 0, &parts->host);
    get_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &parts->port);
    get_part(url, CURLUPART_USER, 0, &parts->user);
    get_part(url, CURLUPART_PASSWORD, 0, &parts->password);
}

static void free_parts(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->user);
    curl_free(parts->password);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

static bool is_http(const char *scheme)
{
    return same(scheme, "http") || same(scheme, "https");
}

/* Whether the rules let us go from one to the other. */
static int check_target(const struct parts *from, const struct parts *to, struct fault *fault)
{
    if (!is_http(to->scheme)) {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "redirect to a %.40s address refused",
                  to->scheme == NULL ? "relative" : to->scheme);
        return -1;
    }
    if (to->host == NULL || to->host[0] == '\0') {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "redirect to an address without a host");
        return -1;
    }
    if (to->user != NULL || to->password != NULL) {
        fault_set(fault, RUN_FAILED_REDIRECT, false,
                  "redirect to an address with a user name refused");
        return -1;
    }
    if (same(from->scheme, "https") && !same(to->scheme, "https")) {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "redirect from https to http refused");
        return -1;
    }
    return 0;
}

/* Puts the URL's own credentials back, which were taken off to see those of the target. */
static CURLUcode restore_user(CURLU *url, const struct parts *from)
{
    CURLUcode code = CURLUE_OK;

    if (from->user != NULL)
        code = curl_url_set(url, CURLUPART_USER, from->user, 0);
    if (code == CURLUE_OK && from->password != NULL)
        code = curl_url_set(url, CURLUPART_PASSWORD, from->password, 0);
    return code;
}

static int follow(CURLU *url, const char *location, const struct parts *from, struct redirect *out,
                  struct fault *fault)
{
    struct parts to = {0};
    char *target = NULL;
    int rc = -1;

    if (curl_url_set(url, CURLUPART_USER, NULL, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) !=
            CURLUE_OK) {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "the Location of the redirect is no URL");
        return -1;
    }
    get_parts(url, &to);
    if (check_target(from, &to, fault) == -1)
        goto out;
    out->same_origin =
        same(from->scheme, to.scheme) && same(from->host, to.host) && same(from->port, to.port);
    if ((out->same_origin && restore_user(url, from) != CURLUE_OK) ||
        curl_url_get(url, CURLUPART_URL, &target, 0) != CURLUE_OK ||
        (out->url = strdup(target)) == NULL) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for a redirect");
        goto out;
    }
    rc = 0;

out:
    curl_free(target);
    free_parts(&to);
    return rc;
}

int redirect_resolve(const char *from, const char *location, struct redirect *out,
                     struct fault *fault)
{
    struct parts parts = {0};
    CURLU *url;
    int rc = -1;

    *out = (struct redirect){0};
    if (location == NULL || location[0] == '\0') {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "redirect without a Location");
        return -1;
    }
    url = curl_url();
    if (url == NULL || curl_url_set(url, CURLUPART_URL, from, CURLU_URLENCODE) != CURLUE_OK) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for a redirect");
    } else {
        get_parts(url, &parts);
        rc = follow(url, location, &parts, out, fault);
    }
    free_parts(&parts);
    curl_url_cleanup(url);
    return rc;
}
