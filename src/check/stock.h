/* stock.h: small operations of every operator, made by hand. Those of one operator are a family: they differ in one
 * attribute, one instruction, one shape, so that what a backend keeps of one must not be taken for another. */
#ifndef TN_CHECK_STOCK_H
#define TN_CHECK_STOCK_H

#include "kit.h"

enum { TN_KIT_FAMILY = 48 }; /* at most so many of an operator */

/* What operands are made of; each but the first is one number everywhere, but for the signs of zeros. */
typedef enum tn_kit_numbers {
    TN_KIT_RANDOM,
    TN_KIT_MINUS_INFINITY,
    TN_KIT_INFINITY,
    TN_KIT_NANS,
    TN_KIT_ZEROS,
    TN_KIT_LARGEST,
    TN_KIT_LEAST,
    TN_KIT_DENORMALS,
    TN_KIT_NUMBERS
} tn_kit_numbers;

/* An operation, its operands, and what is expected. All pointers are its own or constant. */
typedef struct tn_kit_item {
    tn_operation operation;
    tn_kit_job job;
    tn_kit_want want;
    tn_scalar scalar[2];
    int cancels; /* long sums of which next to nothing is left */
} tn_kit_item;

/* How many operations the stock has. */
uint32_t tn_kit_stock_count(void);

/* Describes number `number`, without operands. The item stays where it is from then on. */
void tn_kit_stock_make(uint32_t number, tn_kit_item *item);

/* New operands and scalars, and what is expected of them. Input `twin`, if it is not 0, is the same as input `of`.
 * Returns 0 after a failure. */
int tn_kit_stock_fill(tn_kit *kit, tn_kit_item *item, tn_kit_numbers numbers, uint32_t twin, uint32_t of);

/* Frees the operands. */
void tn_kit_stock_free(tn_kit_item *item);

#endif
