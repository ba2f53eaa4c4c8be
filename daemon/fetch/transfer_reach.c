/*
 * To which addresses a transfer may go.
 *
 * The check sits where a socket is opened: there the name has been resolved and nothing has been
 * sent. A kept connection opens none, so it is looked at once more before its request. Through a
 * proxy neither sees the server's address; then only what the URL itself says can be judged, and
 * names are the proxy's to judge.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "fetch/address.h"
#include "fetch/transfer.h"

static bool refuse(struct transfer *transfer, const char *address)
{
    if (transfer->redirects == 0)
        fault_set(&transfer->receiver.fault, RUN_FAILED_NETWORK, false,
                  "%.60s is not public, and allow_private_networks is false", address);
    else if (transfer->run->source->private_networks == PRIVATE_REFUSED)
        fault_set(
            &transfer->receiver.fault, RUN_FAILED_REDIRECT, false,
            "redirect to %.60s refused: it is not public, and allow_private_networks is false",
            address);
    else
        fault_set(&transfer->receiver.fault, RUN_FAILED_REDIRECT, false,
                  "redirect from a public address to %.60s, which is not public, refused", address);
    return false;
}

static bool may_reach(struct transfer *transfer, bool is_public, const char *address)
{
    bool may = true;

    if (is_public)
        return true;
    switch (transfer->run->source->private_networks) {
    case PRIVATE_ALLOWED:
        break;
    case PRIVATE_REFUSED:
        may = false;
        break;
    case PRIVATE_BY_ORIGIN:
        may = transfer->redirects == 0 || !transfer->from_public;
        break;
    }
    return may ? true : refuse(transfer, address);
}

/* Whether it is the server's address that a socket is opened to. */
static bool sees_server(const struct transfer *transfer)
{
    return transfer->route.proxy == NULL && transfer->route.unix_socket == NULL;
}

bool transfer_may_ask(struct transfer *transfer)
{
    const char *url = text_string(&transfer->url);
    char host[ROUTE_HOST_SIZE];

    transfer->route = route_choose(transfer->run->source, url, transfer->own_origin);
    return transfer->route.proxy == NULL ||
           may_reach(transfer, !route_host_is_private(url, host), host);
}

void transfer_note_origin(struct transfer *transfer)
{
    char host[ROUTE_HOST_SIZE];
    char *ip = NULL;

    if (transfer->redirects > 0)
        return;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &ip);
    if (transfer->route.proxy != NULL)
        transfer->from_public = !route_host_is_private(text_string(&transfer->url), host);
    else
        transfer->from_public = sees_server(transfer) && ip != NULL && address_text_is_public(ip);
}

static const char *address_text(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    const void *ip = address->sa_family == AF_INET
                         ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                         : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;

    if (inet_ntop(address->sa_family, ip, text, INET6_ADDRSTRLEN) == NULL)
        return "an address";
    return text;
}

curl_socket_t transfer_open_socket(void *clientp, curlsocktype purpose,
                                   struct curl_sockaddr *address)
{
    struct transfer *transfer = clientp;
    char text[INET6_ADDRSTRLEN];
    curl_socket_t fd;

    (void)purpose;
    if (sees_server(transfer) &&
        !may_reach(transfer, address_is_public(&address->addr), address_text(&address->addr, text)))
        return CURL_SOCKET_BAD;
    fd = engine_open_socket(transfer->engine, address);
    if (fd == CURL_SOCKET_BAD)
        transfer->open_errno = errno;
    return fd;
}

int transfer_before_request(void *clientp, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *transfer = clientp;

    (void)local_ip;
    (void)port;
    (void)local_port;
    /* libcurl sends anew by itself where a kept connection turns out to be dead, and its words
     * about that are not about what comes now. */
    transfer->error_text[0] = '\0';
    if (!sees_server(transfer) || may_reach(transfer, address_text_is_public(ip), ip))
        return CURL_PREREQFUNC_OK;
    return CURL_PREREQFUNC_ABORT;
}
