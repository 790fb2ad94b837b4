/* thread.h: threads of the library's own. */
#ifndef TN_CORE_THREAD_H
#define TN_CORE_THREAD_H

#include <pthread.h>

/* As pthread_create, for a thread that takes no signals: the program's handlers run in the program's threads. */
int tn_thread_start(pthread_t *thread, void *(*body)(void *), void *arg);

#endif
