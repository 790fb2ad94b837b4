/* environment.h: what the user's environment says. */
#ifndef TN_PLUGIN_ENVIRONMENT_H
#define TN_PLUGIN_ENVIRONMENT_H

/* As getenv; NULL in a program that has more rights than its user. */
const char *tn_environment(const char *name);

#endif
