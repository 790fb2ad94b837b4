/* profile.h: where the time of a program goes, as a table and as JSON. */
#ifndef TN_CLI_PROFILE_H
#define TN_CLI_PROFILE_H

#include "json.h"
#include "tenon/tenon.h"

/* What was measured of a program. Launches that do the same are one row, the longest first. */
typedef struct cli_profile {
    struct cli_profile_row *row;
    size_t rows;
    double kernels, floor; /* seconds of a run: of all rows, and what the peaks allow */
    double step;           /* seconds of a run that was not looked at */
    tn_peaks peaks;
    int by_host; /* the device does not tell: launching and waiting are in the figures */
} cli_profile;

/* Of a program that is profiled (tn_program_profile) and has run; `step` is what a run takes by itself. Measures what
 * the device reaches at its best. Returns CLI_GO_ON or an exit status; cli_profile_free follows in any case. */
int cli_profile_make(cli_profile *profile, tn_program *program, tn_device *device, uint32_t precision, double step);
void cli_profile_print(const cli_profile *profile);
/* The same as an object under the key "profile". */
void cli_profile_json(const cli_profile *profile, cli_json *json);
void cli_profile_free(cli_profile *profile);

#endif
