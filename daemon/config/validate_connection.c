/* Rules that bind the keys of a source that say how its server is reached. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "config/load.h"
#include "config/url.h"

/* A rule is checked against what is in force; its message stands at a key that is written here. */
static void refuse(struct load *load, const struct where *where, const struct given *given,
                   unsigned row, const char *problem)
{
    struct where here = where_key(where, source_key_set.keys[row].name);

    load_mistake(load, place_of(load, given->at[row]), &here, "%s", problem);
}

static bool is_https(const struct source *source)
{
    return strncasecmp(source->url, "https:", 6) == 0;
}

static void check_tls_is_used(struct load *load, const struct where *where,
                              const struct source *source, const struct given *given)
{
    if (given->at[SOURCE_TLS] != NULL && is_given(given, SOURCE_URL) && !is_https(source))
        refuse(load, where, given, SOURCE_TLS,
               "the url is http, which has no TLS; write https there, or remove this");
}

/* --- Unix sockets. --- */

/* A socket and a proxy exclude each other; of one that defaults brought, the other takes over. */
static void choose_way(struct load *load, const struct where *where, struct source *source,
                       const struct given *given)
{
    if (source->unix_socket == NULL || source->proxy == NULL)
        return;
    if (given->at[SOURCE_UNIX_SOCKET] != NULL && given->at[SOURCE_PROXY_URL] != NULL)
        refuse(load, where, given, SOURCE_UNIX_SOCKET,
               "no proxy leads to a Unix socket; remove proxy_url, or this");
    if (given->at[SOURCE_PROXY_URL] != NULL)
        source->unix_socket = NULL;
    else
        source->proxy = NULL;
}

/* It is a place of its own for politeness, whatever the host of the url. */
static void check_unix_socket(struct load *load, const struct where *where, struct source *source,
                              const struct given *given)
{
    struct text host = {0};

    if (source->unix_socket == NULL)
        return;
    if (is_given(given, SOURCE_UNIX_SOCKET) &&
        strlen(source->unix_socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        refuse(load, where, given, SOURCE_UNIX_SOCKET,
               "longer than the 107 bytes that a socket's path may have; use a shorter one");
    text_format(&host, "unix:%s", source->unix_socket);
    if (text_failed(&host))
        load_out_of_memory(load);
    else
        source->host = load_keep(load, host.data, host.length);
    text_free(&host);
}

/* --- Proxies. --- */

static void check_password(struct load *load, const struct where *where, struct source *source,
                           const struct given *given)
{
    if (source->proxy_password == NULL)
        return;
    if (source->proxy != NULL && source->proxy->user != NULL && source->proxy->password == NULL)
        return;
    if (is_given(given, SOURCE_PROXY_PASSWORD) && is_sound(given, SOURCE_PROXY_URL))
        refuse(load, where, given, SOURCE_PROXY_PASSWORD,
               source->proxy == NULL ? "has no use without a proxy; add proxy_url, or remove this"
               : source->proxy->user == NULL
                   ? "belongs to no user; write one into proxy_url, as in http://user@proxy:3128"
                   : "proxy_url holds a password, too; remove one of them");
    source->proxy_password = NULL; /* a default for other sources */
}

/* "10.0.0.0/8", "2001:db8::/32" */
static bool is_range(const char *text)
{
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    size_t digits = slash == NULL ? 0 : strspn(slash + 1, "0123456789");
    int most;

    if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    most = inet_pton(AF_INET, address, bytes) == 1    ? 32
           : inet_pton(AF_INET6, address, bytes) == 1 ? 128
                                                      : -1;
    return digits > 0 && digits < 4 && slash[1 + digits] == '\0' && atoi(slash + 1) <= most;
}

static bool is_place(const char *text)
{
    unsigned char bytes[16];
    const char *problem;
    size_t offset;

    return strcmp(text, "*") == 0 || inet_pton(AF_INET6, text, bytes) == 1 || is_range(text) ||
           url_check_host(text + (*text == '.'), &problem, &offset);
}

static void check_no_proxy(struct load *load, const struct where *where,
                           const struct source *source, const struct given *given)
{
    if (!is_given(given, SOURCE_NO_PROXY) || !is_sound(given, SOURCE_PROXY_URL))
        return;
    if (source->proxy == NULL)
        refuse(load, where, given, SOURCE_NO_PROXY,
               "has no use without a proxy; add proxy_url, or remove this");
    for (size_t i = 0; i < source->no_proxy_count; i++) {
        if (!is_place(source->no_proxy[i])) {
            refuse(load, where, given, SOURCE_NO_PROXY,
                   "holds what is no place; write names of hosts, addresses, ranges as in "
                   "10.0.0.0/8, or *");
            return;
        }
    }
}

/* gatherd sees the address of the proxy only, never that of the server. */
static void check_private(struct load *load, const struct where *where, const struct source *source,
                          const struct given *given)
{
    unsigned row = SOURCE_URL;

    if (source->proxy == NULL || source->private_networks != PRIVATE_REFUSED)
        return;
    if (given->at[SOURCE_ALLOW_PRIVATE_NETWORKS] != NULL)
        row = SOURCE_ALLOW_PRIVATE_NETWORKS;
    else if (given->at[SOURCE_PROXY_URL] != NULL)
        row = SOURCE_PROXY_URL;
    if (given->at[row] != NULL)
        refuse(load, where, given, row,
               "with a proxy nobody here sees which address a name leads to; let the proxy refuse "
               "private addresses, and remove allow_private_networks or proxy_url");
}

static void check_http_version(struct load *load, const struct where *where,
                               const struct source *source, const struct given *given)
{
    unsigned row = given->at[SOURCE_HTTP_VERSION] != NULL ? SOURCE_HTTP_VERSION : SOURCE_URL;

    if (source->http_version != HTTP_VERSION_2 || source->proxy == NULL ||
        !is_given(given, SOURCE_URL) || is_https(source) ||
        strncmp(source->proxy->url, "socks", 5) == 0)
        return;
    refuse(load, where, given, row,
           "without TLS a proxy and HTTP/2 do not go together; write https, or another version");
}

void check_connection(struct load *load, const struct where *where, struct source *source,
                      const struct given *given)
{
    choose_way(load, where, source, given);
    check_tls_is_used(load, where, source, given);
    check_unix_socket(load, where, source, given);
    check_password(load, where, source, given);
    check_no_proxy(load, where, source, given);
    check_private(load, where, source, given);
    check_http_version(load, where, source, given);
}
