/* shrink.h: from a random program that fails to the smallest one found that still does. */
#ifndef TN_ORACLE_SHRINK_H
#define TN_ORACLE_SHRINK_H

#include "recipe.h"

/* Makes the recipe smaller as long as `fails` says 1: leaves steps out, puts inputs or operands in place of results,
 * makes dimensions and numbers small. Asks at most `most` times. What is asked about can always be built. */
void tn_shrink(tn_recipe *recipe, int (*fails)(void *arg, const tn_recipe *recipe), void *arg, uint32_t most);

#endif
