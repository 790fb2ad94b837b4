/* matrix.h: a product in f32 by matrix units, where the processor has some. */
#ifndef CPU_MATRIX_H
#define CPU_MATRIX_H

#include "isa.h"
#include "library.h"

/* Asks the system for the units, once for the process. Returns 1 if there are any. */
int cpu_matrix_open(void);

/* Whether they are ahead of vectors in a product of these sizes. */
int cpu_matrix_pays(const cpu_matrix *g, int64_t m, int64_t n, int64_t k, double grain);

/* Whether operands with these largest exponents have neither infinities nor NaN, and sums of so many products of
 * theirs, at most 2^32, stay below 2^128. */
int cpu_matrix_fits(int32_t a, int32_t b, int64_t depth);

/* Bytes of memory that such a product, or a smaller one, needs. */
int64_t cpu_matrix_bytes(const cpu_matrix *g, int64_t m, int64_t n, int64_t k);

/* What is kept of b, packed, for other products by it: bytes for (k, n), and where. */
int64_t cpu_matrix_kept_bytes(const cpu_matrix *g, int64_t n, int64_t k);
typedef struct cpu_kept {
    char *at; /* at a multiple of 64; NULL: nothing is kept */
    int is_full;
} cpu_kept;

/* Multiplies on this thread. Returns 0, and c is left undefined, if there are infinities or NaN among the operands, or
 * numbers whose products may be beyond about 2^69. `work`
 * begins at a multiple of 64. b is packed into `kept`, if that is there, unless it is full. */
int cpu_matrix_product(const cpu_matrix *g, const cpu_product *p, char *work, cpu_kept kept);

#endif
