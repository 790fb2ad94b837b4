/* file.c: writing a file as a whole or not at all: temporary file, fsync, rename, fsync of the folder. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "links.h"
#include "system.h"
#include "tenon/data.h"

#define PIECE  (1u << 30) /* the most that one call writes */
#define ENDING 40         /* bytes that a temporary name has behind the target's, at most: ".PID.NUMBER.tmp" */

static tn_status cannot_write(const char *path, int code)
{
    return tn_fail(code == ENOENT || code == ENOTDIR ? TN_EMISSING : TN_EIO, "%s: cannot be written: %s", path,
                   code == ENOENT || code == ENOTDIR ? "its folder does not exist" : strerror(code));
}

/* The folder of a path. NULL if out of memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = tn_strdup(slash == path ? "/" : slash ? path : ".");
    if (folder && slash && slash != path) folder[slash - path] = 0;
    return folder;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* How much of the target's name the temporary one begins with: a folder takes no name beyond a length. */
static int kept_length(const tn_file *file)
{
    const char *name = name_of(file->target);
    const long most = pathconf(file->folder, _PC_NAME_MAX);
    size_t length = strlen(name);
    if (most > ENDING && length > (size_t)(most - ENDING))
        for (length = (size_t)(most - ENDING); length && (name[length] & 0xC0) == 0x80;) length--; /* UTF-8 stays so */
    return (int)length;
}

/* ---- leftovers ---- */

/* Is `entry` NAME.PID.NUMBER.tmp of a process that is gone? The name has that length. */
static int is_stale(const char *entry, const char *name, size_t length)
{
    long pid = 0;
    unsigned number = 0;
    int used = 0;
    if (strncmp(entry, name, length)) return 0;
    if (sscanf(entry + length, ".%ld.%u.tmp%n", &pid, &number, &used) != 2 || !used || entry[length + (size_t)used])
        return 0;
    return pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

/* A writer holds a lock, so that one on another machine is left alone as well. */
static void remove_stale(const tn_file *file)
{
    const char *name = name_of(file->target);
    const size_t length = (size_t)kept_length(file);
    DIR *entries = opendir(file->folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!is_stale(entry->d_name, name, length)) continue;
        int fd = openat(dirfd(entries), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0) continue;
        if (tn_system_lock(fd)) unlinkat(dirfd(entries), entry->d_name, 0);
        close(fd);
    }
    if (entries) closedir(entries);
}

/* ---- beginning ---- */

/* What the old file was, the new one is: owner, group, mode, as far as this user may give them. A group that is not the
 * old one gets nothing. */
static void keep_owner(int fd, const struct stat *old)
{
    mode_t mode = old->st_mode & 07777;
    if (fchown(fd, old->st_uid, old->st_gid)) {
        mode &= (mode_t) ~(S_ISUID | S_ISGID);
        if (fchown(fd, (uid_t)-1, old->st_gid)) mode &= (mode_t)~S_IRWXG;
    }
    (void)fchmod(fd, mode);
}

/* Makes the temporary file; `old` is what it will replace, or NULL. */
static tn_status make_temporary(tn_file *file, const struct stat *old)
{
    static atomic_uint serial;
    const size_t room = strlen(file->target) + ENDING + 1;
    file->folder = folder_of(file->target);
    file->temporary = tn_alloc(room);
    if (!file->folder || !file->temporary) return TN_ENOMEM;
    remove_stale(file);
    const int kept = (int)(name_of(file->target) - file->target) + kept_length(file);
    for (int tries = 0; tries < 1000 && file->fd < 0; tries++) {
        snprintf(file->temporary, room, "%.*s.%ld.%u.tmp", kept, file->target, (long)getpid(),
                 atomic_fetch_add(&serial, 1));
        file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, old ? 0600 : 0666);
        if (file->fd < 0 && errno != EEXIST) break;
    }
    if (file->fd < 0) return cannot_write(file->path, errno);
    (void)tn_system_lock(file->fd);
    if (old) keep_owner(file->fd, old);
    return TN_OK;
}

/* Follows symbolic links, so that a link stays one. */
static tn_status find_target(tn_file *file, struct stat *old, int *there)
{
    char target[PATH_MAX];
    *there = !stat(file->path, old);
    if (!*there && errno != ENOENT) return cannot_write(file->path, errno);
    if (!*there && !tn_follow_links(file->path, target)) return cannot_write(file->path, errno);
    char *resolved = *there ? realpath(file->path, NULL) : NULL; /* a pipe may have no path */
    file->target = tn_strdup(resolved ? resolved : *there ? file->path : target);
    free(resolved);
    return file->target ? TN_OK : TN_ENOMEM;
}

static tn_status open_target(tn_file *file)
{
    struct stat old;
    int there = 0;
    TN_TRY(find_target(file, &old, &there));
    if (!there) return make_temporary(file, NULL);
    TN_REQUIRE(!S_ISDIR(old.st_mode), TN_EIO, "%s: cannot be written: it is a folder", file->path);
    if (access(file->target, W_OK)) return cannot_write(file->path, errno);
    if (S_ISREG(old.st_mode)) return make_temporary(file, &old);
    file->fd = open(file->target, O_WRONLY | O_CLOEXEC);
    return file->fd < 0 ? cannot_write(file->path, errno) : TN_OK;
}

static void free_file(tn_file *file)
{
    tn_free(file->temporary);
    tn_free(file->folder);
    tn_free(file->target);
    *file = (tn_file){.fd = -1};
}

tn_status tn_file_begin(const char *path, tn_file *file)
{
    TN_REQUIRE(path && *path, TN_EINVAL, "no file name was given");
    *file = (tn_file){.path = path, .fd = -1};
    tn_status status = open_target(file);
    if (status) free_file(file);
    return status;
}

/* ---- writing and ending ---- */

tn_status tn_file_write(tn_file *file, const void *data, uint64_t bytes)
{
    const char *from = data;
    while (bytes) {
        ssize_t done = write(file->fd, from, bytes < PIECE ? bytes : PIECE);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return cannot_write(file->path, errno);
        from += done;
        bytes -= (uint64_t)done;
    }
    return TN_OK;
}

/* A folder that can't be synced (some file systems) is no failure: the rename itself is whole. */
static void sync_folder(const tn_file *file)
{
    int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

/* Devices and pipes have nothing to sync. */
tn_status tn_file_sync(const tn_file *file)
{
    if (!fsync(file->fd) || (!file->temporary && (errno == EINVAL || errno == EROFS || errno == ENOTSUP))) return TN_OK;
    return cannot_write(file->path, errno);
}

tn_status tn_file_end(tn_file *file, tn_status status)
{
    if (!status) status = tn_file_sync(file);
    if (close(file->fd) && !status) status = cannot_write(file->path, errno);
    if (file->temporary) {
        if (!status && rename(file->temporary, file->target)) status = cannot_write(file->path, errno);
        if (status)
            (void)unlink(file->temporary);
        else
            sync_folder(file);
    }
    free_file(file);
    return status;
}

tn_status tn_file_replace(const char *path, const void *data, uint64_t bytes)
{
    TN_GIVEN(path, data);
    tn_file file;
    TN_TRY(tn_file_begin(path, &file));
    return tn_file_end(&file, tn_file_write(&file, data, bytes));
}
