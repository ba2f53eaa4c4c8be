#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "gatherd/cli.h"

/*
 * Whoever starts us with standard output or error closed would find them as the next files that we
 * open, and our text in the lock file or on a connection. What is written to /dev/null opened for
 * reading is an error, as it is to what is closed.
 */
static void settle_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1)
            open("/dev/null", O_RDONLY); /* takes the lowest number free, which is fd */
    }
}

/*
 * Signals are dealt with before anything else, so that none arrives while nobody minds it: those
 * that `gatherd run` waits for are blocked (threads inherit that), those that would only kill us in
 * the middle of a write are ignored: SIGPIPE, and SIGXFSZ, which becomes an error of write(2). So
 * are SIGUSR1 and SIGUSR2, which mean nothing to us and are often sent to daemons by mistake.
 */
static void settle_signals(void)
{
    sigset_t waited;

    sigemptyset(&waited);
    sigaddset(&waited, SIGHUP);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    sigprocmask(SIG_BLOCK, &waited, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
}

int main(int argc, char **argv)
{
    settle_descriptors();
    settle_signals();
    return cli_main(argc, argv);
}
