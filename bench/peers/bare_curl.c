/*
 * bare_curl.c - the limit of polls: one curl multi loop that asks URLs in turn and throws the
 * bodies away.
 *
 * Usage: bare_curl SECONDS IN_FLIGHT URL...; prints the answers received.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t throw_away(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct loop {
    CURLM *multi;
    char **urls;
    int url_count;
    int next;
};

static void ask_next(struct loop *loop, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_URL, loop->urls[loop->next]);
    loop->next = (loop->next + 1) % loop->url_count;
    curl_multi_add_handle(loop->multi, easy);
}

static long collect(struct loop *loop, int again)
{
    long answers = 0;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;

        answers += message->data.result == CURLE_OK;
        curl_multi_remove_handle(loop->multi, easy);
        if (again)
            ask_next(loop, easy);
        else
            curl_easy_cleanup(easy);
    }
    return answers;
}

int main(int argc, char **argv)
{
    struct loop loop = {.urls = argv + 3, .url_count = argc - 3};
    double end;
    long answers = 0;
    int running;

    if (argc < 4)
        return 64;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    loop.multi = curl_multi_init();
    for (int i = 0; i < atoi(argv[2]); i++) {
        CURL *easy = curl_easy_init();

        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        ask_next(&loop, easy);
    }
    end = now() + atof(argv[1]);
    do {
        curl_multi_perform(loop.multi, &running);
        answers += collect(&loop, now() < end);
        curl_multi_poll(loop.multi, NULL, 0, 100, NULL);
    } while (running > 0 || now() < end);
    curl_multi_cleanup(loop.multi);
    printf("%ld\n", answers);
    return 0;
}
