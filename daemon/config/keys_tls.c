/* The keys of `tls`, and what binds them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/key_row.h"
#include "config/load.h"
#include "config/url.h"

/* What ends the titles of PEM blocks. */
#define CERTIFICATE_TITLE "CERTIFICATE"
#define KEY_TITLE         "PRIVATE KEY"

enum tls_key {
    TLS_CA_FILE,
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    TLS_KEY_PASSWORD,
    TLS_SERVER_NAME,
    TLS_MIN_VERSION,
    TLS_SKIP_VERIFY,
};

static const struct choice version_choices[] = {{"1.2", TLS_1_2}, {"1.3", TLS_1_3}, {NULL, 0}};

static const struct key tls_keys[] = {
    [TLS_CA_FILE] = {.name = "ca_file",
                     .kind = KIND_FILE,
                     TO(struct tls_options, ca_file),
                     .instead = "the system's authorities",
                     .about = "Certificates (PEM) of the authorities that may vouch for the "
                              "server, in place of the system's; read anew when it changes.",
                     .example = "/etc/gatherd/ca.pem"},
    [TLS_CERT_FILE] = {.name = "cert_file",
                       .kind = KIND_FILE,
                       TO(struct tls_options, cert_file),
                       .instead = "none",
                       .about = "The client certificate (PEM) that is shown to the server, with "
                                "those between it and its authority; read anew when it changes.",
                       .example = "/etc/gatherd/client.pem"},
    [TLS_KEY_FILE] = {.name = "key_file",
                      .kind = KIND_FILE,
                      TO(struct tls_options, key_file),
                      .instead = "in cert_file",
                      .about = "The private key (PEM) of the client certificate.",
                      .example = "/etc/gatherd/client.key"},
    [TLS_KEY_PASSWORD] = {SECRET("key_password"), TO(struct tls_options, key_password),
                          .instead = "none", .about = "What the private key is encrypted with.",
                          .example = "${KEY_PASSWORD}"},
    [TLS_SERVER_NAME] = {.name = "server_name",
                         .kind = KIND_TEXT,
                         TO(struct tls_options, server_name),
                         RANGE(1, 253),
                         .instead = "the host of the url",
                         .about = "The name that the server is asked for (SNI) and that its "
                                  "certificate must have. The header Host stays the url's.",
                         .example = "api.internal.example.org"},
    [TLS_MIN_VERSION] = {.name = "min_version",
                         .kind = KIND_CHOICE,
                         TO(struct tls_options, min_version),
                         .choices = version_choices,
                         .fallback = "1.2",
                         .about = "The oldest version of TLS that is spoken.",
                         .example = "1.3"},
    [TLS_SKIP_VERIFY] = {.name = "insecure_skip_verify",
                         .kind = KIND_BOOLEAN,
                         TO(struct tls_options, insecure_skip_verify),
                         .fallback = "false",
                         .about = "true takes any certificate for the server's: for a test, never "
                                  "for good. check and the start warn of it.",
                         .example = "true"},
};

/* What a file holds, for a rule; NULL: it cannot be read, which has been reported. */
static char *read_given(struct load *load, const struct where *where, const struct given *given,
                        enum tls_key row, const char *path)
{
    struct where here = where_key(where, tls_keys[row].name);
    size_t length = 0;
    char *text = file_read(path, &length);

    if (text == NULL)
        load_mistake(load, place_of(load, given->at[row]), &here, "cannot be read: %s; mend it",
                     strerror(errno));
    else if (length > YAML_MAX_BYTES)
        load_mistake(load, place_of(load, given->at[row]), &here,
                     "larger than 1 MiB; name a file with certificates or a key");
    else
        return text;
    free(text);
    return NULL;
}

/* Whether the file holds a PEM block whose title ends in `what`. */
static bool check_holds(struct load *load, const struct where *where, const struct given *given,
                        enum tls_key row, const char *text, const char *what)
{
    struct where here = where_key(where, tls_keys[row].name);

    for (const char *p = text; (p = strstr(p, "-----BEGIN ")) != NULL; p++) {
        size_t title = strcspn(p, "\n");
        const char *found = memmem(p, title, what, strlen(what));

        if (found != NULL && strncmp(found + strlen(what), "-----", 5) == 0)
            return true;
    }
    if (row == TLS_CERT_FILE && given->at[TLS_KEY_FILE] == NULL && strcmp(what, KEY_TITLE) == 0)
        load_mistake(load, place_of(load, given->at[row]), &here,
                     "holds no private key; add key_file, which does");
    else
        load_mistake(load, place_of(load, given->at[row]), &here,
                     "holds no %s in the form PEM; name a file that does", what);
    return false;
}

