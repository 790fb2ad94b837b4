/* thread.c: see thread.h. */
#include "thread.h"

#include <signal.h>

enum { LEAST_STACK = 1 << 20 };

/* Some systems give a thread a tenth of that. */
static int set_stack(pthread_attr_t *how)
{
    size_t bytes;
    const int wrong = pthread_attr_getstacksize(how, &bytes);
    return wrong || bytes >= LEAST_STACK ? wrong : pthread_attr_setstacksize(how, LEAST_STACK);
}

int tn_thread_start(pthread_t *thread, void *(*body)(void *), void *arg)
{
    sigset_t all, before;
    pthread_attr_t how;
    int wrong = pthread_attr_init(&how);
    if (wrong) return wrong;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    wrong = set_stack(&how);
    if (!wrong) wrong = pthread_create(thread, &how, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&how);
    return wrong;
}
