/* cache.c: the disk cache. A file is a head, the key, the data; its name is a hash of the key. */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "environment.h"
#include "error.h"
#include "given.h"
#include "hash.h"
#include "system.h"
#include "tenon/device.h"
#include "trust.h"

#define MAGIC    "tncache1"
#define NEW_FILE ".new-"
#define ENTRY    ".entry"   /* behind 16 digits */
#define LOCK     ".lock"    /* likewise: an empty file that stays */
#define STALE    3600       /* seconds after which a file that was never finished is rubbish */
#define PATIENCE 2000000000 /* nanoseconds that are waited for a lock, */
#define TRIES    200        /* which is tried so often */

enum { NAME_LENGTH = 16 + sizeof ENTRY - 1 };

typedef struct cache_head {
    char magic[8];
    uint64_t key_bytes;
    uint64_t data_bytes;
    uint64_t sum; /* of key and data */
} cache_head;

/* An entry on its way from or to the disk: `bytes` bytes at `memory`, head first. */
typedef struct cache_entry {
    unsigned char *memory;
    uint64_t bytes;
} cache_entry;

static uint64_t checksum(const unsigned char *bytes, uint64_t n)
{
    return tn_hash_bytes(TN_HASH_EMPTY, bytes, n);
}

/* ---- where ------------------------------------------------------------------------------------------------------ */

static int absolute(const char *path)
{
    return path && path[0] == '/';
}

static tn_status find_path(char folder[PATH_MAX], tn_reason *reason)
{
    const char *own = tn_environment("TENON_CACHE"), *xdg = tn_environment("XDG_CACHE_HOME");
    const char *home = tn_environment("HOME");
    int length = -1;
    if (own && !strcmp(own, "off")) return tn_because(reason, TN_EMISSING, "the cache is switched off by TENON_CACHE");
    if (own && own[0] && !absolute(own))
        return tn_because(reason, TN_EMISSING, "no cache: TENON_CACHE, '%s', is no absolute path", own);
    if (own && own[0])
        length = snprintf(folder, PATH_MAX, "%s", own);
    else if (absolute(xdg))
        length = snprintf(folder, PATH_MAX, "%s/tenon", xdg);
    else if (absolute(home))
        length = snprintf(folder, PATH_MAX, "%s/.cache/tenon", home);
    else
        return tn_because(reason, TN_EMISSING, "no cache: neither TENON_CACHE, XDG_CACHE_HOME nor HOME is set");
    if (length < PATH_MAX - NAME_MAX - 2) return TN_OK;
    return tn_because(reason, TN_EINVAL, "no cache: the path of its folder is too long");
}

/* What others could put there would run here: a driver believes what it reads. One that is not there yet will be made.
 */
static tn_status find_folder(char folder[PATH_MAX], tn_reason *reason)
{
    const tn_trust trust = {.owner = geteuid()};
    struct stat info;
    tn_reason why;
    TN_TRY(find_path(folder, reason));
    if (stat(folder, &info) || !tn_trust_check(&trust, &info, &why)) return TN_OK;
    return tn_because(reason, TN_EINVAL, "the cache in %s is not used: it %s", folder, why.text);
}

static int has_folder(char folder[PATH_MAX])
{
    tn_reason ignored;
    return !find_folder(folder, &ignored);
}

tn_status tn_cache_folder(char *path, uint64_t room)
{
    TN_GIVEN(path);
    char folder[PATH_MAX];
    tn_reason reason;
    tn_status status = find_folder(folder, &reason);
    if (status) return tn_fail(status, "%s", reason.text);
    TN_REQUIRE(strlen(folder) < room, TN_EINVAL, "the path of the cache, %s, takes more than %llu bytes", folder,
               (unsigned long long)room);
    strcpy(path, folder);
    return TN_OK;
}

int tn_cache_is_on(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    char folder[PATH_MAX];
    tn_reason reason;
    tn_status status = find_folder(folder, &reason);
    if (status == TN_EINVAL && !atomic_flag_test_and_set(&told)) tn_log_line(TN_LOG_WARNING, "%s", reason.text);
    return !status;
}

/* Makes the folder and those above it, for the user alone. */
static void make_folder(char *folder)
{
    for (char *c = folder + 1; *c; c++) {
        if (*c != '/') continue;
        *c = 0;
        mkdir(folder, 0700);
        *c = '/';
    }
    mkdir(folder, 0700);
}

/* Whether files can be made in the folder, which is made itself if it has to be; if not, errno says why. */
static int can_write(char *folder)
{
    struct stat info;
    make_folder(folder);
    if (stat(folder, &info)) return 0;
    errno = ENOTDIR;
    return S_ISDIR(info.st_mode) && !access(folder, W_OK | X_OK);
}

