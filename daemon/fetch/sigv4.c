#include "fetch/sigv4.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gatherd/sha256.h"
#include "gatherd/text.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

#define DATE_SIZE 9  /* 20260131 */
#define TIME_SIZE 17 /* 20260131T235959Z */

/* A parameter of the query, or a header. */
struct pair {
    char *name; /* owned */
    char *value;
};

struct pairs {
    struct pair *items; /* owned */
    size_t count;
    size_t capacity;
    bool failed; /* out of memory */
};

static void free_pairs(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

/* Takes both texts. */
static void add_pair(struct pairs *pairs, struct text *name, struct text *value)
{
    struct pair pair = {text_take(name), text_take(value)};

    if (pairs->count == pairs->capacity) {
        size_t capacity = pairs->capacity == 0 ? 16 : 2 * pairs->capacity;
        struct pair *items = realloc(pairs->items, capacity * sizeof(items[0]));

        if (items != NULL) {
            pairs->items = items;
            pairs->capacity = capacity;
        }
    }
    if (pair.name == NULL || pair.value == NULL || pairs->count == pairs->capacity) {
        free(pair.name);
        free(pair.value);
        pairs->failed = true;
        return;
    }
    pairs->items[pairs->count++] = pair;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a;
    const struct pair *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->value, right->value);
}

static void sort_pairs(struct pairs *pairs)
{
    if (pairs->count > 1)
        qsort(pairs->items, pairs->count, sizeof(pairs->items[0]), compare_pairs);
}

/* The URL. */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static void encode_byte(struct text *out, unsigned char c, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 strchr("-._~", c) != NULL;

    if (c != '\0' && (plain || (keep_slash && c == '/'))) {
        text_char(out, (char)c);
        return;
    }
    text_char(out, '%');
    text_char(out, digits[c >> 4]);
    text_char(out, digits[c & 15]);
}

/* Undoes the encoding there is, so that each byte is encoded by the one rule that counts. */
static void encode_anew(struct text *out, const char *data, size_t length, bool keep_slash)
{
    for (size_t i = 0; i < length; i++) {
        bool escape = data[i] == '%' && i + 2 < length && hex_value(data[i + 1]) >= 0 &&
                      hex_value(data[i + 2]) >= 0;

        if (escape) {
            encode_byte(out, (unsigned char)(hex_value(data[i + 1]) * 16 + hex_value(data[i + 2])),
                        keep_slash);
            i += 2;
        } else {
            encode_byte(out, (unsigned char)data[i], keep_slash);
        }
    }
}

/* S3 takes a path as it is; all others as one that was encoded once more, without empty segments.
 */
static void write_path(struct text *out, const char *path, const char *service)
{
    if (strcmp(service, "s3") == 0) {
        encode_anew(out, path, strlen(path), true);
        return;
    }
    for (const char *p = path; *p != '\0'; p++) {
        if (*p != '/' || p == path || p[-1] != '/')
            encode_byte(out, (unsigned char)*p, true);
    }
}

static void write_query(struct text *out, const char *query)
{
    struct pairs pairs = {0};

    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);
        size_t name = equals == NULL ? length : (size_t)(equals - query);
        struct text left = {0};
        struct text right = {0};

        encode_anew(&left, query, name, false);
        text_add(&right, "");
        if (equals != NULL)
            encode_anew(&right, equals + 1, length - name - 1, false);
        if (length > 0)
            add_pair(&pairs, &left, &right);
        text_free(&left);
        text_free(&right);
        query += length + (query[length] == '&');
    }
    sort_pairs(&pairs);
    for (size_t i = 0; i < pairs.count; i++)
        text_format(out, "%s%s=%s", i == 0 ? "" : "&", pairs.items[i].name, pairs.items[i].value);
    if (pairs.failed)
        out->failed = true;
    free_pairs(&pairs);
}

/* The headers. */

/* Without blanks at its ends, and with one where there are several. */
static void write_trimmed(struct text *out, const char *value)
{
    bool blank = false;

    text_add(out, "");
    for (const char *p = value + strspn(value, " \t"); *p != '\0'; p++) {
        if (*p == ' ' || *p == '\t') {
            blank = true;
            continue;
        }
        if (blank)
            text_char(out, ' ');
        blank = false;
        text_char(out, *p);
    }
}

static bool is_signed(const char *name)
{
    return strcasecmp(name, "Host") == 0 || strcasecmp(name, "Content-Type") == 0 ||
           strncasecmp(name, "X-Amz-", 6) == 0;
}

static void collect_header(struct pairs *headers, const char *name, const char *value)
{
    struct text left = {0};
    struct text right = {0};

    for (const char *p = name; *p != '\0'; p++)
        text_char(&left, (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p));
    write_trimmed(&right, value);
    add_pair(headers, &left, &right);
    text_free(&left);
    text_free(&right);
}

static void collect_headers(const struct draft *draft, const char *host, struct pairs *headers)
{
    bool has_host = false;

    for (size_t i = 0; i < draft->headers.count; i++) {
        const struct name_value *header = &draft->headers.items[i];

        if (is_signed(header->name))
            collect_header(headers, header->name, header->value);
        has_host = has_host || strcasecmp(header->name, "Host") == 0;
    }
    if (!has_host)
        collect_header(headers, "host", host);
    sort_pairs(headers);
}

/* The signature. */

struct job {
    const struct sigv4_keys *keys;
    char date[DATE_SIZE];
    char time[TIME_SIZE];
    char body[SHA256_TEXT_SIZE];
    char *host;  /* owned: "name" or "name:port", as libcurl sends it */
    char *path;  /* of libcurl, as the query */
    char *query; /* NULL: none */
    struct pairs headers;
    struct text names; /* of the headers, "host;x-amz-date" */
    struct text scope;
};

