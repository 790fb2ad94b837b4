/* forked.h: a backend in a process that was forked while it was in use. */
#ifndef TN_PLUGIN_FORKED_H
#define TN_PLUGIN_FORKED_H

#include "tenon/backend.h"

/* A table in place of that backend's, of the same id: whatever can fail does, with TN_ESTATE and a line that says why,
 * and whatever cannot does nothing. No thread of a backend or its driver is left in such a process, and a call that
 * waited for one would wait for ever. */
tn_backend tn_forked_table(const tn_backend *backend);

#endif
