/*
 * setopt.h - curl_easy_setopt() many times with one look at what came of it: after a failure
 * nothing more is set, and its code stays.
 */
#ifndef GATHERD_FETCH_SETOPT_H
#define GATHERD_FETCH_SETOPT_H

#include <curl/curl.h>

static inline void set_long(CURL *easy, CURLoption option, long value, CURLcode *code)
{
    if (*code == CURLE_OK)
        *code = curl_easy_setopt(easy, option, value);
}

static inline void set_pointer(CURL *easy, CURLoption option, const void *value, CURLcode *code)
{
    if (*code == CURLE_OK)
        *code = curl_easy_setopt(easy, option, value);
}

#endif
