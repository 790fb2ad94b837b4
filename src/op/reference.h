/* reference.h: the backend that is built in: every operator by its definition, in double precision, one element after
 * another. Slow and obvious: the measure of the others, and the last resort. Its work is done when a call returns. */
#ifndef TN_OP_REFERENCE_H
#define TN_OP_REFERENCE_H

#include "tenon/backend.h"

/* Constant and valid for ever. */
const tn_backend *tn_reference_backend(void);

#endif
