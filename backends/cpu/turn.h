/* turn.h: blocks of 4 x 4 floats with rows and columns exchanged, in vectors that every processor has. */
#ifndef CPU_TURN_H
#define CPU_TURN_H

#include <stdint.h>

typedef float cpu_four __attribute__((vector_size(16), aligned(4), may_alias));

#if defined(__clang__)
#define CPU_SHUFFLE(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#else
typedef int32_t cpu_four_places __attribute__((vector_size(16)));
#define CPU_SHUFFLE(x, y, a, b, c, d) __builtin_shuffle(x, y, (cpu_four_places){a, b, c, d})
#endif

/* Element (i, j), rows `step` apart, becomes element (j, i), rows to_step apart. */
static inline __attribute__((always_inline)) void cpu_turn_4(const float *from, int64_t step, float *to,
                                                             int64_t to_step)
{
    const cpu_four a = *(const cpu_four *)from, b = *(const cpu_four *)(from + step),
                   c = *(const cpu_four *)(from + 2 * step), d = *(const cpu_four *)(from + 3 * step);
    const cpu_four low = CPU_SHUFFLE(a, b, 0, 4, 1, 5), high = CPU_SHUFFLE(a, b, 2, 6, 3, 7),
                   low2 = CPU_SHUFFLE(c, d, 0, 4, 1, 5), high2 = CPU_SHUFFLE(c, d, 2, 6, 3, 7);
    *(cpu_four *)to = CPU_SHUFFLE(low, low2, 0, 1, 4, 5);
    *(cpu_four *)(to + to_step) = CPU_SHUFFLE(low, low2, 2, 3, 6, 7);
    *(cpu_four *)(to + 2 * to_step) = CPU_SHUFFLE(high, high2, 0, 1, 4, 5);
    *(cpu_four *)(to + 3 * to_step) = CPU_SHUFFLE(high, high2, 2, 3, 6, 7);
}

/* Columns begin..end of rows that no block of four takes. */
static inline void cpu_turn_rest(int64_t rows, int64_t begin, int64_t end, const float *from, int64_t step, float *to,
                                 int64_t to_step)
{
    for (int64_t j = begin; j < end; j++)
        for (int64_t i = 0; i < rows; i++) to[j * to_step + i] = from[i * step + j];
}

/* The same of any block: what is written lies side by side. */
static inline void cpu_turn(int64_t rows, int64_t columns, const float *from, int64_t step, float *to, int64_t to_step)
{
    const int64_t whole = rows / 4 * 4;
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        for (int64_t i = 0; i < whole; i += 4) cpu_turn_4(from + i * step + j, step, to + j * to_step + i, to_step);
        if (whole < rows) cpu_turn_rest(rows - whole, j, j + 4, from + whole * step, step, to + whole, to_step);
    }
    cpu_turn_rest(rows, j, columns, from, step, to, to_step);
}

#endif
