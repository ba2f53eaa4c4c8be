#include "fetch/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void fault_set(struct fault *fault, enum run_failure kind, bool retryable, const char *format, ...)
{
    va_list args;

    if (fault->kind != RUN_OK)
        return;
    fault->kind = kind;
    fault->retryable = retryable;
    va_start(args, format);
    vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
}

/* What is not here is the network's, and another attempt may help. */
static const struct {
    CURLcode code;
    enum run_failure kind;
    bool retryable;
} kinds[] = {
    {CURLE_OPERATION_TIMEDOUT, RUN_FAILED_TIMEOUT, true},
    {CURLE_SSL_CONNECT_ERROR, RUN_FAILED_TLS, true}, /* a cut handshake, too */
    {CURLE_PEER_FAILED_VERIFICATION, RUN_FAILED_TLS, false},
    {CURLE_SSL_CERTPROBLEM, RUN_FAILED_TLS, false},
    {CURLE_SSL_CIPHER, RUN_FAILED_TLS, false},
    {CURLE_SSL_CACERT_BADFILE, RUN_FAILED_TLS, false},
    {CURLE_SSL_CRL_BADFILE, RUN_FAILED_TLS, false},
    {CURLE_SSL_ISSUER_ERROR, RUN_FAILED_TLS, false},
    {CURLE_SSL_INVALIDCERTSTATUS, RUN_FAILED_TLS, false},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, RUN_FAILED_TLS, false},
    {CURLE_SSL_ENGINE_NOTFOUND, RUN_FAILED_TLS, false},
    {CURLE_SSL_ENGINE_SETFAILED, RUN_FAILED_TLS, false},
    {CURLE_SSL_ENGINE_INITFAILED, RUN_FAILED_TLS, false},
    {CURLE_SSL_CLIENTCERT, RUN_FAILED_TLS, false},
    {CURLE_USE_SSL_FAILED, RUN_FAILED_TLS, false},
    {CURLE_FILESIZE_EXCEEDED, RUN_FAILED_LIMIT, false},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, RUN_FAILED_LIMIT, false}, /* a header; CURLE_OUT_OF_MEMORY before */
#endif
    {CURLE_URL_MALFORMAT, RUN_FAILED_NETWORK, false},
};

static void add_word(struct text *out, const char *word, size_t length)
{
    const char *scheme = memmem(word, length, "://", 3);
    const char *end = memchr(word, '?', length);
    const char *at;

    if (end != NULL)
        length = (size_t)(end - word);
    at = memrchr(word, '@', length);
    if (at != NULL) {
        if (scheme != NULL && scheme < at)
            text_append(out, word, (size_t)(scheme - word) + 3);
        length -= (size_t)(at + 1 - word);
        word = at + 1;
    }
    for (size_t i = 0; i < length; i++)
        text_char(out, word[i] > ' ' && word[i] < 0x7f ? word[i] : '.');
}

void failure_add_clean(struct text *out, const char *words)
{
    const char *p = words + strspn(words, " \r\n");

    while (*p != '\0') {
        size_t length = strcspn(p, " \r\n");

        add_word(out, p, length);
        p += length;
        p += strspn(p, " \r\n");
        if (*p != '\0')
            text_char(out, ' ');
    }
}

/* What libcurl's words leave to be guessed: they name what it did, not what went wrong. */
static const struct {
    CURLcode code;
    const char *words;
} openings[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, "the answer is not HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, "the answer is not valid HTTP"},
    {CURLE_HTTP2, "the answer is not valid HTTP/2"},
    {CURLE_HTTP2_STREAM, "the server broke the HTTP/2 stream off"},
    {CURLE_GOT_NOTHING, "the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, "the connection was closed before the whole answer had come"},
    {CURLE_BAD_CONTENT_ENCODING, "the compressed body cannot be decoded"},
    {CURLE_SSL_CONNECT_ERROR, "the TLS handshake failed"},
    {CURLE_PEER_FAILED_VERIFICATION, "the certificate of the server is refused"},
    {CURLE_SSL_CERTPROBLEM, "the client certificate cannot be used"},
    {CURLE_SSL_CACERT_BADFILE, "the authorities in tls.ca_file cannot be used"},
    {CURLE_PROXY, "the proxy refused"},
};

#define TRUST_IT                                                                                 \
    "; to trust its authority, name it in tls: {ca_file: ...} or add it to those of the system " \
    "(update-ca-certificates)"

#define SHOW_IT \
    "; the server wants a client certificate: name it in tls: {cert_file: ..., key_file: ...}"

#define SPEAK_IT "; the server speaks no version of TLS from tls.min_version on"

/* What to do, where libcurl's words tell enough to know. Of these the first that fits. */
static const struct {
    const char *part;
    bool is_tls; /* it is TLS, whatever the code, and stays so until somebody mends it */
    const char *hint;
} hints[] = {
    {"wrong version number", false,
     "; the server does not speak TLS there: is it http, not https?"},
    {"local issuer certificate", true, TRUST_IT},
    {"self-signed certificate", true, TRUST_IT},
    {"self signed certificate", true, TRUST_IT},
    {"certificate has expired", true, "; whoever runs the server must renew it"},
    {"subject name", true,
     "; if the server is the right one, say which name it has in tls: {server_name: ...}"},
    {"unsupported protocol", true, SPEAK_IT},
    {"alert protocol version", true, SPEAK_IT},
    {"alert certificate required", true, SHOW_IT},
    {"alert bad certificate", true, SHOW_IT},
    {"alert unknown ca", true,
     "; the server does not know the authority of the client certificate (tls: cert_file)"},
    {"alert certificate expired", true,
     "; the client certificate (tls: cert_file) must be renewed"},
    {"no key found, wrong pass phrase", true, "; see tls: cert_file, key_file and key_password"},
    {"unable to set private key file", true, "; see tls: key_file and key_password"},
    {"does not match the certificate", true, "; see tls: cert_file and key_file"},
    {"rejected by the SOCKS5 server", false, "; see the user in proxy_url, and proxy_password"},
};

static int hint_for(const char *words)
{
    for (size_t i = 0; i < COUNT(hints); i++) {
        if (strstr(words, hints[i].part) != NULL)
            return (int)i;
    }
    return -1;
}

enum run_failure failure_of_curl(CURLcode code, const char *words, bool *retryable)
{
    int hint = hint_for(words);

    if (hint != -1 && hints[hint].is_tls) {
        *retryable = false;
        return RUN_FAILED_TLS;
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (kinds[i].code == code) {
            *retryable = kinds[i].retryable;
            return kinds[i].kind;
        }
    }
    *retryable = true;
    return RUN_FAILED_NETWORK;
}

void failure_describe(struct text *out, CURLcode code, const char *words)
{
    int hint = hint_for(words);

    for (size_t i = 0; i < COUNT(openings); i++) {
        if (openings[i].code == code) {
            text_add(out, openings[i].words);
            if (words[0] != '\0')
                text_add(out, ": ");
        }
    }
    failure_add_clean(out, words[0] != '\0' || out->length > 0 ? words : curl_easy_strerror(code));
    if (hint != -1)
        text_add(out, hints[hint].hint);
}

bool failure_status_is_retryable(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

/* IANA HTTP Status Code Registry; our own table, since HTTP/2 sends no phrase and a server may send
 * any. */
const char *failure_reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {305, "Use Proxy"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    };

    for (size_t i = 0; i < COUNT(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return NULL;
}
