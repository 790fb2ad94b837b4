/* trust.h: who else can change a file of code that is about to be run. */
#ifndef TN_PLUGIN_TRUST_H
#define TN_PLUGIN_TRUST_H

#include <sys/stat.h>

#include "loader.h"

/* On whose word a place is searched. */
typedef struct tn_trust {
    uid_t owner; /* may own what is found, as root and the user may */
    mode_t open; /* who else may write, without that it makes a difference */
    int named;   /* the user named the place: what is his own may be open to others */
} tn_trust;

/* In the library's own folders: whoever can change the library itself has no need of a plugin. */
tn_trust tn_trust_own(const struct stat *library);

/* In a place that the user named, TENON_BACKEND_PATH or tn_backend_load. Root may name what belongs to somebody else.
 */
tn_trust tn_trust_named(const struct stat *place);

/* TN_OK if nobody can write the file or folder but those; else the reason. A group that has the number of the file's
 * owner is taken for his own. */
tn_status tn_trust_check(const tn_trust *trust, const struct stat *info, tn_reason *reason);

#endif
