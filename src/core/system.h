/* system.h: what this library asks of the system beyond POSIX (2008, with XSI), whose functions it uses everywhere
 * else: nothing else compiles. docs/portability.md says what each is for, and what becomes of it where it is missing: a
 * function that can do nothing says so, and nobody depends on it. Any thread may call. */
#ifndef TN_CORE_SYSTEM_H
#define TN_CORE_SYSTEM_H

#include <dirent.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- who is asking ---- */

/* Whether the program has more rights than its user, and must not believe what that one says of it. */
int tn_system_is_privileged(void);

/* ---- the machine ---- */

/* How many processors this process may use, at least 1. */
uint32_t tn_system_processors(void);

/* Bytes in all and those that can still be had, with the space to swap to. Returns 0 where the system doesn't tell. */
int tn_system_memory(uint64_t *total, uint64_t *left);

/* What the system says of the machine, as a line. Returns 0 where it doesn't tell. */
enum { TN_MACHINE_NAME, TN_MACHINE_FEATURES, TN_MACHINE_MEMORY_KIB };
int tn_system_says(int what, char *text, size_t room);

/* ---- memory ---- */

/* An empty file that is nowhere but in memory, or -1, with errno. The caller closes it. */
int tn_system_memory_file(const char *name);

/* Opens that file in another process of this machine, with its number there: only if it is that very file. */
int tn_system_open_other(int64_t process, int file, const char *name);

/* Zeros that this process and those that it forks have in common, or NULL. munmap lets go of them. */
void *tn_system_shared(size_t bytes);

/* Whole pages of memory: may as well be large ones. */
void tn_system_use_large_pages(void *memory, size_t bytes);

/* Whole pages: lets go of what they hold. Memory of the heap then is zeros (0: it is not, nothing was done), and what
 * is mapped is read from its file again when it is needed. */
int tn_system_let_go(void *memory, size_t bytes);

/* Bytes of the heap that are in use, as far as the C library tells; else 0. */
uint64_t tn_system_heap(void);

/* ---- files ---- */

/* The file that a function of this process is in, links resolved, or the empty text. Of a privileged program that has
 * the function itself it isn't told, which a hard link could change; nor is a program's own word believed. */
void tn_system_file_of(void (*function)(void), char path[PATH_MAX]);

/* The file of this program, to run it again. */
const char *tn_system_program(void);

/* Takes what mkstemp takes; nobody inherits the file. */
int tn_system_temporary(char *name);

/* Locks an open file for this process, unless another one has: then returns 0. */
int tn_system_lock(int file);

/* What a folder tells of an entry without looking at it. */
int tn_system_may_be_folder(const struct dirent *entry);

/* Closes `first` and all files after it, where that is one call. */
void tn_system_close_from(int first);

/* Columns of the terminal; 0 where there is none. */
int tn_system_columns(int file);

/* ---- processes and threads ---- */

/* This process is killed when the one that started it ends. */
void tn_system_end_with_parent(void);

/* Sleeps of microseconds are not made longer in this thread. */
void tn_system_sleep_exactly(void);

/* Fills the bytes with what nobody can guess; returns 0 if that fails. */
int tn_system_random(void *to, size_t bytes);

/* Sleeps while the word has that value, at most so long, or less; and wakes all who sleep so. The word may lie in
 * memory that processes have in common. */
void tn_system_sleep_while(_Atomic uint32_t *word, uint32_t value, int64_t nanoseconds);
void tn_system_wake(_Atomic uint32_t *word);

/* Whether each thread of the process waits for another one of it, without a limit. A thread that is in a driver, in
 * another system call or about to run does not. 0 too where the system doesn't tell. */
int tn_system_is_stuck(pid_t process);

/* The numbers of this process's threads; 0: nobody tells. */
int tn_system_threads(long list[], int most);

/* The signals that a thread of this process blocks, a bit each; all, if it is gone. */
unsigned long long tn_system_blocked(long thread);

/* How many files this process has open; -1: nobody tells. */
int tn_system_open_files(void);

#endif
