/*
 * The daemon's side of the control socket: a few threads that wait for callers on one listening
 * socket. A caller that finds all of them busy waits in the socket's backlog.
 */
#include "gatherd/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gatherd/log.h"
#include "gatherd/text.h"
#include "gatherd/thread.h"
#include "serve/control_wire.h"

#define THREADS    2 /* a long answer does not keep a short one waiting */
#define BACKLOG    16
#define PATIENCE_S 5 /* with a caller that sends or takes nothing */
#define MAX_WORDS  64

struct control {
    /* Set by control_start(), never changed. */
    char *path; /* owned */
    int listener;
    int stop; /* eventfd: readable when the control stops */
    control_answer_fn *answer;
    void *context;
    pthread_t threads[THREADS];
    unsigned thread_count;
};

struct control_call {
    const struct control *control;
    int fd;
    bool gone; /* nothing more can be sent */
};

char *control_path(const char *database)
{
    struct text path = {0};

    text_format(&path, "%s-control", database);
    return text_take(&path);
}

/* --- Answers. --- */

static void send_text(struct control_call *call, char kind, const char *format, va_list args)
{
    char *text = NULL;
    int length = vasprintf(&text, format, args);

    if (length == -1)
        return; /* out of memory: the exit status still comes */
    if (!call->gone && wire_send(call->fd, kind, text, (size_t)length) == -1)
        call->gone = true;
    free(text);
}

void control_say(struct control_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    send_text(call, 'o', format, args);
    va_end(args);
}

void control_complain(struct control_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    send_text(call, 'e', format, args);
    va_end(args);
}

bool control_is_over(struct control_call *call, int64_t timeout_ms)
{
    struct pollfd fds[] = {{.fd = call->control->stop, .events = POLLIN},
                           {.fd = call->fd, .events = POLLRDHUP}};

    if (call->gone)
        return true;
    return poll(fds, 2, timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms) > 0;
}

bool control_is_stopping(struct control_call *call, int64_t timeout_ms)
{
    struct pollfd stop = {.fd = call->control->stop, .events = POLLIN};

    return poll(&stop, 1, timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms) > 0;
}

/* --- Questions. --- */

/* The socket's mode says the same; this also holds where a file system ignores modes. */
static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* Splits at the NUL behind each word. 0: what came is no question. */
static size_t split(const char *data, size_t length, const char **words)
{
    size_t count = 0;

    if (length == 0 || data[length - 1] != '\0')
        return 0;
    for (const char *p = data; p < data + length; p += strlen(p) + 1) {
        if (count == MAX_WORDS)
            return 0;
        words[count++] = p;
    }
    return count;
}

/* The caller frees; NULL: nothing that can be answered came. */
static char *receive_question(int fd, const char **words, size_t *count)
{
    struct frame_head head;
    char *data;

    if (wire_receive_head(fd, &head) == -1 || head.kind != 'q' ||
        head.length > CONTROL_MAX_QUESTION_BYTES)
        return NULL;
    data = malloc(head.length + 1);
    if (data == NULL)
        return NULL;
    *count = wire_receive(fd, data, head.length) == -1 ? 0 : split(data, head.length, words);
    if (*count > 0)
        return data;
    free(data);
    return NULL;
}

static void serve(struct control *control, int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct control_call call = {.control = control, .fd = fd};
    const char *words[MAX_WORDS];
    size_t count = 0;
    char *question;
    uint8_t status;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!may_ask(fd))
        return;
    question = receive_question(fd, words, &count);
    if (question == NULL)
        return;
    status = (uint8_t)control->answer(control->context, &call, count, words);
    if (!call.gone)
        wire_send(fd, 'x', &status, sizeof(status)); /* one who has gone needs no status */
    free(question);
}

static void *run_thread(void *argument)
{
    struct control *control = argument;
    struct pollfd fds[] = {{.fd = control->stop, .events = POLLIN},
                           {.fd = control->listener, .events = POLLIN}};

    for (;;) {
        int fd;

        poll(fds, 2, -1);
        if (fds[0].revents != 0)
            return NULL;
        /* Both threads are woken by one caller, and one of them finds nobody. */
        fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd == -1)
            continue;
        serve(control, fd);
        close(fd);
    }
}

/* --- Starting and stopping. --- */

static int bind_socket(int fd, const char *path)
{
    struct sockaddr_un address;
    int folder;
    int saved;
    int rc;

    if (wire_address(path, &address, &folder) == -1)
        return -1;
    unlink(path); /* of a daemon that was killed: the lock says that none runs */
    /* The file takes the descriptor's mode, so that nobody else can be in time. */
    rc = fchmod(fd, S_IRUSR | S_IWUSR);
    if (rc == 0)
        rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    saved = errno;
    if (folder != -1)
        close(folder);
    errno = saved;
    return rc == -1 ? -1 : listen(fd, BACKLOG);
}

static int open_sockets(struct control *control, struct error *err)
{
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    control->stop = eventfd(0, EFD_CLOEXEC);
    if (control->listener != -1 && control->stop != -1 &&
        bind_socket(control->listener, control->path) == 0)
        return 0;
    error_set(err, errno == EACCES || errno == EPERM ? ERROR_PERMISSION : ERROR_UNAVAILABLE,
              "cannot listen at %s: %s", control->path, strerror(errno));
    return -1;
}

static void release(struct control *control)
{
    if (control->listener != -1)
        close(control->listener);
    if (control->stop != -1)
        close(control->stop);
    free(control->path);
    free(control);
}

struct control *control_start(const char *path, control_answer_fn *answer, void *context,
                              struct error *err)
{
    struct control *control = calloc(1, sizeof(*control));

    if (control == NULL || (control->path = strdup(path)) == NULL) {
        free(control);
        error_set(err, ERROR_NOMEM, "%s: out of memory", path);
        return NULL;
    }
    control->listener = control->stop = -1;
    control->answer = answer;
    control->context = context;
    if (open_sockets(control, err) == -1) {
        release(control);
        return NULL;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        if (thread_start(&control->threads[i], "control", i, run_thread, control, err) == -1) {
            control_stop(control);
            return NULL;
        }
        control->thread_count++;
    }
    return control;
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    unlink(control->path);
    eventfd_write(control->stop, 1);
    for (unsigned i = 0; i < control->thread_count; i++)
        pthread_join(control->threads[i], NULL);
    release(control);
}
