#include "fetch/tokens.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/token_file.h"
#include "gatherd/secret.h"

#define BUCKETS 256u

/* A token is renewed so long before its end, or a tenth of its life where that is less. */
#define EARLY_MS (60 * 1000)

/* Beyond this a lifetime is a mistake, or as good as for ever. */
#define LONGEST_MS (INT64_C(366) * 24 * 3600 * 1000)

/* How long nobody asks after a failure that may pass, and after one that somebody has to mend: they
 * double up to the greater. */
#define PASSING_MS      1000
#define PASSING_MOST_MS (60 * 1000)
#define LASTING_MS      (10 * 1000)
#define LASTING_MOST_MS (300 * 1000)

/* What a server may ask for (Retry-After). */
#define RETRY_AFTER_MOST_MS (3600 * 1000)

/* How long a 401 is taken as it is, when new tokens do not help: so many sources that are refused
 * for another reason do not ask for tokens all the time. */
#define VAIN_MS      (60 * 1000)
#define VAIN_MOST_MS (600 * 1000)

/* What equal settings share. */
struct entry {
    struct entry *next; /* in its bucket */
    struct hash128 id;

    struct text value;   /* length 0: none */
    uint64_t generation; /* of the last token there was */
    int64_t expires_at_ms;
    int64_t renew_at_ms;

    bool fetching;       /* somebody gets a token: what follows is theirs until they end */
    struct text unsaved; /* a refresh token that could not be written; length 0: none */
    struct token_file_key key;

    unsigned failures; /* in a row */
    int64_t retry_at_ms;
    struct fault fault; /* the last one */

    unsigned vain; /* new tokens refused in a row */
    int64_t vain_until_ms;
};

struct token_cache {
    char *path; /* owned, never changed */

    pthread_mutex_t file_mutex; /* one writes at a time; taken without the other */

    pthread_mutex_t mutex; /* guards everything below */
    struct token_listener *listeners;
    struct entry *buckets[BUCKETS];
};

struct token_cache *token_cache_create(const char *path, struct error *err)
{
    struct token_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL || (cache->path = strdup(path)) == NULL) {
        error_set(err, ERROR_NOMEM, "tokens: out of memory");
        free(cache);
        return NULL;
    }
    pthread_mutex_init(&cache->mutex, NULL);
    pthread_mutex_init(&cache->file_mutex, NULL);
    return cache;
}

static void free_entry(struct entry *entry)
{
    secret_wipe(&entry->value);
    secret_wipe(&entry->unsaved);
    text_free(&entry->value);
    text_free(&entry->unsaved);
    free(entry);
}

void token_cache_free(struct token_cache *cache)
{
    if (cache == NULL)
        return;
    assert(cache->listeners == NULL);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (cache->buckets[i] != NULL) {
            struct entry *entry = cache->buckets[i];

            cache->buckets[i] = entry->next;
            free_entry(entry);
        }
    }
    pthread_mutex_destroy(&cache->mutex);
    pthread_mutex_destroy(&cache->file_mutex);
    free(cache->path);
    free(cache);
}

/* The entry of the settings, or NULL. Caller holds the mutex, as in all that follow. */
static struct entry *find(struct token_cache *cache, const struct auth *auth)
{
    struct entry *entry = cache->buckets[auth->id.low % BUCKETS];

    while (entry != NULL && (entry->id.low != auth->id.low || entry->id.high != auth->id.high))
        entry = entry->next;
    return entry;
}

static struct entry *find_or_make(struct token_cache *cache, const struct auth *auth)
{
    struct entry **bucket = &cache->buckets[auth->id.low % BUCKETS];
    struct entry *entry = find(cache, auth);

    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return NULL;
    entry->id = auth->id;
    entry->next = *bucket;
    *bucket = entry;
    return entry;
}

/* The entry that the caller was told to get a token for. */
static struct entry *find_fetching(struct token_cache *cache, const struct auth *auth)
{
    struct entry *entry = find(cache, auth);

    assert(entry != NULL && entry->fetching);
    return entry;
}

static void wake_all(struct token_cache *cache)
{
    for (struct token_listener *l = cache->listeners; l != NULL; l = l->next)
        l->wake(l->context);
}

/* Asking. */

static bool is_good(const struct entry *entry, int64_t now_ms)
{
    return entry->value.length > 0 && now_ms < entry->expires_at_ms;
}

static enum token_status decide(struct entry *entry, int64_t now_ms, bool *early,
                                struct fault *fault)
{
    bool good = is_good(entry, now_ms);

