/* What the answer to a token request says (RFC 6749, 5; for a session, what the source says). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/token_request.h"
#include "gatherd/json.h"
#include "gatherd/secret.h"

/* Of what a server says about its error; more is no help. */
#define MOST_SHOWN 160u

void token_result_clear(struct token_result *result)
{
    secret_wipe(&result->token);
    secret_wipe(&result->refresh_token);
    text_free(&result->token);
    text_free(&result->refresh_token);
}

/* What can be shown. */

/* Appends at most MOST_SHOWN bytes of what a server says, without secrets and controls. */
static void show(const struct token_request *request, struct slice words, struct text *out)
{
    struct text clean = {0};

    for (size_t i = 0; i < words.length && clean.length < MOST_SHOWN;) {
        size_t hidden = hidden_at(&request->hidden, words.data + i, words.length - i);

        if (hidden > 0)
            text_add(&clean, "***");
        else
            text_char(&clean, words.data[i]);
        i += hidden > 0 ? hidden : 1;
    }
    text_visible(out, text_string(&clean), clean.length);
    text_free(&clean);
}

static struct slice text_member(const struct node *root, const char *name)
{
    const struct node *member = root == NULL ? NULL : node_member(root, slice_of(name));

    return member != NULL && member->type == NODE_STRING ? node_slice(member) : (struct slice){0};
}

/* "invalid_grant: the token has expired", as RFC 6749, 5.2 has it; nothing where it is not so. */
static void show_error(const struct token_request *request, const struct node *root,
                       struct text *out)
{
    struct slice error = text_member(root, "error");
    struct slice description = text_member(root, "error_description");

    if (error.length == 0)
        return;
    text_add(out, ": ");
    show(request, error, out);
    if (description.length == 0)
        return;
    text_add(out, ": ");
    show(request, description, out);
}

static const char *hint_of(const struct auth *auth, const struct node *root)
{
    if (!slice_equals(text_member(root, "error"), "invalid_grant"))
        return "";
    return auth->type == AUTH_OAUTH2 && auth->grant == GRANT_REFRESH_TOKEN
               ? "; log in anew and put the new refresh_token into the configuration"
               : "";
}

static int refuse(const struct token_request *request, const struct auth *auth,
                  const struct node *root, struct fault *fault)
{
    int status = request->response.status;
    const char *phrase = failure_reason_phrase(status);
    struct text words = {0};

    text_format(&words, "HTTP %d%s%s", status, phrase == NULL ? "" : " ",
                phrase == NULL ? "" : phrase);
    show_error(request, root, &words);
    fault_set(fault, RUN_FAILED_AUTH, failure_status_is_retryable(status), "%s%s",
              text_string(&words), hint_of(auth, root));
    text_free(&words);
    return -1;
}

static int refuse_words(struct fault *fault, const char *words)
{
    fault_set(fault, RUN_FAILED_AUTH, false, "%s", words);
    return -1;
}

/* The body. */

/* `*root` is NULL where the body is no document. -1: out of memory. */
static int read_body(const struct response *response, struct arena *arena, const struct node **root)
{
    enum json_status status = JSON_INVALID;

    *root = NULL;
    if (arena != NULL && response->body != NULL)
        status = json_read(response->body, response->body_bytes, arena, root, NULL);
    if (status != JSON_OK)
        *root = NULL;
    return arena == NULL || status == JSON_NOMEM ? -1 : 0;
}

static int out_of_memory(struct fault *fault)
{
    fault_set(fault, RUN_FAILED_AUTH, true, "out of memory for a token");
    return -1;
}

static int refuse_no_json(const struct token_request *request, struct fault *fault)
{
    const char *type = request->response.content_type;
    struct text shown = {0};

    if (request->response.body_bytes == 0)
        return refuse_words(fault, "the answer is empty");
    show(request, slice_of(type == NULL ? "something" : type), &shown);
    fault_set(fault, RUN_FAILED_AUTH, false, "the answer is %.60s, not JSON with a token",
              text_string(&shown));
    text_free(&shown);
    return -1;
}

/* A token goes into a header: printable ASCII, as RFC 6749, A.12 has it. */
static int take_token(struct slice token, struct text *out, struct fault *fault)
{
    for (size_t i = 0; i < token.length; i++) {
        if (token.data[i] < ' ' || token.data[i] > '~')
            return refuse_words(fault,
                                "the token in the answer holds characters that no token has");
    }
    text_append(out, token.data, token.length);
    return text_failed(out) ? out_of_memory(fault) : 0;
}

/* expires_in as a number or, from some, a string; what makes no sense is as if it were not there.
 */
