#include "fetch/auth.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "fetch/base64.h"
#include "fetch/sigv4.h"

/* Reading. */

/* A line break would end the header, and let a secret's file write others. */
static int check_one_line(const char *text, const char *what, struct fault *fault)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (((unsigned char)*p >= ' ' && *p != 0x7f) || *p == '\t')
            continue;
        fault_set(fault, RUN_FAILED_AUTH, false,
                  "auth: the %s holds a line break or another control character; write it on one "
                  "line",
                  what);
        return -1;
    }
    return 0;
}

int auth_read(const struct secret *secret, const char *what, struct text *out, struct fault *fault)
{
    struct error err = {0};
    size_t start = out->length;

    if (secret_read(secret, out, &err) == -1) {
        fault_set(fault, RUN_FAILED_AUTH, err.code == ERROR_NOMEM, "auth: %s", err.text);
        return -1;
    }
    return check_one_line(text_string(out) + start, what, fault);
}

void auth_write_basic(struct text *out, const char *username, const char *password)
{
    struct text both = {0};

    text_format(&both, "%s:%s", username, password);
    text_add(out, "Basic ");
    base64_write(out, text_string(&both), both.length);
    if (text_failed(&both))
        out->failed = true;
    secret_wipe(&both);
    text_free(&both);
}

/* Carrying. */

/* Goes beside the cookies that the source's own headers bring. */
static void set_cookie(struct draft *draft, const char *name, const char *value)
{
    struct text cookies = {0};

    for (size_t i = 0; i < draft->headers.count; i++) {
        if (strcasecmp(draft->headers.items[i].name, "Cookie") == 0)
            text_format(&cookies, "%s; ", draft->headers.items[i].value);
    }
    text_format(&cookies, "%s=%s", name, value);
    draft_set_header(draft, "Cookie", text_string(&cookies));
    if (text_failed(&cookies))
        draft->failed = true;
    secret_wipe(&cookies);
    text_free(&cookies);
}

/* Whether the parameter that begins at `p` has this name. */
static bool is_param(const char *p, const struct text *name)
{
    return strncmp(p, text_string(name), name->length) == 0 &&
           strchr("=&#", p[name->length]) != NULL; /* or its end */
}

static void carry(struct draft *draft, enum auth_place place, const char *name, const char *value)
{
    switch (place) {
    case AUTH_IN_NONE:
        break;
    case AUTH_IN_HEADER:
        draft_set_header(draft, name, value);
        break;
    case AUTH_IN_QUERY:
        draft_set_param(draft, name, value);
        break;
    case AUTH_IN_COOKIE:
        set_cookie(draft, name, value);
        break;
    }
}

/* The types. */

/* What a type makes its words of, and where it writes them. */
struct job {
    const struct auth *auth;
    const char *token; /* NULL: the type has none */
    struct draft *draft;
    struct hidden *hidden;
    struct text value; /* wiped at the end, as the next */
    struct text more;
};

/* Reads one of the source's own secrets behind what is in `out`. */
static int read_secret(struct job *job, const struct secret *secret, const char *what,
                       struct text *out, struct fault *fault)
{
    size_t start = out->length;

    if (auth_read(secret, what, out, fault) == -1)
        return -1;
    hidden_add(job->hidden, text_string(out) + start);
    return 0;
}

static int apply_basic(struct job *job, struct fault *fault)
{
    const struct auth *auth = job->auth;
    struct text *value = &job->value;
    struct text *more = &job->more;
    struct draft *draft = job->draft;
    struct text header = {0};

    if (read_secret(job, auth->username, "username", value, fault) == -1 ||
        (auth->password != NULL && read_secret(job, auth->password, "password", more, fault) == -1))
        return -1;
    if (strchr(text_string(value), ':') != NULL) { /* RFC 7617, 2 */
        fault_set(fault, RUN_FAILED_AUTH, false,
                  "auth: a username with a colon cannot be sent by basic");
        return -1;
    }
    auth_write_basic(&header, text_string(value), text_string(more));
    if (!text_failed(&header))
        hidden_add(job->hidden, header.data + strlen("Basic "));
    draft_set_header(draft, "Authorization", text_string(&header));
    if (text_failed(&header))
        draft->failed = true;
    secret_wipe(&header);
    text_free(&header);
    return 0;
}

static int apply_bearer(struct job *job, struct fault *fault)
{
    text_add(&job->value, "Bearer ");
    if (read_secret(job, job->auth->token, "token", &job->value, fault) == -1)
        return -1;
    draft_set_header(job->draft, "Authorization", text_string(&job->value));
    return 0;
}

static int apply_oauth2(struct job *job, struct fault *fault)
{
    (void)fault;
    hidden_add(job->hidden, job->token);
    text_format(&job->value, "Bearer %s", job->token);
    draft_set_header(job->draft, "Authorization", text_string(&job->value));
    return 0;
}