static atomic_int is_asked; /* tn_cache_check was */

int tn_cache_is_told(void)
{
    return atomic_load(&is_asked);
}

tn_status tn_cache_check(void)
{
    atomic_store(&is_asked, 1);
    char folder[PATH_MAX];
    tn_reason reason;
    const tn_status status = find_folder(folder, &reason);
    if (status) return tn_fail(status, "%s", reason.text);
    TN_REQUIRE(can_write(folder), TN_EIO, "the cache in %s can't be written: %s", folder, strerror(errno));
    return TN_OK;
}

int tn_cache_can_keep(void)
{
    char folder[PATH_MAX];
    return has_folder(folder) && can_write(folder);
}

/* The entry's head, key and data in one piece; data may be NULL. */
static int compose(cache_entry *entry, const char *space, const char *key, const void *data, uint64_t bytes)
{
    cache_head head = {.key_bytes = strlen(space) + 1 + strlen(key), .data_bytes = bytes};
    entry->bytes = sizeof head + head.key_bytes + bytes;
    entry->memory = tn_alloc(entry->bytes + 1);
    if (!entry->memory) return 0;
    unsigned char *text = entry->memory + sizeof head;
    sprintf((char *)text, "%s\n%s", space, key);
    if (bytes) memcpy(text + head.key_bytes, data, bytes);
    memcpy(head.magic, MAGIC, sizeof head.magic);
    head.sum = checksum(text, head.key_bytes + bytes);
    memcpy(entry->memory, &head, sizeof head);
    return 1;
}

/* `folder` becomes the path of a file of the entry's. */
static void append_ending(char folder[PATH_MAX], const cache_entry *key, const char *ending)
{
    uint64_t hash = checksum(key->memory + sizeof(cache_head), key->bytes - sizeof(cache_head));
    size_t length = strlen(folder);
    snprintf(folder + length, PATH_MAX - length, "/%016llx%s", (unsigned long long)hash, ending);
}

