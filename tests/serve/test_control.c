#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gatherd/clock.h"
#include "gatherd/control.h"

struct house {
    char folder[200];
    char path[400];
    struct control *control;
    atomic_int under_way;
};

/* echo WORDS..., shout (on stderr), wait (until it is over), fail */
static int answer(void *context, struct control_call *call, size_t count, const char *const *words)
{
    struct house *house = context;

    if (strcmp(words[0], "echo") == 0) {
        for (size_t i = 1; i < count; i++)
            control_say(call, "%s\n", words[i]);
        return 0;
    }
    if (strcmp(words[0], "shout") == 0) {
        control_say(call, "out\n");
        control_complain(call, "err\n");
        return 64;
    }
    if (strcmp(words[0], "wait") == 0) {
        atomic_fetch_add(&house->under_way, 1);
        while (!control_is_over(call, 10000))
            ;
        atomic_fetch_sub(&house->under_way, 1);
        return 1;
    }
    return 70;
}

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof(*house));
    struct error err = {0};

    assert_non_null(house);
    strcpy(house->folder, "/tmp/gatherd-control-XXXXXX");
    assert_non_null(mkdtemp(house->folder));
    snprintf(house->path, sizeof(house->path), "%s/x.db-control", house->folder);
    house->control = control_start(house->path, answer, house, &err);
    if (house->control == NULL)
        fail_msg("%s", err.text);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    control_stop(house->control);
    assert_int_equal(access(house->path, F_OK), -1);
    assert_int_equal(rmdir(house->folder), 0);
    free(house);
    return 0;
}

struct told {
    char *out;
    size_t out_length;
    char *complaints;
    size_t complaint_length;
    int status;
    enum control_outcome outcome;
    struct error err;
};

static void ask(const char *path, struct told *told, size_t count, const char *const *words)
{
    FILE *out = open_memstream(&told->out, &told->out_length);
    FILE *complaints = open_memstream(&told->complaints, &told->complaint_length);

    told->status = -1;
    told->err = (struct error){0};
    told->outcome = control_ask(path, count, words, out, complaints, &told->status, &told->err);
    fclose(out);
    fclose(complaints);
}

static void forget(struct told *told)
{
    free(told->out);
    free(told->complaints);
}

static void words_arrive_as_they_are_and_the_answer_is_printed(void **state)
{
    static const char *const words[] = {"echo", "", "two words", "\xc3\xa9\n"};
    struct house *house = *state;
    struct told told;

    ask(house->path, &told, 4, words);
    assert_int_equal(told.outcome, CONTROL_ANSWERED);
    assert_int_equal(told.status, 0);
    assert_string_equal(told.out, "\ntwo words\n\xc3\xa9\n\n");
    assert_string_equal(told.complaints, "");
    forget(&told);
}

static void stdout_stderr_and_the_status_keep_apart(void **state)
{
    static const char *const words[] = {"shout"};
    struct house *house = *state;
    struct told told;

    ask(house->path, &told, 1, words);
    assert_int_equal(told.outcome, CONTROL_ANSWERED);
    assert_int_equal(told.status, 64);
    assert_string_equal(told.out, "out\n");
    assert_string_equal(told.complaints, "err\n");
    forget(&told);
}

static void where_no_daemon_listens_there_is_nobody(void **state)
{
    static const char *const words[] = {"echo"};
    struct house *house = *state;
    char path[420];
    struct told told;
    int fd;

    snprintf(path, sizeof(path), "%s.other", house->path);
    ask(path, &told, 1, words);
    assert_int_equal(told.outcome, CONTROL_NOBODY);
    forget(&told);

    /* What a killed daemon leaves: a socket that nobody listens at. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    }
    close(fd);
    ask(path, &told, 1, words);
    assert_int_equal(told.outcome, CONTROL_NOBODY);
    forget(&told);
    {
        struct control *control = control_start(path, answer, house, NULL);

        assert_non_null(control); /* and the next one takes its place */
        ask(path, &told, 1, words);
        assert_int_equal(told.outcome, CONTROL_ANSWERED);
        forget(&told);
        control_stop(control);
    }
}

