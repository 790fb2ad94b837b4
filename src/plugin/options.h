/* options.h: what the user set for backends and for the library, and what backends asked for. Free-threaded. */
#ifndef TN_PLUGIN_OPTIONS_H
#define TN_PLUGIN_OPTIONS_H

#include "tenon/status.h"

/* Sets an option; the texts are copied, and kept until tn_options_clear, even when the option is set again. One of the
 * library's own that is unknown or makes no sense is refused. */
tn_status tn_option_set(const char *backend, const char *key, const char *value);

/* "BACKEND.KEY=VALUE,...": cuts the first off, into texts of `text`'s memory. 0: it is none. */
int tn_option_cut(char **text, char **backend, char **key, char **value);

/* What TENON_OPTIONS says, but for options that were set already. */
tn_status tn_options_of_environment(void);

/* The value that was set last, or NULL. Remembers that somebody asked. */
const char *tn_option_get(const char *backend, const char *key);
void tn_options_clear(void);

/* In a process that was just forked: its one thread has no lock. */
void tn_options_after_fork(void);

/* Those that were set, the newest first. */
void tn_options_each(void (*visit)(void *arg, const char *backend, const char *key, const char *value), void *arg);

/* Refuses the options of a backend that it has not asked for, once it must have asked for all that it has. */
tn_status tn_options_check(const char *backend);

/* Whether any were set for it. */
int tn_options_any(const char *backend);

#endif
