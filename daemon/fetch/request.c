#include "fetch/request.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "fetch/decoding.h"
#include "fetch/request_tls.h"
#include "fetch/setopt.h"
#include "gatherd/secret.h"

/*
 * Hosts polled less often than this close their connection after each answer: keeping it would not
 * save anything, since most servers close idle connections after about a minute.
 */
#define KEEP_ALIVE_GAP_MS (60 * 1000)

/* A kept connection serves hosts that are polled at least each KEEP_ALIVE_GAP_MS; one that has been
 * idle for longer waits for nobody. */
#define MAX_IDLE_S 70L

/* A source that is polled each second would keep its connection for ever and never see that the
 * name has moved to another address. */
#define MAX_CONNECTION_AGE_S 600L

static void set_where_we_go(CURL *easy, CURLcode *code)
{
    set_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https", code);
    set_pointer(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https", code);
    set_long(easy, CURLOPT_FOLLOWLOCATION, 0, code); /* by us: redirect.h */
    set_pointer(easy, CURLOPT_NOPROXY, "", code);    /* not what the environment says: route.h */
    set_long(easy, CURLOPT_HEADEROPT, CURLHEADER_SEPARATE, code); /* a proxy gets none of ours */
    set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, code);    /* they are no answer */
    set_long(easy, CURLOPT_HTTP09_ALLOWED, 0, code);              /* anything would be an answer */
    set_pointer(easy, CURLOPT_ACCEPT_ENCODING, DECODING_ACCEPTED, code);
    set_long(easy, CURLOPT_HTTP_CONTENT_DECODING, 0, code); /* by us: decoding.h */
}

static void set_how_long(CURL *easy, CURLcode *code)
{
    /* libcurl walks its DNS cache at each transfer, which costs more than it saves over thousands
     * of hosts; caching is the resolver's work. */
    set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0, code);
    /* A timeout does not wait for a resolver thread that hangs. */
    set_long(easy, CURLOPT_QUICK_EXIT, 1, code);
    set_long(easy, CURLOPT_NOSIGNAL, 1, code);
    set_long(easy, CURLOPT_MAXAGE_CONN, MAX_IDLE_S, code);
    set_long(easy, CURLOPT_MAXLIFETIME_CONN, MAX_CONNECTION_AGE_S, code);
}

static void set_callbacks(CURL *easy, const struct request_setup *setup, CURLcode *code)
{
    set_pointer(easy, CURLOPT_ERRORBUFFER, setup->error_text, code);
    set_pointer(easy, CURLOPT_PRIVATE, setup->transfer, code);
    set_pointer(easy, CURLOPT_HEADERDATA, setup->receiver, code);
    set_pointer(easy, CURLOPT_WRITEDATA, setup->receiver, code);
    set_pointer(easy, CURLOPT_OPENSOCKETDATA, setup->transfer, code);
    set_pointer(easy, CURLOPT_PREREQDATA, setup->transfer, code);
    set_pointer(easy, CURLOPT_CLOSESOCKETDATA, setup->engine, code);
    if (*code != CURLE_OK)
        return;
    /* Function pointers are no object pointers: each is given to curl_easy_setopt() as it is. */
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receiver_on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receiver_on_body);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, setup->open_socket);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, setup->before_request);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, setup->close_socket);
}

int request_prepare(CURL *easy, const struct request_setup *setup)
{
    CURLcode code = CURLE_OK;

    set_where_we_go(easy, &code);
    set_how_long(easy, &code);
    if (code == CURLE_OK)
        code = request_prepare_tls(easy, setup->ca_file);
    set_callbacks(easy, setup, &code);
    /* A User-Agent among a source's headers replaces this one. */
    set_pointer(easy, CURLOPT_USERAGENT, setup->user_agent, &code);
    return code == CURLE_OK ? 0 : -1;
}

static bool is_https(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

/* The method and the body. */

static bool is_plain_get(const struct draft *draft)
{
    return draft->carries == DRAFT_NO_BODY && strcmp(draft->method, "GET") == 0;
}

/* libcurl keeps a copy: the draft is gone before the request is. */
static void set_method(CURL *easy, const struct draft *draft, CURLcode *code)
{
    set_pointer(easy, CURLOPT_POSTFIELDS, NULL, code); /* frees the last copy */
    set_pointer(easy, CURLOPT_CUSTOMREQUEST, NULL, code);
    set_long(easy, CURLOPT_HTTPGET, 1, code);
    if (draft == NULL || is_plain_get(draft))
        return;
    if (*code == CURLE_OK)
        *code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)draft->body.length);
    set_pointer(easy, CURLOPT_COPYPOSTFIELDS, draft->body.length == 0 ? "" : draft->body.data,
                code);
    if (strcmp(draft->method, "POST") != 0)
        set_pointer(easy, CURLOPT_CUSTOMREQUEST, draft->method, code);
}

/* The way. */

static void set_proxy(CURL *easy, const struct source *source, const struct proxy *proxy,
                      CURLcode *code, struct fault *fault)
{
    struct text password = {0};
    struct error err = {0};

    /* "" keeps libcurl from asking the environment. */
    set_pointer(easy, CURLOPT_PROXY, proxy == NULL ? "" : proxy->url, code);
    set_pointer(easy, CURLOPT_PROXYUSERNAME, proxy == NULL ? NULL : proxy->user, code);
    set_pointer(easy, CURLOPT_PROXYPASSWORD, proxy == NULL ? NULL : proxy->password, code);
    if (proxy == NULL || source->proxy_password == NULL)
        return;
    if (secret_read(source->proxy_password, &password, &err) == 0) {
        set_pointer(easy, CURLOPT_PROXYPASSWORD, text_string(&password), code);
    } else {
        fault_set(fault, RUN_FAILED_NETWORK, true, "proxy_password: %s", err.text);
        *code = CURLE_LOGIN_DENIED;
    }
    secret_wipe(&password);
    text_free(&password);
}

