#include "config/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/template.h"

#define MOST_BYTES 8192
#define MOST_LABEL 63
#define MOST_NAME  253

struct reader {
    const char *url;
    const char *p; /* how far we are */
    const char **problem;
    size_t *offset;
    bool is_template;
};

static bool fail_at(struct reader *r, const char *p, const char *problem)
{
    *r->problem = problem;
    *r->offset = (size_t)(p - r->url);
    return false;
}

/* Bytes of the placeholder at `p`, whose format may hold anything, or 0. */
static size_t placeholder_length(const char *p)
{
    struct placeholder found;
    size_t place = 0;

    return *p == '{' && template_next(slice_of(p), &place, &found) && found.offset == 0
               ? found.whole.length
               : 0;
}

/* Characters that no part of a URL may hold; the way out is their percent-encoding. */
static bool check_characters(struct reader *r)
{
    for (const char *p = r->url; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        size_t placeholder = r->is_template ? placeholder_length(p) : 0;

        if (placeholder > 0) {
            p += placeholder - 1;
            continue;
        }

        if (p - r->url >= MOST_BYTES)
            return fail_at(r, p, "longer than 8192 bytes; move query parameters to params");
        if (c == ' ')
            return fail_at(r, p, "a space in a URL; write %20");
        if (c < ' ' || c == 0x7f)
            return fail_at(r, p, "a control character in a URL; remove it");
        if (c > 0x7f)
            return fail_at(r, p,
                           "a URL is ASCII; percent-encode other characters, and write a "
                           "host's name in its xn-- form");
        if (strchr("\"<>\\^`{}", c) != NULL)
            return fail_at(r, p, "this character cannot stand in a URL; percent-encode it");
        if (c == '#')
            return fail_at(r, p, "a fragment (# and what follows) is never sent; remove it");
        if (c == '%' && !(isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])))
            return fail_at(r, p,
                           "% needs two hexadecimal digits behind it; write %25 for the "
                           "character itself");
    }
    return true;
}

/* Limits, connections and redirects go by the origin, so it must be known before any request. */
static bool check_origin(struct reader *r)
{
    const char *separator = strstr(r->url, "://");
    const char *brace = strchr(r->url, '{');

    if (brace == NULL || (separator == NULL && brace > r->url) ||
        (separator != NULL && separator + 3 + strcspn(separator + 3, "/?") < brace))
        return true;
    return fail_at(r, brace,
                   "scheme, host and port are fixed, since limits go by them; a placeholder can "
                   "stand in the path, in the query and in params");
}

static bool read_scheme(struct reader *r, const char **port)
{
    const char *end = strstr(r->url, "://");

    if (strncasecmp(r->url, "http://", 7) == 0)
        *port = "80";
    else if (strncasecmp(r->url, "https://", 8) == 0)
        *port = "443";
    else if (end != NULL && end > r->url)
        return fail_at(r, r->url, "only http:// and https:// can be fetched; use one of them");
    else
        return fail_at(r, r->url, "a URL begins with http:// or https://; write it in full");
    r->p = end + 3;
    return true;
}

