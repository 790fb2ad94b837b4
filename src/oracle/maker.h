/* maker.h: a random program in the making, for the files that choose its steps. Each step is built at once and its
 * value computed by the interpreter, so that choosers know shapes, types and sizes of what is there. */
#ifndef TN_ORACLE_MAKER_H
#define TN_ORACLE_MAKER_H

#include "interpret.h"
#include "recipe.h"

typedef struct tn_maker {
    tn_recipe *recipe;
    tn_graph *graph;
    tn_tensor *made[TN_MOST_STEPS];
    double low[TN_MOST_STEPS], high[TN_MOST_STEPS]; /* of each step's value; low > high: it has NaN or is empty */
    double **value;                                 /* by tensor of the graph */
    uint32_t known, room;                           /* how many there are */
    tn_region region;
    uint64_t random, seed;
    int32_t labels;
    uint32_t refused;
    tn_status status; /* the oracle's own failure */
} tn_maker;

/* A function that finds operands and numbers for a step whose rule is set; 0: there are none. */
typedef int tn_chooser(tn_maker *m, tn_call *step);

/* ---- chance ---- */
int64_t tn_below(tn_maker *m, int64_t n); /* 0..n-1 */
int tn_chance(tn_maker *m, int percent);
double tn_some_number(tn_maker *m); /* a multiple of 1/8 from -2 to 2, not 0 */
int64_t tn_some_size(tn_maker *m);  /* small, often 1, at least 1 */
tn_shape tn_some_shape(tn_maker *m, int32_t rank);
int32_t tn_some_rank(tn_maker *m);

/* ---- steps ---- */
/* A step of that rule, without operands, with a label of its own. */
tn_call tn_step_of(tn_maker *m, const char *rule);
/* Adds it: its number, or -1 if the library refuses it. */
int32_t tn_add_step(tn_maker *m, const tn_call *step);
/* An input, a parameter, ... of that type. */
int32_t tn_add_leaf(tn_maker *m, int32_t dtype, tn_shape shape);
int32_t tn_add_index(tn_maker *m, tn_shape shape); /* i32 */

/* ---- operands: their numbers, or -1 ---- */
int32_t tn_any_real(tn_maker *m);               /* f32 more often than others */
int32_t tn_any_full(tn_maker *m, int32_t rank); /* f32 of that rank with elements; reshaped or made if need be */
int32_t tn_alike(tn_maker *m, int32_t dtype, tn_shape shape); /* of that type: one that is there or a leaf */
int32_t tn_partner(tn_maker *m, int32_t of);                  /* that can be broadcast with it */
tn_shape tn_made_shape(const tn_maker *m, int32_t number);
int32_t tn_made_dtype(const tn_maker *m, int32_t number);

#endif
