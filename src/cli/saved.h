/* saved.h: a saved model, opened for use: what eval and predict have in common. */
#ifndef TN_CLI_SAVED_H
#define TN_CLI_SAVED_H

#include "scaling.h"
#include "settings.h"

#define CLI_SAVED_OPTIONS 32

typedef struct cli_saved {
    cli_settings settings; /* the notes' texts; its own option table is not used */
    const char *path;
    const char *out;    /* of predict: where all outputs go; NULL: nowhere */
    const char *frame;  /* of predict: whether pictures are brought to the set's framing; NULL: "auto" */
    int with_inputs;    /* of predict: --out has the columns of the table, too */
    const char *prompt; /* of predict: what a text model goes on from; NULL: there are files */
    int64_t length, top;
    double temperature; /* TN_ZERO: always what is likeliest */
    const char *report; /* of eval: where its page goes; NULL: nowhere */
    const char *part;   /* of eval: "test" or "all" of the data; NULL: all of other data than it was trained with */
    cli_option options[CLI_SAVED_OPTIONS];
    tn_checkpoint *checkpoint;
    cli_model model;
    cli_scaling scaling;
    tn_device *device;
    tn_state *state;
    tn_status failed; /* why file or device could not be opened; TN_OK where the library did not say it */
} cli_saved;

/* Reads the options and the file, and opens the device. `saved` must not move. Returns CLI_GO_ON or an exit status;
 * cli_saved_close follows in any case. */
int cli_saved_open(cli_saved *saved, const char *command, const char *operands, const char *doc, int argc, char **argv,
                   int *n_operands);
void cli_saved_close(cli_saved *saved);

/* The same for a file and a device that are known; the rest is as the file's notes have it. */
int cli_saved_take(cli_saved *saved, const char *command, const char *path, const char *device);

/* Puts the file's tensors into the state. Then, once the model was used: that the file had all that it needs. Return
 * CLI_GO_ON or CLI_FAILED. */
int cli_saved_load(cli_saved *saved);
int cli_saved_check(const cli_saved *saved);

#endif
