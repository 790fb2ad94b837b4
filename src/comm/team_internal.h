/* team_internal.h: a team from inside: its thread, and what runs on it. */
#ifndef TN_COMM_TEAM_INTERNAL_H
#define TN_COMM_TEAM_INTERNAL_H

#include <pthread.h>

#include "alloc.h"
#include "team.h"

/* Something to be done by the team's thread: a function, and its arguments by value. */
typedef tn_status tn_job_run(tn_team *team, const void *args);

enum { TN_JOB_ARGS = 40 };

typedef struct tn_job {
    tn_job_run *run;
    _Alignas(8) unsigned char args[TN_JOB_ARGS];
} tn_job;

/* What a sign of life says; the same in every version of the library, as all ranks must understand it. */
enum { TN_BEAT_FINE, TN_BEAT_FAILED, TN_BEAT_LEAVING };

typedef struct tn_beat {
    uint32_t state;
    int32_t status;
    uint32_t culprit;
    uint32_t missed; /* the culprit does not answer */
    uint32_t wished; /* somebody wishes something of all */
    char text[240];
} tn_beat;

/* Signs of life go round: to the rank before, from the rank after. */
typedef struct tn_pulse {
    tn_beat in, out, last;
    tn_comm_part in_part, out_part, last_part;
    uint64_t interval, next; /* microseconds: between two beats; when the next is due */
    uint32_t quiet, limit;   /* beats of our own since the last of theirs; as many are too many */
    uint32_t silence;        /* `limit` from their first beat on */
    uint32_t left;           /* the rank after said that it leaves */
    uint32_t told;           /* the last beat is on its way */
} tn_pulse;

/* What is released when the team is closed. */
typedef struct tn_legacy {
    void *thing;
    void (*release)(void *thing);
} tn_legacy;

struct tn_team {
    char name[96]; /* what failures of its own begin with, in a team of threads; "": the rank */
    const tn_communicator *table;
    tn_host host;
    tn_comm *comm; /* NULL: alone */
    uint32_t rank, ranks;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all up to the blank line */
    pthread_cond_t changed;
    tn_job *job; /* a ring: tickets finished + 1 .. asked, at ticket % room */
    uint64_t room, asked, finished;
    uint32_t leaving; /* close was called; */
    uint32_t closing; /* and all are ready for it */
    uint32_t wished;  /* by somebody, as far as it is known here */
    tn_beat failure;  /* its state is TN_BEAT_FAILED once the team is */
    tn_team_stats stats;
    tn_legacy *legacy; /* in the order of their coming */
    uint32_t legacies, legacy_room;

    tn_pulse pulse;     /* this and what follows is the team's thread's */
    tn_comm_part *part; /* the batch that is being put together or is under way */
    tn_comm_part **posted;
    uint32_t parts, part_room, posted_room;
    void *scratch; /* of tn_team_scratch */
    uint64_t scratch_bytes;
    uint32_t started; /* there is a thread */
};

uint64_t tn_team_now(void); /* microseconds */

/* It was busy from then on. */
void tn_team_was_busy(tn_team *team, uint64_t begun);

/* Asks for a job; args of at most TN_JOB_ARGS bytes. Outside of the team's thread. */
TN_MUST_USE tn_status tn_team_ask(tn_team *team, tn_job_run *run, const void *args, size_t bytes, uint64_t *ticket);
/* The same, and waits for it. */
TN_MUST_USE tn_status tn_team_do(tn_team *team, tn_job_run *run, const void *args, size_t bytes);

/* For jobs, on the team's thread: messages are put together, then all go at once; returns when they are done. */
TN_MUST_USE tn_status tn_team_send(tn_team *team, uint32_t peer, const void *data, uint64_t bytes);
TN_MUST_USE tn_status tn_team_receive(tn_team *team, uint32_t peer, void *data, uint64_t bytes);
TN_MUST_USE tn_status tn_team_exchange(tn_team *team);
/* Begins messages aside of the batch. */
TN_MUST_USE tn_status tn_team_post(tn_team *team, tn_comm_part *const *part, uint64_t count);

/* Memory for jobs, which lives until the team is closed or more is asked for; NULL: there is none. */
void *tn_team_scratch(tn_team *team, uint64_t bytes);

/* Notes the first failure, wakes all who wait. Any thread. */
void tn_team_stop(tn_team *team, const tn_beat *failure);

/* What a communicator returned, as a status that there is. */
tn_status tn_comm_status(int32_t status);

/* On the team's thread: moves what can be moved, for at most so many microseconds, and keeps the pulse. */
void tn_team_live(tn_team *team, uint64_t microseconds);

/* The pulse: its beginning; what is due now; and the end, which waits for the others if all is well. */
tn_status tn_pulse_begin(tn_team *team, double silence, double patience);
void tn_pulse_keep(tn_team *team);
void tn_pulse_end(tn_team *team);

#endif
