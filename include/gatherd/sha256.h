/*
 * sha256.h - SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): what signatures are made of.
 *
 * Our own, since libcurl keeps its library's to itself and some kilobytes a minute need no speed.
 */
#ifndef GATHERD_SHA256_H
#define GATHERD_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES     32
#define SHA256_TEXT_SIZE 65 /* in hexadecimal, with its NUL */

void sha256(const void *data, size_t length, uint8_t digest[SHA256_BYTES]);

void sha256_hmac(const void *key, size_t key_length, const void *data, size_t length,
                 uint8_t digest[SHA256_BYTES]);

/* In lower case, as signatures want it; returns `text`. */
char *sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_SIZE]);

#endif
