/*
 * Secrets: in the configuration, in a file, or among systemd's credentials.
 *
 * What a secret is stays out of every message; where it lies does not.
 */
#include <string.h>

#include "config/key_row.h"
#include "config/load.h"
#include "config/value_list.h"
#include "gatherd/secret.h"

static bool keep_secret(struct load *load, const struct key *key, void *target,
                        enum secret_kind kind, const char *text, size_t length)
{
    struct secret *secret = load_alloc(load, load->arena, sizeof(*secret));

    if (secret == NULL)
        return false;
    *secret = (struct secret){.kind = kind, .text = load_keep(load, text, length)};
    if (secret->text == NULL)
        return false;
    store_pointer(key, target, secret);
    return true;
}

/* The name is that of a file in one folder. */
static bool check_credential(struct load *load, const struct where *where, struct item *item,
                             void *object, const struct given *given)
{
    const char *name = ((const struct secret *)object)->text;
    struct where here = where_key(where, "credential");

    (void)given;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return true;
    load_mistake(load, place_of(load, item), &here,
                 "\"%s\" is a folder; write the name that LoadCredential= gives it", name);
    return false;
}

static const struct key secret_keys[] = {
    {.name = "credential",
     .kind = KIND_NAME,
     TO(struct secret, text),
     RANGE(1, 255),
     .required = true,
     .about = "Name of a credential that systemd hands to the service (LoadCredential=, "
              "LoadCredentialEncrypted=), read anew at each use.",
     .example = "api-token"},
};

const struct key_set secret_key_set = {
    .title = "a secret as a mapping",
    .holder = "a secret",
    .keys = secret_keys,
    .count = COUNT(secret_keys),
    .size = sizeof(struct secret),
    .check = check_credential,
};

/* A secret in braces is a mapping to YAML, too, whose key nobody is to read. */
static bool holds_only_credential(const struct item *mapping)
{
    for (const struct entry *e = mapping->first; e != NULL; e = e->next) {
        struct slice name = {e->key->text, e->key->length};

        if (!slice_equals(name, "credential") && !slice_equals(name, "<<") &&
            !is_private_key(e->key))
            return false;
    }
    return mapping->first != NULL;
}

static bool load_credential(struct load *load, const struct where *where, const struct key *key,
                            struct item *item, void *target)
{
    struct secret read = {.kind = SECRET_CREDENTIAL};
    struct given given = {0};

    if (!holds_only_credential(item)) {
        load_mistake(load, place_of(load, item), where,
                     "found a mapping that is not {credential: NAME}; write that, or the secret in "
                     "quotes");
        return false;
    }
    return load_keys(load, where, item, &secret_key_set, &read, &given, false) &&
           check_credential(load, where, item, &read, &given) &&
           keep_secret(load, key, target, SECRET_CREDENTIAL, read.text, strlen(read.text));
}

/* A number is taken as it is written: telling an operator to quote it would show it. */
bool load_secret(struct load *load, const struct where *where, const struct key *key,
                 struct item *item, void *target)
{
    struct scalar scalar;

    if (item->kind == ITEM_MAPPING)
        return load_credential(load, where, key, item, target);
    if (!load_scalar(load, where, item, "the secret, or {credential: NAME}", &scalar))
        return false;
    if (scalar.length == 0) {
        load_mistake(load, place_of(load, item), where, "is empty; write the secret, or remove it");
        return false;
    }
    if (scalar.length > SECRET_MAX_BYTES) {
        load_mistake(load, place_of(load, item), where,
                     "is too long for a secret; write at most %u KiB", SECRET_MAX_BYTES / 1024);
        return false;
    }
    return keep_secret(load, key, target, SECRET_LITERAL, scalar.text, scalar.length);
}

/* A relative path starts at the folder of the main file, as that of the database does. */
bool load_secret_file(struct load *load, const struct where *where, const struct key *key,
                      struct item *item, void *target)
{
    struct text path = {0};
    struct scalar scalar;
    bool good;

    if (!load_text(load, where, item, "the path of a file", &scalar))
        return false;
    if (scalar.length == 0 || scalar.text[scalar.length - 1] == '/') {
        load_mistake(load, place_of(load, item), where, "is no file; write the path of one");
        return false;
    }
    if (scalar.text[0] != '/')
        text_add(&path, load->folder);
    text_append(&path, scalar.text, scalar.length);
    if (text_failed(&path))
        load_out_of_memory(load);
    good =
        !text_failed(&path) && keep_secret(load, key, target, SECRET_FILE, path.data, path.length);
    text_free(&path);
    return good;
}
