/* driver.c: measures a library's matrix product: driver SIZES [SECONDS [HOW]], SIZES as 128x512x784 (m x n x k), with
 * :tn after it for a transposed first operand, :nt for a transposed second one. Prints one JSON line, with the error of
 * the result: its root mean square over some elements, each relative to the sum of the magnitudes that it adds up.
 * Exit status 1 if the result is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

enum { REPEATS = 7, SAMPLES = 1000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *random_numbers(size_t count, unsigned seed)
{
    float *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; x && i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
    return x;
}

/* An element in double precision, and what its magnitudes add up to. */
static double element(const product *p, int i, int j, double *magnitude)
{
    double sum = *magnitude = 0;
    for (int l = 0; l < p->k; l++) {
        size_t a = p->trans_a ? (size_t)l * p->m + i : (size_t)i * p->k + l;
        size_t b = p->trans_b ? (size_t)j * p->k + l : (size_t)l * p->n + j;
        sum += (double)p->a[a] * p->b[b];
        *magnitude += fabs((double)p->a[a] * p->b[b]);
    }
    return sum;
}

static double error_of(const product *p)
{
    double squares = 0, magnitude;
    for (int s = 0; s < SAMPLES; s++) {
        int i = (int)((size_t)s * 7919 % (size_t)p->m), j = (int)((size_t)s * 104729 % (size_t)p->n);
        double off = p->c[(size_t)i * p->n + j] - element(p, i, j, &magnitude);
        squares += off * off / (magnitude * magnitude);
    }
    return sqrt(squares / SAMPLES);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median time of one product, in pieces of about `seconds`; negative if it failed. */
static double measure(const product *p, double seconds)
{
    double piece[REPEATS];
    long times = 1;
    for (double spent = 0; spent < seconds; times *= 2) {
        double begun = now();
        if (!library_run(p, times)) return -1;
        spent = now() - begun;
    }
    for (int i = 0; i < REPEATS; i++) {
        double begun = now();
        if (!library_run(p, times / 2)) return -1;
        piece[i] = (now() - begun) / (double)(times / 2);
    }
    qsort(piece, REPEATS, sizeof *piece, by_size);
    return piece[REPEATS / 2];
}

static int read_sizes(const char *text, product *p)
{
    char how[3] = "nn";
    int read = sscanf(text, "%dx%dx%d:%2s", &p->m, &p->n, &p->k, how);
    p->trans_a = how[0] == 't';
    p->trans_b = how[1] == 't';
    return read >= 3 && p->m > 0 && p->n > 0 && p->k > 0 && strspn(how, "nt") == 2;
}

int main(int argc, char **argv)
{
    product p = {0};
    double seconds = argc > 2 ? atof(argv[2]) : 0.05;
    if (argc < 2 || !read_sizes(argv[1], &p)) {
        fprintf(stderr, "usage: %s MxNxK[:nn|:tn|:nt|:tt] [SECONDS [HOW]]\n", argv[0]);
        return 2;
    }
    p.how = argc > 3 ? argv[3] : NULL;
    p.a = random_numbers((size_t)p.m * p.k, 1);
    p.b = random_numbers((size_t)p.k * p.n, 2);
    p.c = random_numbers((size_t)p.m * p.n, 3);
    if (!p.a || !p.b || !p.c || !library_open(&p)) return 1;
    double one = measure(&p, seconds);
    double error = one > 0 && library_read(&p) ? error_of(&p) : NAN;
    int right = error < (p.how ? 2e-3 : 1e-6); /* what it is asked for may be rougher */
    if (right)
        printf("{\"library\": \"%s\", \"sizes\": \"%s\", \"seconds\": %.6g, \"gflops\": %.6g, \"error\": %.3g}\n",
               library_name, argv[1], one, 2e-9 * p.m * p.n * p.k / one, error);
    else
        fprintf(stderr, "%s: an error of %g\n", library_name, error);
    free(p.a);
    free(p.b);
    free(p.c);
    return !right;
}
