/* named.c: finds a plugin that is called by its name in the places of its kind. */
#include "loader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "environment.h"
#include "trust.h"

/* What is looked for, and what was found. */
typedef struct search {
    const char *name;
    char *file; /* PATH_MAX bytes */
    tn_reason *reason;
} search;

/* Neither the file nor its folder may be open to others. TN_EMISSING: there is none. */
static tn_status take(const search *s, const char *path, const tn_trust *trust)
{
    char folder[PATH_MAX];
    struct stat info, around;
    if (!realpath(path, s->file)) return TN_EMISSING;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(s->file, '/') - s->file) + 1, s->file);
    if (stat(s->file, &info) || stat(folder, &around)) return TN_EMISSING;
    const tn_trust named = tn_trust_named(&info);
    const tn_status status = tn_trust_check(trust ? trust : &named, &info, s->reason);
    return status || !trust ? status : tn_trust_check(trust, &around, s->reason);
}

static tn_status take_own(const search *s, const char *below)
{
    char path[PATH_MAX], file[PATH_MAX];
    tn_trust trust;
    int length = snprintf(file, sizeof file, "%s/%s.so", below, s->name);
    if (length >= (int)sizeof file || !tn_own_file(file, path) || !tn_own_trust(&trust)) return TN_EMISSING;
    return take(s, path, &trust);
}

/* A file that is called so, or a folder that has one. */
static tn_status take_listed(const search *s, const char *place, int length)
{
    char path[PATH_MAX], end[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%.*s", length, place);
    snprintf(end, sizeof end, "/%s.so", s->name);
    if (path[0] != '/' || stat(path, &info)) return TN_EMISSING;
    if (S_ISDIR(info.st_mode)) {
        const tn_trust trust = tn_trust_named(&info);
        if ((size_t)length + strlen(end) >= sizeof path) return TN_EMISSING;
        strcat(path, end);
        return take(s, path, &trust);
    }
    size_t tail = strlen(end), all = strlen(path);
    return all >= tail && !strcmp(path + all - tail, end) ? take(s, path, NULL) : TN_EMISSING;
}

/* Folders of the library's own: of one that is installed, and of a program that has the library in it. */
static const char *const own[] = {"tenon", "../lib/tenon"};

tn_status tn_search_named(const char *folder, const char *variable, const char *name, char file[PATH_MAX],
                          tn_reason *reason)
{
    const search s = {name, file, reason};
    tn_status status = TN_EMISSING;
    for (size_t i = 0; i < sizeof own / sizeof *own && status == TN_EMISSING; i++) {
        char below[64];
        snprintf(below, sizeof below, "%s/%s", own[i], folder);
        status = take_own(&s, below);
    }
    const char *list = tn_environment(variable);
    for (int length; list && *list && status == TN_EMISSING; list += length + (list[length] == ':')) {
        length = (int)strcspn(list, ":");
        status = take_listed(&s, list, length);
    }
    if (status != TN_EMISSING) return status;
    return tn_because(reason, status, "there is no %s.so in tenon/%s beside the library, nor in %s", name, folder,
                      variable);
}

/* ---- all names -------------------------------------------------------------------------------------------------- */

typedef struct listing {
    void (*each)(void *arg, const char *name);
    void *arg;
} listing;

static void name_file(const listing *to, const char *file)
{
    char name[NAME_MAX + 1];
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    snprintf(name, sizeof name, "%s", base);
    if (strlen(name) > 3 && !strcmp(name + strlen(name) - 3, ".so")) name[strlen(name) - 3] = 0;
    to->each(to->arg, name);
}

static void name_folder(const listing *to, const char *folder)
{
    struct dirent **files = NULL;
    const int count = tn_list_libraries(folder, &files);
    for (int i = 0; i < count; i++) {
        name_file(to, files[i]->d_name);
        free(files[i]);
    }
    if (count >= 0) free(files);
}

static void name_listed(const listing *to, const char *path)
{
    struct stat info;
    if (path[0] != '/' || stat(path, &info)) return;
    if (S_ISDIR(info.st_mode))
        name_folder(to, path);
    else
        name_file(to, path);
}

tn_status tn_search_names(const char *folder, const char *variable, void (*each)(void *arg, const char *name),
                          void *arg)
{
    const listing to = {each, arg};
    const char *list = tn_environment(variable);
    char path[PATH_MAX], real[PATH_MAX], before[PATH_MAX] = "", below[64];
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        snprintf(below, sizeof below, "%s/%s", own[i], folder);
        if (!tn_own_file(below, path) || !realpath(path, real) || !strcmp(real, before)) continue;
        name_folder(&to, real);
        memcpy(before, real, sizeof before);
    }
    char *copy = list ? tn_strdup(list) : NULL, *rest = NULL;
    if (list && !copy) return TN_ENOMEM;
    for (const char *place = copy ? strtok_r(copy, ":", &rest) : NULL; place; place = strtok_r(NULL, ":", &rest))
        name_listed(&to, place);
    tn_free(copy);
    return TN_OK;
}
