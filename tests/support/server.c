#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 30000

struct server {
    pid_t pid;
    int output;
};

static void become(const char *const argv[], int output, int report, pid_t parent)
{
    int error;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(output, STDOUT_FILENO) != -1)
        execvp(argv[0], (char *const *)argv);
    error = errno;
    (void)!write(report, &error, sizeof(error));
    _exit(127);
}

struct server *server_start(const char *const argv[])
{
    struct server *server = calloc(1, sizeof(*server));
    int output[2];
    int report[2]; /* closed by a successful exec */
    pid_t parent = getpid();
    int error;

    if (server == NULL)
        return NULL;
    if (pipe2(output, O_CLOEXEC) == -1 || pipe2(report, O_CLOEXEC) == -1)
        abort();
    server->pid = fork();
    if (server->pid == 0)
        become(argv, output[1], report[1], parent);
    close(output[1]);
    close(report[1]);
    server->output = output[0];
    if (server->pid == -1 || read(report[0], &error, sizeof(error)) != 0) {
        server_stop(server);
        server = NULL;
    }
    close(report[0]);
    return server;
}

bool server_read_line(struct server *server, char *line, size_t size)
{
    size_t used = 0;

    while (used + 1 < size) {
        struct pollfd ready = {.fd = server->output, .events = POLLIN};

        if (poll(&ready, 1, READY_MS) != 1 || read(server->output, line + used, 1) != 1)
            return false;
        if (line[used] == '\n')
            break;
        used++;
    }
    line[used] = '\0';
    return true;
}

static int open_local(unsigned port, struct sockaddr_in *name)
{
    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

bool server_wait_port(unsigned port)
{
    for (int i = 0; i < READY_MS / 20; i++) {
        struct sockaddr_in name;
        int fd = open_local(port, &name);
        bool connected = connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0;

        close(fd);
        if (connected)
            return true;
        nanosleep(&(struct timespec){0, 20 * 1000000L}, NULL);
    }
    return false;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        waitpid(server->pid, NULL, 0);
    }
    close(server->output);
    free(server);
}

unsigned server_free_port(void)
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    int fd = open_local(0, &name);

    if (bind(fd, (struct sockaddr *)&name, size) == -1 ||
        getsockname(fd, (struct sockaddr *)&name, &size) == -1)
        abort();
    close(fd);
    return ntohs(name.sin_port);
}

const char *server_shared_tool(const char *name, char *path, size_t size)
{
    const char *shared = getenv("GATHERD_SHARED");

    snprintf(path, size, "%s/tools/%s", shared != NULL ? shared : GATHERD_SOURCE_DIR "/../shared",
             name);
    return access(path, R_OK) == 0 ? path : NULL;
}
