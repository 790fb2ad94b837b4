/* workers.h: what the workers of a training have to have in common. */
#ifndef TN_FIT_WORKERS_H
#define TN_FIT_WORKERS_H

#include "team.h"
#include "tenon/fit.h"

/* Before the first step: refuses workers that train something else, or with other options or data; then all take the
 * state of rank 0, transient tensors aside. `place` is where they stand. All are told of what fails. */
tn_status tn_workers_meet(tn_team *team, tn_state *state, const tn_model *model, const tn_dataset *data,
                          const tn_fit_options *options, const tn_training_place *place);

/* All take the state of rank 0 again. */
tn_status tn_workers_share_state(tn_team *team, tn_state *state);

/* All get rank 0's. */
tn_status tn_workers_share(tn_team *team, void *record, uint64_t bytes);

/* Tells the others of a failure, unless it is the team's, and passes it on. */
tn_status tn_workers_tell(tn_team *team, tn_status status);

#endif
