/* system.c: see system.h. Here it is Linux, with glibc or musl. */
#define _GNU_SOURCE 1
#include "system.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- who is asking ---- */

int tn_system_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* ---- the machine ---- */

uint32_t tn_system_processors(void)
{
    cpu_set_t set;
    const int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

int tn_system_memory(uint64_t *total, uint64_t *left)
{
    char name[64];
    unsigned long long kib;
    FILE *file = fopen("/proc/meminfo", "r");
    *total = *left = 0;
    while (file && fscanf(file, "%63[^:]: %llu%*[^\n]\n", name, &kib) == 2) {
        if (!strcmp(name, "MemTotal") || !strcmp(name, "SwapTotal")) *total += kib << 10;
        if (!strcmp(name, "MemAvailable") || !strcmp(name, "SwapFree")) *left += kib << 10;
    }
    if (file) fclose(file);
    return *left > 0;
}

/* Files of "key: value" lines; a processor's features have two names. */
static const struct {
    const char *file, *key, *other;
} says[] = {[TN_MACHINE_NAME] = {"/proc/cpuinfo", "model name", NULL},
            [TN_MACHINE_FEATURES] = {"/proc/cpuinfo", "flags", "Features"},
            [TN_MACHINE_MEMORY_KIB] = {"/proc/meminfo", "MemAvailable", NULL}};

static int begins(const char *line, const char *key)
{
    return key && !strncmp(line, key, strlen(key));
}

int tn_system_says(int what, char *text, size_t room)
{
    FILE *file = fopen(says[what].file, "r");
    char line[4096];
    int found = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || !(begins(line, says[what].key) || begins(line, says[what].other))) continue;
        snprintf(text, room, "%s", colon + 1 + strspn(colon + 1, " \t"));
        text[strcspn(text, "\n")] = 0;
        found = 1;
    }
    if (file) fclose(file);
    return found;
}

/* ---- memory ---- */

int tn_system_memory_file(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

/* Who finds that name in that process is on the same machine, and allowed to. */
int tn_system_open_other(int64_t process, int file, const char *name)
{
    char path[64], want[128], found[160] = "";
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)process, file);
    snprintf(want, sizeof want, "/memfd:%s", name);
    if (readlink(path, found, sizeof found - 1) <= 0 || strncmp(found, want, strlen(want)) != 0) return -1;
    return open(path, O_RDWR | O_CLOEXEC);
}

void *tn_system_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void tn_system_use_large_pages(void *memory, size_t bytes)
{
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
}

/* Linux gives pages that are let go of back as zeros when they are used. */
int tn_system_let_go(void *memory, size_t bytes)
{
    return !madvise(memory, bytes, MADV_DONTNEED);
}

/* Of a sanitizer's allocator, where one took the place of the C library's. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

uint64_t tn_system_heap(void)
{
    if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
#ifdef __GLIBC__
    const struct mallinfo2 heap = mallinfo2();
    return (uint64_t)heap.uordblks + (uint64_t)heap.hblkhd;
#else
    return 0;
#endif
}

/* ---- files ---- */

/* The object, of those that are loaded, that an address is in. */
typedef struct object {
    uintptr_t address;
    const char *file;
    int found, is_program;
} object;

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    object *o = arg;
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && !o->found; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        const uintptr_t from = (uintptr_t)(info->dlpi_addr + part->p_vaddr);
        o->found = part->p_type == PT_LOAD && o->address >= from && o->address - from < part->p_memsz;
    }
    o->file = info->dlpi_name;
    o->is_program = (uintptr_t)info->dlpi_phdr == getauxval(AT_PHDR);
    return o->found;
}

void tn_system_file_of(void (*function)(void), char path[PATH_MAX])
{
    object o = {.address = (uintptr_t)function};
    dl_iterate_phdr(look, &o);
    path[0] = 0;
    if (!o.found || (o.is_program && tn_system_is_privileged())) return;
    if (!realpath(o.is_program ? tn_system_program() : o.file, path)) path[0] = 0;
}

const char *tn_system_program(void)
{
    return "/proc/self/exe";
}

int tn_system_temporary(char *name)
{
    return mkostemp(name, O_CLOEXEC);
}

int tn_system_lock(int file)
{
    return !flock(file, LOCK_EX | LOCK_NB);
}