static bool check_certificates(struct load *load, const struct where *where,
                               const struct given *given, enum tls_key row, const char *path)
{
    char *text;
    bool good;

    if (!is_given(given, row))
        return true;
    text = read_given(load, where, given, row, path);
    good = text != NULL && check_holds(load, where, given, row, text, CERTIFICATE_TITLE);
    free(text);
    return good;
}

static bool is_encrypted(const char *text)
{
    return strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL ||
           strstr(text, "Proc-Type: 4,ENCRYPTED") != NULL;
}

/* What systemd hands over, or a group of its own may read, is nobody's mistake. */
static void warn_of_mode(struct load *load, const struct where *where, const struct given *given,
                         enum tls_key row, const char *path)
{
    struct where here = where_key(where, tls_keys[row].name);
    struct stat status;

    if (stat(path, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
        load_warning(load, place_of(load, given->at[row]), &here,
                     "holds a private key that everybody may read; chmod o= it");
}

static bool check_key(struct load *load, const struct where *where, const struct given *given,
                      const struct tls_options *tls)
{
    enum tls_key row = tls->key_file != NULL ? TLS_KEY_FILE : TLS_CERT_FILE;
    const char *path = tls->key_file != NULL ? tls->key_file : tls->cert_file;
    struct where here = where_key(where, tls_keys[row].name);
    char *text;
    bool good;

    if (!is_given(given, row))
        return true;
    text = read_given(load, where, given, row, path);
    good = text != NULL && check_holds(load, where, given, row, text, KEY_TITLE);
    if (good && is_encrypted(text) && given->at[TLS_KEY_PASSWORD] == NULL) {
        load_mistake(load, place_of(load, given->at[row]), &here,
                     "the private key is encrypted; add key_password or key_password_file");
        good = false;
    }
    if (good)
        warn_of_mode(load, where, given, row, path);
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
    return good;
}

static bool check_needs_certificate(struct load *load, const struct where *where,
                                    const struct given *given, enum tls_key row)
{
    struct where here = where_key(where, tls_keys[row].name);

    if (given->at[row] == NULL || given->at[TLS_CERT_FILE] != NULL)
        return true;
    load_mistake(load, place_of(load, given->at[row]), &here,
                 "has no use without a certificate; add cert_file, or remove this");
    return false;
}

static bool check_server_name(struct load *load, const struct where *where,
                              const struct given *given, const struct tls_options *tls)
{
    struct where here = where_key(where, tls_keys[TLS_SERVER_NAME].name);
    const char *problem;
    size_t offset;

    if (!is_given(given, TLS_SERVER_NAME) || url_check_host(tls->server_name, &problem, &offset))
        return true;
    load_mistake(load, place_of(load, given->at[TLS_SERVER_NAME]), &here, "%s", problem);
    return false;
}

static void warn_of_skip_verify(struct load *load, const struct where *where,
                                const struct given *given, const struct tls_options *tls)
{
    struct where here = where_key(where, tls_keys[TLS_SKIP_VERIFY].name);

    if (tls->insecure_skip_verify)
        load_warning(load, place_of(load, given->at[TLS_SKIP_VERIFY]), &here,
                     "whoever stands between here and the server can read and change everything; "
                     "name the server's authority in ca_file instead");
}

static bool check_tls(struct load *load, const struct where *where, struct item *item, void *object,
                      const struct given *given)
{
    struct tls_options *tls = object;
    bool good = check_certificates(load, where, given, TLS_CA_FILE, tls->ca_file);

    (void)item;
    good = check_certificates(load, where, given, TLS_CERT_FILE, tls->cert_file) && good;
    good = check_needs_certificate(load, where, given, TLS_KEY_FILE) && good;
    good = check_needs_certificate(load, where, given, TLS_KEY_PASSWORD) && good;
    if (good)
        good = check_key(load, where, given, tls);
    good = check_server_name(load, where, given, tls) && good;
    warn_of_skip_verify(load, where, given, tls);
    return good;
}

const struct key_set tls_key_set = {
    .title = "sources[].tls",
    .holder = "tls",
    .keys = tls_keys,
    .count = COUNT(tls_keys),
    .size = sizeof(struct tls_options),
    .check = check_tls,
};
