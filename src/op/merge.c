/* merge.c: fewer dimensions for the same elements: a plan of which dimension goes where, then its execution. */
#include "merge.h"

/* 1 if going through dimensions d and e, e inside d, is going through one dimension, for every operand. */
static int are_one(tn_tensor_desc *const operand[], uint32_t count, int32_t d, int32_t e)
{
    for (uint32_t i = 0; i < count; i++)
        if (operand[i]->stride[d] != operand[i]->stride[e] * operand[i]->dim[e]) return 0;
    return 1;
}

/* Whether some dimension of that class is left when those of size 1 go. */
static int survives(const int64_t dim[], int32_t rank, uint32_t class, uint32_t keep, uint32_t which)
{
    for (int32_t d = 0; d < rank; d++)
        if ((class >> d & 1) == which && (dim[d] != 1 || keep >> d & 1)) return 1;
    return 0;
}

/* The dimensions to keep: those that must, and one of size 1 where else nothing would be left. */
static uint32_t must_stay(const int64_t dim[], int32_t rank, uint32_t class, uint32_t keep)
{
    if (class && !survives(dim, rank, class, keep, 1))
        for (int32_t d = 0; d < rank; d++)
            if (class >> d & 1) return keep | 1u << d;
    if (!class && rank && !survives(dim, rank, class, keep, 0)) return keep | 1u << (rank - 1);
    return keep;
}

int32_t tn_merge(int64_t dim[], int32_t rank, uint32_t class, uint32_t keep, tn_tensor_desc *const operand[],
                 uint32_t count, int32_t becomes[], uint32_t *classes)
{
    uint32_t stay = must_stay(dim, rank, class, keep), merged = 0;
    int32_t last = -1, groups = 0, inner[TN_MAX_RANK] = {0}; /* last: the innermost dimension of the group */
    int64_t size[TN_MAX_RANK] = {0};
    for (int32_t d = 0; d < rank; d++) {
        becomes[d] = -1;
        if (dim[d] == 1 && !(stay >> d & 1)) continue;
        int joins = last >= 0 && !((stay >> d | stay >> last) & 1) && !((class >> d ^ class >> last) & 1) &&
                    are_one(operand, count, last, d);
        if (!joins) {
            merged |= (class >> d & 1) << groups;
            size[groups++] = 1;
        }
        becomes[d] = groups - 1;
        size[groups - 1] *= dim[d];
        inner[groups - 1] = last = d;
    }
    for (int32_t k = 0; k < TN_MAX_RANK; k++) dim[k] = k < groups ? size[k] : 0;
    for (uint32_t i = 0; i < count; i++) {
        tn_tensor_desc was = *operand[i];
        operand[i]->rank = groups;
        for (int32_t k = 0; k < TN_MAX_RANK; k++) {
            operand[i]->dim[k] = dim[k];
            operand[i]->stride[k] = k < groups ? was.stride[inner[k]] : 0;
        }
    }
    *classes = merged;
    return groups;
}
