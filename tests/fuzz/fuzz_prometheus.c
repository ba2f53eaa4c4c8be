/*
 * Any bytes as Prometheus' text and as OpenMetrics: the nodes are sound, labels are sorted, and the
 * samples written as such a text again are the same when that is read.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/json.h"
#include "gatherd/prometheus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare(struct slice a, struct slice b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    int order = least == 0 ? 0 : memcmp(a.data, b.data, least);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static void write_quoted(struct slice text, struct text *out)
{
    text_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\\' || text.data[i] == '"')
            text_char(out, '\\');
        if (text.data[i] == '\n')
            text_add(out, "\\n");
        else
            text_char(out, text.data[i]);
    }
    text_char(out, '"');
}

/* The labels of a sample behind its name in quotes, in the braces. */
static void write_labels(const struct node *labels, struct text *out)
{
    const struct node *before = NULL;

    assert(labels->type == NODE_OBJECT && labels->span == 1 + 2 * labels->length);
    for (const struct node *name = labels + 1; name < node_end(labels); name += 2) {
        assert(before == NULL || compare(node_slice(before), node_slice(name)) < 0);
        text_char(out, ',');
        write_quoted(node_slice(name), out);
        text_char(out, '=');
        write_quoted(node_slice(name + 1), out);
        before = name;
    }
}

static void write_sample(const struct node *sample, struct text *out)
{
    const struct node *value = node_member(sample, slice_of("value"));

    assert(sample->type == NODE_OBJECT && sample->length == 5);
    assert(value->type == NODE_NUMBER || value->length == 3 || value->length == 4);
    text_char(out, '{');
    write_quoted(node_slice(node_member(sample, slice_of("name"))), out);
    write_labels(node_member(sample, slice_of("labels")), out);
    text_add(out, "} ");
    text_append(out, value->text, value->length);
    text_char(out, '\n');
}

/* Times and types are left out of the text that is made, so they are not compared. */
static void check_same(const struct node *a, const struct node *b)
{
    assert(a->length == b->length);
    for (uint32_t i = 0; i < a->length; i++) {
        const struct node *x = node_element(a, i);
        const struct node *y = node_element(b, i);

        for (uint32_t k = 1; k < x->span - 4; k++) {
            assert(x[k].type == y[k].type && x[k].length == y[k].length);
            assert(node_is_container(&x[k]) || slice_same(node_slice(&x[k]), node_slice(&y[k])));
        }
    }
}

static void check(const struct node *root, const char *text, size_t length)
{
    struct arena *arena = arena_create(0);
    struct text json = {0};
    struct text again = {0};
    const struct node *read;

    assert(root->type == NODE_ARRAY);
    for (uint32_t i = 0; i < root->length; i++) {
        struct slice source = node_source(node_element(root, i));

        assert(source.data >= text && source.data + source.length <= text + length);
        write_sample(node_element(root, i), &again);
    }
    assert(prometheus_read(text_string(&again), again.length, false, arena, &read, NULL) ==
           PROMETHEUS_OK);
    check_same(root, read);
    node_write_json(root, &json);
    assert(json_read(json.data, json.length, arena, &read, NULL) == JSON_OK);
    assert(read->span == root->span);
    text_free(&json);
    text_free(&again);
    arena_free(arena);
}

static void read_text(const char *text, size_t length, bool open_metrics)
{
    struct arena *arena = arena_create(0);
    struct prometheus_error error;
    const struct node *root;

    if (prometheus_read(text, length, open_metrics, arena, &root, &error) == PROMETHEUS_OK) {
        check(root, text, length);
    } else {
        assert(error.message[0] != '\0' && error.offset <= length);
        assert(error.line >= 1 && error.column >= 1);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    read_text(text, size, false);
    read_text(text, size, true);
    prometheus_looks_like(text, size);
    free(text);
    return 0;
}
