/* The URL of a proxy. User and password in it are secrets: no message shows any of it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/load.h"
#include "config/url.h"

static const char *const schemes[] = {"http", "https", "socks5", "socks5h", NULL};

struct proxy_parts {
    const char *scheme; /* of the list */
    struct slice user;  /* data NULL: none; as it is written */
    struct slice password;
    const char *authority; /* host and port, to the end */
};

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)((found - digits) % 16);
}

/* What is wrong with the URL, or NULL. */
static const char *split(const char *url, struct proxy_parts *parts)
{
    const char *behind = strstr(url, "://");
    const char *at;
    const char *colon;

    *parts = (struct proxy_parts){0};
    for (const char *const *s = schemes; behind != NULL && *s != NULL; s++) {
        if (strlen(*s) == (size_t)(behind - url) && strncasecmp(*s, url, strlen(*s)) == 0)
            parts->scheme = *s;
    }
    if (parts->scheme == NULL)
        return "a proxy's URL begins with http://, https://, socks5:// or socks5h://";
    parts->authority = behind + 3;
    at = strrchr(parts->authority, '@');
    if (at == NULL)
        return NULL;
    parts->user = (struct slice){parts->authority, (size_t)(at - parts->authority)};
    parts->authority = at + 1;
    colon = memchr(parts->user.data, ':', parts->user.length);
    if (colon != NULL) {
        parts->password = (struct slice){colon + 1, (size_t)(at - colon - 1)};
        parts->user.length = (size_t)(colon - parts->user.data);
    }
    return parts->user.length == 0 ? "the user before the @ is empty; write it, or remove the @"
                                   : NULL;
}

/* %40 stands for @. NULL: not so; `problem` says why. */
static const char *decode(struct load *load, struct slice word, const char **problem)
{
    struct text out = {0};
    const char *kept = NULL;

    for (size_t i = 0; i < word.length && *problem == NULL; i++) {
        char c = word.data[i];

        if (c == '%' &&
            (i + 2 >= word.length || hex(word.data[i + 1]) < 0 || hex(word.data[i + 2]) < 0)) {
            *problem = "in user and password % needs two hexadecimal digits behind it; write %25 "
                       "for the character itself";
        } else if (c == '%') {
            c = (char)(hex(word.data[i + 1]) * 16 + hex(word.data[i + 2]));
            i += 2;
        }
        if (c == '\0' || c == '\r' || c == '\n')
            *problem = "user and password cannot hold a line break or a NUL";
        text_char(&out, c);
    }
    if (text_failed(&out))
        load_out_of_memory(load);
    else if (*problem == NULL)
        kept = load_keep(load, text_string(&out), out.length);
    text_free(&out);
    return kept;
}

/* "host:port", with the port in any case: that of proxies is a matter of taste. */
static const char *check_authority(const char *authority, struct text *out)
{
    char host[URL_HOST_SIZE];
    struct text url = {0};
    const char *problem = NULL;
    size_t length = strcspn(authority, "/?#");
    size_t offset;

    if (strcmp(authority + length, "") != 0 && strcmp(authority + length, "/") != 0)
        return "nothing can follow the port of a proxy; remove it";
    text_add(&url, "http://");
    text_append(&url, authority, length);
    if (!url_check(text_string(&url), host, &problem, &offset)) {
        text_free(&url);
        return problem;
    }
    text_free(&url);
    if (length == 0 || authority[length - 1] == ']' || memrchr(authority, ':', length) == NULL)
        return "no port; write it behind the host, as in http://proxy.example.org:3128";
    text_add(out, host);
    return NULL;
}

static const char *fill(struct load *load, const char *url, struct proxy *proxy)
{
    struct proxy_parts parts;
    struct text clean = {0};
    const char *problem = split(url, &parts);

    if (problem == NULL) {
        text_format(&clean, "%s://", parts.scheme);
        problem = check_authority(parts.authority, &clean);
    }
    if (problem == NULL)
        proxy->url = load_keep(load, text_string(&clean), clean.length);
    if (problem == NULL && parts.user.data != NULL)
        proxy->user = decode(load, parts.user, &problem);
    if (problem == NULL && parts.password.data != NULL)
        proxy->password = decode(load, parts.password, &problem);
    text_free(&clean);
    return problem;
}

bool load_proxy(struct load *load, const struct where *where, const struct key *key,
                struct item *item, void *target)
{
    struct proxy *proxy = load_alloc(load, load->arena, sizeof(*proxy));
    const char *problem;
    struct scalar scalar;

    if (proxy == NULL || !load_text(load, where, item, "the URL of a proxy", &scalar))
        return false;
    problem = fill(load, scalar.text, proxy);
    if (problem != NULL) {
        load_mistake(load, place_of(load, item), where, "%s", problem);
        return false;
    }
    store_pointer(key, target, proxy);
    return true;
}
