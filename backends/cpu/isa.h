/* isa.h: the code that is compiled once for each instruction set, and how it is reached: rows.c, fold.c and gemm.c
 * with -DCPU_ISA=base, avx2 or avx512 each make their part of one table. All of it works on contiguous memory. */
#ifndef CPU_ISA_H
#define CPU_ISA_H

#include <stdint.h>

#define CPU_PASTE_(a, b, c) a##_##b##_##c
#define CPU_PASTE(a, b, c)  CPU_PASTE_(a, b, c)
#define CPU_NAME(part)      CPU_PASTE(cpu, part, CPU_ISA)

/* The types that are computed with; also indices into tables. */
enum { CPU_F32, CPU_I32, CPU_F64, CPU_TYPES };

/* out[i] = f(arg[0][i], ...); out may be one of the args. Args that the function does without may be any memory. */
typedef void cpu_row_fn(int64_t n, void *out, const void *const *arg);

/* A row of unary.def or binary.def, or one of its gradients. */
typedef struct cpu_row {
    const char *name;
    const char *text; /* says which arguments are needed */
    int32_t n_arg;
    cpu_row_fn *fn[CPU_TYPES];     /* NULL: not for that type */
    cpu_row_fn *one[2][CPU_TYPES]; /* of a binary.def row, with one element for all as argument 0 or 1; or NULL */
} cpu_row;

/* A formula of several operations, each a row's, as a text: operands are digits, as in add(mul(0,1),2). */
typedef struct cpu_joined {
    const char *text;
    cpu_row_fn *fn[CPU_TYPES]; /* NULL: not for that type */
} cpu_joined;

typedef struct cpu_rows {
    const cpu_row *row;                      /* until name is NULL */
    const cpu_joined *joined;                /* until text is NULL; a part of a formula comes after it */
    cpu_row_fn *cast[CPU_TYPES][CPU_TYPES];  /* [to][from] */
    cpu_row_fn *where[CPU_TYPES][CPU_TYPES]; /* [result][condition] */
    void (*load[8])(int64_t n, void *out, const void *from);  /* by TN_ type; into the type it is computed in */
    void (*store[8])(int64_t n, void *out, const void *from); /* the way back */
    void (*splat[9])(int64_t n, void *out, const void *one);  /* by size of the element, which is there n times */
    /* n random numbers from element `first` on; `type` is CPU_F32 or CPU_F64. */
    void (*uniform)(int type, int64_t n, void *out, const uint64_t key[2], uint32_t stream, uint64_t first);
    void (*normal)(int type, int64_t n, void *out, const uint64_t key[2], uint32_t stream, uint64_t first);
    /* One slice (n, inner) of a softmax, or its logarithm. y may be x. */
    void (*softmax)(int type, int logs, int64_t n, int64_t inner, const void *x, void *y);
} cpu_rows;

/* Folding. Partial results are double for floating types and int64_t for integers. */
typedef struct cpu_fold {
    const char *kind;
    double start[CPU_TYPES]; /* what nothing folds to; of an integer, to be converted */
    void (*row[CPU_TYPES])(int64_t n, const void *x, void *acc);                  /* acc[0] takes in n elements */
    void (*column[CPU_TYPES])(int64_t rows, int64_t k, const void *x, void *acc); /* acc[0..k) takes in rows of k */
    /* For argmax and argmin: `place` is negative until there is one; x's first element (row) has place `at`. */
    void (*row_at[CPU_TYPES])(int64_t n, const void *x, void *acc, int64_t *place, int64_t at);
    void (*column_at[CPU_TYPES])(int64_t rows, int64_t k, const void *x, void *acc, int64_t *place, int64_t at);
} cpu_fold;

/* A product's inner loops. c (mr x nr, rows ldc apart) = or += a panel b panel, both packed k-major. */
typedef struct cpu_gemm {
    int64_t mr, nr, kc, mc; /* register tile; block of k; rows of a packed block of A */
    void (*tile)(int64_t k, const void *a, const void *b, void *c, int64_t ldc, int add);
    /* `count` of rows (or columns), k deep, in panels of mr (nr): element (i, l) is at from[i * si + l * sl]. */
    void (*pack_a)(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to);
    void (*pack_b)(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to);
    /* Nothing packed: element j < n of `to` is the sum over l < k of a[l] b[j ldb + l]. */
    void (*dots)(int64_t n, int64_t k, const void *a, const void *b, int64_t ldb, void *to);
} cpu_gemm;

