/* search.c: the places where backends are looked for, in an order that is always the same. */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "trust.h"

static int is_library(const struct dirent *file)
{
    size_t length = strlen(file->d_name);
    return length > 3 && file->d_name[0] != '.' && !strcmp(file->d_name + length - 3, ".so");
}

/* Byte by byte: the same order whatever the user's language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Others could put a file of theirs into a folder that is open to them. */
static tn_status check_folder(const char *folder, const tn_trust *trust, tn_reason *reason)
{
    struct stat info;
    if (stat(folder, &info)) return tn_because(reason, TN_EIO, "%s", strerror(errno));
    return tn_trust_check(trust, &info, reason);
}

tn_status tn_search_folder(const char *folder, const tn_trust *trust, tn_found *found)
{
    struct dirent **files = NULL;
    tn_status status = TN_OK;
    tn_reason reason;
    if (check_folder(folder, trust, &reason)) return found(folder, reason.text, trust);
    int n = scandir(folder, &files, is_library, by_name);
    if (n < 0) return errno == ENOMEM ? TN_NO_MEMORY(0) : found(folder, strerror(errno), trust);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        int fits = length < (int)sizeof path;
        if (!status) status = fits ? found(path, NULL, trust) : found(folder, "the path is too long", trust);
        free(files[i]);
    }
    free(files);
    return status;
}

static tn_status search_one(const char *path, tn_found *found)
{
    struct stat info;
    if (path[0] != '/') return found(path, "is not an absolute path in TENON_BACKEND_PATH", NULL);
    if (stat(path, &info)) return found(path, strerror(errno), NULL);
    const tn_trust trust = tn_trust_named(&info);
    return S_ISDIR(info.st_mode) ? tn_search_folder(path, &trust, found) : found(path, NULL, &trust);
}

tn_status tn_search_list(const char *list, tn_found *found)
{
    char *copy = tn_strdup(list), *rest = copy, *path;
    tn_status status = copy ? TN_OK : TN_ENOMEM;
    while (!status && (path = strsep(&rest, ":")))
        if (*path) status = search_one(path, found);
    tn_free(copy);
    return status;
}

/* The file that holds this function, links resolved: the library, or the program that it was linked into. What the
 * program says its own name is (argv[0]) is not believed, nor is the place of a set-user-id program, which a hard link
 * can change. */
static int own_file(char path[PATH_MAX])
{
    Dl_info info;
    struct link_map *map = NULL;
    if (!dladdr1((void *)(uintptr_t)tn_search, &info, (void **)&map, RTLD_DL_LINKMAP) || !map) return 0;
    if (!map->l_name[0]) return !getauxval(AT_SECURE) && realpath("/proc/self/exe", path);
    return map->l_name[0] == '/' && realpath(map->l_name, path);
}

int tn_own_file(const char *below, char path[PATH_MAX])
{
    struct stat info;
    char file[PATH_MAX];
    if (!own_file(file)) return 0;
    *strrchr(file, '/') = 0;
    int length = snprintf(path, PATH_MAX, "%s/%s", file, below);
    return length < PATH_MAX && !stat(path, &info);
}

static tn_status search_own(const char *below, tn_found *found)
{
    struct stat library;
    char file[PATH_MAX], folder[PATH_MAX];
    if (!tn_own_file(below, folder) || !own_file(file) || stat(file, &library)) return TN_OK;
    const tn_trust trust = tn_trust_own(&library);
    return tn_search_folder(folder, &trust, found);
}

tn_status tn_search(tn_found *found)
{
    const char *list = secure_getenv("TENON_BACKEND_PATH");
    TN_TRY(search_own("tenon/backends-1", found));
    TN_TRY(search_own("../lib/tenon/backends-1", found));
    return list ? tn_search_list(list, found) : TN_OK;
}
