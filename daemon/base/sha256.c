#include "gatherd/sha256.h"

#include <string.h>

#define BLOCK_BYTES 64u

struct state {
    uint32_t h[8];
    uint8_t block[BLOCK_BYTES];
    size_t filled; /* of the block */
    uint64_t total;
};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

/* FIPS 180-4, 6.2.2, step 1. */
static void expand(const uint8_t *block, uint32_t w[64])
{
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = w[i - 15];
        uint32_t b = w[i - 2];

        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

/* Steps 2 to 4; v holds a to h. */
static void compress(struct state *state, const uint8_t *block)
{
    uint32_t w[64];
    uint32_t v[8];

    expand(block, w);
    memcpy(v, state->h, sizeof(v));
    for (size_t i = 0; i < 64; i++) {
        uint32_t choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t one =
            v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choose + k[i] + w[i];
        uint32_t two = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;

        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += one;
        v[0] = one + two;
    }
    for (size_t i = 0; i < 8; i++)
        state->h[i] += v[i];
}

static void start(struct state *state)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    *state = (struct state){0};
    memcpy(state->h, first, sizeof(first));
}

static void add(struct state *state, const void *data, size_t length)
{
    const uint8_t *p = data;

    state->total += length;
    while (length > 0) {
        size_t part = BLOCK_BYTES - state->filled < length ? BLOCK_BYTES - state->filled : length;

        memcpy(state->block + state->filled, p, part);
        state->filled += part;
        p += part;
        length -= part;
        if (state->filled == BLOCK_BYTES) {
            compress(state, state->block);
            state->filled = 0;
        }
    }
}

/* A one bit, zeros, and the length in bits (5.1.1). */
static void finish(struct state *state, uint8_t digest[SHA256_BYTES])
{
    static const uint8_t padding[BLOCK_BYTES] = {0x80};
    uint64_t bits = state->total * 8;
    size_t zeros = (state->filled < 56 ? 56 : 120) - state->filled;
    uint8_t length[8];

    for (size_t i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    add(state, padding, zeros);
    add(state, length, sizeof(length));
    for (size_t i = 0; i < SHA256_BYTES; i++)
        digest[i] = (uint8_t)(state->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(const void *data, size_t length, uint8_t digest[SHA256_BYTES])
{
    struct state state;

    start(&state);
    add(&state, data, length);
    finish(&state, digest);
}

static void hash_with_pad(const uint8_t key[BLOCK_BYTES], uint8_t pad, const void *data,
                          size_t length, uint8_t digest[SHA256_BYTES])
{
    uint8_t padded[BLOCK_BYTES];
    struct state state;

    for (size_t i = 0; i < BLOCK_BYTES; i++)
        padded[i] = key[i] ^ pad;
    start(&state);
    add(&state, padded, sizeof(padded));
    add(&state, data, length);
    finish(&state, digest);
    explicit_bzero(padded, sizeof(padded));
}

void sha256_hmac(const void *key, size_t key_length, const void *data, size_t length,
                 uint8_t digest[SHA256_BYTES])
{
    uint8_t block[BLOCK_BYTES] = {0};
    uint8_t inner[SHA256_BYTES];

    if (key_length > BLOCK_BYTES)
        sha256(key, key_length, block);
    else if (key_length > 0)
        memcpy(block, key, key_length);
    hash_with_pad(block, 0x36, data, length, inner);
    hash_with_pad(block, 0x5c, inner, sizeof(inner), digest);
    explicit_bzero(block, sizeof(block));
}

char *sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SHA256_TEXT_SIZE - 1] = '\0';
    return text;
}
