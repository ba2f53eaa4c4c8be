/*
 * tls_files.h - certificates and keys, as they are in their files now.
 *
 * libcurl is given what the files hold, not their names: it compares the contents when it looks for
 * a kept connection or a TLS session, so a certificate that was renewed takes effect with the next
 * request. A file is read again when stat(2) shows that it has changed. One thread only.
 */
#ifndef GATHERD_FETCH_TLS_FILES_H
#define GATHERD_FETCH_TLS_FILES_H

#include "gatherd/error.h"
#include "gatherd/text.h"

/* A larger file was named by mistake. */
#define TLS_FILE_MAX_BYTES (1024u * 1024)

struct tls_files; /* opaque */

struct tls_files *tls_files_create(void);     /* NULL: out of memory */
void tls_files_free(struct tls_files *files); /* overwrites what it holds; NULL is allowed */

/*
 * What the file holds, borrowed until the next call. 0, or -1 with an error that names the file and
 * the reason: ERROR_UNAVAILABLE, ERROR_PERMISSION, ERROR_NOMEM.
 */
int tls_files_get(struct tls_files *files, const char *path, struct slice *content,
                  struct error *err);

#endif