static void append_name(char folder[PATH_MAX], const cache_entry *key)
{
    append_ending(folder, key, ENTRY);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static int read_file(int file, cache_entry *entry)
{
    struct stat info;
    uint64_t done = 0;
    if (fstat(file, &info) || !S_ISREG(info.st_mode) || info.st_uid != geteuid()) return 0;
    if (info.st_size < (off_t)sizeof(cache_head)) return 0;
    entry->bytes = (uint64_t)info.st_size;
    entry->memory = tn_alloc(entry->bytes);
    while (entry->memory && done < entry->bytes) {
        ssize_t got = read(file, entry->memory + done, entry->bytes - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        done += (uint64_t)got;
    }
    return entry->memory != NULL;
}

/* The whole entry is there, undamaged, and of that key. */
static int intact(const cache_entry *entry, const cache_entry *key)
{
    cache_head head;
    uint64_t body = entry->bytes - sizeof head, key_bytes = key->bytes - sizeof head;
    memcpy(&head, entry->memory, sizeof head);
    return !memcmp(head.magic, MAGIC, sizeof head.magic) && head.key_bytes == key_bytes && body >= key_bytes &&
           head.data_bytes == body - key_bytes && head.sum == checksum(entry->memory + sizeof head, body) &&
           !memcmp(entry->memory + sizeof head, key->memory + sizeof head, key_bytes);
}

int64_t tn_cache_get(const char *space, const char *key, void *data, uint64_t capacity)
{
    char path[PATH_MAX];
    cache_entry wanted = {0}, entry = {0};
    int64_t bytes = -1;
    int file = -1;
    if (has_folder(path) && compose(&wanted, space, key, NULL, 0)) {
        append_name(path, &wanted);
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (file >= 0 && read_file(file, &entry) && intact(&entry, &wanted)) {
        bytes = (int64_t)(entry.bytes - wanted.bytes);
        if (bytes && (uint64_t)bytes <= capacity) memcpy(data, entry.memory + wanted.bytes, (size_t)bytes);
        futimens(file, NULL); /* it was used just now */
    }
    if (file >= 0) close(file);
    tn_free(entry.memory);
    tn_free(wanted.memory);
    return bytes;
}

int tn_cache_is_there(const char *space, const char *key)
{
    char path[PATH_MAX];
    struct stat info;
    cache_entry wanted = {0};
    const int is_on = has_folder(path) && compose(&wanted, space, key, NULL, 0);
    if (is_on) append_name(path, &wanted);
    tn_free(wanted.memory);
    return is_on && !lstat(path, &info);
}

/* ---- locks ------------------------------------------------------------------------------------------------------ */

/* Tries so many times, with naps in between. */
static int take_lock(int file, int tries)
{
    const struct timespec nap = {0, PATIENCE / TRIES};
    int none = -1;
    for (int i = 0; i < tries; i++) {
        if (i) nanosleep(&nap, NULL);
        if (tn_system_lock(file)) return file;
        none = errno == EWOULDBLOCK || errno == EINTR ? TN_CACHE_TAKEN : -1;
        if (none == -1) break;
    }
    close(file);
    return none;
}

static int find_lock(const char *space, const char *key, int tries)
{
    char path[PATH_MAX];
    cache_entry wanted = {0};
    int file = -1;
    if (has_folder(path) && compose(&wanted, space, key, NULL, 0)) {
        make_folder(path);
        append_ending(path, &wanted, LOCK);
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    tn_free(wanted.memory);
    return file < 0 ? -1 : take_lock(file, tries);
}

int tn_cache_lock(const char *space, const char *key)
{
    const int lock = find_lock(space, key, TRIES);
    return lock == TN_CACHE_TAKEN ? -1 : lock;
}

int tn_cache_lock_now(const char *space, const char *key)
{
    return find_lock(space, key, 1);
}

void tn_cache_unlock(int lock)
{
    if (lock >= 0) close(lock);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int write_all(int file, const unsigned char *bytes, uint64_t n)
{
    while (n) {
        ssize_t put = write(file, bytes, n);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return 0;
        bytes += put;
        n -= (uint64_t)put;
    }
    return 1;
}

static int earlier(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* A file of the cache. */
typedef struct cached {
    char name[NAME_LENGTH + 1];
    uint64_t bytes;
    struct timespec used;
} cached;

typedef struct survey {
    cached *file;
    uint32_t count, capacity;
    uint64_t bytes; /* of all together */
} survey;

static tn_status list_entry(survey *all, const char *name, const struct stat *info)
{
    TN_TRY(tn_grow(&all->file, &all->capacity, all->count + 1, sizeof *all->file));
    cached *file = &all->file[all->count++];
    *file = (cached){.bytes = (uint64_t)info->st_size, .used = info->st_mtim};
    memcpy(file->name, name, NAME_LENGTH);
    all->bytes += file->bytes;
    return TN_OK;
}

static int ends_in(const char *name, const char *end)
{
    return strlen(name) == NAME_LENGTH && !strcmp(name + NAME_LENGTH - strlen(end), end);
}

/* Lists the entries, and removes what was never finished. */
static tn_status look_through(DIR *folder, survey *all)
{
    struct dirent *file;
    struct stat info;
    while ((file = readdir(folder))) {
        const char *name = file->d_name;
        const int is_new = !strncmp(name, NEW_FILE, strlen(NEW_FILE));
        if (!is_new && !ends_in(name, ENTRY)) continue;
        if (fstatat(dirfd(folder), name, &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode)) continue;
        if (!is_new)
            TN_TRY(list_entry(all, name, &info));
        else if (info.st_mtime < time(NULL) - STALE)
            unlinkat(dirfd(folder), name, 0);
    }
    return TN_OK;
}

static int by_use(const void *a, const void *b)
{
    const struct timespec *one = &((const cached *)a)->used, *other = &((const cached *)b)->used;
    return earlier(one, other) ? -1 : earlier(other, one);
}

/* The folder is read once. Without memory for that nothing goes, until the next time. */
static void trim(const char *path, uint64_t limit)
{
    survey all = {0};
    DIR *folder = opendir(path);
    if (folder && !look_through(folder, &all) && all.bytes > limit) {
        qsort(all.file, all.count, sizeof *all.file, by_use);
        for (uint32_t i = 0; i < all.count && all.bytes > limit; i++) {
            unlinkat(dirfd(folder), all.file[i].name, 0);
            all.bytes -= all.file[i].bytes;
        }
    }
    tn_free(all.file);
    if (folder) closedir(folder);
}

int tn_cache_put(const char *space, const char *key, const void *data, uint64_t bytes, uint64_t limit)
{
    char folder[PATH_MAX], fresh[PATH_MAX + 16], path[PATH_MAX];
    cache_entry name = {0}, entry = {0};
    int file = -1, is_kept = 0;
    if (bytes <= limit && has_folder(folder) && compose(&name, space, key, NULL, 0) &&
        compose(&entry, space, key, data, bytes)) {
        make_folder(folder);
        append_name(strcpy(path, folder), &name);
        snprintf(fresh, sizeof fresh, "%s/" NEW_FILE "XXXXXX", folder);
        file = tn_system_temporary(fresh);
    }
    if (file >= 0) {
        int written = write_all(file, entry.memory, entry.bytes);
        is_kept = !close(file) && written && !rename(fresh, path);
        if (!is_kept) unlink(fresh);
        trim(folder, limit);
    }
    tn_free(entry.memory);
    tn_free(name.memory);
    return is_kept;
}
