/* host.h: the services that a backend gets at init: memory, log, options, cache, threads. Free-threaded. */
#ifndef TN_PLUGIN_HOST_H
#define TN_PLUGIN_HOST_H

#include "tenon/status.h"

/* The services for the backend `id`, whose text must live as long. */
tn_host tn_host_for(const char *id);

/* tn_host.parallel_for. */
void tn_parallel_for(void *self, int64_t n, void (*body)(void *arg, int64_t begin, int64_t end), void *arg);

#endif