/* c (m, n) = a (m, k) times b (n, k) turned, in f32, of which m and n are at least a shape's rows and columns; rows are
 * lda, ldb and ldc apart. */
typedef struct cpu_dots {
    int64_t m, n, k, lda, ldb, ldc;
    const float *a, *b;
    float *c;
} cpu_dots;

typedef struct cpu_dots_shape {
    int64_t rows, columns;              /* of a block */
    void (*product)(const cpu_dots *o); /* NULL: there is none */
} cpu_dots_shape;

/* A product in f32 by tiles of bf16, which have `side` rows and columns. Operands are packed in panels of `wide` rows
 * (columns), each filled up to a multiple of `deep`, with so many bytes an element. It is ahead of vectors from `least`
 * on, as 1 / (1 / rows + 1 / columns). */
typedef struct cpu_matrix {
    int64_t side, wide, deep, bytes;
    int32_t parts;       /* 0: there is no such product */
    int32_t by_vectors;  /* not by units: halves of a tile's rows may lie apart, as runs of what is multiplied may */
    double least, gain;  /* how many times as fast as vectors of f32, where nothing has to be packed */
    void (*begin)(void); /* on each thread, before it uses the others; then end */
    void (*end)(void);
    /* As in cpu_gemm, but one of si and sl is 1. Returns the largest exponent, with a bias of 127, of what was packed.
     */
    int32_t (*pack_a)(int64_t count, int64_t k, const float *from, int64_t si, int64_t sl, void *to);
    int32_t (*pack_b)(int64_t count, int64_t k, const float *from, int64_t si, int64_t sl, void *to);
    /* c (rows, columns), both at most `wide`, = or += panel a panel b. */
    void (*tile)(int64_t k, const void *a, const void *b, float *c, int64_t ldc, int64_t rows, int64_t columns,
                 int add);
    /* Adds to sums[0..count) k rows of so many numbers, `step` apart. */
    void (*add_rows)(int64_t count, int64_t k, const float *from, int64_t step, double *sums);
} cpu_matrix;

/* A product whose left operand lies scattered: c (mr x nr, rows ldc apart) = or += a b, where element (i, l) of a is at
 * row[i / run] + i % run + off[l], in elements, and b is a panel packed by pack_b of the same type. */
typedef void cpu_gather_tile(int64_t k, const void *const *row, const int64_t *off, const void *b, void *c, int64_t ldc,
                             int add);

/* A shape of such tiles, with the packing for b. A tile with a longer run has fewer pointers to keep. */
typedef struct cpu_gather_shape {
    int64_t mr, nr;
    int64_t run[4];
    cpu_gather_tile *tile[4];
    void (*pack)(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to);
} cpu_gather_shape;

/* What becomes of a convolution's sums when they are stored: a number for each filter is taken away, they are
 * multiplied by two, and one is added, each unless there are none; and what is beyond a bound becomes the bound. NaN
 * stays NaN. */
typedef struct cpu_ending {
    const float *sub, *mul[2], *add;
    float low, high;
} cpu_ending;

/* A convolution's tile of `filters` by `vectors` vectors of `wide` pixels: element (f, v wide + i) of `to`, rows ld
 * apart, is the sum over l < k of b[l][f] pixel[v][off[l] + i]. Only the first `count` filters are stored. An ending,
 * or NULL, is for f32. */
typedef void cpu_pixel_tile(int64_t k, const void *const *pixel, const int64_t *off, const void *b, int64_t count,
                            const cpu_ending *ending, void *to, int64_t ld);

typedef struct cpu_pixel_shape {
    int64_t filters, wide, vectors;
    cpu_pixel_tile *tile;
    void (*pack)(int64_t count, int64_t k, const void *from, int64_t si, int64_t sl, void *to);
} cpu_pixel_shape;

/* n elements of a plane, with some of x before or behind them: that of number i is from[off[t] + i], for each of the
 * taps. `soon` is memory of another plane that is wanted next, `times` n elements of it, to be read or written: it is
 * brought near meanwhile, which no prefetcher does that begins anew with each plane. */
typedef struct cpu_plane {
    int64_t taps, n;
    const int64_t *off;
    const void *from;
    struct {
        const void *at;
        int64_t times;
    } soon[2]; /* to be read; to be written, or to be read too */
} cpu_plane;

/* Loops over planes of elements that lie side by side, `at_once` of them. n is filled up to a multiple of that: so many
 * elements are read, and written. */
