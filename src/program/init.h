/* init.h: first values of variables. */
#ifndef TN_PROGRAM_INIT_H
#define TN_PROGRAM_INIT_H

#include "build.h"

/* The variable's first values, in double precision, by the seed and its name alone. */
TN_MUST_USE tn_status tn_first_values(const tn_tensor *variable, uint64_t seed, double *value);

#endif
