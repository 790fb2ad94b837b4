/* merge.h: fewer dimensions for the same elements. */
#ifndef TN_OP_MERGE_H
#define TN_OP_MERGE_H

#include <stdint.h>

#include "tenon/backend.h"

/* Neighbouring dimensions of a space become one where the strides of all operands allow it, and dimensions of size 1
 * go; dimensions of different class (bits of `class`) are not mixed, and those in `keep` stay as they are. At least
 * one dimension stays, and one of class 1 if there was one. The operands' dim are those of the space. Each operand
 * gets its new dimensions and strides; becomes[d] is what dimension d became or was put into (-1: it went). Returns
 * the new rank; the new dimensions are in `dim`, and bit k of *classes is the class of dimension k. */
int32_t tn_merge(int64_t dim[], int32_t rank, uint32_t class, uint32_t keep, tn_tensor_desc *const operand[],
                 uint32_t count, int32_t becomes[], uint32_t *classes);

#endif
