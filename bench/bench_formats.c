/*
 * bench_formats - read XML and Prometheus' text.
 *
 *   bench_formats                 a feed, a list of records and metrics, all made here
 *   bench_formats FILE...         these: XML if the text begins with "<", else metrics
 *
 * XML takes turns with libxml2 alone: its events to nobody, which no reader that stands on it can
 * beat, and its tree, which is what most programs use. Metrics take turns with a walk over the
 * lines that looks for their ends only. Medians over the rounds are printed, of the time that the
 * CPU worked.
 */
#include <libxml/parser.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gatherd/arena.h"
#include "gatherd/prometheus.h"
#include "gatherd/text.h"
#include "gatherd/xml.h"

#define ROUNDS      11
#define ROUND_BYTES (8u * 1024 * 1024)

struct job {
    const char *name;
    const char *text;
    size_t length;
};

typedef void run_fn(const struct job *job, struct arena *arena);

struct way {
    const char *name;
    run_fn *run;
};

static void fail(const char *message)
{
    fprintf(stderr, "bench_formats: %s\n", message);
    exit(1);
}

/* --- The ways --- */

static void run_xml(const struct job *job, struct arena *arena)
{
    const struct xml_options options = {.feed = true};
    struct xml_document document;
    struct xml_error error;

    arena_reset(arena);
    if (xml_read(job->text, job->length, &options, arena, &document, &error) != XML_OK)
        fail(error.message);
}

static void run_events(const struct job *job, struct arena *arena)
{
    xmlSAXHandler nobody = {.initialized = XML_SAX2_MAGIC};

    (void)arena;
    if (xmlSAXUserParseMemory(&nobody, NULL, job->text, (int)job->length) != 0)
        fail("libxml2 does not take the document");
}

static void run_tree(const struct job *job, struct arena *arena)
{
    xmlDocPtr tree = xmlReadMemory(job->text, (int)job->length, NULL, NULL, XML_PARSE_NONET);

    (void)arena;
    if (tree == NULL)
        fail("libxml2 does not take the document");
    xmlFreeDoc(tree);
}

static void run_prometheus(const struct job *job, struct arena *arena)
{
    struct prometheus_error error;
    const struct node *root;

    arena_reset(arena);
    if (prometheus_read(job->text, job->length, false, arena, &root, &error) != PROMETHEUS_OK)
        fail(error.message);
}

static void run_lines(const struct job *job, struct arena *arena)
{
    const char *end = job->text + job->length;
    volatile size_t lines = 0;

    (void)arena;
    for (const char *p = job->text; p < end && p != NULL; lines++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p == NULL ? NULL : p + 1;
    }
}

static const struct way xml_ways[] = {{"gatherd", run_xml},
                                      {"libxml2, events", run_events},
                                      {"libxml2, tree", run_tree},
                                      {NULL, NULL}};
static const struct way metrics_ways[] = {
    {"gatherd", run_prometheus}, {"lines", run_lines}, {NULL, NULL}};

#define MOST_WAYS 3

/* --- Measuring --- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double measure(const struct way *way, const struct job *job, struct arena *arena)
{
    size_t times = 1 + ROUND_BYTES / job->length;
    double start = now();

    for (size_t i = 0; i < times; i++)
        way->run(job, arena);
    return (double)(times * job->length) / (now() - start) / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static void bench(const struct job *job)
{
    const struct way *ways =
        job->text[strspn(job->text, " \r\n\t")] == '<' ? xml_ways : metrics_ways;
    double results[MOST_WAYS][ROUNDS];
    struct arena *arena = arena_create(64u * 1024 * 1024);

    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t w = 0; ways[w].name != NULL; w++)
            results[w][round] = measure(&ways[w], job, arena);
    }
    printf("%s, %zu bytes\n", job->name, job->length);
    for (size_t w = 0; ways[w].name != NULL; w++) {
        qsort(results[w], ROUNDS, sizeof(results[w][0]), compare);
        printf("  %-16s %8.1f MB/s\n", ways[w].name, results[w][ROUNDS / 2]);
    }
    arena_free(arena);
}

/* --- What is read --- */

static void bench_text(const char *name, struct text *text)
{
    bench(&(struct job){name, text_string(text), text->length});
    text_free(text);
}

static void bench_made(void)
{
    struct text text = {0};

    text_add(&text, "<rss version=\"2.0\"><channel><title>t</title>\n");
    for (int i = 0; i < 100; i++)
        text_format(&text,
                    "<item>\n  <title>Article %d &amp; more</title>\n  <link>https://example.org/%d"
                    "</link>\n  <guid isPermaLink=\"false\">%d</guid>\n  <pubDate>Fri, 02 Jan 2026 "
                    "03:04:05 GMT</pubDate>\n  <description><![CDATA[<p>%0*d</p>]]></description>\n"
                    "</item>\n",
                    i, i, i, 600, i);
    text_add(&text, "</channel></rss>");
    bench_text("feed of 100 items", &text);
    text_add(&text, "<list>");
    for (int i = 0; i < 1000; i++)
        text_format(
            &text,
            "<row id=\"%d\"><name>name %d</name><value>%d.5</value><at>2026-01-02</at></row>", i, i,
            i);
    text_add(&text, "</list>");
    bench_text("list of 1,000 rows", &text);
    for (int i = 0; i < 100; i++) {
        text_format(&text, "# HELP node_metric_%d A metric.\n# TYPE node_metric_%d gauge\n", i, i);
        for (int k = 0; k < 20; k++)
            text_format(&text, "node_metric_%d{device=\"eth%d\",mode=\"idle\"} %d.25\n", i, k, k);
    }
    bench_text("2,000 samples", &text);
}

static void bench_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text text = {0};
    char block[65536];
    size_t got;

    if (file == NULL)
        fail(path);
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        text_append(&text, block, got);
    fclose(file);
    text_add(&text, "");
    while (text.length > 0 && strspn(text.data, "\r\n") > 0) /* libxml2 alone minds them */
        memmove(text.data, text.data + 1, text.length--);
    bench_text(path, &text);
}

int main(int argc, char **argv)
{
    xml_start();
    if (argc == 1)
        bench_made();
    for (int i = 1; i < argc; i++)
        bench_file(argv[i]);
    return 0;
}