typedef struct cpu_plane_loops {
    int64_t at_once;
    void (*sum)(const cpu_plane *o, const void *weight, void *to); /* to[i] = the sum over taps of weight[t] x */
    void (*dot)(const cpu_plane *o, const void *by, double *sum);  /* sum[t] += the sum over i of by[i] x */
    /* Rows of n elements, and how far it is from each to the next. */
    void (*copy)(int64_t rows, int64_t n, const void *from, int64_t from_row, void *to, int64_t to_row);
    /* Elements 2i and 2i + 1 of each row go to element i of two others, or come from there; the last may be alone. */
    void (*part)(int64_t rows, int64_t n, const void *from, int64_t from_row, void *even, void *odd, int64_t to_row);
    void (*join)(int64_t rows, int64_t n, const void *even, const void *odd, int64_t from_row, void *to,
                 int64_t to_row);
} cpu_plane_loops;

/* Rows of n elements, `to_row` apart, of a plane in which rows lie `wide` apart: each element is a sum over columns of
 * taps, `deep` of them, of which the first reads from[off] for the first element and each next a row below. Where n is
 * less than a vector, whole vectors are read and written. Meanwhile memory that is wanted next is brought near: to be
 * read, and to be written. */
#define CPU_BAND_DEEP 5 /* at most */
typedef struct cpu_band_column {
    int64_t off, deep;
} cpu_band_column;
typedef struct cpu_band {
    int64_t rows, n, wide, to_row, columns;
    const cpu_band_column *column;
    const void *from;
    struct {
        const void *at;
        int64_t bytes;
    } soon[2];
} cpu_band;

typedef struct cpu_band_loop {
    int64_t wide;                                                    /* elements of a vector */
    void (*sum)(const cpu_band *band, const void *weight, void *to); /* weights: column by column */
} cpu_band_loop;

/* Rows begin..end of a result of q columns, each number the sum over a window of side x side pixels, 3 or 5, of a
 * picture (h, w), that steps by 1 or 2, without those that are padding. Before and behind the picture lie so many
 * numbers that may be read, too. */
typedef struct cpu_windows {
    const float *x;
    int64_t h, w, q, side, step, pad[2], begin, end;
    int64_t before, behind;
    const cpu_ending *ending; /* or NULL */
} cpu_windows;
typedef void cpu_window_loop(const cpu_windows *o, const float *weight, float *to);

/* A row of n results, each the largest number of a window of `rows` rows, that x begins with, and `window` columns. The
 * rows are `wide` long, as far apart, and have `pad` places before them; windows step by 1 or 2. */
#define CPU_POOL_LONGEST 1024 /* padded rows, halved: at most */
typedef struct cpu_pool_row {
    int64_t n, rows, wide, window, stride, pad;
} cpu_pool_row;
typedef void cpu_pool_loop(const cpu_pool_row *row, const void *x, void *y);

/* A chain of operations on results (chain.h), each of a row of unary.def or binary.def: by `one` element, or, those
 * named so, by `all`, of which element i belongs to that of the first result and i. In max and min it is a number. */
enum {
    CPU_CHAIN_ADD,
    CPU_CHAIN_SUB,
    CPU_CHAIN_MUL,
    CPU_CHAIN_MAX,
    CPU_CHAIN_MIN,
    CPU_CHAIN_LEAKY,
    CPU_CHAIN_RELU,
    CPU_CHAIN_RELU6,
    CPU_CHAIN_HARD_SIGMOID,
    CPU_CHAIN_HARD_GATE, /* x hard_sigmoid(x), which is not hard_swish(x) of infinities */
    CPU_CHAIN_HARD_SWISH,
    CPU_CHAIN_SIGMOID,
    CPU_CHAIN_SILU,
    CPU_CHAIN_ADD_ALL,
    CPU_CHAIN_SUB_ALL,
    CPU_CHAIN_MUL_ALL
};
#define CPU_CHAIN_STEPS 16 /* at most */

typedef struct cpu_chain_step {
    int32_t kind;
    float one;
    const float *all;
} cpu_chain_step;

/* n results become others. */
typedef void cpu_chain_loop(const cpu_chain_step *step, int64_t steps, int64_t n, float *y);

/* A picture (channels, rows, columns) and where its pixels go in a padded one: the first `seen` of each row, side by
 * side in rows `wide` long, from pixel `first` of `all` on. Rows and columns are those that are seen and that there
 * are; channels lie `plane` elements apart. */
