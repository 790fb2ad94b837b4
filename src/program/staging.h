/* staging.h: host memory that a device's copies come from or go to: pinned where its backend has such, so that they
 * need no help of the host's, and else as any other. One thread. */
#ifndef TN_PROGRAM_STAGING_H
#define TN_PROGRAM_STAGING_H

#include "state.h"

typedef struct tn_staging tn_staging;

/* For the state's device; freed before the state, when no copy is under way. NULL is fine. */
TN_MUST_USE tn_status tn_staging_new(const tn_state *state, tn_staging **staging);
void tn_staging_free(tn_staging *staging);

/* Zeroed, and the staging's until it is freed; NULL: there is none. And how many bytes of all of it are pinned. */
void *tn_staging_take(tn_staging *staging, uint64_t bytes);
uint64_t tn_staging_pinned(const tn_staging *staging);

#endif
