/* session.h: one training, from its settings to its last checkpoint: all that train.c holds open. */
#ifndef TN_CLI_SESSION_H
#define TN_CLI_SESSION_H

#include "choose.h"
#include "crew.h"
#include "data.h"
#include "history.h"
#include "progress.h"
#include "results.h"
#include "scaling.h"
#include "settings.h"

typedef struct cli_session {
    cli_settings settings;
    tn_team *team;       /* the caller's; NULL: there are no other workers */
    tn_checkpoint *from; /* what it goes on with, or begins with; NULL: nothing */
    char init[32];
    cli_model model;
    tn_dataset data, validation, test;
    char data_hash[CLI_FINGERPRINT];
    cli_file_stamp data_stamp; /* of the data's file, as it was opened */
    cli_choice choice;
    cli_scaling scaling;
    float *class_weights;
    int usual_shards; /* they were not asked for */
    cli_crew crew;
    tn_device *device; /* its first */
    tn_state *state;
    tn_training *training;
    tn_training_place at;     /* where it stands */
    tn_program_report opened; /* on its steps before the first */
    cli_history history;
    tn_epoch begun; /* resumed in the middle of an epoch: what was there */
    cli_progress progress;
    double seconds;      /* spent on training steps in this run */
    int64_t samples;     /* that it took */
    int best_saved;      /* to --best, by this run; */
    int weights_saved;   /* to --weights */
    FILE *log;           /* of --log; NULL: there is none */
    cli_results results; /* of the last epoch, on what it was tested on */
    int known;           /* the library has told all workers what failed */
} cli_session;

/* Everything up to the first step, as a worker of the team, or alone. Returns CLI_GO_ON or an exit status;
 * cli_session_close follows in any case. */
int cli_session_open(cli_session *session, tn_team *team, int argc, char **argv);
void cli_session_close(cli_session *session);

/* Takes over what fits of the weights in the open file `from`, and says what does not. Returns CLI_GO_ON or an exit
 * status. */
int cli_session_transfer(cli_session *session);

/* That the file at `path`, from which the state was filled, had numbers to train on from. Returns CLI_GO_ON or
 * CLI_FAILED. */
int cli_session_check_finite(cli_session *session, const char *path);

/* Saves the state with all that resuming needs, and returns CLI_OK or CLI_FAILED. One that diverged goes to --diverged
 * alone, and the other files stay as they are. */
int cli_session_save(cli_session *session, const char *path);
void cli_session_save_diverged(cli_session *session);

/* Saves what a network computes with to --weights, and nothing else. Returns CLI_OK or CLI_FAILED. */
int cli_session_save_weights(cli_session *session);

/* The same for a training that goes on, by the best epoch so far, which --best has; or says that it has not. Returns
 * CLI_GO_ON or CLI_FAILED. */
int cli_session_weights_so_far(cli_session *session);

/* What the model makes of the samples to test on, or of those for validation where there are no others. Returns
 * CLI_GO_ON or CLI_FAILED. */
int cli_session_results(cli_session *session);

/* Their parts: what is learnt, an epoch, what the last one is worth, the end. */
int64_t cli_report_parameters(const tn_state *state);
void cli_report_put_epoch(const cli_session *session, const tn_epoch *epoch, cli_json *json);
void cli_report_put_results(const cli_session *session, cli_json *json);
void cli_report_put_done(const cli_session *session, cli_json *json);

/* What went on, to standard output and error. */
void cli_report_start(const cli_session *session);
void cli_report_step(const cli_session *session, double loss);
void cli_report_epoch(cli_session *session, const tn_epoch *epoch);
void cli_report_done(const cli_session *session);

#endif