static bool is_host_character(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* Labels of 1 to 63 characters; one dot at the end is the root and allowed. */
static bool check_name(struct reader *r, const char *name, size_t length)
{
    size_t label = 0;

    for (size_t i = 0; i < length; i++) {
        if (!is_host_character(name[i]))
            return fail_at(r, name + i, "this character cannot stand in a host's name");
        label = name[i] == '.' ? 0 : label + 1;
        if (name[i] == '.' && (i == 0 || name[i - 1] == '.'))
            return fail_at(r, name + i, "a part of the host's name is empty; remove the dot");
        if (label > MOST_LABEL)
            return fail_at(r, name + i, "a part of the host's name is longer than 63 characters");
    }
    if (length > MOST_NAME)
        return fail_at(r, name, "the host's name is longer than 253 characters");
    return true;
}

/* A name whose last label is a number is an IPv4 address or a mistake. */
static bool check_address(struct reader *r, const char *host, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr address;
    size_t last = length;

    while (last > 0 && host[last - 1] != '.')
        last--;
    if (strspn(host + last, "0123456789") < length - last)
        return true;
    if (length >= sizeof(text))
        return fail_at(r, host, "not an IPv4 address; write four numbers from 0 to 255");
    memcpy(text, host, length);
    text[length] = '\0';
    if (length == last || inet_pton(AF_INET, text, &address) == 1)
        return true;
    return fail_at(r, host, "not an IPv4 address; write four numbers from 0 to 255");
}

static bool read_bracketed(struct reader *r, const char *end, size_t *length)
{
    const char *close = memchr(r->p, ']', (size_t)(end - r->p));
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (close == NULL)
        return fail_at(r, r->p, "the IPv6 address has no closing ]");
    *length = (size_t)(close + 1 - r->p);
    if (*length - 2 < sizeof(text)) {
        memcpy(text, r->p + 1, *length - 2);
        text[*length - 2] = '\0';
        if (inet_pton(AF_INET6, text, &address) == 1)
            return true;
    }
    return fail_at(r, r->p, "not an IPv6 address; write it as in [2001:db8::1], without a zone");
}

static bool read_host(struct reader *r, const char *end, size_t *length)
{
    if (*r->p == '[')
        return read_bracketed(r, end, length);
    *length = strcspn(r->p, ":/?");
    if (*length == 0)
        return fail_at(r, r->p, "no host; write its name after ://");
    return check_name(r, r->p, *length) && check_address(r, r->p, *length);
}

static bool read_port(struct reader *r, const char *end, const char **port, size_t *length)
{
    if (r->p == end) {
        *length = strlen(*port);
        return true;
    }
    if (*r->p != ':')
        return fail_at(r, r->p, "only a port or a path can follow the host");
    *port = r->p + 1;
    *length = (size_t)(end - *port);
    if (*length == 0 || *length > 5 || strspn(*port, "0123456789") < *length || atoi(*port) < 1 ||
        atoi(*port) > 65535)
        return fail_at(r, *port,
                       "the port is a number from 1 to 65535; write one, or remove the :");
    while (**port == '0') { /* "0080" and "80" are one place */
        (*port)++;
        (*length)--;
    }
    return true;
}

static bool read_url(struct reader *r, char host[URL_HOST_SIZE])
{
    const char *port = NULL;
    const char *name;
    const char *end;
    const char *at;
    size_t name_length = 0;
    size_t port_length = 0;

    if (!check_characters(r) || !check_origin(r) || !read_scheme(r, &port))
        return false;
    end = r->p + strcspn(r->p, "/?");
    at = memchr(r->p, '@', (size_t)(end - r->p));
    if (at != NULL)
        return fail_at(r, r->p,
                       "a user or password in a URL ends in logs; send it as a header instead");
    name = r->p;
    if (!read_host(r, end, &name_length))
        return false;
    r->p = name + name_length;
    if (!read_port(r, end, &port, &port_length))
        return false;
    snprintf(host, URL_HOST_SIZE, "%.*s:%.*s", (int)name_length, name, (int)port_length, port);
    for (char *p = host; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return true;
}

bool url_check(const char *url, char host[URL_HOST_SIZE], const char **problem, size_t *offset)
{
    struct reader r = {url, url, problem, offset, false};

    return read_url(&r, host);
}

bool url_check_template(const char *url, char host[URL_HOST_SIZE], const char **problem,
                        size_t *offset)
{
    struct reader r = {url, url, problem, offset, true};

    return read_url(&r, host);
}

bool url_check_host(const char *name, const char **problem, size_t *offset)
{
    struct reader r = {name, name, problem, offset, false};
    size_t length = strlen(name);

    if (length == 0)
        return fail_at(&r, name, "no host; write its name");
    return check_name(&r, name, length) && check_address(&r, name, length);
}
