#include "fetch/redirect.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/parts.h"

/* Whether the rules let us go from one to the other. */
static int check_target(const struct parts *from, const struct parts *to, struct fault *fault)
{
    if (!parts_are_http(to)) {
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
    if (part_same(from->scheme, "https") && !part_same(to->scheme, "https")) {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "redirect from https to http refused");
        return -1;
    }
    return 0;
}

static int follow(CURLU *url, const char *location, const struct parts *from, struct redirect *out,
                  struct fault *fault)
{
    struct parts to = {0};
    char *target = NULL;
    int rc = -1;

    if (!parts_resolve(url, location)) {
        fault_set(fault, RUN_FAILED_REDIRECT, false, "the Location of the redirect is no URL");
        return -1;
    }
    parts_get(url, &to);
    if (check_target(from, &to, fault) == -1)
        goto out;
    out->same_origin = parts_same_origin(from, &to);
    if ((out->same_origin && parts_restore_user(url, from) != CURLUE_OK) ||
        curl_url_get(url, CURLUPART_URL, &target, 0) != CURLUE_OK ||
        (out->url = strdup(target)) == NULL) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for a redirect");
        goto out;
    }
    rc = 0;

out:
    curl_free(target);
    parts_free(&to);
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
        parts_get(url, &parts);
        rc = follow(url, location, &parts, out, fault);
    }
    parts_free(&parts);
    curl_url_cleanup(url);
    return rc;
}
