/* attend.h: what attention and its gradient share: sizes, products of packed pieces, and the walk over heads. */
#ifndef CPU_ATTEND_H
#define CPU_ATTEND_H

#include "cpu.h"

/* Queries and keys of a tile: multiples of every instruction set's panels but ARM's, where they are filled up. */
enum { ATTEND_ROWS = 96, ATTEND_KEYS = 256 };

typedef struct attend_kernel {
    tn_kernel kernel;
    tn_sizes z;
    const cpu_matrix *matrix; /* or NULL */
    const cpu_gemm *gemm;
    float scale;
    int64_t first;
    int causal, hides;    /* a mask of i32 */
    int64_t mask_row;     /* elements from one query's to the next; -1: no mask */
    int64_t mask_step[2]; /* and from one sample to the next, and one head to the next */
    int64_t parts;        /* pieces that queries of one group of heads are dealt to */
    int64_t room;         /* bytes of scratch for each thread */
} attend_kernel;

/* Of a thread: which units multiply, and whether all that it packed was within what they take. */
typedef struct attend_units {
    const cpu_matrix *matrix;
    const cpu_gemm *gemm;
    int fit;
} attend_units;

/* A packed piece: its largest exponent stands aside. */
typedef struct attend_piece {
    char *at;
    int32_t top;
} attend_piece;

/* A block of queries of one head. */
typedef struct attend_block {
    int64_t head, row, rows; /* of all heads; the first query, and how many */
    int64_t keys;            /* that one of them sees */
} attend_block;

/* What both are prepared by: fills all but `room`. */
int32_t attend_prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, uint32_t mask,
                       tn_kernel **kernel, tn_msg *msg);

/* Bytes of a packed piece of at most so many rows (of a) or columns (of b), so deep, with either kind of units. */
int64_t attend_bytes(const attend_kernel *k, int64_t count, int64_t depth);
/* Numbers of a tile of sums from one row to the next; rows are filled up to attend_rows. */
int64_t attend_ld(const attend_kernel *k, int64_t columns);
int64_t attend_rows(const attend_kernel *k, int64_t rows);

/* Element (i, l) of `count` by `depth` is at from[i * si + l * sl], and one of these is 1. */
void attend_pack(attend_units *u, int is_b, int64_t count, int64_t depth, const float *from, int64_t si, int64_t sl,
                 attend_piece *to);
/* c = or += a b; c's rows and columns are filled up as above. */
void attend_multiply(attend_units *u, const attend_piece *a, const attend_piece *b, int64_t rows, int64_t columns,
                     int64_t depth, float *c, int64_t ld, int add);

/* Scores of a block and keys from `key` on, of which there are `columns`, as loops take them. */
cpu_scores attend_scores(const attend_kernel *k, const attend_block *b, const char *mask, int64_t key, int64_t columns,
                         int64_t ld);

/* Tiles of the keys. */
int64_t attend_tiles(const attend_kernel *k);
/* Blocks of one group's heads, and number i of them. */
int64_t attend_blocks(const attend_kernel *k);
attend_block attend_block_of(const attend_kernel *k, int64_t group, int64_t i);

/* Calls part for each group and part of its queries, first by matrix units; where they can't, without. It is given the
 * thread's scratch memory, and leaves u->fit 0 for the latter. */
typedef struct attend_run {
    const attend_kernel *kernel;
    const cpu_run *run;
    void (*part)(const struct attend_run *r, attend_units *u, int64_t group, int64_t part, char *room);
} attend_run;
void attend_walk(const attend_run *r);

#endif
