#include "fetch/route.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/address.h"

/* The host without the brackets of IPv6 and without a dot at its end; libcurl has made an IPv4
 * address out of 0x7f.1 and its like. False: no host, or out of memory. */
static bool get_host(const char *url, char host[ROUTE_HOST_SIZE])
{
    CURLU *parts = curl_url();
    char *part = NULL;
    bool found = false;

    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &part, 0) == CURLUE_OK) {
        size_t skip = *part == '[';
        size_t length = strcspn(part + skip, "]");

        if (length > 1 && part[skip + length - 1] == '.')
            length--;
        snprintf(host, ROUTE_HOST_SIZE, "%.*s", (int)length, part + skip);
        found = length > 0 && length < ROUTE_HOST_SIZE;
    }
    curl_free(part);
    curl_url_cleanup(parts);
    return found;
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool route_host_is_private(const char *url, char host[ROUTE_HOST_SIZE])
{
    static const char local[] = "localhost";
    size_t length;

    if (!get_host(url, host)) {
        strcpy(host, "no host");
        return true;
    }
    if (is_address(host))
        return !address_text_is_public(host);
    length = strlen(host);
    return length >= strlen(local) && strcasecmp(host + length - strlen(local), local) == 0 &&
           (length == strlen(local) || host[length - strlen(local) - 1] == '.');
}

/* Whether the first `bits` bits are the same. */
static bool same_network(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    return memcmp(a, b, bits / 8) == 0 &&
           (bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0);
}

/* An address, or a range of them ("10.0.0.0/8"). */
static bool holds_address(const char *entry, const char *host)
{
    size_t length = strcspn(entry, "/");
    char network[INET6_ADDRSTRLEN];
    unsigned char from[16];
    unsigned char address[16];

    if (length >= sizeof(network))
        return false;
    memcpy(network, entry, length);
    network[length] = '\0';
    for (int i = 0; i < 2; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        unsigned most = i == 0 ? 32 : 128;
        unsigned bits = entry[length] == '/' ? (unsigned)atoi(entry + length + 1) : most;

        if (inet_pton(family, network, from) == 1 && inet_pton(family, host, address) == 1)
            return bits <= most && same_network(from, address, bits);
    }
    return false;
}

bool route_matches(const char *entry, const char *host)
{
    size_t length;
    size_t rest;

    if (strcmp(entry, "*") == 0)
        return true;
    if (is_address(host))
        return holds_address(entry, host);
    entry += *entry == '.';
    length = strlen(entry);
    if (length > 1 && entry[length - 1] == '.')
        length--;
    rest = strlen(host) - length;
    return strlen(host) >= length && strncasecmp(host + rest, entry, length) == 0 &&
           (rest == 0 || host[rest - 1] == '.');
}

static bool goes_without(const struct source *source, const char *url)
{
    char host[ROUTE_HOST_SIZE];

    if (source->no_proxy_count == 0 || !get_host(url, host))
        return false;
    for (size_t i = 0; i < source->no_proxy_count; i++) {
        if (route_matches(source->no_proxy[i], host))
            return true;
    }
    return false;
}

struct route route_choose(const struct source *source, const char *url, bool own_origin)
{
    struct route route = {0};

    if (source->unix_socket != NULL)
        route.unix_socket = own_origin ? source->unix_socket : NULL;
    else if (source->proxy != NULL && !goes_without(source, url))
        route.proxy = source->proxy;
    return route;
}