static int apply_api_key(struct job *job, struct fault *fault)
{
    text_add(&job->value, job->auth->prefix);
    if (read_secret(job, job->auth->key, "key", &job->value, fault) == -1)
        return -1;
    carry(job->draft, job->auth->in, job->auth->name, text_string(&job->value));
    return 0;
}

static int apply_session(struct job *job, struct fault *fault)
{
    (void)fault;
    hidden_add(job->hidden, job->token);
    text_format(&job->value, "%s%s", job->auth->prefix, job->token);
    carry(job->draft, job->auth->in, job->auth->name, text_string(&job->value));
    return 0;
}

static int apply_digest(struct job *job, struct fault *fault)
{
    if (read_secret(job, job->auth->username, "username", &job->value, fault) == -1 ||
        read_secret(job, job->auth->password, "password", &job->more, fault) == -1)
        return -1;
    draft_set_digest(job->draft, text_string(&job->value), text_string(&job->more));
    return 0;
}

int auth_apply(const struct auth *auth, const char *token, struct draft *draft,
               struct hidden *hidden, struct fault *fault)
{
    static int (*const by_type[])(struct job * job, struct fault * fault) = {
        [AUTH_NONE] = NULL,
        [AUTH_BASIC] = apply_basic,
        [AUTH_BEARER] = apply_bearer,
        [AUTH_API_KEY] = apply_api_key,
        [AUTH_DIGEST] = apply_digest,
        [AUTH_OAUTH2] = apply_oauth2,
        [AUTH_AWS_SIGV4] = NULL, /* auth_sign() */
        [AUTH_SESSION] = apply_session,
    };
    struct job job = {.auth = auth, .token = token, .draft = draft, .hidden = hidden};
    int rc;

    if (auth == NULL || by_type[auth->type] == NULL)
        return 0;
    assert(token != NULL || !auth_needs_token(auth));
    rc = by_type[auth->type](&job, fault);
    if (text_failed(&job.value) || text_failed(&job.more))
        draft->failed = true;
    secret_wipe(&job.value);
    secret_wipe(&job.more);
    text_free(&job.value);
    text_free(&job.more);
    return rc;
}

static bool has_param(const char *url, const struct text *name)
{
    for (const char *p = strpbrk(url, "?&"); p != NULL; p = strpbrk(p + 1, "?&")) {
        if (is_param(p + 1, name))
            return true;
    }
    return false;
}

/* It is never sent, and what comes behind it would not be either. */
static void cut_fragment(struct text *url)
{
    char *hash = url->length == 0 ? NULL : strchr(url->data, '#');

    if (hash == NULL)
        return;
    *hash = '\0';
    url->length = (size_t)(hash - url->data);
}

void auth_keep_param(const struct auth *auth, const struct draft *draft, struct text *url)
{
    struct text name = {0};

    if (auth == NULL || auth->name == NULL || auth->in != AUTH_IN_QUERY)
        return;
    text_url_encoded(&name, auth->name, strlen(auth->name));
    for (size_t i = 0; i < draft->params.count && !has_param(text_string(url), &name); i++) {
        const struct name_value *param = &draft->params.items[i];

        if (strcmp(param->name, auth->name) != 0)
            continue;
        cut_fragment(url);
        text_format(url, "%s%s=", strchr(text_string(url), '?') == NULL ? "?" : "&",
                    text_string(&name));
        text_url_encoded(url, param->value, strlen(param->value));
    }
    if (text_failed(&name))
        url->failed = true;
    text_free(&name);
}

int auth_sign(const struct auth *auth, const char *url, int64_t wall_ms, struct draft *draft,
              struct hidden *hidden, struct fault *fault)
{
    struct job job = {.auth = auth, .draft = draft, .hidden = hidden};
    struct sigv4_keys keys = {0};
    struct text id = {0};
    struct text secret = {0};
    struct text session = {0};
    int rc = -1;

    if (auth == NULL || auth->type != AUTH_AWS_SIGV4)
        return 0;
    if (read_secret(&job, auth->access_key_id, "access_key_id", &id, fault) == -1 ||
        read_secret(&job, auth->secret_access_key, "secret_access_key", &secret, fault) == -1 ||
        (auth->session_token != NULL &&
         read_secret(&job, auth->session_token, "session_token", &session, fault) == -1))
        goto out;
    keys = (struct sigv4_keys){
        .access_key_id = text_string(&id),
        .secret_access_key = text_string(&secret),
        .session_token = auth->session_token == NULL ? NULL : text_string(&session),
        .region = auth->region,
        .service = auth->service,
    };
    rc = sigv4_sign(&keys, url, wall_ms, draft, fault);

out:
    secret_wipe(&secret);
    text_free(&id);
    text_free(&secret);
    text_free(&session);
    return rc;
}
