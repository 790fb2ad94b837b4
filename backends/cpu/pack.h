/* pack.h: packing into panels that are WIDE rows or columns wide and k deep, k outermost; the last is filled up with
 * zeros. Element (i, l) is at from[i * si + l * sl]. */
#ifndef CPU_PACK_H
#define CPU_PACK_H

#include <stdint.h>
#include <string.h>

#include "turn.h"

#define PACK(T, fn, WIDE)                                                                                              \
    /* One panel, of which `count` places are there. */                                                                \
    static inline void fn##_panel(int64_t count, int64_t k, const T *from, int64_t si, int64_t sl, T *to)              \
    {                                                                                                                  \
        if (count >= WIDE && si == 1)                                                                                  \
            for (int64_t l = 0; l < k; l++) memcpy(to + l * WIDE, from + l * sl, WIDE * sizeof(T));                    \
        else if (count >= WIDE && sl == 1 && sizeof(T) == sizeof(float))                                               \
            cpu_turn(WIDE, k, (const float *)(const void *)from, si, (float *)(void *)to, WIDE);                       \
        else if (count >= WIDE)                                                                                        \
            for (int64_t l = 0; l < k; l++)                                                                            \
                for (int64_t i = 0; i < WIDE; i++) to[l * WIDE + i] = from[i * si + l * sl];                           \
        else                                                                                                           \
            for (int64_t l = 0; l < k; l++)                                                                            \
                for (int64_t i = 0; i < WIDE; i++) to[l * WIDE + i] = i < count ? from[i * si + l * sl] : 0;           \
    }                                                                                                                  \
    static void fn(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to)                       \
    {                                                                                                                  \
        for (int64_t i = 0; i < count; i += WIDE)                                                                      \
            fn##_panel(count - i, k, (const T *)from + i * si, si, sl, (T *)to + i * k);                               \
    }

#endif
