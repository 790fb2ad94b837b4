/* cache.h: the disk cache: what was costly to find out, kept from one run of a program to the next.
 *
 * It lies in TENON_CACHE if that is an absolute path (`off`: no cache), else in $XDG_CACHE_HOME/tenon, else in
 * ~/.cache/tenon; set-user-id programs have none. An entry is a file of its own that carries its key and a checksum;
 * it is written beside its place and renamed, so that a reader sees the old or the new one, whole. An entry that is
 * damaged, or not the user's own, is not there, nor is a folder that others can write to: there is no cache then.
 * tn_cache_folder (device.h) says where it lies or why there is none. Free-threaded, and safe among processes. */
#ifndef TN_PLUGIN_CACHE_H
#define TN_PLUGIN_CACHE_H

#include "tenon/status.h"

/* 0 where there is none. That a folder is not used because others can write to it is logged, the first time. */
int tn_cache_is_on(void);

/* Whether what is put there will be found again: the folder can be written. Makes it. */
int tn_cache_can_keep(void);

/* Whether this process has asked tn_cache_check, and so knows. */
int tn_cache_is_told(void);

/* The size of the entry `key` of `space` in bytes, or -1; copies it if it fits in `capacity`. */
int64_t tn_cache_get(const char *space, const char *key, void *data, uint64_t capacity);

/* Whether an entry has its file, which may be damaged. */
int tn_cache_is_there(const char *space, const char *key);

/* Waits until no other thread or process has the lock of that entry, and takes it; for those who read it and write it
 * anew. A number for unlock, or -1: there is no cache, it can't be locked, or somebody has had it for two seconds. */
int tn_cache_lock(const char *space, const char *key);
/* The same without waiting: TN_CACHE_TAKEN where somebody has it. The end of a process is the end of its locks. */
int tn_cache_lock_now(const char *space, const char *key);
void tn_cache_unlock(int lock); /* one that is no lock is fine */

enum { TN_CACHE_TAKEN = -2 };

/* Keeps an entry, in place of one of that key. Failing to is no error: then returns 0. The entries that were used
 * longest ago go when all together are larger than `limit`. */
int tn_cache_put(const char *space, const char *key, const void *data, uint64_t bytes, uint64_t limit);

#define TN_CACHE_LIMIT ((uint64_t)256 << 20) /* bytes */

#endif
