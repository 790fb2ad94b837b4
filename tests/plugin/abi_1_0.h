/* abi_1_0.h: see abi_1_0.c. */
#ifndef TN_TESTS_PLUGIN_ABI_1_0_H
#define TN_TESTS_PLUGIN_ABI_1_0_H

#include <stddef.h>

typedef struct abi_size {
    const char *type;
    size_t size;
} abi_size;

extern const abi_size abi_1_0[]; /* up to the first without a type */

#endif