static void set_way(CURL *easy, const struct source *source, const struct request *request,
                    CURLcode *code, struct fault *fault)
{
    long version = CURL_HTTP_VERSION_2TLS;

    if (source->http_version == HTTP_VERSION_1_1)
        version = CURL_HTTP_VERSION_1_1;
    else if (source->http_version == HTTP_VERSION_2 && !is_https(request->url))
        version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    set_long(easy, CURLOPT_HTTP_VERSION, version, code);
    set_pointer(easy, CURLOPT_UNIX_SOCKET_PATH, request->route.unix_socket, code);
    set_proxy(easy, source, request->route.proxy, code, fault);
}

/* Only for a digest: everything else that proves who we are is a header among others. */
static void set_digest(CURL *easy, const struct draft *draft, CURLcode *code)
{
    bool wanted = draft != NULL && draft->username != NULL;

    set_pointer(easy, CURLOPT_USERNAME, wanted ? draft->username : NULL, code);
    set_pointer(easy, CURLOPT_PASSWORD, wanted ? draft->password : NULL, code);
    set_long(easy, CURLOPT_HTTPAUTH, wanted ? (long)CURLAUTH_DIGEST : (long)CURLAUTH_NONE, code);
}

/* The headers. */

static bool is_one_line(const char *value)
{
    return strpbrk(value, "\r\n") == NULL;
}

static int add_header(struct curl_slist **list, const struct name_value *header, struct text *line)
{
    struct curl_slist *longer;

    text_clear(line);
    text_add(line, header->name);
    if (header->value[0] == '\0') {
        text_char(line, ';'); /* how libcurl is told to send an empty header */
    } else {
        text_add(line, ": ");
        text_add(line, header->value);
    }
    if (text_failed(line))
        return -1;
    longer = curl_slist_append(*list, text_string(line));
    if (longer == NULL)
        return -1;
    *list = longer;
    return 0;
}

/* What libcurl would say by itself of a body: "Expect" delays it, and of one that is empty the type
 * would be a guess. */
static int add_silences(const struct draft *draft, struct curl_slist **list)
{
    const char *line = draft->carries == DRAFT_NO_BODY ? "Content-Type:" : "Expect:";
    struct curl_slist *longer;

    if (is_plain_get(draft))
        return 0;
    longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return -1;
    *list = longer;
    return 0;
}

static int build_headers(const struct draft *draft, struct curl_slist **list, struct fault *fault)
{
    const struct draft_list *headers = &draft->headers;
    struct text line = {0};
    int rc = add_silences(draft, list);

    for (size_t i = 0; i < headers->count && rc == 0; i++) {
        const struct name_value *header = &headers->items[i];

        if (!is_one_line(header->name) || !is_one_line(header->value)) {
            fault_set(fault, RUN_FAILED_REQUEST, false,
                      "header \"%.60s\" holds a line break and cannot be sent",
                      is_one_line(header->name) ? header->name : "?");
            rc = -1;
        } else {
            rc = add_header(list, header, &line);
        }
    }
    text_free(&line);
    return rc;
}

/* The lists are complete before libcurl is given them. */
static void set_lists(CURL *easy, const struct source *source, const struct request *request,
                      struct request_lists *lists, CURLcode *code, struct fault *fault)
{
    if (*code == CURLE_OK && request->draft != NULL &&
        build_headers(request->draft, &lists->headers, fault) == -1)
        *code = CURLE_OUT_OF_MEMORY;
    set_pointer(easy, CURLOPT_URL, request->url, code);
    if (*code == CURLE_OK && request->own_origin && source->tls != NULL &&
        source->tls->server_name != NULL && is_https(request->url))
        *code = request_set_server_name(easy, request->url, source->tls->server_name,
                                        &lists->headers, &lists->connect_to);
    set_pointer(easy, CURLOPT_HTTPHEADER, lists->headers, code);
}

static void set_limits(CURL *easy, const struct source *source, const struct request *request,
                       CURLcode *code)
{
    int64_t connect_ms = source->connect_timeout_ms;

    assert(request->timeout_ms > 0); /* 0 would mean no limit */
    if (connect_ms <= 0 || connect_ms > request->timeout_ms)
        connect_ms = request->timeout_ms;
    set_long(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms, code);
    set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms, code);
    set_long(easy, CURLOPT_FRESH_CONNECT, request->fresh, code);
    set_long(easy, CURLOPT_FORBID_REUSE, source->host_gap_ms > KEEP_ALIVE_GAP_MS, code);
}

int request_set(CURL *easy, const struct source *source, const struct request *request,
                struct tls_files *files, struct request_lists *lists, struct fault *fault)
{
    CURLcode code = CURLE_OK;

    request_forget(easy, lists);
    if (request_set_tls(easy, is_https(request->url) ? source->tls : NULL, request->own_origin,
                        files, fault) == -1)
        return -1;
    set_lists(easy, source, request, lists, &code, fault);
    set_method(easy, request->draft, &code);
    set_digest(easy, request->draft, &code);
    set_way(easy, source, request, &code, fault);
    set_limits(easy, source, request, &code);
    if (code == CURLE_OK)
        return 0;
    fault_set(fault, RUN_FAILED_NETWORK, true, "cannot set the request up: %s",
              curl_easy_strerror(code));
    return -1;
}

void request_forget(CURL *easy, struct request_lists *lists)
{
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, NULL);
    request_forget_tls(easy);
    curl_slist_free_all(lists->headers);
    curl_slist_free_all(lists->connect_to);
    *lists = (struct request_lists){0};
}
