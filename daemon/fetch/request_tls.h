/*
 * request_tls.h - what libcurl is told about TLS.
 */
#ifndef GATHERD_FETCH_REQUEST_TLS_H
#define GATHERD_FETCH_REQUEST_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "fetch/failure.h"
#include "fetch/tls_files.h"
#include "gatherd/config.h"

/* What all requests have in common. `ca_file`: the authorities; NULL: the system's. */
CURLcode request_prepare_tls(CURL *easy, const char *ca_file);

/*
 * Sets who may vouch for the server and who we are; `tls` NULL: nothing was said. Another origin
 * than the source's gets no client certificate, and is verified in any case. 0, or -1 with the
 * fault set.
 */
int request_set_tls(CURL *easy, const struct tls_options *tls, bool own_origin,
                    struct tls_files *files, struct fault *fault);

/* Takes keys and certificates out of the handle. */
void request_forget_tls(CURL *easy);

/*
 * Has the server asked for as `name`, while the connection goes to the host of `url` and the
 * header Host names that: libcurl takes the name for TLS from the URL, so it gets another one, and
 * is told where to connect instead. Appends to `connect_to`, and to `headers` unless one of them is
 * a Host. CURLE_OK, or what went wrong.
 */
CURLcode request_set_server_name(CURL *easy, const char *url, const char *name,
                                 struct curl_slist **headers, struct curl_slist **connect_to);

#endif