    if (good && (now_ms < entry->renew_at_ms || entry->fetching || now_ms < entry->retry_at_ms))
        return TOKEN_READY;
    if (entry->fetching)
        return TOKEN_WAIT;
    if (now_ms < entry->retry_at_ms) {
        *fault = entry->fault;
        return TOKEN_FAILED;
    }
    *early = good;
    entry->fetching = true;
    return TOKEN_FETCH;
}

static enum token_status get_locked(struct token_cache *cache, const struct auth *auth,
                                    int64_t now_ms, struct token *token, bool *early,
                                    struct fault *fault)
{
    struct entry *entry = find_or_make(cache, auth);
    enum token_status status;

    if (entry == NULL) {
        fault_set(fault, RUN_FAILED_AUTH, true, "auth: out of memory for a token");
        return TOKEN_FAILED;
    }
    status = decide(entry, now_ms, early, fault);
    if (status != TOKEN_READY)
        return status;
    text_append(&token->value, entry->value.data, entry->value.length);
    token->generation = entry->generation;
    if (!text_failed(&token->value))
        return TOKEN_READY;
    fault_set(fault, RUN_FAILED_AUTH, true, "auth: out of memory for a token");
    return TOKEN_FAILED;
}

enum token_status tokens_get(struct token_cache *cache, const struct auth *auth, int64_t now_ms,
                             struct token *token, bool *early, struct fault *fault)
{
    enum token_status status;

    *early = false;
    secret_wipe(&token->value);
    pthread_mutex_lock(&cache->mutex);
    status = get_locked(cache, auth, now_ms, token, early, fault);
    pthread_mutex_unlock(&cache->mutex);
    return status;
}

/* Getting one. The entry's key and its unsaved token belong to who gets it. */

static struct entry *find_mine(struct token_cache *cache, const struct auth *auth)
{
    struct entry *entry;

    pthread_mutex_lock(&cache->mutex);
    entry = find_fetching(cache, auth);
    pthread_mutex_unlock(&cache->mutex);
    return entry;
}

static int refuse_error(const struct error *err, struct fault *fault)
{
    bool passes = err->code == ERROR_NOMEM || err->code == ERROR_SPACE;

    fault_set(fault, RUN_FAILED_AUTH, passes, "auth: %s", err->text);
    return -1;
}

static int save(struct token_cache *cache, struct entry *entry, struct fault *fault)
{
    struct error err = {0};
    int rc;

    pthread_mutex_lock(&cache->file_mutex);
    rc = token_file_save(cache->path, &entry->key, text_string(&entry->unsaved), &err);
    pthread_mutex_unlock(&cache->file_mutex);
    if (rc == -1)
        return refuse_error(&err, fault);
    secret_wipe(&entry->unsaved);
    return 0;
}

static int find_saved(struct token_cache *cache, struct entry *entry, const struct text *configured,
                      struct text *out, struct fault *fault)
{
    struct error err = {0};
    bool found;
    int rc;

    token_file_key_set(&entry->key, entry->id, text_string(configured));
    pthread_mutex_lock(&cache->file_mutex);
    rc = token_file_find(cache->path, &entry->key, out, &found, &err);
    pthread_mutex_unlock(&cache->file_mutex);
    if (rc == -1)
        return refuse_error(&err, fault);
    if (!found)
        text_append(out, configured->data, configured->length);
    return 0;
}

int tokens_refresh_token(struct token_cache *cache, const struct auth *auth, struct text *out,
                         struct fault *fault)
{
    struct entry *entry = find_mine(cache, auth);
    struct text configured = {0};
    struct error err = {0};
    int rc;

    if (entry->unsaved.length > 0 && save(cache, entry, fault) == -1)
        return -1;
    rc = secret_read(auth->refresh_token, &configured, &err);
    rc = rc == -1 ? refuse_error(&err, fault) : find_saved(cache, entry, &configured, out, fault);
    secret_wipe(&configured);
    text_free(&configured);
    return rc;
}

/* Ending. */

static int64_t backoff_ms(const struct entry *entry, bool passing)
{
    int64_t first = passing ? PASSING_MS : LASTING_MS;
    int64_t most = passing ? PASSING_MOST_MS : LASTING_MOST_MS;
    unsigned doublings = entry->failures > 10 ? 10 : entry->failures;

    return first << doublings < most ? first << doublings : most;
}

static void note_failure(struct entry *entry, const struct fault *fault, int64_t retry_after_ms,
                         int64_t now_ms)
{
    int64_t wait_ms = backoff_ms(entry, fault->retryable);

    if (retry_after_ms > RETRY_AFTER_MOST_MS)
        retry_after_ms = RETRY_AFTER_MOST_MS;
    entry->fault = *fault;
    entry->failures++;
    entry->retry_at_ms = now_ms + (retry_after_ms > wait_ms ? retry_after_ms : wait_ms);
}

