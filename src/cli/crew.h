/* crew.h: the devices that `--device` names, and what each takes of a batch. */
#ifndef TN_CLI_CREW_H
#define TN_CLI_CREW_H

#include "cli.h"

#define CLI_MOST_DEVICES 16

typedef struct cli_crew {
    tn_device *device[CLI_MOST_DEVICES]; /* the first has the state, the others follow */
    uint32_t count;
    char name[512];   /* "cpu+opencl:0" */
    uint32_t *shares; /* one for each worker; NULL: by their speeds */
} cli_crew;

/* How many devices the text names; of "auto+", which is yet to be measured, 2. */
uint32_t cli_crew_size(const char *names);

/* Opens the devices of "cpu", "cpu+opencl:0" or "opencl:0,opencl:1"; of "auto+" those that make each other faster, at
 * most `most`, and tells what was measured. Returns CLI_GO_ON or an exit status; cli_crew_close follows in any case. */
int cli_crew_open(cli_crew *crew, const char *names, uint32_t most);
void cli_crew_close(cli_crew *crew);

/* Reads "5:3", a share for each of so many workers, where it is given: NULL is fine. Returns CLI_GO_ON or CLI_USAGE. */
int cli_crew_read_shares(cli_crew *crew, const char *text, uint32_t workers);

/* That a command, `what`, is for one device: returns CLI_GO_ON or CLI_USAGE. */
int cli_crew_one(const char *names, const char *what);

/* Prints what each takes, and warns of what the followers leave to others. */
void cli_crew_report(const cli_crew *crew, const tn_training *training);

/* What repeats the training to the bit, for its checkpoint: the names of unlike devices, and their shares, "5:3". Both
 * are empty where it makes no difference. */
void cli_crew_notes(const cli_crew *crew, const tn_training *training, char names[512], char shares[512]);

#endif
