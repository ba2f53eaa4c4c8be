#include <signal.h>

#include "gatherd/cli.h"

/*
 * Signals are dealt with before anything else, so that none arrives while nobody minds it: those
 * that `gatherd run` waits for are blocked (threads inherit that), those that would only kill us in
 * the middle of a write are ignored: SIGPIPE, and SIGXFSZ, which becomes an error of write(2).
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
}

int main(int argc, char **argv)
{
    settle_signals();
    return cli_main(argc, argv);
}