static void note_success(struct entry *entry, const struct token_grant *grant, int64_t now_ms)
{
    int64_t life =
        grant->lifetime_ms < 0 || grant->lifetime_ms > LONGEST_MS ? LONGEST_MS : grant->lifetime_ms;

    secret_wipe(&entry->value);
    text_add(&entry->value, grant->token);
    entry->generation++;
    entry->expires_at_ms = now_ms + life;
    entry->renew_at_ms = entry->expires_at_ms - (life / 10 < EARLY_MS ? life / 10 : EARLY_MS);
    entry->failures = 0;
    entry->retry_at_ms = 0;
}

static int store_refresh_token(struct token_cache *cache, struct entry *entry,
                               const struct token_grant *grant, struct fault *fault)
{
    if (grant->refresh_token == NULL)
        return 0;
    secret_wipe(&entry->unsaved);
    text_add(&entry->unsaved, grant->refresh_token);
    if (!text_failed(&entry->unsaved))
        return save(cache, entry, fault);
    fault_set(fault, RUN_FAILED_AUTH, true, "auth: out of memory for a token");
    return -1;
}

int tokens_store(struct token_cache *cache, const struct auth *auth,
                 const struct token_grant *grant, int64_t now_ms, struct fault *fault)
{
    struct entry *entry = find_mine(cache, auth);
    int rc = store_refresh_token(cache, entry, grant, fault);

    pthread_mutex_lock(&cache->mutex);
    if (rc == 0)
        note_success(entry, grant, now_ms);
    else
        note_failure(entry, fault, -1, now_ms);
    entry->fetching = false;
    wake_all(cache);
    pthread_mutex_unlock(&cache->mutex);
    return rc;
}

void tokens_fail(struct token_cache *cache, const struct auth *auth, const struct fault *fault,
                 int64_t retry_after_ms, int64_t now_ms)
{
    struct entry *entry;

    pthread_mutex_lock(&cache->mutex);
    entry = find_fetching(cache, auth);
    note_failure(entry, fault, retry_after_ms, now_ms);
    entry->fetching = false;
    wake_all(cache);
    pthread_mutex_unlock(&cache->mutex);
}

void tokens_abandon(struct token_cache *cache, const struct auth *auth)
{
    pthread_mutex_lock(&cache->mutex);
    find_fetching(cache, auth)->fetching = false;
    wake_all(cache);
    pthread_mutex_unlock(&cache->mutex);
}

/* Refusals. */

bool tokens_refuse(struct token_cache *cache, const struct auth *auth, uint64_t generation,
                   int64_t now_ms)
{
    struct entry *entry;
    bool worth = true;

    pthread_mutex_lock(&cache->mutex);
    entry = find(cache, auth);
    if (entry != NULL && entry->generation == generation) {
        worth = now_ms >= entry->vain_until_ms;
        if (worth)
            secret_wipe(&entry->value);
    }
    pthread_mutex_unlock(&cache->mutex);
    return worth;
}

void tokens_judge(struct token_cache *cache, const struct auth *auth, bool accepted, int64_t now_ms)
{
    struct entry *entry;

    pthread_mutex_lock(&cache->mutex);
    entry = find(cache, auth);
    if (entry != NULL && accepted) {
        entry->vain = 0;
        entry->vain_until_ms = 0;
    } else if (entry != NULL) {
        int64_t wait_ms = VAIN_MS << (entry->vain > 4 ? 4 : entry->vain);

        entry->vain++;
        entry->vain_until_ms = now_ms + (wait_ms < VAIN_MOST_MS ? wait_ms : VAIN_MOST_MS);
    }
    pthread_mutex_unlock(&cache->mutex);
}

/* Who is woken. */

void tokens_listen(struct token_cache *cache, struct token_listener *listener)
{
    pthread_mutex_lock(&cache->mutex);
    listener->next = cache->listeners;
    cache->listeners = listener;
    pthread_mutex_unlock(&cache->mutex);
}

void tokens_ignore(struct token_cache *cache, struct token_listener *listener)
{
    struct token_listener **link;

    pthread_mutex_lock(&cache->mutex);
    for (link = &cache->listeners; *link != NULL; link = &(*link)->next) {
        if (*link == listener) {
            *link = listener->next;
            break;
        }
    }
    pthread_mutex_unlock(&cache->mutex);
}
