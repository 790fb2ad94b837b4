/* conv.h: what the files that make convolutions share: the product that one is (conv.c), and what processors and
 * GPUs make it by (conv_cpu.c, conv_gpu.c). */
#ifndef TENON_OPENCL_CONV_H
#define TENON_OPENCL_CONV_H

#include "staged.h"

typedef struct conv {
    tn_conv_attrs attrs;
    int weight; /* conv2d_weight */
    int data;   /* conv2d_data */
    int last;   /* pictures have their channels last; on GPUs alone */
    int turned; /* weights, or dy of conv2d_weight, are laid out before, in another order or type */
    int32_t dtype;
    int32_t a_type, x_type; /* of weights, or that dy, and pictures as the product reads them */
    /* the product: rows x columns of each picture and group, or of each segment and group */
    int64_t batch, groups, m, n, k;
    int64_t c, h, w, r, s, q;      /* channels of a group of what is read as pictures; the window; an output row */
    int64_t hp, wp, up[2], top[2]; /* laid out with zeros: its size, the distance of elements, where the first lies */
    int64_t stride[2];             /* of the product: 1 where zeros between elements stand for it */
    int staged;
    int scatter;     /* conv2d_data by adding products to where they belong: k runs over filters, columns are dy's */
    int64_t filters; /* of a group */
    int64_t segments, length;        /* pictures of a segment */
    uint64_t x_at, a_at, partial_at; /* bytes in scratch */
    tn_mapping mapping;
    tn_tensor_desc flat[OCL_MAX_OPERANDS]; /* the epilogue's inputs, rows and columns of pixels merged */
    ocl_space space;
} conv;

/* Enough segments for every unit, when rows and columns are too few blocks: `jobs`. */
void ocl_conv_segments(const tn_context *context, conv *c, int64_t jobs);
/* The product's source, but for the kernel itself, and its arguments: those of all devices, then of pictures. */
void ocl_conv_begin(ocl_build *build, const conv *c, ocl_text *text, ocl_args *args);
void ocl_conv_pictures(const conv *c, ocl_args *args);
void ocl_conv_window(ocl_text *text, const conv *c); /* the window, as macros */

#define OCL_CONV_SLACK 16 /* elements that may be read beyond the last picture */
uint64_t ocl_conv_scratch(uint64_t *scratch, int64_t elements, int32_t dtype); /* takes so many: where they lie */
void ocl_conv_source(ocl_text *text, const ocl_build *build, int32_t dtype);   /* begins a source, its T being that */
int32_t ocl_conv_turn(ocl_build *build, const conv *c); /* adds the launch that lays out weights */

/* What a processor multiplies by (conv_cpu.c). */
typedef struct ocl_conv_cpu {
    enum { OCL_CONV_PANELS, OCL_CONV_ALONG, OCL_CONV_CHANNELS } form;
    int64_t lanes, vectors, rows; /* the tile: rows x (lanes vectors) */
    int64_t panels, tiles, run;
    int in_place; /* rows of the result, or of dy, are whole vectors that lie together */
    int laid;     /* work-items lay out their pictures, so that this holds; in copies for each column of the window */
    int copies;
    int64_t across, deep, band, chunks, per; /* by channels */
} ocl_conv_cpu;

ocl_conv_cpu ocl_conv_plan_cpu(const ocl_build *build, conv *c);
int32_t ocl_conv_add_cpu(ocl_build *build, const conv *c, const ocl_conv_cpu *plan);
int32_t ocl_conv_add_scatter(ocl_build *build, conv *c, const ocl_conv_cpu *plan); /* where c->scatter */

/* What a GPU multiplies by: a tile, or matrix units. */
typedef struct ocl_conv_plan {
    ocl_tile tile;
    int form; /* by matrix units; -1: without */
    int is_winograd;
    ocl_staged staged; /* by matrix units in stages, channels last: which; 0 of them: not */
} ocl_conv_plan;

int32_t ocl_conv_plan_gpu(ocl_build *build, conv *c, ocl_conv_plan *plan);
int32_t ocl_conv_add_gpu(ocl_build *build, const conv *c, const ocl_conv_plan *plan);

/* By fewer multiplications (conv_winograd.c). suits: whether some tile can make it so. plan: 1 if it is to be made so;
 * then it needs nothing but its two launches. */
int ocl_winograd_suits(const ocl_build *build, const conv *c);
int ocl_winograd_plan(ocl_build *build, const conv *c, ocl_conv_plan *plan);
int32_t ocl_winograd_add(ocl_build *build, const conv *c, const ocl_conv_plan *plan);

/* With channels last (conv_last.c), in the same way. */
int ocl_last_suits(const ocl_build *build, const conv *c);
int ocl_last_plan(ocl_build *build, const conv *c, ocl_conv_plan *plan);
int32_t ocl_last_add(ocl_build *build, const conv *c, const ocl_conv_plan *plan);

#endif
