/* memory.c: see shim.h. Whose turn it is, and the functions of the heap. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim.h"

#define OURS __attribute__((visibility("default")))

static atomic_long count;
static long at;
static int kind;
static const char *from = "";

__attribute__((constructor)) static void begin(void)
{
    const char *word = getenv("FAIL_KIND"), *number = getenv("FAIL_AT"), *names = getenv("FAIL_FROM");
    at = number ? atol(number) : 0;
    if (names) from = names;
    kind = !word ? 0 : !strcmp(word, "memory") ? SHIM_MEMORY : SHIM_OPENCL;
}

__attribute__((destructor)) static void tell_count(void)
{
    const char *name = getenv("FAIL_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    kind = 0;
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&count));
    fclose(file);
}

/* The command's way to end. */
OURS void _exit(int status)
{
    tell_count();
    for (;;) syscall(SYS_exit_group, status);
}

int shim_kind(void)
{
    return kind;
}

int shim_turn(void)
{
    return atomic_fetch_add(&count, 1) + 1 == at;
}

/* ---- memory ---- */

/* Whether a file's name has one of the words of `from` in it. */
static int is_named(const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    for (const char *word = from; *word;) {
        size_t length = strcspn(word, ":");
        for (const char *c = name; length && strlen(c) >= length; c++)
            if (!strncmp(c, word, length)) return 1;
        word += length + (word[length] == ':');
    }
    return 0;
}

/* By the address that is returned to; each is looked up once. */
static int counts(void *caller)
{
    enum { PLACES = 1 << 14 };
    static _Atomic uintptr_t known[PLACES];
    static _Thread_local int inside;
    uintptr_t address = (uintptr_t)caller, seen = atomic_load(&known[address / 2 % PLACES]);
    if (kind != SHIM_MEMORY || inside) return 0;
    if (seen / 2 == address) return seen & 1;
    Dl_info info;
    inside = 1;
    int ours = dladdr(caller, &info) && info.dli_fname && is_named(info.dli_fname);
    inside = 0;
    atomic_store(&known[address / 2 % PLACES], 2 * address + (uintptr_t)ours);
    return ours;
}

/* What there is otherwise: a sanitizer's functions, or those of the standard library. */
#define NEXT(name, parameters)                                                                                         \
    extern void *__libc_##name parameters;                                                                             \
    extern void *__interceptor_##name parameters __attribute__((weak));
NEXT(malloc, (size_t bytes))
NEXT(calloc, (size_t n, size_t bytes))
NEXT(realloc, (void *old, size_t bytes))
NEXT(memalign, (size_t alignment, size_t bytes))
#undef NEXT
#define CALL(name, ...) (__interceptor_##name ? __interceptor_##name(__VA_ARGS__) : __libc_##name(__VA_ARGS__))

#define FAILS(nothing)                                                                                                 \
    if (counts(__builtin_return_address(0)) && shim_turn()) return errno = ENOMEM, nothing

OURS void *malloc(size_t bytes)
{
    FAILS(NULL);
    return CALL(malloc, bytes);
}

OURS void *calloc(size_t n, size_t bytes)
{
    FAILS(NULL);
    return CALL(calloc, n, bytes);
}

OURS void *realloc(void *old, size_t bytes)
{
    FAILS(NULL);
    return CALL(realloc, old, bytes);
}

OURS void *aligned_alloc(size_t alignment, size_t bytes)
{
    FAILS(NULL);
    return CALL(memalign, alignment, bytes);
}

OURS int posix_memalign(void **to, size_t alignment, size_t bytes)
{
    FAILS(ENOMEM);
    void *made = CALL(memalign, alignment, bytes);
    if (made) *to = made;
    return made ? 0 : ENOMEM;
}
