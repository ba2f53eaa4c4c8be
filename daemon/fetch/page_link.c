#include "fetch/page_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/parts.h"
#include "gatherd/text.h"

#define HOST_SIZE       300 /* a name and a port */
#define MOST_HOST_BYTES 100 /* of a name, in messages */

static bool refuse(struct fault *fault, const char *what)
{
    fault_set(fault, RUN_FAILED_PAGES, false, "the link to the next page %s", what);
    return false;
}

static bool refuse_host(struct fault *fault, const char *host)
{
    struct text shown = {0};

    text_visible(&shown, host, strnlen(host, MOST_HOST_BYTES));
    fault_set(fault, RUN_FAILED_PAGES, false,
              "the link to the next page leads to %s, which is not the source's host; if that may "
              "be sent the source's headers, add it to allowed_hosts",
              text_string(&shown));
    text_free(&shown);
    return false;
}

/* "name:port"; an entry without a port stands for the scheme's own. */
static bool is_entry(const char *entry, const struct parts *to)
{
    char host[HOST_SIZE];
    const char *port = part_same(to->scheme, "https") ? "443" : "80";

    snprintf(host, sizeof(host), "%s:%s", to->host, to->port);
    if (part_same(entry, host))
        return true;
    return strcmp(to->port, port) == 0 && part_same(entry, to->host);
}

static bool is_allowed(const struct source *source, const struct parts *to)
{
    const struct pagination *pagination = source->pagination;

    if (is_entry(source->host, to))
        return true;
    for (size_t i = 0; i < pagination->allowed_host_count; i++) {
        if (is_entry(pagination->allowed_hosts[i], to))
            return true;
    }
    return false;
}

/* The same name, from the port of http to that of https: a server that prefers to be asked so. */
static bool is_upgrade(const struct parts *from, const struct parts *to)
{
    return part_same(from->scheme, "http") && part_same(to->scheme, "https") &&
           part_same(from->host, to->host) && strcmp(from->port, "80") == 0 &&
           strcmp(to->port, "443") == 0;
}

static bool may_go(const struct source *source, const struct parts *from, const struct parts *to,
                   struct fault *fault)
{
    if (!parts_are_http(to))
        return refuse(fault, "leads to neither http nor https, which is refused");
    if (to->host == NULL || to->host[0] == '\0' || to->port == NULL)
        return refuse(fault, "has no host");
    if (to->user != NULL || to->password != NULL)
        return refuse(fault, "has a user name, which is refused");
    if (part_same(from->scheme, "https") && !part_same(to->scheme, "https"))
        return refuse(fault, "leads from https to http, which is refused");
    if (!is_allowed(source, to) && !is_upgrade(from, to))
        return refuse_host(fault, to->host);
    return true;
}

static char *written(CURLU *url, const struct parts *from, const struct parts *to,
                     struct fault *fault)
{
    char *target = NULL;
    char *copy = NULL;

    if ((!parts_same_origin(from, to) || parts_restore_user(url, from) == CURLUE_OK) &&
        curl_url_get(url, CURLUPART_URL, &target, 0) == CURLUE_OK)
        copy = strdup(target);
    curl_free(target);
    if (copy == NULL)
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for the next page's URL");
    return copy;
}

char *page_link_resolve(const struct source *source, const char *from, const char *link,
                        struct fault *fault)
{
    struct parts here = {0};
    struct parts there = {0};
    CURLU *url = curl_url();
    char *target = NULL;

    if (url == NULL || curl_url_set(url, CURLUPART_URL, from, CURLU_URLENCODE) != CURLUE_OK) {
        fault_set(fault, RUN_FAILED_NETWORK, true, "out of memory for the next page's URL");
        goto out;
    }
    parts_get(url, &here);
    if (!parts_resolve(url, link)) {
        refuse(fault, "is no URL");
        goto out;
    }
    parts_get(url, &there);
    if (may_go(source, &here, &there, fault))
        target = written(url, &here, &there, fault);

out:
    parts_free(&here);
    parts_free(&there);
    curl_url_cleanup(url);
    return target;
}
