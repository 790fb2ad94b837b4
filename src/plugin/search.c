/* search.c: the places where backends are looked for, in an order that is always the same. */
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "environment.h"
#include "error.h"
#include "system.h"
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

int tn_list_libraries(const char *folder, struct dirent ***files)
{
    return scandir(folder, files, is_library, by_name);
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
    int n = tn_list_libraries(folder, &files);
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
    char *copy = tn_strdup(list), *rest = NULL;
    tn_status status = copy ? TN_OK : TN_ENOMEM;
    for (const char *path = copy ? strtok_r(copy, ":", &rest) : NULL; path && !status;
         path = strtok_r(NULL, ":", &rest))
        status = search_one(path, found);
    tn_free(copy);
    return status;
}

/* The file that holds this function, links resolved: the library, or the program that it was linked into; empty if it
 * is not known. Found while it is loaded: a relative path, as LD_LIBRARY_PATH may have one, leads there only as long as
 * the working directory is the same. */
static char own_file[PATH_MAX];

__attribute__((constructor)) static void find_own_file(void)
{
    tn_system_file_of((void (*)(void))find_own_file, own_file);
}

int tn_own_file(const char *below, char path[PATH_MAX])
{
    struct stat info;
    int folder = own_file[0] ? (int)(strrchr(own_file, '/') - own_file) : 0;
    int length = snprintf(path, PATH_MAX, "%.*s/%s", folder, own_file, below);
    return own_file[0] && length < PATH_MAX && !stat(path, &info);
}

int tn_own_trust(tn_trust *trust)
{
    struct stat library;
    if (!own_file[0] || stat(own_file, &library)) return 0;
    *trust = tn_trust_own(&library);
    return 1;
}

static tn_status search_own(const char *below, tn_found *found)
{
    char folder[PATH_MAX];
    tn_trust trust;
    if (!tn_own_file(below, folder) || !tn_own_trust(&trust)) return TN_OK;
    return tn_search_folder(folder, &trust, found);
}

/* Folders of the library's own: of one that is installed, and of a program that has the library in it. */
static const char *const own_folders[] = {"tenon/backends-1", "../lib/tenon/backends-1"};

tn_status tn_search(tn_found *found)
{
    const char *list = tn_environment("TENON_BACKEND_PATH");
    for (size_t i = 0; i < sizeof own_folders / sizeof *own_folders; i++) TN_TRY(search_own(own_folders[i], found));
    return list ? tn_search_list(list, found) : TN_OK;
}

const char *tn_search_places(char *text, size_t room)
{
    char path[PATH_MAX], real[PATH_MAX], before[PATH_MAX] = "";
    const char *list = tn_environment("TENON_BACKEND_PATH");
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof own_folders / sizeof *own_folders && used < room; i++) {
        if (!tn_own_file(own_folders[i], path) || !realpath(path, real) || !strcmp(real, before)) continue;
        used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "", real);
        memcpy(before, real, sizeof before);
    }
    if (!used)
        used = (size_t)snprintf(text, room, "no folder of its own: there is no %s beside %s", own_folders[0],
                                own_file[0] ? own_file : "the library");
    if (list && *list && used < room) snprintf(text + used, room - used, ", and in TENON_BACKEND_PATH, %s", list);
    return text;
}