static void only_the_user_may_open_the_socket(void **state)
{
    struct house *house = *state;
    struct stat st;

    assert_int_equal(stat(house->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_path_too_long_for_an_address_works(void **state)
{
    static const char *const words[] = {"echo", "far"};
    struct house *house = *state;
    char folder[400];
    char path[500];
    struct control *control;
    struct told told;
    struct error err = {0};

    snprintf(folder, sizeof(folder), "%s/%0150d", house->folder, 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof(path), "%s/y.db-control", folder);
    control = control_start(path, answer, house, &err);
    if (control == NULL)
        fail_msg("%s", err.text);
    ask(path, &told, 2, words);
    assert_int_equal(told.outcome, CONTROL_ANSWERED);
    assert_string_equal(told.out, "far\n");
    forget(&told);
    control_stop(control);
    assert_int_equal(rmdir(folder), 0);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct error err = {0};

    (void)state;
    assert_null(control_start("/nowhere/at/all/x-control", answer, NULL, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "/nowhere/at/all/x-control"));
}

static int connect_raw(const struct house *house)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%.107s", house->path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_raw(int fd, char kind, uint32_t length, const void *data, size_t bytes)
{
    char head[5] = {kind};

    memcpy(head + 1, &length, sizeof(length));
    assert_int_equal(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
    if (bytes > 0) /* it may have heard enough already */
        (void)!send(fd, data, bytes, MSG_NOSIGNAL);
}

static void nonsense_is_not_answered_and_harms_nobody(void **state)
{
    static const char *const words[] = {"echo", "well"};
    static const struct {
        char kind;
        uint32_t length;
        const char *data;
        size_t bytes;
    } cases[] = {
        {'z', 2, "a", 2},
        {'q', 0, "", 0},
        {'q', 3, "abc", 3},
        {'q', 0xffffffff, "", 0},
        {'q', 64 * 1024 + 1, "", 0},
    };
    struct house *house = *state;
    struct told told;
    char byte;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = connect_raw(house);

        send_raw(fd, cases[i].kind, cases[i].length, cases[i].data, cases[i].bytes);
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        close(fd);
    }
    {
        char many[200];
        int fd = connect_raw(house);

        memset(many, 0, sizeof(many)); /* 200 empty words */
        send_raw(fd, 'q', sizeof(many), many, sizeof(many));
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        close(fd);
        close(connect_raw(house)); /* one who says nothing and goes */
    }
    ask(house->path, &told, 2, words);
    assert_string_equal(told.out, "well\n");
    forget(&told);
}

static void wait_for(struct house *house, int under_way)
{
    int64_t end = clock_monotonic_ms() + 20000;

    while (atomic_load(&house->under_way) != under_way && clock_monotonic_ms() < end)
        usleep(1000);
    assert_int_equal(atomic_load(&house->under_way), under_way);
}

static void a_caller_that_goes_ends_its_answer(void **state)
{
    struct house *house = *state;
    int fd = connect_raw(house);

    send_raw(fd, 'q', 5, "wait", 5);
    wait_for(house, 1);
    close(fd);
    wait_for(house, 0);
}

static void stopping_ends_answers_under_way(void **state)
{
    struct house *house = *state;
    int fd = connect_raw(house);
    struct error err = {0};

    send_raw(fd, 'q', 5, "wait", 5);
    wait_for(house, 1);
    control_stop(house->control);
    assert_int_equal(atomic_load(&house->under_way), 0);
    close(fd);
    house->control = control_start(house->path, answer, house, &err);
    assert_non_null(house->control);
}

static void a_daemon_that_breaks_off_is_an_error_of_the_command(void **state)
{
    static const char *const words[] = {"echo"};
    struct house *house = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct told told;
    pid_t pid;

    snprintf(address.sun_path, sizeof(address.sun_path), "%.90s.bad", house->path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid = fork();
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);

        send(fd, "o\x10", 2, MSG_NOSIGNAL);
        _exit(0);
    }
    ask(address.sun_path, &told, 1, words);
    assert_int_equal(told.outcome, CONTROL_FAILED);
    assert_int_equal(told.err.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(told.err.text, "did not answer"));
    forget(&told);
    close(listener);
    unlink(address.sun_path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_arrive_as_they_are_and_the_answer_is_printed),
        TEST(stdout_stderr_and_the_status_keep_apart),
        TEST(where_no_daemon_listens_there_is_nobody),
        TEST(only_the_user_may_open_the_socket),
        TEST(a_path_too_long_for_an_address_works),
        TEST(a_folder_that_is_not_there_is_an_error),
        TEST(nonsense_is_not_answered_and_harms_nobody),
        TEST(a_caller_that_goes_ends_its_answer),
        TEST(stopping_ends_answers_under_way),
        TEST(a_daemon_that_breaks_off_is_an_error_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
