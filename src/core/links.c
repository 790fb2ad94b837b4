/* links.c: see links.h. */
#include "links.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MOST_LINKS 40 /* as the system has it */

int tn_follow_links(const char *path, char target[PATH_MAX])
{
    char link[PATH_MAX];
    errno = ENAMETOOLONG;
    if (strlen(path) >= PATH_MAX) return 0;
    memcpy(target, path, strlen(path) + 1);
    for (int n = 0; n < MOST_LINKS; n++) {
        const ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0) return 1;
        const char *slash = *link == '/' ? NULL : strrchr(target, '/');
        const size_t folder = slash ? (size_t)(slash - target) + 1 : 0;
        errno = ENAMETOOLONG;
        if (folder + (size_t)length >= PATH_MAX) return 0;
        memcpy(target + folder, link, (size_t)length);
        target[folder + (size_t)length] = 0;
    }
    errno = ELOOP;
    return 0;
}
