/*
 * url.h - a strict reading of http and https URLs (RFC 3986).
 *
 * Strict because what is sent is the URL as it was written: a mistake here would be a failed
 * request every minute. Says where it is wrong without repeating the URL, which may hold a secret.
 */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Room for "name:port" with its NUL: 253 characters of name (RFC 1035), ':' and 5 digits. */
#define URL_HOST_SIZE 264

/*
 * Whether `url` is one we can fetch. Writes "name:port" in lower case to `host`, with the scheme's
 * own port when there is none. On false `*problem` says what is wrong and what to do, and `*offset`
 * is the byte it is about.
 */
bool url_check(const char *url, char host[URL_HOST_SIZE], const char **problem, size_t *offset);

/* The same with placeholders (template.h), which may stand behind the host. */
bool url_check_template(const char *url, char host[URL_HOST_SIZE], const char **problem,
                        size_t *offset);

/* Whether `name` is the name of a host or an IPv4 address. False: as url_check() says. */
bool url_check_host(const char *name, const char **problem, size_t *offset);

#endif
