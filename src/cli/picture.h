/* picture.h: one picture to predict from, brought to the framing of what the model was trained on. */
#ifndef TN_CLI_PICTURE_H
#define TN_CLI_PICTURE_H

#include "saved.h"

#define CLI_DOUBT 240 /* bytes that hold all doubts in words */

/* That `--frame` is "auto", "yes" or "no", and that the model knows a framing to bring pictures to where it is "yes".
 * Returns CLI_GO_ON or an exit status. */
int cli_check_frame(const cli_saved *saved);

/* Reads the picture as the model takes it, before scaling; `doubt` gets what makes the picture unlike those that were
 * trained on, or "". Returns CLI_GO_ON or CLI_FAILED. */
int cli_read_picture(const cli_saved *saved, const char *path, float *x, char doubt[CLI_DOUBT]);

/* Adds to the doubts that the likeliest class is none by far, if so. */
void cli_doubt_probability(double probability, char doubt[CLI_DOUBT]);

#endif
