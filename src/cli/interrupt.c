/* interrupt.c: see interrupt.h. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;

static struct {
    int number, flags;
    int ignored; /* by whoever started the program, as nohup does, or a shell with what runs in the background */
} caught[] = {
    {SIGINT, (int)(SA_RESTART | SA_RESETHAND), 0},
    {SIGTERM, SA_RESTART, 0},
    {SIGHUP, SA_RESTART, 0},
};

#define CAUGHT (sizeof caught / sizeof *caught)

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
    for (size_t i = 0; i < CAUGHT; i++)
        caught[i].ignored = !sigaction(caught[i].number, NULL, &before) && before.sa_handler == SIG_IGN;
    signal(SIGXFSZ, SIG_IGN);
}

void cli_interrupt_catch(void)
{
    for (size_t i = 0; i < CAUGHT; i++)
        if (caught[i].ignored)
            signal(caught[i].number, SIG_IGN); /* a driver may have had other ideas */
        else
            remember(caught[i].number, caught[i].flags);
}

int cli_interrupted(void)
{
    return came;
}