int tn_system_may_be_folder(const struct dirent *entry)
{
    return entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
}

void tn_system_close_from(int first)
{
#ifdef SYS_close_range
    syscall(SYS_close_range, (unsigned)first, ~0u, 0u);
#else
    (void)first;
#endif
}

int tn_system_columns(int file)
{
    struct winsize size;
    return isatty(file) && !ioctl(file, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

/* ---- processes and threads ---- */

void tn_system_end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void tn_system_sleep_exactly(void)
{
    prctl(PR_SET_TIMERSLACK, 1000);
}

int tn_system_random(void *to, size_t bytes)
{
    return getrandom(to, bytes, 0) == (ssize_t)bytes;
}

/* The times of this call, whatever those of the C library are: the newest processors of 32 bits have only the second.
 */
#ifdef SYS_futex
#define FUTEX SYS_futex
typedef long duration;
#else
#define FUTEX SYS_futex_time64
typedef int64_t duration;
#endif

void tn_system_sleep_while(_Atomic uint32_t *word, uint32_t value, int64_t nanoseconds)
{
    const duration most[2] = {(duration)(nanoseconds / 1000000000), (duration)(nanoseconds % 1000000000)};
    syscall(FUTEX, word, FUTEX_WAIT, value, most, NULL, 0);
}

void tn_system_wake(_Atomic uint32_t *word)
{
    syscall(FUTEX, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Whether the process has a thread of that number. */
static int has_thread(pid_t process, unsigned long thread)
{
    char name[100];
    snprintf(name, sizeof name, "/proc/%d/task/%lu", (int)process, thread);
    return !access(name, F_OK);
}

/* Whether the thread waits for another one of its process, without a limit: for what only they share, or for its end
 * (then the number that is waited on is the other's). */
static int waits_for_thread(pid_t process, long thread)
{
    char name[100];
    long call = -1;
    unsigned long arg[4] = {0};
    snprintf(name, sizeof name, "/proc/%d/task/%ld/syscall", (int)process, thread);
    FILE *file = fopen(name, "r");
    const int found = file ? fscanf(file, "%ld %lx %lx %lx %lx", &call, &arg[0], &arg[1], &arg[2], &arg[3]) : 0;
    if (file) fclose(file);
    const unsigned what = (unsigned)arg[1] & (unsigned)FUTEX_CMD_MASK;
    if (found != 5 || call != FUTEX || (what != FUTEX_WAIT && what != FUTEX_WAIT_BITSET) || arg[3]) return 0;
    return (arg[1] & FUTEX_PRIVATE_FLAG) || has_thread(process, arg[2]);
}

/* The number that an entry of a folder has as its name, or -1. */
static long number_of(const struct dirent *entry)
{
    return isdigit((unsigned char)*entry->d_name) ? strtol(entry->d_name, NULL, 10) : -1;
}

int tn_system_is_stuck(pid_t process)
{
    char name[64];
    int stuck = 1, threads = 0;
    snprintf(name, sizeof name, "/proc/%d/task", (int)process);
    DIR *folder = opendir(name);
    for (struct dirent *entry; folder && stuck && (entry = readdir(folder));) {
        if (number_of(entry) < 0) continue;
        threads++;
        stuck = waits_for_thread(process, number_of(entry));
    }
    if (folder) closedir(folder);
    return stuck && threads;
}

int tn_system_threads(long list[], int most)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (const struct dirent *entry; folder && count < most && (entry = readdir(folder));)
        if (number_of(entry) >= 0) list[count++] = number_of(entry);
    if (folder) closedir(folder);
    return count;
}

unsigned long long tn_system_blocked(long thread)
{
    char path[64], line[200];
    unsigned long long blocked = ~0ull;
    snprintf(path, sizeof path, "/proc/self/task/%ld/status", thread);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (begins(line, "SigBlk:")) blocked = strtoull(line + strlen("SigBlk:"), NULL, 16);
    if (file) fclose(file);
    return blocked;
}

/* But for the folder that is looked at. */
int tn_system_open_files(void)
{
    int count = -1;
    DIR *folder = opendir("/proc/self/fd");
    for (const struct dirent *entry; folder && (entry = readdir(folder));) count += number_of(entry) >= 0;
    if (folder) closedir(folder);
    return folder ? count : -1;
}
