/* choose.h: what --loss auto, --scale auto and the usual number of epochs stand for. */
#ifndef TN_CLI_CHOOSE_H
#define TN_CLI_CHOOSE_H

#include "settings.h"

/* What was chosen; a zeroed struct: nothing was left to choose. */
typedef struct cli_choice {
    int loss, scale, epochs;
} cli_choice;

/* Put a loss in the place of "auto" by what is to be predicted, and whether the network says yes or no with one output;
 * and a scale by what it is predicted from. */
void cli_choose_loss(cli_settings *settings, const tn_dataset *data, int says_yes_or_no, cli_choice *choice);
void cli_choose_scale(cli_settings *settings, const tn_dataset *data, int is_whole, cli_choice *choice);

/* The network of tables, and how its weights begin, where nothing was asked for. */
void cli_choose_net(cli_settings *settings, const tn_dataset *data);

/* More epochs where none were asked for, and samples are few, as the rows of most tables: `settings->epochs` grows. Of
 * a text as many as make enough steps, of smaller batches. */
void cli_choose_epochs(cli_settings *settings, const tn_dataset *data, cli_choice *choice);

/* Prints the choices and why they were made. */
void cli_tell_choice(const cli_choice *choice, const cli_settings *settings, const tn_dataset *data);

#endif