typedef struct cpu_conv_picture {
    int64_t channels, plane, rows, columns;
    int64_t seen, wide, first, all;
} cpu_conv_picture;

/* A window over a picture whose channels lie side by side, pixel by pixel: of 16 or a multiple. */
typedef struct cpu_conv_window {
    int64_t channels, rows, columns;
    int64_t step;           /* bytes from a window to that of the next pixel of the result */
    int64_t next_row, part; /* and from a row of the window to the next, and from a part of the picture to the next */
} cpu_conv_window;

/* 16 pixels side by side, or by vectors 8 and 8, of which some are there. */
typedef struct cpu_pixels {
    int64_t from; /* bytes into the picture, of the window's first */
    int64_t half; /* bytes from the first to the ninth */
    int64_t to;   /* elements into the result, of the first that is */
    uint16_t there;
} cpu_pixels;

/* Sums over the pixels of some pictures, all bytes: from a picture in parts to the next, a part of it to the next and a
 * channel to the next; from a picture's packed pixels to the next. Pixels are a multiple of 32, and lie side by side,
 * or by vectors in rows of so many: of 2, 4, 8, 16 or a multiple of 32. */
typedef struct cpu_conv_pixels {
    int64_t pictures, pixels;
    int64_t picture, part, row, packed;
    int64_t columns, wide; /* of a row, and from row to row */
} cpu_conv_pixels;

/* Bytes to pixel i. */
static inline int64_t cpu_conv_pixel_at(const cpu_conv_pixels *w, int64_t i)
{
    return 2 * (i / w->columns * w->wide + i % w->columns);
}

/* The gradient of pictures as sums of products: of channel c, tap (r, s) and pixel (i, j) of the result that in row
 * (c window[0] + r) window[1] + s, and there number i columns + j. */
typedef struct cpu_conv_sums {
    int64_t channels, rows, columns, ld; /* of the products: channels, the result's pixels, from row to row */
    int64_t picture[2], window[2], pad[2], dilation[2];
} cpu_conv_sums;

/* A convolution in f32 by matrix units, between cpu_matrix's begin and end. */
typedef struct cpu_matrix_conv {
    /* A picture becomes (parts, pixels, channels) of a padded one, where padding is left as it is; packed filters are
     * panels of 32, as cpu_matrix's, as deep as each row of the window filled up to 32. Both return the largest
     * exponent. */
    int32_t (*split)(const cpu_conv_picture *o, const float *from, char *to, int64_t part);
    int32_t (*pack)(const cpu_conv_window *w, int64_t filters, const float *from, char *to);
    /* Two groups of pixels by at most 32 filters; results of different filters are ld apart. `ending` may be NULL. */
    void (*tile)(const cpu_conv_window *w, const char *picture, const cpu_pixels g[2], const char *b, int64_t filters,
                 const cpu_ending *ending, float *y, int64_t ld);
    /* For the gradient of the weights: a picture becomes (parts, channels, pixels) of a padded one, where behind each
     * row up to 15 zeros are written; (filters, pixels) packed in panels of 32 filters, as deep as there are pixels. */
    int32_t (*split_rows)(const cpu_conv_picture *o, const float *from, char *to, int64_t part);
    int32_t (*pack_pixels)(int64_t filters, int64_t pixels, const float *from, char *to);
    /* Twice 16 channels, from bytes at[i] of the pictures on, by at most 32 filters: to[i] (16, filters), rows ld
     * apart,
     * += their products' sums over pixels. to[1] may be NULL. */
    void (*over_pixels)(const cpu_conv_pixels *w, const int64_t at[2], const char *pictures, const char *packed,
                        int64_t filters, float *const to[2], int64_t ld);
    /* For the gradient of the pictures, of steps of 1 and windows of at most 32 columns: dx (channels, picture). */
    void (*gather)(const cpu_conv_sums *o, const float *product, float *dx);
} cpu_matrix_conv;

/* A tile of scores, and what belongs to its rows. Row r sees the first seen + r columns, of which there may be fewer.
 * A mask is added, or hides where it is 0; its rows are mask_row apart. */
typedef struct cpu_scores {
    int64_t rows, columns, ld, seen, mask_row;
    float scale;
    const float *added;   /* or NULL */
    const int32_t *hides; /* or NULL */
    float *top, *sum;     /* weigh: the largest score so far, and the sum of weights; slope: the logarithm of that sum,
                             and the sum of dy y */
    float *fix;           /* weigh: by what the sums up to then are multiplied */
} cpu_scores;

