#include "key_example.h"

#include <string.h>

static bool is_for(const struct key *key, const char *name)
{
    return strcmp(key->name, name) == 0;
}

void key_example_yaml(struct text *yaml, const struct key *key)
{
    if (is_for(key, "rate_limit"))
        text_add(yaml, "rate_limits: {github: {requests: 1, per: 1s}}\n");
    text_add(yaml, "sources:\n- ");
    if (is_for(key, "for_each"))
        text_add(yaml, "{name: repositories, url: https://example.org/repositories}\n- ");
    if (!is_for(key, "name"))
        text_add(yaml, "name: a\n  ");
    if (!is_for(key, "url"))
        text_format(yaml, "url: https://example.org/%s\n  ",
                    is_for(key, "for_each") ? "{item.id}" : "");
    if (is_for(key, "write_mode"))
        text_add(yaml, "primary_key: id\n  ");
    if (is_for(key, "on_missing"))
        text_add(yaml, "primary_key: id\n  ");
    if (is_for(key, "max_shrink"))
        text_add(yaml, "write_mode: replace\n  ");
    if (is_for(key, "ignore"))
        text_add(yaml, "primary_key: id\n  write_mode: history\n  ");
    if (is_for(key, "timezone") || is_for(key, "offset"))
        text_add(yaml, "align: true\n  ");
    if (is_for(key, "proxy_password") || is_for(key, "no_proxy"))
        text_add(yaml, "proxy_url: http://user@proxy.example.org:3128\n  ");
    text_format(yaml, "%s: %s\n", key->name, key->example);
}
