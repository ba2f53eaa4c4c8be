#include "fetch/request_tls.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/setopt.h"
#include "gatherd/secret.h"

/* An authority that the system trusts no longer, or newly, takes effect after so long. */
#define AUTHORITIES_CACHE_S 600L

/*
 * libcurl keeps one parsed trust store for a multi handle, but only when it comes from a single
 * file; with a CAPATH beside it (a default of Debian) each new connection parses the file again.
 */
CURLcode request_prepare_tls(CURL *easy, const char *ca_file)
{
    const char *file = ca_file != NULL ? ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
    CURLcode code = CURLE_OK;

    set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, AUTHORITIES_CACHE_S, &code);
    set_long(easy, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2, &code);
    if (file == NULL)
        return code; /* this libcurl knows only a directory, or the library's own store */
    set_pointer(easy, CURLOPT_CAINFO, file, &code);
    set_pointer(easy, CURLOPT_CAPATH, NULL, &code);
    set_pointer(easy, CURLOPT_PROXY_CAINFO, file, &code);
    set_pointer(easy, CURLOPT_PROXY_CAPATH, NULL, &code);
    return code;
}

/* Gives libcurl a copy of what a file holds; it may pass that the file is not there just now. */
static void set_file(CURL *easy, CURLoption option, const char *key, const char *path,
                     struct tls_files *files, CURLcode *code, struct fault *fault)
{
    struct slice content;
    struct curl_blob blob;
    struct error err = {0};

    if (*code != CURLE_OK || path == NULL)
        return;
    if (tls_files_get(files, path, &content, &err) == -1) {
        fault_set(fault, RUN_FAILED_TLS, true, "tls.%s: %s", key, err.text);
        *code = CURLE_SSL_CERTPROBLEM;
        return;
    }
    blob = (struct curl_blob){(void *)content.data, content.length, CURL_BLOB_COPY};
    *code = curl_easy_setopt(easy, option, &blob);
}

/* Without a password OpenSSL would ask for it on the terminal. */
static void set_password(CURL *easy, const struct secret *password, CURLcode *code,
                         struct fault *fault)
{
    struct text text = {0};
    struct error err = {0};

    if (*code != CURLE_OK)
        return;
    if (password != NULL && secret_read(password, &text, &err) == -1) {
        fault_set(fault, RUN_FAILED_TLS, true, "tls.key_password: %s", err.text);
        *code = CURLE_SSL_CERTPROBLEM;
    }
    set_pointer(easy, CURLOPT_KEYPASSWD, text_string(&text), code);
    secret_wipe(&text);
    text_free(&text);
}

static void set_certificate(CURL *easy, const struct tls_options *tls, struct tls_files *files,
                            CURLcode *code, struct fault *fault)
{
    const char *key = tls->key_file != NULL ? tls->key_file : tls->cert_file;

    set_file(easy, CURLOPT_SSLCERT_BLOB, "cert_file", tls->cert_file, files, code, fault);
    set_file(easy, CURLOPT_SSLKEY_BLOB, tls->key_file != NULL ? "key_file" : "cert_file", key,
             files, code, fault);
    set_password(easy, tls->key_password, code, fault);
}

int request_set_tls(CURL *easy, const struct tls_options *tls, bool own_origin,
                    struct tls_files *files, struct fault *fault)
{
    bool verify = tls == NULL || !own_origin || !tls->insecure_skip_verify;
    long version = tls != NULL && tls->min_version == TLS_1_3 ? CURL_SSLVERSION_TLSv1_3
                                                              : CURL_SSLVERSION_TLSv1_2;
    CURLcode code = CURLE_OK;

    set_long(easy, CURLOPT_SSLVERSION, version, &code);
    set_long(easy, CURLOPT_SSL_VERIFYPEER, verify, &code);
    set_long(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2 : 0, &code);
    if (tls != NULL)
        set_file(easy, CURLOPT_CAINFO_BLOB, "ca_file", tls->ca_file, files, &code, fault);
    if (tls != NULL && own_origin && tls->cert_file != NULL)
        set_certificate(easy, tls, files, &code, fault);
    if (code == CURLE_OK)
        return 0;
    fault_set(fault, RUN_FAILED_TLS, true, "cannot set TLS up: %s", curl_easy_strerror(code));
    return -1;
}

void request_forget_tls(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, (struct curl_blob *)NULL);
    curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, (struct curl_blob *)NULL);
    curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, (struct curl_blob *)NULL);
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, NULL);
}

/* The name of the server. */

static bool add_line(struct curl_slist **list, const struct text *line)
{
    struct curl_slist *longer =
        text_failed(line) ? NULL : curl_slist_append(*list, text_string(line));

    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool has_host(const struct curl_slist *headers)
{
    for (; headers != NULL; headers = headers->next) {
        if (strncasecmp(headers->data, "Host:", 5) == 0)
            return true;
    }
    return false;
}

/* "host" or "host:port", as the URL has it. */
static bool add_host_header(const char *host, const char *port, struct curl_slist **headers)
{
    struct text line = {0};
    bool added;

    if (has_host(*headers))
        return true;
    text_format(&line, port == NULL ? "Host: %s" : "Host: %s:%s", host, port);
    added = add_line(headers, &line);
    text_free(&line);
    return added;
}

/* For every host and port that libcurl thinks of. */
static bool add_connect_to(const char *host, const char *port, struct curl_slist **connect_to)
{
    struct text line = {0};
    bool added;

    text_format(&line, "::%s:%s", host, port == NULL ? "" : port);
    added = add_line(connect_to, &line);
    text_free(&line);
    return added;
}

CURLcode request_set_server_name(CURL *easy, const char *url, const char *name,
                                 struct curl_slist **headers, struct curl_slist **connect_to)
{
    CURLU *parts = curl_url();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    char *host = NULL;
    char *port = NULL;
    char *changed = NULL;

    if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        goto out;
    if (curl_url_get(parts, CURLUPART_PORT, &port, 0) != CURLUE_OK)
        port = NULL;
    if (!add_host_header(host, port, headers) || !add_connect_to(host, port, connect_to) ||
        curl_url_set(parts, CURLUPART_HOST, name, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_URL, &changed, 0) != CURLUE_OK)
        goto out;
    code = CURLE_OK;
    set_pointer(easy, CURLOPT_URL, changed, &code);
    set_pointer(easy, CURLOPT_CONNECT_TO, *connect_to, &code);

out:
    curl_free(host);
    curl_free(port);
    curl_free(changed);
    curl_url_cleanup(parts);
    return code;
}
