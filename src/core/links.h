/* links.h: where symbolic links lead. */
#ifndef TN_CORE_LINKS_H
#define TN_CORE_LINKS_H

#include <limits.h>

/* Where the file is, or will be, that a symbolic link at `path` names, or the last of several, one behind the other; a
 * path that is no link stays. Returns 0, and sets
 * errno, if that is too long, or the links go in a circle. */
int tn_follow_links(const char *path, char target[PATH_MAX]);

#endif