typedef struct cpu_attend_loops {
    void (*weigh)(const cpu_scores *o, float *s);            /* scores become weights, but for their sum */
    void (*slope)(const cpu_scores *o, float *s, float *dp); /* scores become weights, and the slopes of these those of
                                                                products of queries and keys */
    void (*multiply)(int64_t rows, int64_t columns, const float *by, const float *x, int64_t ld, float *y,
                     int64_t to_ld);                                                       /* row r of y is by[r] x */
    void (*dots)(int64_t rows, int64_t columns, const float *a, const float *b, float *y); /* of each row */
} cpu_attend_loops;

/* Rows of n elements, of which each has mean 0 (unless that is kept) and variance 1, then is multiplied by weight, and
 * bias is added: each n elements, or NULL. */
typedef struct cpu_norm {
    int64_t n;
    double epsilon;
    int keep_mean;
    const void *weight, *bias;
} cpu_norm;

typedef struct cpu_norm_loops {
    void (*rows)(const cpu_norm *o, int64_t rows, const void *x, void *y);
    /* With a weight, what dy means for it and, unless the mean is kept, for a bias is added to `sums`, n each. */
    void (*slopes)(const cpu_norm *o, int64_t rows, const void *x, const void *dy, void *dx, void *sums);
    void (*gather)(int64_t n, void *sums, double *all);             /* all += sums, and sums = 0 */
    void (*join)(int64_t n, int64_t pieces, double *all, void *to); /* the sum of the pieces, in order */
} cpu_norm_loops;

typedef struct cpu_isa {
    const char *name;
    const cpu_rows *rows;
    const cpu_fold *fold;                      /* until kind is NULL */
    const cpu_gemm *gemm[CPU_TYPES];           /* NULL for integers */
    const cpu_dots_shape *dots;                /* of f32 */
    const cpu_attend_loops *attend;            /* of f32 */
    const cpu_norm_loops *norm[CPU_TYPES];     /* NULL for integers */
    const cpu_gather_shape *gather[CPU_TYPES]; /* two: one for many columns, one for few */
    const cpu_pixel_shape *pixel[CPU_TYPES];
    const cpu_plane_loops *plane[CPU_TYPES];
    const cpu_band_loop *band[CPU_TYPES];
    cpu_window_loop *const *window;        /* of f32; may point to NULL */
    cpu_pool_loop *const *pool[CPU_TYPES]; /* NULL for integers */
    cpu_chain_loop *const *chain;
    const cpu_matrix *matrix; /* of f32, by level of precision; NULL: there are no tiles */
    const cpu_matrix_conv *conv;
} cpu_isa;

#define CPU_DECLARE(isa)                                                                                               \
    extern const cpu_rows cpu_rows_##isa;                                                                              \
    extern const cpu_fold cpu_fold_##isa[];                                                                            \
    extern const cpu_gemm cpu_gemm_f32_##isa, cpu_gemm_f64_##isa;                                                      \
    extern const cpu_attend_loops cpu_attend_##isa;                                                                    \
    extern const cpu_norm_loops cpu_norm_f32_##isa, cpu_norm_f64_##isa;                                                \
    extern const cpu_dots_shape cpu_dots_f32_##isa;                                                                    \
    extern const cpu_gather_shape cpu_gather_f32_##isa[2], cpu_gather_f64_##isa[2];                                    \
    extern const cpu_pixel_shape cpu_pixel_f32_##isa, cpu_pixel_f64_##isa;                                             \
    extern const cpu_plane_loops cpu_plane_f32_##isa, cpu_plane_f64_##isa;                                             \
    extern const cpu_band_loop cpu_band_f32_##isa, cpu_band_f64_##isa;                                                 \
    extern cpu_window_loop *const cpu_window_f32_##isa;                                                                \
    extern cpu_pool_loop *const cpu_pool_f32_##isa, *const cpu_pool_f64_##isa;                                         \
    extern cpu_chain_loop *const cpu_chain_f32_##isa;
CPU_DECLARE(base)
CPU_DECLARE(avx2)
CPU_DECLARE(avx512)
extern const cpu_matrix cpu_matrix_amx[], cpu_matrix_amx_model[], cpu_matrix_avx512_bf16[];
extern const cpu_matrix_conv cpu_matrix_conv_amx[], cpu_matrix_conv_amx_model[], cpu_matrix_conv_avx512_bf16[];

#endif
