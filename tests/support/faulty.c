#include "test.h"

#include "faulty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

static unsigned number_after(const char *text, const char *key)
{
    char quoted[64];
    const char *p;

    snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
    p = strstr(text, quoted);
    return p == NULL ? 0 : (unsigned)strtoul(p + strlen(quoted), NULL, 10);
}

bool faulty_start(struct faulty *faulty, bool tls)
{
    char path[1000];
    const char *tool = server_shared_tool("faulty_server.py", path, sizeof(path));
    const char *argv[] = {"python3", tool, "--life", "300", "--hold", "20", tls ? "--tls" : NULL,
                          NULL};

    *faulty = (struct faulty){0};
    if (tool == NULL)
        return false;
    faulty->process = server_start(argv);
    if (faulty->process == NULL)
        return false;
    if (server_read_line(faulty->process, faulty->info, sizeof(faulty->info)))
        faulty->http = number_after(faulty->info, "http");
    if (faulty->http == 0)
        faulty_stop(faulty);
    return faulty->http != 0;
}

void faulty_stop(struct faulty *faulty)
{
    server_stop(faulty->process);
    faulty->process = NULL;
}

unsigned faulty_tls_port(const struct faulty *faulty, const char *kind)
{
    return number_after(faulty->info, kind);
}

const char *faulty_file(const struct faulty *faulty, const char *name, char *path, int size)
{
    const char *ca = strstr(faulty->info, "\"ca\": \"");
    int length;

    if (ca == NULL)
        return NULL;
    ca += strlen("\"ca\": \"");
    length = (int)strcspn(ca, "\"") - (int)strlen("ca.pem");
    snprintf(path, (size_t)size, "%.*s%s", length, ca, name);
    return path;
}

int faulty_run_tests(const struct CMUnitTest *tests, size_t count, bool tls)
{
    struct CMUnitTest *with_state = calloc(count, sizeof(*with_state));
    struct faulty faulty;
    int failed;

    if (with_state == NULL)
        return 1;
    if (!faulty_start(&faulty, tls)) {
        printf("skipped: the shared faulty_server.py%s does not run here\n",
               tls ? " or openssl" : "");
        free(with_state);
        return 77;
    }
    for (size_t i = 0; i < count; i++) {
        with_state[i] = tests[i];
        with_state[i].initial_state = &faulty;
    }
    /* What cmocka_run_group_tests() stands for, which wants an array whose size it can see. */
    failed = _cmocka_run_group_tests("faulty server", with_state, count, NULL, NULL);
    faulty_stop(&faulty);
    free(with_state);
    return failed;
}
