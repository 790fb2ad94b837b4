/* profile.h: what a program keeps while its launches are measured. */
#ifndef TN_PROGRAM_PROFILE_H
#define TN_PROGRAM_PROFILE_H

#include "program.h"
#include "tenon/backend_ext.h"

typedef struct tn_profile {
    double *seconds; /* of each launch, all runs together */
    uint64_t *runs;
    tn_span *span;  /* room for those of a run on one place, */
    uint32_t turns; /* in which so many launches come */
    /* Of each place: how its backend tells, or NULL: then the host measures. */
    const tn_ext_observe *observe[TN_PLACES];
} tn_profile;

/* Around the launches begin .. end - 1 of a run, and in place of tn_program_run_launch. */
TN_MUST_USE tn_status tn_profile_begin(tn_program *program);
TN_MUST_USE tn_status tn_profile_launch(tn_program *program, tn_turn turn);
TN_MUST_USE tn_status tn_profile_end(tn_program *program, uint32_t begin, uint32_t end);
void tn_profile_free(tn_program *program);

#endif