static int64_t lifetime_of(const struct node *root)
{
    const struct node *member = node_member(root, slice_of("expires_in"));
    char digits[40];
    double seconds;
    char *end;

    if (member == NULL || (member->type != NODE_NUMBER && member->type != NODE_STRING) ||
        member->length >= sizeof(digits))
        return -1;
    memcpy(digits, member->text, member->length);
    digits[member->length] = '\0';
    seconds = strtod(digits, &end);
    if (end == digits || *end != '\0' || !isfinite(seconds) || seconds < 1)
        return -1;
    return seconds > 1e12 ? INT64_MAX : (int64_t)(seconds * 1000);
}

static int read_oauth2(const struct token_request *request, const struct auth *auth,
                       const struct node *root, struct token_result *result, struct fault *fault)
{
    struct slice token = text_member(root, "access_token");
    struct slice type = text_member(root, "token_type");
    struct slice next = text_member(root, "refresh_token");

    if (token.length == 0 && text_member(root, "error").length > 0)
        return refuse(request, auth, root, fault);
    if (token.length == 0)
        return refuse_words(fault, "the answer has no access_token");
    if (type.length > 0 && (type.length != 6 || strncasecmp(type.data, "bearer", 6) != 0))
        return refuse_words(fault, "the answer has a token_type other than bearer, which is all "
                                   "that gatherd can send");
    result->lifetime_ms = lifetime_of(root);
    if (take_token(token, &result->token, fault) == -1)
        return -1;
    if (auth->grant != GRANT_REFRESH_TOKEN || next.length == 0 ||
        slice_equals(next, text_string(&request->refresh_token)))
        return 0;
    return take_token(next, &result->refresh_token, fault);
}

/* Sessions. */

static int read_path(const struct auth *auth, const struct node *root, struct token_result *result,
                     struct fault *fault)
{
    const struct node *node = jsonpath_first(auth->token_path, root);

    if (node == NULL || (node->type != NODE_STRING && node->type != NODE_NUMBER) ||
        node->length == 0) {
        fault_set(fault, RUN_FAILED_AUTH, false, "token_path %.80s selects no text in the answer",
                  jsonpath_text(auth->token_path));
        return -1;
    }
    return take_token(node_slice(node), &result->token, fault);
}

/* The value of `NAME=value; Path=/`, or an empty slice when it is another cookie. */
static struct slice cookie_value(struct slice header, const char *name)
{
    size_t length = strlen(name);
    struct slice value;

    if (header.length <= length || strncmp(header.data, name, length) != 0 ||
        header.data[length] != '=')
        return (struct slice){0};
    value = (struct slice){header.data + length + 1, header.length - length - 1};
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] == ';')
            value.length = i;
    }
    while (value.length > 0 && value.data[value.length - 1] == ' ')
        value.length--;
    return value;
}

static int read_cookie(const struct token_request *request, const struct auth *auth,
                       struct token_result *result, struct fault *fault)
{
    struct slice value = {0};
    struct slice header;
    size_t place = 0;

    while (response_header(&request->response, "Set-Cookie", &place, &header)) {
        struct slice found = cookie_value(header, auth->cookie);

        value = found.length > 0 ? found : value; /* the last one counts, as in a browser */
    }
    if (value.length > 0)
        return take_token(value, &result->token, fault);
    fault_set(fault, RUN_FAILED_AUTH, false, "the answer sets no cookie %.60s", auth->cookie);
    return -1;
}

static bool is_success(const struct auth *auth, int status)
{
    /* After a login by form comes a redirect; its cookie is all that is wanted. */
    return (status >= 200 && status <= 299) ||
           (auth->cookie != NULL && status >= 300 && status <= 399);
}

static int read_answer(const struct token_request *request, const struct auth *auth,
                       const struct node *root, struct token_result *result, struct fault *fault)
{
    if (!is_success(auth, request->response.status))
        return refuse(request, auth, root, fault);
    if (auth->cookie != NULL)
        return read_cookie(request, auth, result, fault);
    if (root == NULL)
        return refuse_no_json(request, fault);
    return auth->type == AUTH_SESSION ? read_path(auth, root, result, fault)
                                      : read_oauth2(request, auth, root, result, fault);
}

int token_request_read(const struct token_request *request, const struct auth *auth,
                       struct token_result *result, struct fault *fault)
{
    struct arena *arena = arena_create(0);
    const struct node *root = NULL;
    struct fault why = {0};
    int rc = -1;

    result->lifetime_ms =
        auth->type == AUTH_SESSION && auth->lifetime_ms > 0 ? auth->lifetime_ms : -1;
    if (read_body(&request->response, arena, &root) == -1)
        out_of_memory(&why);
    else
        rc = read_answer(request, auth, root, result, &why);
    if (rc == -1)
        fault_set(fault, why.kind, why.retryable, "auth: %s %s: %s",
                  auth->type == AUTH_SESSION ? "login at" : "token request to",
                  auth_token_host(auth), why.text);
    arena_free(arena);
    return rc;
}
