/* crew.h: several devices in one process. Each device beside the state's own has a follower: a state and a training of
 * its own, a rank of a team of threads, and a thread that does what the leader, the caller's training, tells it to do.
 * The leader is rank 0; they meet in the team as workers anywhere do. */
#ifndef TN_FIT_CREW_H
#define TN_FIT_CREW_H

#include "team.h"
#include "tenon/fit.h"

typedef struct tn_crew tn_crew;

/* What a follower does with its training. It tells the team of what fails. */
typedef tn_status tn_crew_work(tn_training *training);

/* A team for the state's device and those of the options. The leader's end of it is tn_crew_team. */
tn_status tn_crew_new(tn_state *state, const tn_fit_options *options, tn_crew **crew);
tn_team *tn_crew_team(const tn_crew *crew);

/* Makes the followers' trainings, one after another in this thread, and starts the threads. */
tn_status tn_crew_hire(tn_crew *crew, const tn_model *model, const tn_dataset *data, const tn_fit_options *options);

/* Ends the threads, wherever they are, and with them the leader's part in the team; frees all but the leader. NULL is
 * fine. */
void tn_crew_free(tn_crew *crew, tn_training *leader);

/* Before any work: all go on as the leader does, see tn_training_go_on. */
tn_status tn_crew_go_on(tn_crew *crew, const tn_epoch past[], int64_t count, int64_t step, const tn_epoch *begun);

/* Waits until the followers have done what they were told; then they take the leader's state. */
tn_status tn_crew_take_over(tn_crew *crew);

/* What all followers do next, after what they were told before. The leader goes on at once, to do the same. */
void tn_crew_tell(tn_crew *crew, tn_crew_work *work);

/* The program of a step of the follower of that rank; NULL if there is none. */
tn_program *tn_crew_program(const tn_crew *crew, uint32_t rank);

/* In fit.c: lets go of the team, which is idle, or has failed. */
void tn_training_leave(tn_training *training);

#endif
