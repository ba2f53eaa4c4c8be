/*
 * A Content-Type up to a line feed, then any bytes as a body, in any format or that which the body
 * says: packed, in any character set. What comes out lies in the text it is said to lie in.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "process/decode.h"

#define MOST_BYTES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct decoded *decoded)
{
    const struct node *end = decoded->root + decoded->root->span;
    struct text json = {0};

    assert(decoded->text_bytes <= MOST_BYTES && decoded->text[decoded->text_bytes] == '\0');
    for (const struct node *node = decoded->root; node < end; node++)
        assert(node->raw == NULL ||
               (node->raw >= decoded->text && node->raw <= decoded->text + decoded->text_bytes));
    for (size_t i = 0; i < decoded->rejected_count; i++)
        assert(decoded->rejected[i].rejected != NULL && decoded->rejected[i].node->raw != NULL);
    node_write_json(decoded->root, &json);
    text_free(&json);
}

static void decode(const struct response *response, const struct source *source)
{
    struct arena *arena = arena_create(0);
    struct decoded decoded;

    if (decode_response(response, source, arena, &decoded) == 0) {
        assert((decoded.root == NULL) == (decoded.reason[0] != '\0'));
        if (decoded.root != NULL)
            check(&decoded);
        else
            assert(decoded.failure != RUN_OK);
    }
    if (decode_record(response, source, arena, &decoded) == 0)
        assert((decoded.root == NULL) == (decoded.reason[0] != '\0'));
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_feed = size == 0 ? NULL : memchr(data, '\n', size);
    struct source source = {.url = "http://localhost/data.txt", .max_body_bytes = MOST_BYTES};
    struct response response = {0};
    size_t head = line_feed == NULL ? 0 : (size_t)(line_feed - data) + 1;

    if (size - head > MOST_BYTES)
        return 0;
    response.content_type = head < 2 ? NULL : strndup((const char *)data, head - 1);
    response.body_bytes = size - head;
    response.body = malloc(response.body_bytes + 1);
    if (response.body_bytes > 0)
        memcpy(response.body, data + head, response.body_bytes);
    response.body[response.body_bytes] = '\0';
    for (unsigned format = FORMAT_AUTO; format <= FORMAT_PROMETHEUS; format++) {
        source.format = (enum body_format)format;
        decode(&response, &source);
    }
    free(response.body);
    free(response.content_type);
    return 0;
}
