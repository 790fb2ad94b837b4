/* verdict.h: what trials on a device found (verdict.c). */
#ifndef TENON_OPENCL_VERDICT_H
#define TENON_OPENCL_VERDICT_H

#include "opencl.h"

/* A trial: bits of what it found right, into *right. `lasts` is 1 and becomes 0, if it might be otherwise
 * another time: something else failed than the driver's compiler. */
typedef int32_t ocl_trial(tn_context *context, uint32_t *right, int *lasts, tn_msg *msg);

/* What was found before under that key, or is found now and kept. A driver may end the process by a trial: after two
 * that did not come to an end there is no third, nothing is right, and a line says that `what` is off. */
int32_t ocl_verdict(tn_context *context, const char *key, const char *what, ocl_trial *trial, uint32_t *right,
                    tn_msg *msg);

#endif