static void set_times(struct job *job, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(job->date, sizeof(job->date), "%Y%m%d", &parts);
    strftime(job->time, sizeof(job->time), "%Y%m%dT%H%M%SZ", &parts);
}

static int set_host(struct job *job, CURLU *handle)
{
    char *name = NULL;
    char *port = NULL;
    struct text host = {0};

    if (curl_url_get(handle, CURLUPART_HOST, &name, 0) != CURLUE_OK)
        return -1;
    text_add(&host, name);
    /* libcurl leaves the scheme's own port out. */
    if (curl_url_get(handle, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
        text_format(&host, ":%s", port);
    job->host = text_take(&host);
    text_free(&host);
    curl_free(name);
    curl_free(port);
    return job->host == NULL ? -1 : 0;
}

static int set_url(struct job *job, const char *url)
{
    CURLU *handle = curl_url();
    int rc = -1;

    if (handle != NULL && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_PATH, &job->path, 0) == CURLUE_OK)
        rc = set_host(job, handle);
    if (rc == 0 && curl_url_get(handle, CURLUPART_QUERY, &job->query, 0) != CURLUE_OK)
        job->query = NULL;
    curl_url_cleanup(handle);
    return rc;
}

static void hash_text(const struct text *text, char hex[SHA256_TEXT_SIZE])
{
    uint8_t digest[SHA256_BYTES];

    sha256(text_string(text), text->length, digest);
    sha256_text(digest, hex);
}

/* Task 1: the request in the one form that both sides make of it. */
static void write_canonical(struct job *job, const char *method, struct text *out)
{
    text_format(out, "%s\n", method);
    write_path(out, job->path, job->keys->service);
    text_char(out, '\n');
    write_query(out, job->query == NULL ? "" : job->query);
    text_char(out, '\n');
    for (size_t i = 0; i < job->headers.count; i++) {
        const struct pair *header = &job->headers.items[i];

        text_format(out, "%s:%s\n", header->name, header->value);
        text_format(&job->names, "%s%s", i == 0 ? "" : ";", header->name);
    }
    text_format(out, "\n%s\n%s", text_string(&job->names), job->body);
}

/* Task 2: what is signed. */
static void write_string_to_sign(struct job *job, const struct text *canonical, struct text *out)
{
    char hex[SHA256_TEXT_SIZE];

    hash_text(canonical, hex);
    text_format(&job->scope, "%s/%s/%s/aws4_request", job->date, job->keys->region,
                job->keys->service);
    text_format(out, ALGORITHM "\n%s\n%s\n%s", job->time, text_string(&job->scope), hex);
}

/* Task 3: a key for the day, the region and the service, and the signature by it. */
static void sign(const struct job *job, const struct text *string, char hex[SHA256_TEXT_SIZE])
{
    const char *const parts[] = {job->date, job->keys->region, job->keys->service, "aws4_request"};
    uint8_t key[SHA256_BYTES];
    struct text first = {0};

    text_format(&first, "AWS4%s", job->keys->secret_access_key);
    sha256_hmac(text_string(&first), first.length, parts[0], strlen(parts[0]), key);
    for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint8_t next[SHA256_BYTES];

        sha256_hmac(key, sizeof(key), parts[i], strlen(parts[i]), next);
        memcpy(key, next, sizeof(key));
    }
    sha256_hmac(key, sizeof(key), text_string(string), string->length, key);
    sha256_text(key, hex);
    explicit_bzero(key, sizeof(key));
    if (first.data != NULL)
        explicit_bzero(first.data, first.capacity);
    text_free(&first);
}

static void add_signature(struct job *job, struct draft *draft)
{
    char signature[SHA256_TEXT_SIZE];
    struct text canonical = {0};
    struct text string = {0};
    struct text header = {0};

    write_canonical(job, draft->method, &canonical);
    write_string_to_sign(job, &canonical, &string);
    sign(job, &string, signature);
    text_format(&header, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                job->keys->access_key_id, text_string(&job->scope), text_string(&job->names),
                signature);
    draft_set_header(draft, "Authorization", text_string(&header));
    if (text_failed(&canonical) || text_failed(&string) || text_failed(&header) ||
        text_failed(&job->names) || text_failed(&job->scope) || job->headers.failed)
        draft->failed = true;
    text_free(&canonical);
    text_free(&string);
    text_free(&header);
}

int sigv4_sign(const struct sigv4_keys *keys, const char *url, int64_t wall_ms, struct draft *draft,
               struct fault *fault)
{
    struct job job = {.keys = keys};
    uint8_t digest[SHA256_BYTES];
    int rc = set_url(&job, url);

    if (rc == -1) {
        fault_set(fault, RUN_FAILED_AUTH, false, "auth: the URL cannot be signed");
    } else {
        set_times(&job, wall_ms);
        sha256(draft->body.data, draft->body.length, digest);
        draft_set_header(draft, "X-Amz-Date", job.time);
        draft_set_header(draft, "X-Amz-Content-Sha256", sha256_text(digest, job.body));
        if (keys->session_token != NULL)
            draft_set_header(draft, "X-Amz-Security-Token", keys->session_token);
        collect_headers(draft, job.host, &job.headers);
        add_signature(&job, draft);
    }
    free_pairs(&job.headers);
    text_free(&job.names);
    text_free(&job.scope);
    free(job.host);
    curl_free(job.path);
    curl_free(job.query);
    return rc;
}
