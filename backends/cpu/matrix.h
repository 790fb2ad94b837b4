/* matrix.h: a product in f32 by matrix units, where the processor has some, or by its vectors of bf16. */
#ifndef CPU_MATRIX_H
#define CPU_MATRIX_H

#include "isa.h"
#include "library.h"

/* Asks the system for the units, once for the process. Returns 1 if there are any. */
int cpu_matrix_open(void);

/* What multiplies at this level of precision; NULL: there is nothing that is ahead of f32's own products. */
const cpu_matrix *cpu_matrix_at(uint32_t level);

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

/* What is done beside: with rows m0..m1 and columns n0..n1 of c as soon as they are there, while they are near; and
 * where the columns of a, which is transposed then, are added up. NULL: nothing. */
typedef struct cpu_beside {
    void (*ended)(const void *arg, int64_t m0, int64_t m1, int64_t n0, int64_t n1);
    const void *arg;
    double *sums;
} cpu_beside;

/* Multiplies on this thread. Returns 0, and c and sums are left undefined, though parts of c may have ended, if there
 * are infinities or NaN among the operands, or numbers whose products may be beyond about 2^69. `work` begins at a
 * multiple of 64. b is packed into `kept`, if that is there, unless it is full. */
int cpu_matrix_product(const cpu_matrix *g, const cpu_product *p, char *work, cpu_kept kept, const cpu_beside *beside);

#endif
