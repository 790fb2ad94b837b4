/* shim.h: a library that is preloaded (LD_PRELOAD) and makes one allocation or one call of OpenCL fail, the FAIL_AT-th
 * that counts.
 *
 *   FAIL_KIND   memory: malloc, calloc, realloc, posix_memalign, aligned_alloc; opencl: every call but those that give
 *               something back, of whose failing nobody could make anything
 *   FAIL_FROM   memory: calls that count come from files with one of these, separated by ':', in their name
 *   FAIL_AT     0: none
 *   FAIL_COUNT  a file that gets how many there were
 *
 * A driver's own allocations are its own affair: what comes of their failing says nothing of the library. */
#ifndef TESTS_FAILING_SHIM_H
#define TESTS_FAILING_SHIM_H

enum { SHIM_MEMORY = 1, SHIM_OPENCL };

/* What is to fail, or 0. */
int shim_kind(void);

/* Counts one, and says whether it is its turn to fail. */
int shim_turn(void);

#endif
