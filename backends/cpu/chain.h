/* chain.h: an epilogue that takes its results through one operation after another, each with a number, an element of
 * the channel, or an operand that lies as the result does. It is done in registers, while results are in a cache: see
 * chain_tile.c. Other epilogues are programs (prog.h). */
#ifndef CPU_CHAIN_H
#define CPU_CHAIN_H

#include "cpu.h"

typedef struct cpu_chain_link {
    int32_t kind;    /* CPU_CHAIN_ */
    int32_t operand; /* of the run; -1: the number */
    int32_t is_dense;
    float number;
    int64_t by_picture, by_channel; /* elements from one's to the next's */
} cpu_chain_link;

typedef struct cpu_chain {
    int64_t links;     /* 0: it is none */
    int32_t has_dense; /* an operand that lies as the result does */
    cpu_chain_link link[CPU_CHAIN_STEPS];
} cpu_chain;

/* The first links that an ending (isa.h) does: so many, and the ending, but for its numbers to subtract, multiply by
 * and add, which are such operands of the run, one for each channel; -1: there are none. */
typedef struct cpu_chain_head {
    int64_t links;
    int32_t operand[4];
    float low, high;
} cpu_chain_head;
cpu_chain_head cpu_chain_begins_with(const cpu_chain *chain);

/* Of an epilogue in f32 whose value 0 is the result, (pictures, channels, rows, columns), and whose operands follow
 * from desc->in[2] on. */
void cpu_chain_make(const tn_op_desc *desc, const tn_map_attrs *map, cpu_chain *chain);

/* The steps from link `from` on for a channel of a picture, from element `first` of the result on. How many. */
int64_t cpu_chain_begin(const cpu_chain *chain, int64_t from, const cpu_run *run, int64_t picture, int64_t channel,
                        int64_t first, cpu_chain_step step[CPU_CHAIN_STEPS]);

#endif
