/* driver.h: what a library brings to be measured: four functions; driver.c has main and the clock. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

/* c (m, n) = op(a) op(b), row-major and dense: a is (m, k), or (k, m) if transposed; b (k, n), or (n, k). */
typedef struct product {
    int m, n, k, trans_a, trans_b;
    float *a, *b, *c;
    const char *how; /* what the library is asked for, in its own words, or NULL */
} product;

extern const char *const library_name;

/* Brings the operands to where the library works. Prints one line on standard error and returns 0 if it can't. */
int library_open(const product *p);
/* Multiplies so many times, and waits for the last. Returns 0 if that failed. */
int library_run(const product *p, long times);
/* Brings the result to p->c. */
int library_read(const product *p);

#endif
