/* kind.h: whether numbers to predict are the numbers of classes, or a quantity. */
#ifndef TN_DATA_KIND_H
#define TN_DATA_KIND_H

#include <stdint.h>

#define TN_KIND_TEXT 200 /* bytes that hold why */

/* Judges `count` numbers, which get sorted, by fractions, how many come for each different one, and their range; of
 * `pictures`, all whole numbers are classes. Returns whether they are classes; `why` goes on where "the column" was. */
int tn_kind_is_classes(double *value, int64_t count, int pictures, char why[TN_KIND_TEXT]);

#endif
