/* outputs.c: that the files which a command is to write can be made, and take no other file's place. */
#include "cli.h"
#include "../core/links.h"
#include "../core/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPEST 32 /* folders in folders of data, as the library reads them */

/* With the slash. NULL: no memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

int cli_can_write(const char *option, const char *path)
{
    struct stat info;
    if (!path) return CLI_OK;
    if (!*path) return cli_fail("--%s: the file's name is empty", option);
    if (!stat(path, &info) && !S_ISREG(info.st_mode)) return cli_fail("--%s: '%s' is not a regular file", option, path);
    char target[PATH_MAX];
    if (!tn_follow_links(path, target)) return cli_fail("--%s: '%s': %s", option, path, strerror(errno));
    if (access(target, W_OK) && errno != ENOENT && errno != ENOTDIR)
        return cli_fail("--%s: '%s': %s", option, path, strerror(errno));
    char *folder = folder_of(target);
    if (!folder) return cli_fail("out of memory");
    int status = CLI_OK;
    if (stat(folder, &info))
        status = cli_fail("--%s: the folder '%s': %s", option, folder, strerror(errno));
    else if (access(folder, W_OK))
        status = cli_fail("--%s: '%s': %s", option, folder, strerror(errno));
    else if (path[strlen(path) - 1] == '/')
        status = cli_fail("--%s: '%s' is a folder, not a file", option, path);
    free(folder);
    return status;
}

static int is_one(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Of files that are not there yet. */
static int will_be_one(const char *path, const char *other_path)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!tn_follow_links(path, a) || !tn_follow_links(other_path, b)) return 0;
    const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
    if (strcmp(x ? x + 1 : a, y ? y + 1 : b) != 0) return 0;
    char *one = folder_of(a), *other = folder_of(b);
    const int same = one && other && is_one(one, other);
    free(one);
    free(other);
    return same;
}

/* ---- folders of data ---- */

/* Whether a folder's file of that name is data: an image, or one of MNIST's. Others may lie beside them. */
static int is_data(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", "-ubyte", "-ubyte.gz"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t ending = strlen(endings[i]);
        if (length > ending && !strcasecmp(name + length - ending, endings[i])) return 1;
    }
    return 0;
}

/* Whether that very file is among the data in a folder, or in folders there; -1: they lie too deep to be read. */
static int holds(const char *folder, const struct stat *file, int depth)
{
    DIR *entries = depth < DEEPEST ? opendir(folder) : NULL;
    int found = depth < DEEPEST ? 0 : -1;
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));) {
        struct stat info;
        char path[PATH_MAX];
        if (*entry->d_name == '.' || !(tn_system_may_be_folder(entry) || is_data(entry->d_name))) continue;
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length >= (int)sizeof path || stat(path, &info)) continue;
        if (S_ISDIR(info.st_mode))
            found = holds(path, file, depth + 1);
        else
            found = info.st_dev == file->st_dev && info.st_ino == file->st_ino && is_data(entry->d_name);
    }
    if (entries) closedir(entries);
    return found;
}

static int is_in(const char *path, const char *folder)
{
    struct stat file, info;
    return !stat(path, &file) && S_ISREG(file.st_mode) && !stat(folder, &info) && S_ISDIR(info.st_mode) &&
           holds(folder, &file, 0) > 0;
}

int cli_not_the_same(const char *option, const char *path, const char *other, const char *other_path)
{
    char lead[80] = "";
    if (!path || !other_path) return CLI_OK;
    if (option) snprintf(lead, sizeof lead, "--%s ", option);
    if (is_in(path, other_path))
        return cli_usage("%s%s: it is one of the files of %s %s", lead, path, other, other_path);
    if (!is_one(path, other_path) && !will_be_one(path, other_path)) return CLI_OK;
    return cli_usage("%s%s: give it another file than %s %s", lead, path, other, other_path);
}
