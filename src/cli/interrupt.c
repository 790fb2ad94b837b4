/* interrupt.c: see interrupt.h. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;
static int hangup_ignored; /* by whoever started the program, as nohup does */

static void note(int number)
{
    if (!came) came = number;
}

static void remember(int number, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void cli_interrupt_begin(void)
{
    struct sigaction before;
    hangup_ignored = !sigaction(SIGHUP, NULL, &before) && before.sa_handler == SIG_IGN;
}

void cli_interrupt_catch(void)
{
    remember(SIGINT, (int)(SA_RESTART | SA_RESETHAND));
    remember(SIGTERM, (int)(SA_RESTART | SA_RESETHAND));
    if (hangup_ignored)
        signal(SIGHUP, SIG_IGN); /* a driver may have had other ideas */
    else
        remember(SIGHUP, SA_RESTART);
}

int cli_interrupted(void)
{
    return came;
}
