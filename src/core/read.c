/* read.c: reading files. */
#include "read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"

tn_status tn_open_regular(const char *path, int *fd, uint64_t *bytes)
{
    struct stat info;
    TN_REQUIRE(path, TN_EINVAL, "no file name was given");
    if (stat(path, &info))
        return tn_fail(errno == ENOENT ? TN_EMISSING : TN_EIO, "%s: cannot be read: %s", path, strerror(errno));
    TN_REQUIRE(!S_ISDIR(info.st_mode), TN_EIO, "%s: is a folder where a file was expected", path);
    TN_REQUIRE(S_ISREG(info.st_mode), TN_EIO, "%s: is not a regular file", path);
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    TN_REQUIRE(opened >= 0, TN_EIO, "%s: cannot be read: %s", path, strerror(errno));
    *fd = opened;
    *bytes = (uint64_t)info.st_size;
    return TN_OK;
}

tn_status tn_read_some(int fd, const char *path, void *to, uint64_t *bytes)
{
    uint64_t have = 0;
    while (have < *bytes) {
        ssize_t got = read(fd, (char *)to + have, *bytes - have);
        if (got < 0 && errno == EINTR) continue;
        TN_REQUIRE(got >= 0, TN_EIO, "%s: cannot be read: %s", path, strerror(errno));
        if (!got) break;
        have += (uint64_t)got;
    }
    *bytes = have;
    return TN_OK;
}

tn_status tn_read_whole(const char *path, char **content, uint64_t *bytes)
{
    int fd = -1;
    uint64_t size = 0;
    TN_TRY(tn_open_regular(path, &fd, &size));
    char *text = tn_alloc(size + 1);
    tn_status status = text ? tn_read_some(fd, path, text, &size) : TN_ENOMEM;
    close(fd);
    if (status) {
        tn_free(text);
        return status;
    }
    text[size] = 0;
    *content = text;
    *bytes = size;
    return TN_OK;
}
