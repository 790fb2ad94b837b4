/* host.h: the services that a backend gets at init: memory, log, options, cache, threads. Free-threaded. */
#ifndef TN_PLUGIN_HOST_H
#define TN_PLUGIN_HOST_H

#include "tenon/status.h"

/* The services for the backend `id`, whose text must live as long. */
tn_host tn_host_for(const char *id);

/* Sets an option; the texts are copied, and kept until tn_options_clear, even when the option is set again. */
tn_status tn_option_set(const char *backend, const char *key, const char *value);
const char *tn_option_get(const char *backend, const char *key);
void tn_options_clear(void);

/* In a process that was just forked: its one thread has no lock. */
void tn_options_after_fork(void);

/* All that were set, the newest first. */
void tn_options_each(void (*visit)(void *arg, const char *backend, const char *key, const char *value), void *arg);

/* tn_host.parallel_for. */
void tn_parallel_for(void *self, int64_t n, void (*body)(void *arg, int64_t begin, int64_t end), void *arg);

#endif
